"""Find: is there a registry of this identity in VerteX already, and whose is it?"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.drift import SLACK_SECONDS, seconds_of
from registry_autopilot.hosts import normalise_endpoint
from registry_autopilot.matching import location_of
from registry_autopilot.records import KnownUid
from registry_autopilot.registry import Identity, normalise_base_path
from registry_autopilot.steps.attempt import Attempt
from registry_autopilot.vertex.models import RegistrySummary, StoredRegistry


class Whose(StrEnum):
    """Who made a registry that was found."""

    OURS = "ours"
    SOMEBODYS = "somebody's"


@dataclass(frozen=True, slots=True)
class Found:
    """A registry of VerteX that has the wanted identity."""

    stored: StoredRegistry
    whose: Whose


def find(attempt: Attempt, *, name: str | None) -> Found | None:
    """Look for the identity among the registries that the ledger does not know to be others.

    `name` is the one a create would take; a registry of another identity that has it is a conflict.

    Raises:
        AutopilotError: name-conflict, adoptable (several of the same identity).
    """
    identity = attempt.item.identity
    summaries = attempt.world.vertex().oci_summary()
    twins = [stored for s in _unknown(attempt, _candidates(identity, summaries)) if (stored := _read(attempt, s))]
    same = [stored for stored in twins if identity_of(stored) == identity]
    if len(same) > 1:
        names = ", ".join(sorted(f"{stored.name!r} ({stored.uid})" for stored in same))
        raise AutopilotError(
            causes.ADOPTABLE,
            f"{len(same)} registries of the same identity exist: {names}; remove all but one by hand",
        )
    if same:
        return Found(same[0], _whose(attempt, same[0]))
    if name is not None:
        _refuse_taken_name(name, summaries)
    return None


def find_known(attempt: Attempt) -> StoredRegistry | None:
    """The registry whose uid the ledger holds; None when it is gone from VerteX."""
    uid = attempt.state.uid
    return attempt.world.vertex().get_registry(attempt.state.type, uid) if uid else None


def identity_of(stored: StoredRegistry) -> Identity | None:
    """The identity of a stored registry; None when its endpoint cannot be read."""
    try:
        location = location_of(stored.type, stored.endpoint, stored.default_region)
    except ValueError:
        return None
    return Identity(stored.type, stored.provider, location, normalise_base_path(stored.base_content_path))


def is_protected(attempt: Attempt, stored: StoredRegistry) -> bool:
    """Whether the stack's ProtectedRegistries names the registry or its endpoint."""
    protected = attempt.world.rules.protected
    names = {entry.casefold() for entry in protected}
    return stored.name.casefold() in names or _host(stored.endpoint) in {_host(entry) for entry in protected} - {""}


def _host(endpoint: str) -> str:
    try:
        return normalise_endpoint(endpoint)
    except ValueError:
        return ""


def _candidates(identity: Identity, summaries: Sequence[RegistrySummary]) -> list[RegistrySummary]:
    return [s for s in summaries if s.type in {identity.type, None} and _may_be(identity, s)]


def _may_be(identity: Identity, summary: RegistrySummary) -> bool:
    if summary.provider not in {identity.provider, None}:
        return False
    try:
        return location_of(identity.type, summary.endpoint, summary.default_region) == identity.location
    except ValueError:
        return False


def _unknown(attempt: Attempt, candidates: list[RegistrySummary]) -> list[RegistrySummary]:
    """Leave out what an earlier typed GET showed to be another identity, unless it was changed since."""
    known = attempt.world.ledger.known_uids([s.uid for s in candidates])
    own = attempt.item.identity.key
    return [s for s in candidates if not _is_known_other(known.get(s.uid), s, own) and not _is_being_made(attempt, s)]


def _is_known_other(known: KnownUid | None, summary: RegistrySummary, own: str) -> bool:
    return known is not None and known.identity_key != own and is_as_known(known, summary)


def is_as_known(known: KnownUid, summary: RegistrySummary) -> bool:
    """Whether nobody has written a registry since its identity was read, or since we wrote it ourselves."""
    if known.written_at is None:
        return known.last_modified == summary.last_modified
    modified = seconds_of(summary.last_modified)
    return modified is not None and modified <= known.written_at + SLACK_SECONDS


def _is_being_made(attempt: Attempt, summary: RegistrySummary) -> bool:
    """Whether another worker is creating it at this moment, under the intent that holds its name."""
    ledger = attempt.world.ledger
    owner = ledger.name_owner(summary.name)
    state = ledger.registry(owner) if owner is not None and owner != attempt.state.key else None
    return state is not None and state.intent is not None and state.intent.lease_until > attempt.world.clock()


def _read(attempt: Attempt, summary: RegistrySummary) -> StoredRegistry | None:
    stored = attempt.world.vertex().get_registry(attempt.item.type, summary.uid)
    identity = identity_of(stored) if stored else None
    if stored is not None and identity is not None and identity != attempt.item.identity:
        known = KnownUid(
            uid=stored.uid, name=stored.name, identity_key=identity.key, last_modified=summary.last_modified
        )
        attempt.world.ledger.remember_uids([known])
    return stored


def _whose(attempt: Attempt, stored: StoredRegistry) -> Whose:
    intent = attempt.state.intent
    ours = (attempt.state.ours and attempt.state.uid == stored.uid) or (
        intent is not None and intent.name == stored.name
    )
    return Whose.OURS if ours else Whose.SOMEBODYS


def _refuse_taken_name(name: str, summaries: Sequence[RegistrySummary]) -> None:
    other = next((s for s in summaries if s.name == name), None)
    if other is not None:
        raise AutopilotError(
            causes.NAME_CONFLICT,
            f"the name {name!r} is taken by the registry {other.uid} at {other.endpoint}",
        )
