"""An incident's life: opened, updated as its cause changes, resolved. Pure: each step returns a new document."""

import re
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from registry_autopilot.causes import CAUSES, UNKNOWN, Cause, Severity
from registry_autopilot.registry import digest

FLAP_WINDOW_SECONDS = 3600
FLAP_OPENINGS = 3  # so many openings within the window: the problem comes and goes
FLAP_QUIET_SECONDS = 1800  # so long it has to be quiet before its end is told
MAX_CHANGES = 50  # a thread longer than this keeps its first and its newest changes

NAMED_AT_MOST = 10  # names in one notice

ChangeState = Literal["open", "update", "resolved"]


REGISTRIES = "registries"  # the fact that counts the registries which a change concerns


def named(names: Iterable[str]) -> str:
    """Names in order, and how many more there are."""
    ordered = sorted(names)
    more = f" and {len(ordered) - NAMED_AT_MOST} more" if len(ordered) > NAMED_AT_MOST else ""
    return ", ".join(ordered[:NAMED_AT_MOST]) + more


class Change(BaseModel):
    """One thing to announce.

    Attributes:
        seq: 1 for the opening, counting up; channels remember the last one they told.
        what: what happened; kept: what was kept as it was.
        trigger: who or what led to it; next_try_at: when it is tried again by itself, epoch seconds.
    """

    model_config = ConfigDict(frozen=True)

    seq: int
    state: ChangeState
    cause: str
    at: float
    what: str
    kept: str
    trigger: str | None = None
    next_try_at: float | None = None
    facts: dict[str, str] = {}


class Incident(BaseModel):
    """An open or resolved problem of a subject, with the thread of its changes."""

    model_config = ConfigDict(frozen=True)

    id: str
    subject: str
    subject_name: str
    cause: str
    opened_at: float
    resolved_at: float | None = None
    console_link: str | None = None
    changes: tuple[Change, ...] = ()

    @property
    def seq(self) -> int:
        """Number of the newest change."""
        return self.changes[-1].seq if self.changes else 0

    @property
    def is_open(self) -> bool:
        """Whether the problem lasts."""
        return self.resolved_at is None

    @property
    def severity(self) -> Severity:
        """Severity of the cause."""
        return cause_of(self.cause).severity

    def above(self, mark: int) -> tuple[Change, ...]:
        """What a channel that told up to `mark` has not told yet."""
        return tuple(change for change in self.changes if change.seq > mark)


class Story(BaseModel):
    """The words of a change, before it has a place in a thread."""

    model_config = ConfigDict(frozen=True)

    what: str
    kept: str
    trigger: str | None = None
    next_try_at: float | None = None
    facts: dict[str, str] = {}


def cause_of(slug: str) -> Cause:
    """The cause of a slug; one that a newer release wrote reads as unknown."""
    return CAUSES.get(slug, UNKNOWN)


def open_incident(
    subject: str, subject_name: str, cause: Cause, at: float, story: Story, *, link: str | None = None
) -> Incident:
    """A new incident. Its id follows from subject and time, so that a repeated attempt is the same incident."""
    return Incident(
        id=digest([subject, round(at * 1000)])[:16],
        subject=subject,
        subject_name=subject_name,
        cause=cause.slug,
        opened_at=at,
        console_link=link,
        changes=(_change(1, "open", cause.slug, at, story),),
    )


def update_incident(incident: Incident, cause: Cause, at: float, story: Story) -> Incident:
    """The incident with its cause of now; the same object when the cause did not change (told once is enough)."""
    if incident.cause == cause.slug:
        return incident
    return _add(incident, "update", cause.slug, at, story)


def continue_incident(incident: Incident, at: float, story: Story) -> Incident:
    """The incident with a further change under the same cause: it grew worse, and admins are to hear of that."""
    return _add(incident, "update", incident.cause, at, story)


def resolve_incident(incident: Incident, at: float, story: Story) -> Incident:
    """The incident as resolved; the same object when it was already."""
    if not incident.is_open:
        return incident
    return _add(incident, "resolved", incident.cause, at, story).model_copy(update={"resolved_at": at})


def remind_of(incident: Incident, at: float, what: str, next_try_at: float | None, facts: dict[str, str]) -> Incident:
    """The incident with a reminder: still open, in the words of its last change as they read now."""
    last = incident.changes[-1]
    hours = max(1, round((at - incident.opened_at) / 3600))
    what = _once(f"This has lasted for {hours} hour{'' if hours == 1 else 's'}. {what}")
    story = Story(what=what, kept=last.kept, trigger=last.trigger, next_try_at=next_try_at, facts=last.facts | facts)
    return continue_incident(incident, at, story)


def openings_with(openings: tuple[float, ...], at: float) -> tuple[float, ...]:
    """The times at which a subject's incidents opened within the window, with one more."""
    return (*(one for one in openings if at - one < FLAP_WINDOW_SECONDS), at)[-FLAP_OPENINGS:]


def comes_and_goes(openings: tuple[float, ...], at: float) -> bool:
    """Whether a subject's problem has opened so often of late that each end is not worth telling."""
    return sum(at - one < FLAP_WINDOW_SECONDS + FLAP_QUIET_SECONDS for one in openings) >= FLAP_OPENINGS


def damped(story: Story, openings: tuple[float, ...], at: float) -> Story:
    """The story of an opening, with a word on how often it came of late."""
    if not comes_and_goes(openings, at):
        return story
    minutes = FLAP_QUIET_SECONDS // 60
    words = (
        f" It has come and gone {len(openings)} times within the hour; its end is told after {minutes} quiet minutes."
    )
    return story.model_copy(update={"what": story.what + words})


def _once(what: str) -> str:
    """A reminder of a reminder says how long it has lasted once."""
    return re.sub(r"^(This has lasted for \d+ hours?\. )(?:This has lasted for \d+ hours?\. )+", r"\1", what)


def _add(incident: Incident, state: ChangeState, cause: str, at: float, story: Story) -> Incident:
    changes = (*incident.changes, _change(incident.seq + 1, state, cause, at, story))
    if len(changes) > MAX_CHANGES:
        changes = (changes[0], *changes[-(MAX_CHANGES - 1) :])
    return incident.model_copy(update={"changes": changes, "cause": cause})


def _change(seq: int, state: ChangeState, cause: str, at: float, story: Story) -> Change:
    words: dict[str, Any] = story.model_dump()
    return Change(seq=seq, state=state, cause=cause, at=at, **words)
