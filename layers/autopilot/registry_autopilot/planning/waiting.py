"""What waits for its own next try, and is left to it."""

from registry_autopilot.planning.entries import Action, Entry, Pen
from registry_autopilot.planning.observed import DAY, Asked, Observation
from registry_autopilot.records import RegistryState


def waits(pen: Pen, key: str, state: RegistryState | None) -> Entry | None:
    """Refused, held back or blocked, and nothing has changed since: it has its own next try."""
    asked = pen.seen.asked[key]
    if asked.desired is None:
        told = state is not None and (state.blocked_by or "").startswith("secret:")
        item = None if told else asked.item
        return Entry(
            Action.REPORT,
            asked.name,
            "a secret of it cannot be read",
            asked.lead.definition.id,
            key=key,
            item=item,
        )
    if state is None:
        return None
    same = state.refused_fingerprint == asked.desired.fingerprint and (state.incident_id or state.blocked_by)
    if state.held is not None and state.held_fingerprint == asked.desired.fingerprint:
        return pen.about(state, f"held back by mode observe: would {state.held}")
    if (same or _refused_unresolved(pen.seen, asked, state)) and not state.sync_failed:
        return pen.about(state, f"refused ({state.refused_cause}); it is tried again by its own rule")
    return None


def _refused_unresolved(seen: Observation, asked: Asked, state: RegistryState) -> bool:
    """Refused before it could be resolved (a malformed secret, a host that is not allowed), and no secret is newer.

    A definition leaves no such trace: what was refused so is tried again after a day at the latest.
    """
    if state.refused_at is None or state.refused_fingerprint is not None:
        return False
    told = state.incident_id is not None or state.blocked_by is not None
    return told and state.refused_at >= (asked.changed_at or 0) and seen.now - state.refused_at < DAY
