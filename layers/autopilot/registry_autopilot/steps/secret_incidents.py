"""Incidents that events tell of a secret: a rotation that failed, a deletion; and its change, which may end them.

An event is a hint, and may be late: what it tells is held against what is known of the secret since.
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from registry_autopilot import causes
from registry_autopilot.events import UNKNOWN_TIME, RotationFailed, SecretChanged
from registry_autopilot.incidents import Incident, Story, named
from registry_autopilot.ports import ConcurrentUpdateError, SecretStanding
from registry_autopilot.records import RegistryState, SystemState
from registry_autopilot.secret_names import reference_names
from registry_autopilot.steps.attempt import World
from registry_autopilot.steps.shared import open_shared, resolve_shared

_DAY = 86_400
AT, ID, VERSIONS, GONE_AT = "happened_at", "secret", "versions", "gone_at"  # facts of an incident


@dataclass(frozen=True, slots=True)
class Users:
    """Who depends on a secret.

    Attributes:
        name: the secret's, as incidents and the ledger have it.
        definitions: ids of those that name it, whether they have registries yet or not.
        is_own: whether the stack itself uses it.
    """

    name: str
    states: tuple[RegistryState, ...]
    definitions: tuple[str, ...]
    is_own: bool

    @property
    def exist(self) -> bool:
        """Whether anything depends on it at all."""
        return bool(self.states or self.definitions or self.is_own)

    @property
    def subject(self) -> str:
        """The ledger's subject of the secret."""
        return f"secret:{self.name}"

    @property
    def in_words(self) -> str:
        """Who they are, for people."""
        words = []
        if self.states:
            names = named(state.shown_name for state in self.states)
            words.append(f"Registries that depend on it: {len(self.states)} ({names}).")
        elif self.definitions:
            words.append(f"Definitions that name it: {named(self.definitions)}.")
        if self.is_own:
            words.append("This stack itself uses it, for VerteX or for its notices.")
        return " ".join(words)


def tell_failure(world: World, event: RotationFailed, users: Users) -> None:
    """Open an incident, unless what is known of the secret is newer than the event and speaks against it."""
    at = _happened_at(event, world.clock())
    standing = world.versions.standing(event.secret_id) if world.versions else None
    if _is_outdated(world.ledger.system(users.subject), event, at, standing):
        world.metrics.count("EventsOutdated")
        return
    cause = causes.SECRET_GOING if event.gone_at is not None else causes.ROTATION_FAILED
    story = Story(
        what=f"{_what_failed(event, users.name, world.clock())} {users.in_words}",
        kept="The version applied last stays in use.",
        trigger=event.origin.principal,
        facts={AT: repr(at), ID: event.secret_id} | _versions_in_use(users, standing) | _gone_at(event),
    )
    open_shared(world, users.subject, f"the secret {users.name}", cause, story)


def note_change(world: World, event: SecretChanged, users: Users) -> None:
    """Note when the value changed; end what the change itself proves to be over.

    A rotation that failed is over when converge has proven the next version (`end_by_proof`); a secret of the stack's
    own is proven by nobody, so its change has to do.
    """
    at = _happened_at(event, world.clock())
    was = world.ledger.system(users.subject)
    if event.is_new_value and at > (was.changed_at or 0):
        _note(world, was, at)
    incident = world.ledger.incident(was.incident_id) if was.incident_id else None
    if incident is None or at < float(facts_of(incident).get(AT, "0")):
        return
    if was.cause == causes.SECRET_GOING.slug:
        end_incident(world, was, f"The secret {users.name} is not being deleted any more ({event.event}).")
    elif was.cause == causes.ROTATION_FAILED.slug and event.is_new_value and not users.states:
        end_incident(world, was, f"The secret {users.name} has a new current version ({event.event}).")


def words_now(incident: Incident, words: str, now: float) -> str:
    """The words of an incident on a secret that is going, with the days that are left now."""
    gone_at = facts_of(incident).get(GONE_AT) if incident.cause == causes.SECRET_GOING.slug else None
    return re.sub(r"gone in \d+ days?", f"gone in {_days_in_words(float(gone_at) - now)}", words) if gone_at else words


def _is_outdated(state: SystemState, event: RotationFailed, at: float, standing: SecretStanding | None) -> bool:
    if event.gone_at is not None:
        return standing is not None and not standing.is_going
    rotated_at = standing.rotated_at if standing is not None else None
    return max(state.changed_at or 0, rotated_at or 0) > at


def _versions_in_use(users: Users, standing: SecretStanding | None) -> dict[str, str]:
    """Which versions the failure left in use: the next one ends the incident."""
    if standing is not None and standing.version_id:
        return {VERSIONS: standing.version_id}
    applied = {
        used.version_id for state in users.states for used in state.secrets if users.name in reference_names(used.arn)
    }
    return {VERSIONS: ",".join(sorted(applied))} if applied else {}


def facts_of(incident: Incident) -> dict[str, str]:
    """Those of the newest change that has any: a reminder repeats them."""
    return next((dict(change.facts) for change in reversed(incident.changes) if AT in change.facts), {})


def _gone_at(event: RotationFailed) -> dict[str, str]:
    return {GONE_AT: repr(event.gone_at)} if event.gone_at is not None else {}


def _note(world: World, was: SystemState, at: float) -> None:
    try:
        world.ledger.commit_system(was, was.with_(changed_at=at), None)
    except ConcurrentUpdateError:
        return  # another event of the same secret, at the same moment


def end_incident(world: World, state: SystemState, what: str) -> None:
    """Resolve the subject's incident; nothing was held back by it."""
    resolve_shared(world, state.subject, world.clock(), story=Story(what=what, kept="Nothing is left to do."))


def _happened_at(event: SecretChanged | RotationFailed, now: float) -> float:
    return now if event.origin.at == UNKNOWN_TIME else event.origin.at.timestamp()


def _what_failed(event: RotationFailed, name: str, now: float) -> str:
    """The event in words, with the days left of a secret that is going."""
    if event.gone_at is None:
        said = f" AWS says: {event.message}." if event.message else ""
        return f"{event.event} of the secret {name}.{said}"
    when = datetime.fromtimestamp(event.gone_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"The secret {name} is being deleted and will be gone in {_days_in_words(event.gone_at - now)} ({when})."


def _days_in_words(seconds: float) -> str:
    days = max(0, math.ceil(seconds / _DAY))
    return f"{days} day" if days == 1 else f"{days} days"
