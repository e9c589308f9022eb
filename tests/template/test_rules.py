"""The rules of the template and the parser in the code, against the same files in events/."""

import json
from typing import Any

import pytest

from registry_autopilot.events import parse_event
from tests.template import support

_SAMPLES = {name: entry for name, entry in support.manifest().items() if name.endswith(".json")}


def _read(name: str) -> Any:
    return json.loads((support.EVENTS / name).read_text())


@pytest.mark.parametrize("name", sorted(_SAMPLES))
def test_sample_matches_the_rule_that_the_manifest_names(name: str) -> None:
    """A failed call matches no rule; whatever could mean that there is a repository matches one."""
    document, wanted = _read(name), _SAMPLES[name]["rule"]
    if not isinstance(document, dict):
        assert wanted is None
        return
    matched = {rule for rule, pattern in support.patterns().items() if pattern.matches_event(document)}
    expected = {wanted} - {None, "TickRule"}
    assert matched == expected


@pytest.mark.parametrize("name", sorted(_SAMPLES))
def test_sample_is_parsed_as_the_manifest_says(name: str) -> None:
    """The parser does not lean on the rules: it refuses what they would filter."""
    assert type(parse_event(_read(name))).__name__ == _SAMPLES[name]["parsed"]


def test_every_rule_has_a_sample() -> None:
    """No rule without an event that shows what it is for."""
    shown = {entry["rule"] for entry in support.manifest().values()}
    rules = support.of_type("AWS::Events::Rule")
    passing = {name for name, rule in rules.items() if not any("Input" in target for target in rule["Targets"])}
    assert passing <= shown
    assert set(rules) - passing == {"HealthSweepRule", "InventorySweepRule"}
