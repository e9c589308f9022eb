"""Incidents with a shared root: one on VerteX, a secret or a definition, however many registries it holds back."""

from typing import Protocol

from registry_autopilot.causes import Cause
from registry_autopilot.incidents import (
    FLAP_QUIET_SECONDS,
    REGISTRIES,
    Incident,
    Story,
    comes_and_goes,
    damped,
    open_incident,
    openings_with,
    resolve_incident,
    update_incident,
)
from registry_autopilot.ports import Clock, ConcurrentUpdateError, SharedSubjects
from registry_autopilot.records import SystemState


class Subjects(Protocol):
    """Whoever tells incidents of shared subjects: where they are kept, and what time it is."""

    @property
    def ledger(self) -> SharedSubjects:
        """Where they are kept."""
        ...

    @property
    def clock(self) -> Clock:
        """Seconds since the epoch."""
        ...


_TRIES = 5  # another worker telling the same thing at the same moment is the rule, not the exception


def open_shared(
    world: Subjects, subject: str, subject_name: str, cause: Cause, story: Story, *, retry_at: float | None = None
) -> None:
    """Open the subject's incident, or change its cause; who comes second finds it told already."""
    for _ in range(_TRIES):
        was = world.ledger.system(subject)
        incident, openings = _next_incident(world, was, subject_name, cause, story)
        now = was.with_(
            incident_id=incident.id if incident else was.incident_id,
            cause=cause.slug,
            retry_at=retry_at,
            attempts=was.attempts + 1,
            openings=openings,
            quiet_since=None,
        )
        try:
            world.ledger.commit_system(was, now, incident)
        except ConcurrentUpdateError:
            continue
        return


def resolve_shared(world: Subjects, subject: str, at: float, *, story: Story | None = None) -> None:
    """End the subject's incident, if one is open; one that comes and goes only after it has been quiet for a while."""
    for _ in range(_TRIES):
        was = world.ledger.system(subject)
        found = world.ledger.incident(was.incident_id) if was.incident_id else None
        if found is None or not found.is_open:
            return
        over = was.with_(incident_id=None, cause=None, attempts=0, retry_at=None, quiet_since=None)
        incident: Incident | None = resolve_incident(found, at, story or _ending(world, found))
        if comes_and_goes(was.openings, at) and at - (was.quiet_since or at) < FLAP_QUIET_SECONDS:
            over, incident = was.with_(retry_at=None, quiet_since=was.quiet_since or at), None
        if over == was:
            return
        try:
            world.ledger.commit_system(was, over, incident)
        except ConcurrentUpdateError:
            continue
        return


def end_quiet_ones(world: Subjects, now: float) -> None:
    """End what came and went, and has been quiet for long enough."""
    for system in world.ledger.systems():
        if system.incident_id is not None and system.quiet_since is not None:
            resolve_shared(world, system.subject, now)


def end_shared(world: Subjects, subject: str, *ended: Cause) -> None:
    """Resolve what an event proves to be over, if the incident is of one of these causes."""
    if world.ledger.system(subject).cause in {cause.slug for cause in ended}:
        resolve_shared(world, subject, world.clock())


def _ending(world: Subjects, incident: Incident) -> Story:
    name = incident.subject_name[:1].upper() + incident.subject_name[1:]
    what = "The mode is `act` now." if incident.subject == "mode" else f"{name} works again."
    waiting = len(world.ledger.referring(f"blocked#{incident.subject}"))
    if not waiting:
        return Story(what=what, kept="Nothing else waits for it.")
    kept = (
        f"What was held back is being done now, one by one ({waiting} {'registry' if waiting == 1 else 'registries'})."
    )
    return Story(what=what, kept=kept, facts={REGISTRIES: str(waiting)})


def _next_incident(
    world: Subjects, was: SystemState, subject_name: str, cause: Cause, story: Story
) -> tuple[Incident | None, tuple[float, ...]]:
    """The incident to write, None when the open one says the same already; and when it opened of late."""
    now = world.clock()
    found = world.ledger.incident(was.incident_id) if was.incident_id else None
    if found is None or not found.is_open:
        openings = openings_with(was.openings, now)
        return open_incident(was.subject, subject_name, cause, now, damped(story, openings, now)), openings
    updated = update_incident(found, cause, now, story)
    openings = was.openings if was.quiet_since is None else openings_with(was.openings, now)  # it came back
    return (None if updated is found else updated), openings
