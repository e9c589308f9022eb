"""What is wrong with the system itself: found in what is known of it, and put into words. Pure.

Each finding is about one subject and has a stage: an incident is told when it opens and again when the stage rises (a
certificate with 14 days left, then 7), never because another look saw the same.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from registry_autopilot import causes
from registry_autopilot.causes import Cause
from registry_autopilot.incidents import named
from registry_autopilot.records import RegistryState
from registry_autopilot.secret_names import reference_names

DAY: Final = 86_400
TOKEN_LEFT_SECONDS: Final = 2 * 3600  # a token of twelve hours is renewed after six; then four went wrong
_GRACE_SECONDS: Final = DAY  # Secrets Manager rotates within a window, and retries
_MISSED_PERIODS, _MISSED_FIRST_PERIODS = 3, 2


@dataclass(frozen=True, slots=True)
class CheckLimits:
    """When admins are told.

    Attributes:
        warning_days: days left of a certificate, and days of delay of a rotation, at which they hear of it.
        max_secret_age_days: after how many days a secret counts as overdue; 0: only by its own schedule.
        sweep_periods: seconds between the sweeps of each rhythm.
    """

    warning_days: tuple[int, ...] = (30, 14, 7, 1)
    max_secret_age_days: int = 0
    sweep_periods: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        stage: how bad it is; admins are told again when it rises.
        what: what was found; kept: what goes on meanwhile.
    """

    subject: str
    name: str
    cause: Cause
    stage: int
    what: str
    kept: str


@dataclass(frozen=True, slots=True)
class SecretAge:
    """How old a secret is, and when it is to be rotated; times in seconds since the epoch, never a value.

    Attributes:
        rotates: whether Secrets Manager rotates it by a schedule.
        changed_at: when it was last rotated or changed.
    """

    name: str
    rotates: bool
    next_rotation_at: float | None = None
    changed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """A certificate in use: under which subject it is told, what it is to an admin, and when it ends."""

    subject: str
    name: str
    at: float


def dead_letters(counts: Mapping[str, int]) -> list[Finding]:
    """Messages that were given up, by the role of the queue they lie in; a further queue raises the stage."""
    lying = {role: count for role, count in counts.items() if count > 0}
    if not lying:
        return []
    queues = ", ".join(f"{count} in that of {role}" for role, count in sorted(lying.items()))
    what = f"Messages that could not be handled lie in dead-letter queues: {queues}."
    kept = "They stay there for 14 days; everything else goes on."
    return [Finding("dead-letters", "the dead-letter queues", causes.DEAD_LETTERS, len(lying), what, kept)]


def missing_sweeps(
    finished: Mapping[str, float], periods: Mapping[str, float], since: float, now: float
) -> list[Finding]:
    """Rhythms that missed three turns; two after the installation began to be watched, while none ever came."""
    late = []
    for rhythm, period in sorted(periods.items()):
        last = finished.get(rhythm)
        allowed = (_MISSED_FIRST_PERIODS if last is None else _MISSED_PERIODS) * period
        if now - (since if last is None else last) > allowed:
            late.append(f"the {rhythm} sweep {'never finished' if last is None else f'last finished {_when(last)}'}")
    if not late:
        return []
    what = f"{_capital(' and '.join(late))}."
    kept = "Events are still handled; what no event tells of stays unseen."
    return [Finding("sweep-schedule", "the sweep's schedule", causes.SWEEP_MISSING, len(late), what, kept)]


def endings_of(states: Iterable[RegistryState]) -> list[Ending]:
    """The CAs that registries are trusted by: one for each secret, else for each definition that holds its own."""
    found: dict[str, Ending] = {}
    for state in states:
        if state.ca_expires_at is None:
            continue
        secret = next((s.arn for s in state.secrets if s.use == "ca"), None)
        name = f"secret {reference_names(secret)[0]}" if secret else f"definition {state.definition_id}"
        known = found.get(name)
        if known is None or state.ca_expires_at < known.at:
            found[name] = Ending(f"ca:{name.replace(' ', ':', 1)}", f"the CA in the {name}", state.ca_expires_at)
    return list(found.values())


def expiring_certificates(endings: Iterable[Ending], warning_days: Sequence[int], now: float) -> list[Finding]:
    """Certificates with no more days left than the first threshold; each further one raises the stage."""
    found = []
    for ending in endings:
        left = ending.at - now
        stage = sum(left <= days * DAY for days in warning_days) + (left <= 0)
        if stage:
            days = math.ceil(left / DAY)
            lasts = f"ends {_when(ending.at)}, in {days} day{'s' if days != 1 else ''}" if left > 0 else "has ended"
            what = f"{_capital(ending.name)}: a certificate {lasts}."
            kept = "Nothing changes until then." if left > 0 else "Nothing was changed; what it signed is not trusted."
            found.append(Finding(ending.subject, ending.name, causes.CERTIFICATE_EXPIRING, stage, what, kept))
    return found


def expiring_tokens(states: Iterable[RegistryState], now: float) -> list[Finding]:
    """Registries whose ECR token is about to end: one finding, since what keeps them from renewal is shared."""
    late = [s for s in states if s.uid and s.expires_at is not None and s.expires_at - now <= TOKEN_LEFT_SECONDS]
    if not late:
        return []
    ended = sum((s.expires_at or 0) <= now for s in late)
    what = f"The ECR tokens of {_many(late)} were not renewed in time; {ended} of them have ended."
    kept = "VerteX keeps the tokens it has; they are renewed as soon as it can be reached and the role be assumed."
    return [Finding("tokens", "ECR tokens", causes.TOKEN_EXPIRING, 2 if ended else 1, what, kept)]


def overdue_secrets(
    ages: Iterable[SecretAge], max_age_days: int, warning_days: Sequence[int], now: float
) -> list[Finding]:
    """Secrets whose rotation is due by their own schedule, or by the stack's limit; told again as the delay grows."""
    found = []
    for age in ages:
        due, why = _due(age, max_age_days)
        late = now - due if due is not None else 0
        if late <= 0:
            continue
        stage = 1 + sum(late > days * DAY for days in warning_days)
        what = f"The secret {age.name} should have been rotated {_when(now - late)}, {why}."
        kept = "Its current version stays in use."
        found.append(
            Finding(f"rotation:{age.name}", f"the secret {age.name}", causes.ROTATION_OVERDUE, stage, what, kept)
        )
    return found


def held_registries(states: Sequence[RegistryState]) -> list[Finding]:
    """How many registries the mode holds back; each doubling raises the stage."""
    if not states:
        return []
    what = f"The mode is `observe`: changes of {_many(states)} are held back."
    kept = "Nothing was written to VerteX."
    return [Finding("mode", "the mode parameter", causes.HELD_BACK, len(states).bit_length(), what, kept)]


def _due(age: SecretAge, max_age_days: int) -> tuple[float | None, str]:
    """When the secret should have been rotated at the latest, and by what; the earlier of both counts."""
    by_schedule = age.next_rotation_at + _GRACE_SECONDS if age.rotates and age.next_rotation_at is not None else None
    by_age = age.changed_at + max_age_days * DAY if max_age_days and age.changed_at is not None else None
    if by_schedule is not None and (by_age is None or by_schedule <= by_age):
        return by_schedule, "by its own rotation schedule"
    return by_age, f"by the stack's limit of {max_age_days} days"


def _many(states: Sequence[RegistryState]) -> str:
    count = f"{len(states)} registries" if len(states) != 1 else "1 registry"
    return f"{count} ({named(state.shown_name for state in states)})"


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("on %Y-%m-%d at %H:%M UTC")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
