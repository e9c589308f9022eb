"""The incident of one registry: opened, kept open while it comes and goes, ended."""

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
from registry_autopilot.records import Outcome
from registry_autopilot.steps.attempt import Attempt
from registry_autopilot.steps.words import who


def open_one(attempt: Attempt) -> Incident | None:
    """The registry's open incident, as the attempt found it."""
    incident_id = attempt.was.incident_id
    found = attempt.world.ledger.incident(incident_id) if incident_id else None
    return found if found is not None and found.is_open else None


def told_incident(attempt: Attempt, told: Incident | None, cause: Cause, story: Story) -> Incident:
    """The incident with what an attempt found: a new one, the open one with its cause of now, or that one as it is."""
    story = story.model_copy(update={"facts": story.facts | {REGISTRIES: "1"}})
    came_back = told is None or attempt.state.quiet_since is not None
    attempt.change(quiet_since=None)
    if came_back:
        attempt.change(openings=openings_with(attempt.state.openings, attempt.at))
    if told is not None:
        return update_incident(told, cause, attempt.at, story)
    story = damped(story, attempt.state.openings, attempt.at)
    link = attempt.world.console_link(attempt.state.key)
    return open_incident(f"registry:{attempt.state.key}", attempt.state.shown_name, cause, attempt.at, story, link=link)


def resolved_incident(attempt: Attempt, outcome: Outcome) -> Incident | None:
    """The open incident as ended by an attempt that succeeded; None where none is open."""
    incident = open_one(attempt)
    if incident is None:
        return None
    story = Story(
        what=f"The registry {attempt.state.shown_name!r} is right again ({outcome}).",
        kept="Nothing is left to do.",
        trigger=who(attempt),
    )
    return resolve_incident(incident, attempt.at, story)


def has_to_be_quiet(attempt: Attempt) -> bool:
    """Whether an incident that comes and goes has not been quiet for long enough to say that it is over."""
    if open_one(attempt) is None or not comes_and_goes(attempt.state.openings, attempt.at):
        return False
    since = attempt.state.quiet_since or attempt.at
    attempt.change(quiet_since=since)
    return attempt.at - since < FLAP_QUIET_SECONDS
