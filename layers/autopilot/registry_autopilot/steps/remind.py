"""Remind: an incident that is due is told again where it lasts, or prompted anew where it was not told at all."""

from registry_autopilot.incidents import remind_of
from registry_autopilot.ports import ConcurrentUpdateError
from registry_autopilot.steps.attempt import World


def remind_or_prompt(world: World, incident_id: str, now: float) -> None:
    """Write a reminder when every channel has told the incident; else have the stream prompt notify again."""
    incident = world.ledger.incident(incident_id)
    if incident is None:
        return
    if not incident.is_open or world.ledger.announced(incident_id) < incident.seq:
        world.ledger.touch_incident(incident_id, now)
        return
    try:
        world.ledger.commit_incident(remind_of(incident, now))
    except ConcurrentUpdateError:
        return  # it has just changed, which is news enough
