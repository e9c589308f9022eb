"""The default event bus: whole envelopes, as AWS's own services put them, through moto's real rules."""

import copy
import json
from collections.abc import Mapping
from typing import Any

from moto.events.models import Rule, events_backends

Envelope = Mapping[str, Any]


def rules_on_bus(account: str, region: str) -> list[Rule]:
    """The rules of an account's default bus in a region."""
    return list(events_backends[account][region].event_buses["default"].rules.values())


def deliver(envelope: Envelope, account: str, region: str) -> list[str]:
    """Put an envelope on the default bus as it is: id, time, account and region are the sender's.

    PutEvents would give it a new id, and the account and region of the caller; events that AWS forwards from
    other accounts keep theirs.

    Returns:
        Names of the rules that matched.
    """
    matched = [rule for rule in rules_on_bus(account, region) if _is_for(rule, envelope)]
    for rule in matched:
        message: Any = copy.deepcopy(dict(envelope))
        rule.send_to_targets(message)
    return [rule.name for rule in matched]


def _is_for(rule: Rule, envelope: Envelope) -> bool:
    has_pattern = bool(rule.event_pattern.get_pattern())
    return (
        rule.state == "ENABLED" and has_pattern and rule.event_pattern.matches_event(json.loads(json.dumps(envelope)))
    )
