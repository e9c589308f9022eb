"""Replay: events through the stack's real rules and functions, and what came of each."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.explaining import HOME, Meaning, meaning_of
from cli.loading import LoadedEvent
from cli.report import Ledger, notices_of, registries_of, requests_of
from registry_autopilot.aws.ledger_items import references
from registry_autopilot.definitions import Definition
from registry_autopilot.events import (
    MAX_BODY_BYTES,
    DefinitionChanged,
    ImagePushed,
    RepositoryCreated,
    RepositoryDeleted,
    RotationFailed,
    SecretChanged,
    Tick,
    Unrecognised,
    parse_event,
)
from registry_autopilot.records import MAX_TRIGGERS, Health, HistoryEntry, Outcome, RegistryState
from registry_autopilot.secret_values import reference_names
from sandbox.stack import DEFINITIONS_PATH, Sandbox
from sandbox.vertex import Journal

KEY_WAIT_SECONDS = 200  # of the sandbox's time: a fresh access key is waited for, a sync that is not due is not
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


def replay(
    sandbox: Sandbox, events: Sequence[LoadedEvent], definitions: Sequence[Definition], journal: Journal
) -> dict[str, Any]:
    """Deliver, run until idle, report."""
    for event in events:
        _claim(sandbox, event)
    matched = [_deliver(sandbox, event) for event in events]
    settle(sandbox)
    return report(sandbox, events, matched, definitions, journal)


def report(
    sandbox: Sandbox,
    events: Sequence[LoadedEvent],
    matched: Sequence[list[str]],
    definitions: Sequence[Definition],
    journal: Journal,
) -> dict[str, Any]:
    """What came of events that were delivered, each with the rules it matched."""
    ledger = Ledger(sandbox.ledger_items())
    meanings = [meaning_of(event.envelope, definitions, HOME) for event in events]
    return {
        "events": [
            _event(event, rules, meaning, ledger)
            for event, rules, meaning in zip(events, matched, meanings, strict=True)
        ],
        "registries": registries_of(ledger),
        "vertex_requests": requests_of(journal),
        "notices": notices_of(sandbox, ledger),
        "dead_letters": sum(sandbox.runner.dead_letters().values()),
    }


def settle(sandbox: Sandbox, timeout: float = 300) -> None:
    """Run until idle; short waits for a fresh access key pass in the sandbox's time."""
    sandbox.settle(timeout)
    end = sandbox.clock.now() + KEY_WAIT_SECONDS
    while (wait := _key_wait(sandbox)) is not None and sandbox.clock.now() + wait <= end:
        sandbox.clock.advance(wait)
        sandbox.tick()
        sandbox.settle(timeout)


def _key_wait(sandbox: Sandbox) -> float | None:
    states = Ledger(sandbox.ledger_items()).states.values()
    due = [s.due_at for s in states if s.waiting_since is not None and s.refused_at is None and s.due_at is not None]
    return max(1.0, min(due) - sandbox.clock.now() + 1) if due else None


def _claim(sandbox: Sandbox, event: LoadedEvent) -> None:
    """Make AWS agree with an event that means a repository; anything else claims nothing that could be made true."""
    meant = parse_event(event.envelope)
    try:
        if isinstance(meant, RepositoryCreated | ImagePushed):
            sandbox.ensure_claims(event.envelope)
        elif isinstance(meant, RepositoryDeleted):
            sandbox.activity.delete_repository(meant.repository.name)
    except (ClientError, BotoCoreError) as error:
        sys.stderr.write(f"autopilot: {event.file}: the sandbox's AWS cannot agree: {error}\n")


def _deliver(sandbox: Sandbox, event: LoadedEvent) -> list[str]:
    """Put it on the bus; one that is larger than EventBridge delivers never arrives."""
    if len(json.dumps(event.envelope).encode()) > MAX_BODY_BYTES:
        sys.stderr.write(f"autopilot: {event.file}: larger than the {MAX_BODY_BYTES} bytes that EventBridge delivers\n")
        return []
    if isinstance(parse_event(event.envelope), Tick):
        return sandbox.tick()  # a schedule's event goes to its own target, never over the bus
    return sandbox.put_event(event.envelope)


def _event(event: LoadedEvent, rules: list[str], meaning: Meaning, ledger: Ledger) -> dict[str, Any]:
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
    wanted = _references(meaning)
    referring = {key for key, state in ledger.states.items() if wanted & references(state)}
    named = {e.key for e in ledger.history if any(t.event_id == meaning.event_id for t in e.triggers)}
    return sorted(key for key in referring | named if key in ledger.states)


def _references(meaning: Meaning) -> set[str]:
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
    found = {outcome for key in touched for outcome in _outcomes(key, meaning.event_id, ledger)}
    return next((outcome for outcome in _WEIGHT if outcome in found), Outcome.UNCHANGED)


def _outcomes(key: str, event_id: str | None, ledger: Ledger) -> set[Outcome]:
    """What history says of an event; else what it says of the registry, or what is owed."""
    entries = [entry for entry in ledger.history if entry.key == key]
    named = {e.outcome for e in entries if any(t.event_id == event_id for t in e.triggers)}
    if named - {Outcome.DEFERRED}:
        return named
    return named or {_standing(ledger.states[key], entries)}


def _standing(state: RegistryState, entries: Sequence[HistoryEntry]) -> Outcome:
    """How a registry stands, for an event that left no trace in its history."""
    if any(len(entry.triggers) >= MAX_TRIGGERS for entry in entries):
        return entries[-1].outcome
    if state.health is Health.HELD:
        return Outcome.OBSERVED
    if state.incident_id is not None or state.blocked_by is not None:
        return Outcome.REFUSED
    return Outcome.DEFERRED if state.owed_last is not None or state.waiting_since is not None else Outcome.UNCHANGED
