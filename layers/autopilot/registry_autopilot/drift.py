"""Drift: what somebody changed in VerteX since we last wrote a registry. Pure.

A GET masks credentials, so an exchanged secret key cannot be seen; that somebody wrote at all can be, by the time of
the last modification.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from registry_autopilot.registry import RegistrySpec
from registry_autopilot.vertex.models import StoredRegistry, owned_fields

SLACK_SECONDS = 120  # between our clock and VerteX's
SYNC_SECONDS = 900  # a synchronization that began so long before may be what touched the registry


def drift_of(stored: StoredRegistry, spec: RegistrySpec, *, name: str, written_at: float | None) -> str | None:
    """What differs from what we wrote last, in words; None: nothing that can be seen.

    `written_at` is when we last wrote it, in seconds since the epoch.
    """
    if name and stored.name != name:
        return f"it was renamed from {name!r} to {stored.name!r}"
    changed = _differences(owned_fields(spec), _mapping(stored.raw.get("spec")))
    if changed:
        return f"somebody changed {', '.join(changed)}"
    if stored.synchronize is not None and stored.synchronize != spec.synchronize:
        return "somebody changed its synchronization setting"
    if written_at is not None and written_by_somebody(stored.last_modified, stored.sync.last_run, written_at):
        return f"somebody wrote it at {stored.last_modified}; nothing visible differs, its credentials may"
    return None


def seconds_of(timestamp: str | None) -> float | None:
    """An ISO 8601 time as seconds since the epoch; None for what is none."""
    try:
        return datetime.fromisoformat(timestamp).timestamp() if timestamp else None
    except ValueError:
        return None


def written_by_somebody(last_modified: str | None, last_sync: str | None, written_at: float) -> bool:
    """Whether a time of modification is neither that of our own write nor that of a synchronization.

    The first two are VerteX's ISO 8601 times; `written_at` is when we last wrote, in seconds since the epoch.
    """
    modified, synced = seconds_of(last_modified), seconds_of(last_sync)
    if modified is None or modified <= written_at + SLACK_SECONDS:
        return False
    by_its_sync = synced is not None and synced - SLACK_SECONDS <= modified <= synced + SYNC_SECONDS
    return not by_its_sync


def _differences(wanted: Mapping[str, Any], found: Mapping[str, Any], path: str = "") -> list[str]:
    """Fields that are there, readable, and not what we would write; what an answer leaves out says nothing."""
    changed: list[str] = []
    for key, value in wanted.items():
        other, where = found.get(key), f"{path}{key}"
        if isinstance(value, Mapping):
            changed += _differences(value, _mapping(other), f"{where}.")
        elif other is not None and not _is_masked(other) and other != value:
            changed.append(where)
    return changed


def _is_masked(value: object) -> bool:
    return isinstance(value, str) and "**" in value


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
