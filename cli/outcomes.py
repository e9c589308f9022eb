"""What became of an event: read from the ledger's history of the registries it leads to."""

from collections.abc import Sequence
from typing import Any

from cli.explaining import Meaning
from cli.loading import LoadedEvent
from cli.report import Ledger
from registry_autopilot.aws.ledger_items import references
from registry_autopilot.events import DefinitionChanged, RotationFailed, SecretChanged, Unrecognised
from registry_autopilot.records import Health, HistoryEntry, Outcome, RegistryState
from registry_autopilot.secret_names import reference_names
from registry_autopilot.work import MAX_TRIGGERS
from sandbox.stack import DEFINITIONS_PATH

_WEIGHT = (
    Outcome.REGISTERED,
    Outcome.ADOPTED,
    Outcome.REFRESHED,
    Outcome.SYNCED,
    Outcome.REFUSED,
    Outcome.OBSERVED,
    Outcome.DEFERRED,
    Outcome.UNCHANGED,
)


def event_row(event: LoadedEvent, rules: list[str], meaning: Meaning, ledger: Ledger) -> dict[str, Any]:
    """One event of the report: the rules it matched, the registries it led to, and what became of it there."""
    touched = _touched(meaning, ledger)
    return {
        "file": event.file,
        "matched": rules,
        "trigger": meaning.trigger,
        "registries": [ledger.states[key].shown_name for key in touched],
        "outcome": str(_outcome(rules, meaning, touched, ledger)),
    }


def _touched(meaning: Meaning, ledger: Ledger) -> list[str]:
    """Identities the event led to: by the definitions, by what refers to it, or by their history."""
    if meaning.leads:
        return [key for key in meaning.keys if key in ledger.states]
    wanted = references_of(meaning)
    referring = {key for key, state in ledger.states.items() if wanted & references(state)}
    named = {e.key for e in ledger.history if any(t.event_id == meaning.event_id for t in e.triggers)}
    return sorted(key for key in referring | named if key in ledger.states)


def references_of(meaning: Meaning) -> set[str]:
    """Under which references the ledger finds the registries of a secret or a definition."""
    match meaning.event:
        case SecretChanged(secret_id=secret_id) | RotationFailed(secret_id=secret_id):
            return {f"secret#{name}" for name in reference_names(secret_id)}
        case DefinitionChanged(parameter=parameter) if parameter.startswith(f"{DEFINITIONS_PATH}/"):
            return {f"definition#{parameter.rpartition('/')[2]}"}
        case _:
            return set()


def _outcome(rules: list[str], meaning: Meaning, touched: Sequence[str], ledger: Ledger) -> Outcome:
    if not rules:
        return Outcome.IGNORED
    if isinstance(meaning.event, Unrecognised):
        return Outcome.QUARANTINED
    if meaning.reason is not None or not touched:
        return Outcome.IGNORED
    found = {outcome for key in touched for outcome in _outcomes(key, meaning, ledger)}
    return next((outcome for outcome in _WEIGHT if outcome in found), Outcome.UNCHANGED)


def _outcomes(key: str, meaning: Meaning, ledger: Ledger) -> set[Outcome]:
    """What history says of an event; else what it says of the registry since then, or what is owed."""
    entries = [entry for entry in ledger.history if entry.key == key]
    named = {e.outcome for e in entries if any(t.event_id == meaning.event_id for t in e.triggers)}
    if named - {Outcome.DEFERRED}:
        return named
    later = [entry for entry in entries if entry.at >= _happened_at(meaning) and _may_stand_for_others(entry)]
    return {later[0].outcome} if later else {_standing(ledger.states[key])}


def _may_stand_for_others(entry: HistoryEntry) -> bool:
    """A full list of triggers leaves some out; a tick does what an event could not have done at once."""
    return len(entry.triggers) >= MAX_TRIGGERS or any(trigger.kind == "Tick" for trigger in entry.triggers)


def _happened_at(meaning: Meaning) -> float:
    """When the event happened, by its own word, which is exact to the second."""
    origin = meaning.event.origin
    return origin.at.timestamp() - 1 if origin is not None else 0


def _standing(state: RegistryState) -> Outcome:
    """How a registry stands, for an event that left no trace in its history."""
    if state.health is Health.HELD:
        return Outcome.OBSERVED
    if state.incident_id is not None or state.blocked_by is not None:
        return Outcome.REFUSED
    return Outcome.DEFERRED if state.owed_last is not None or state.waiting_since is not None else Outcome.UNCHANGED
