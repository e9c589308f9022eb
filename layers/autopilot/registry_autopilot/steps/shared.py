"""Incidents with a shared root: one on VerteX, a secret or a definition, however many registries it holds back."""

from registry_autopilot.causes import Cause
from registry_autopilot.incidents import Incident, Story, open_incident, resolve_incident, update_incident
from registry_autopilot.ports import ConcurrentUpdateError
from registry_autopilot.records import SystemState
from registry_autopilot.steps.attempt import World

_TRIES = 5  # another worker telling the same thing at the same moment is the rule, not the exception


def open_shared(
    world: World, subject: str, subject_name: str, cause: Cause, story: Story, *, retry_at: float | None = None
) -> None:
    """Open the subject's incident, or change its cause; who comes second finds it told already."""
    for _ in range(_TRIES):
        was = world.ledger.system(subject)
        incident = _next_incident(world, was, subject_name, cause, story)
        now = was.with_(
            incident_id=incident.id if incident else was.incident_id,
            cause=cause.slug,
            retry_at=retry_at,
            attempts=was.attempts + 1,
        )
        try:
            world.ledger.commit_system(was, now, incident)
        except ConcurrentUpdateError:
            continue
        return


def resolve_shared(world: World, subject: str, at: float, *, story: Story | None = None) -> None:
    """End the subject's incident, if one is open."""
    for _ in range(_TRIES):
        was = world.ledger.system(subject)
        found = world.ledger.incident(was.incident_id) if was.incident_id else None
        if found is None or not found.is_open:
            return
        ending = story or _ending(found)
        now = was.with_(incident_id=None, cause=None, attempts=0, retry_at=None)
        try:
            world.ledger.commit_system(was, now, resolve_incident(found, at, ending))
        except ConcurrentUpdateError:
            continue
        return


def end_shared(world: World, subject: str, *ended: Cause) -> None:
    """Resolve what an event proves to be over, if the incident is of one of these causes."""
    if world.ledger.system(subject).cause in {cause.slug for cause in ended}:
        resolve_shared(world, subject, world.clock())


def _ending(incident: Incident) -> Story:
    what = "The mode is `act` now." if incident.subject == "mode" else f"{incident.subject_name} works again."
    return Story(what=what, kept="What was held back is being done now, one by one.")


def _next_incident(world: World, was: SystemState, subject_name: str, cause: Cause, story: Story) -> Incident | None:
    """The incident to write; None when the open one says the same already."""
    now = world.clock()
    found = world.ledger.incident(was.incident_id) if was.incident_id else None
    if found is None or not found.is_open:
        return open_incident(was.subject, subject_name, cause, now, story)
    updated = update_incident(found, cause, now, story)
    return None if updated is found else updated
