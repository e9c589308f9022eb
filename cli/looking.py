"""`autopilot status`, `history` and `incident`: what the ledger knows. Sends no request to VerteX."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from cli.errors import UsageError
from cli.stacks import Target
from registry_autopilot.aws.announcements import DynamoAnnouncements
from registry_autopilot.aws.ledger import DynamoLedger
from registry_autopilot.incidents import Incident, cause_of
from registry_autopilot.records import HistoryEntry, RegistryState, SystemState

_PREFIX = 8  # characters of an identity's key that are enough to name it


def status(target: Target) -> dict[str, Any]:
    """How everything stands."""
    ledger = target.ledger
    states = sorted(ledger.registries(), key=lambda state: state.shown_name)
    systems = [system for system in ledger.systems() if system.incident_id is not None]
    swept = ledger.sweep_state()
    return {
        "stack": target.name,
        "mode": _mode(target),
        "counts": dict(sorted(Counter(state.health.value for state in states).items())),
        "registries": [_registry(state) for state in states],
        "incidents": [*_own_incidents(ledger, states), *_shared_incidents(ledger, systems)],
        "quarantined": ledger.quarantined(),
        "sweeps": {rhythm: _iso(at) for rhythm, at in sorted(swept.finished.items())},
    }


def history(target: Target, name: str, limit: int) -> dict[str, Any]:
    """What happened to one registry, newest last.

    Raises:
        UsageError: there is none of the name, or several.
    """
    ledger = target.ledger
    state = _one(ledger.registries(), name)
    return {
        "name": state.shown_name,
        "key": state.key,
        "uid": state.uid,
        "entries": [_entry(entry) for entry in ledger.history(state.key, limit)],
    }


def incident(target: Target, incident_id: str) -> dict[str, Any]:
    """The whole thread of an incident, whatever NoticeDetail says.

    Raises:
        UsageError: there is none.
    """
    ledger = target.ledger
    found = ledger.incident(incident_id)
    if found is None:
        raise UsageError(f"ID: {incident_id!r}: the ledger has no such incident; notices and `status` name them")
    told = DynamoAnnouncements(target.client("dynamodb"), target.outputs["LedgerTable"]).marks(incident_id)
    blocked = ledger.referring(f"blocked#{found.subject}")
    return _summary(found) | {
        "advice": cause_of(found.cause).advice,
        "runbook": f"docs/operations.md#{cause_of(found.cause).runbook}",
        "link": found.console_link,
        "told": told,
        "blocked": sorted(state.shown_name for state in blocked),
        "changes": [
            {
                "seq": change.seq,
                "state": change.state,
                "cause": change.cause,
                "at": _iso(change.at),
                "what": change.what,
                "kept": change.kept,
                "trigger": change.trigger,
                "next_try": _iso(change.next_try_at),
                "facts": change.facts,
            }
            for change in found.changes
        ],
    }


def _one(states: Iterable[RegistryState], name: str) -> RegistryState:
    found = [s for s in states if name == s.name or (len(name) >= _PREFIX and s.key.startswith(name))]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"NAME: {name!r}: the ledger has no registry of that name; `autopilot status` lists them")
    keys = ", ".join(state.key[:_PREFIX] for state in found)
    raise UsageError(f"NAME: {name!r}: names {len(found)} registries; use one of the keys {keys}")


def _registry(state: RegistryState) -> dict[str, Any]:
    return {
        "name": state.shown_name,
        "key": state.key,
        "uid": state.uid,
        "type": state.type,
        "provider": state.provider,
        "endpoint": state.endpoint,
        "base_content_path": state.base_content_path,
        "definition": state.definition_id,
        "health": state.health,
        "cause": state.refused_cause,
        "blocked_by": state.blocked_by,
        "incident": state.incident_id,
        "held": state.held,
        "sync_owed": state.owed_last is not None,
        "due": _iso(state.due_at),
        "written": _iso(state.written_at),
        "proved": _iso(state.proved_at),
        "credential_expires": _iso(state.expires_at),
    }


def _own_incidents(ledger: DynamoLedger, states: Iterable[RegistryState]) -> list[dict[str, Any]]:
    found = [ledger.incident(state.incident_id) for state in states if state.incident_id]
    return [_summary(one) for one in found if one is not None]


def _shared_incidents(ledger: DynamoLedger, systems: Iterable[SystemState]) -> list[dict[str, Any]]:
    found = [ledger.incident(str(system.incident_id)) for system in systems]
    return [_summary(one) for one in found if one is not None]


def _summary(found: Incident) -> dict[str, Any]:
    return {
        "id": found.id,
        "subject": found.subject_name,
        "cause": found.cause,
        "severity": found.severity,
        "open": found.is_open,
        "opened": _iso(found.opened_at),
        "resolved": _iso(found.resolved_at),
        "what": found.changes[-1].what if found.changes else "",
    }


def _entry(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "at": _iso(entry.at),
        "outcome": entry.outcome,
        "cause": entry.cause,
        "detail": entry.detail,
        "mode": entry.mode,
        "definition": entry.definition_id,
        "triggers": [trigger.model_dump(exclude_none=True) for trigger in entry.triggers],
        "secrets": [secret.model_dump() for secret in entry.secrets],
        "validated": entry.validated,
        "requests": list(entry.requests),
    }


def _mode(target: Target) -> str:
    parameter = target.client("ssm").get_parameter(Name=target.outputs["ModeParameter"])["Parameter"]
    return str(parameter["Value"])


def _iso(at: float | None) -> str | None:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at is not None else None
