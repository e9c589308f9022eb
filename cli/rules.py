"""Which rules of template.yaml an event matches, asked without a stack: moto's reading of EventBridge patterns."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml
from moto.events.models import EventPattern

from sandbox.stack import TEMPLATE

_SCHEDULED = {"source": ["aws.events"], "detail-type": ["Scheduled Event"]}  # what a rule with a schedule sends


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as plain values; patterns hold none."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def matching_rules(envelope: Any) -> list[str]:
    """Logical ids of the rules that match; a scheduled event comes from the rules with a schedule."""
    if not isinstance(envelope, Mapping):
        return []
    event = dict(envelope)
    return [name for name, pattern in _patterns().items() if pattern.matches_event(event)]


def _orders(rule: Mapping[str, Any]) -> bool:
    """Whether a rule invokes a function with an order of its own instead of passing an event on."""
    return any("Input" in target for target in rule["Targets"])


@cache
def _patterns() -> dict[str, Any]:
    template = yaml.load(TEMPLATE.read_text(), Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader
    rules = {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Events::Rule" and not _orders(resource["Properties"])
    }
    return {name: EventPattern.load(json.dumps(rule.get("EventPattern", _SCHEDULED))) for name, rule in rules.items()}
