"""The outcome of an event follows from the ledger: its own entry in history, or what stands for it."""

from typing import Any

import pytest

from cli.explaining import HOME, Meaning, meaning_of
from cli.loading import LoadedEvent
from cli.outcomes import event_row
from cli.report import Ledger
from registry_autopilot.definitions import Definition, parse_definition
from registry_autopilot.records import Health, HistoryEntry, Outcome, RegistryState
from registry_autopilot.work import MAX_TRIGGERS, TriggerNote
from sandbox.aws import Place, envelopes

NOW = 1_790_000_000.0
HERE = Place("123456789012", "us-east-1")
EVENT = envelopes.repository_created(HERE, "team-a/spectro-packs/archive/nginx", {}, NOW)
DOCUMENT = {"id": "packs", "name": "{base}", "match": {"repositories": ["team-*"]}}
DEFINITIONS: list[Definition] = [parse_definition(DOCUMENT, definition_id="packs")]
SECRET = "vertex/ecr-pull"


def meaning(event: Any = EVENT) -> Meaning:
    return meaning_of(event, DEFINITIONS, HOME)


def key() -> str:
    return meaning().keys[0]


def state(**fields: Any) -> RegistryState:
    """The registry that the event leads to."""
    (lead,) = meaning().leads
    return RegistryState.fresh(lead.identity).with_(
        name="team-a", definition_id="packs", secret_ids=(SECRET,), **fields
    )


def entry(outcome: Outcome, *event_ids: str, at: float = NOW + 1, kind: str = "RepositoryCreated") -> HistoryEntry:
    triggers = tuple(TriggerNote(kind=kind, event_id=event_id, at=at) for event_id in event_ids)
    return HistoryEntry(
        key=key(), at=at, outcome=outcome, name="team-a", definition_id="packs", mode="act", triggers=triggers
    )


def ledger(*entries: HistoryEntry, states: tuple[RegistryState, ...] = (state(),)) -> Ledger:
    """A ledger as it lies in the table."""
    items = [{"pk": f"REG#{s.key}", "sk": "STATE", "doc": s.model_dump_json()} for s in states]
    items += [{"pk": f"REG#{e.key}", "sk": f"HIST#{e.at}", "doc": e.model_dump_json()} for e in entries]
    return Ledger(items)


def outcome(known: Ledger, event: Any = EVENT, rules: tuple[str, ...] = ("Rule",)) -> str:
    return str(event_row(LoadedEvent("file", event), list(rules), meaning(event), known)["outcome"])


def own_id() -> str:
    return str(EVENT["detail"]["eventID"])


def test_history_decides_when_it_names_the_event() -> None:
    """Others' entries do not count."""
    assert outcome(ledger(entry(Outcome.REGISTERED, own_id()), entry(Outcome.SYNCED, "other"))) == "registered"


def test_the_weightiest_counts_when_history_names_the_event_twice() -> None:
    """A refusal that was made up for is what the event led to in the end."""
    entries = (entry(Outcome.REFUSED, own_id()), entry(Outcome.ADOPTED, own_id(), at=NOW + 5))
    assert outcome(ledger(*entries)) == "adopted"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "unchanged"),
        ({"owed_first": NOW, "owed_last": NOW}, "deferred"),
        ({"waiting_since": NOW}, "deferred"),
        ({"incident_id": "i"}, "refused"),
        ({"blocked_by": "vertex"}, "refused"),
        ({"health": Health.HELD}, "observed"),
    ],
)
def test_the_registry_s_standing_decides_when_history_is_silent(fields: dict[str, Any], expected: str) -> None:
    """An event that changed nothing leaves no entry."""
    assert outcome(ledger(entry(Outcome.REGISTERED, "other"), states=(state(**fields),))) == expected


def test_a_crowded_entry_stands_for_the_event_when_its_list_is_full() -> None:
    """History names a limited number of events; the rest was handled with them."""
    crowd = entry(Outcome.REGISTERED, *(f"other-{number}" for number in range(MAX_TRIGGERS)))
    assert outcome(ledger(crowd)) == "registered"


def test_a_tick_s_entry_stands_for_the_event_when_it_came_later() -> None:
    """What waited for a fresh key was done by a tick; what a tick did before the event was not for it."""
    assert outcome(ledger(entry(Outcome.REGISTERED, "due-1", kind="Tick"))) == "registered"
    assert outcome(ledger(entry(Outcome.SYNCED, "due-1", kind="Tick", at=NOW - 60))) == "unchanged"


def test_the_event_is_ignored_when_no_registry_came_of_it() -> None:
    """The repository is gone, or tagged to be left alone."""
    assert outcome(ledger(states=())) == "ignored"


def test_the_event_is_ignored_when_no_rule_matched_it() -> None:
    """Whatever the ledger says, it never arrived."""
    assert outcome(ledger(entry(Outcome.REGISTERED, own_id())), rules=()) == "ignored"


def test_the_event_is_quarantined_when_it_could_not_be_read() -> None:
    """A rule took it, the parser could not."""
    broken = EVENT | {"detail": EVENT["detail"] | {"requestParameters": None, "responseElements": {}}}
    assert outcome(ledger(), broken) == "quarantined"


@pytest.mark.parametrize(
    "event",
    [
        envelopes.secret_label_updated(HERE, HERE.arn("secretsmanager", f"secret:{SECRET}-AbCdEf"), SECRET, "v2", NOW),
        envelopes.parameter_changed(HERE, "/registry-autopilot/registries/packs", "Update", NOW),
    ],
)
def test_the_registry_is_found_by_reference_when_a_secret_or_definition_changes(event: Any) -> None:
    """It is named though nothing was to be done."""
    row = event_row(LoadedEvent("file", event), ["Rule"], meaning(event), ledger())
    assert (row["registries"], row["outcome"]) == (["team-a"], "unchanged")


@pytest.mark.parametrize(
    "event",
    [
        envelopes.secret_label_updated(HERE, HERE.arn("secretsmanager", "secret:other-AbCdEf"), "other", "v2", NOW),
        envelopes.parameter_changed(HERE, "/registry-autopilot/registries/others", "Update", NOW),
        envelopes.parameter_changed(HERE, "/registry-autopilot/control/mode", "Update", NOW),
    ],
)
def test_the_event_is_ignored_when_nothing_refers_to_what_changed(event: Any) -> None:
    """Somebody else's secret, an unused definition, a mode that held nothing back."""
    row = event_row(LoadedEvent("file", event), ["Rule"], meaning(event), ledger())
    assert (row["registries"], row["outcome"]) == ([], "ignored")
