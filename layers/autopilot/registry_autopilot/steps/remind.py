"""Remind: an incident that is due is told again where it lasts, or prompted anew where it was not told at all."""

from registry_autopilot.incidents import REGISTRIES, Incident, remind_of
from registry_autopilot.ports import ConcurrentUpdateError
from registry_autopilot.steps.attempt import World
from registry_autopilot.steps.secret_incidents import words_now


def remind_or_prompt(world: World, incident_id: str, now: float) -> None:
    """Write a reminder when every channel has told the incident; else have the stream prompt notify again."""
    incident = world.ledger.incident(incident_id)
    if incident is None:
        return
    if not incident.is_open or world.ledger.announced(incident_id) < incident.seq:
        world.ledger.touch_incident(incident_id, now)
        return
    what = words_now(incident, incident.changes[-1].what, now)
    reminder = remind_of(incident, now, what, _next_try_at(world, incident, now), _counted(world, incident))
    try:
        world.ledger.commit_incident(reminder)
    except ConcurrentUpdateError:
        return  # it has just changed, which is news enough


def _counted(world: World, incident: Incident) -> dict[str, str]:
    """How many registries wait for a shared subject by now."""
    waiting = len(world.ledger.referring(f"blocked#{incident.subject}"))
    return {REGISTRIES: str(waiting)} if waiting else {}


def _next_try_at(world: World, incident: Incident, now: float) -> float | None:
    """When the registry or the shared subject is tried again, as the ledger has it now."""
    kind, _, key = incident.subject.partition(":")
    if kind == "registry":
        state = world.ledger.registry(key)
        due = state.due_at if state is not None else None
    else:
        due = world.ledger.system(incident.subject).retry_at
    return due if due is not None and due > now else None
