"""A registry whose uid the ledger knows: updated, unless somebody changed, re-pointed or deleted it in VerteX."""

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.drift import drift_of
from registry_autopilot.records import Outcome
from registry_autopilot.steps.attempt import Attempt
from registry_autopilot.steps.find import find, find_known, identity_of
from registry_autopilot.steps.write import confirm, create, take_found, update
from registry_autopilot.vertex.models import StoredRegistry


def write_known(attempt: Attempt) -> Outcome:
    """Make the known registry right; what somebody did to it is told, or put right where that is wanted.

    Raises:
        AutopilotError: drifted, and whatever the writes raise.
    """
    if not attempt.state.confirmed:
        confirm(attempt)
    stored = find_known(attempt)
    if stored is None:
        return _write_deleted(attempt)
    if not attempt.state.moving:
        _face_drift(attempt, stored)
    return update(attempt, stored)


def _write_deleted(attempt: Attempt) -> Outcome:
    """Deleted in VerteX. Another one of the same identity may have taken its place; else it is made again, if wanted.

    Raises:
        AutopilotError: drifted; adoptable.
    """
    wanted, gone = attempt.need(), attempt.state.uid
    found = find(attempt, name=wanted.desired.name if _repairs(attempt) else None)
    if found is None and not _repairs(attempt):
        raise AutopilotError(causes.DRIFTED, f"the registry {gone} was deleted in VerteX")
    attempt.change(uid=None, ours=False, confirmed=False, fingerprint=None, intent=None, expires_at=None)
    return take_found(attempt, found) if found else create(attempt)


def _face_drift(attempt: Attempt, stored: StoredRegistry) -> None:
    """Refuse what somebody changed, or have it rewritten.

    Raises:
        AutopilotError: drifted.
    """
    words = _seen(attempt, stored)
    attempt.change(last_modified=stored.last_modified)
    if words is None:
        return
    if not _repairs(attempt):
        raise AutopilotError(causes.DRIFTED, f"the registry {stored.name!r} ({stored.uid}) drifted: {words}")
    # A name cannot be changed back by a PUT; it is not part of the identity, so the new one is taken over.
    attempt.change(name=stored.name)
    attempt.rewrite = True


def _seen(attempt: Attempt, stored: StoredRegistry) -> str | None:
    """What is seen of a drift; fields count only while the definition and its secrets are what we last wrote."""
    if identity_of(stored) != attempt.item.identity:
        return f"it now points to {stored.base_content_path!r} at {stored.endpoint} ({stored.provider})"
    wanted, state = attempt.need(), attempt.state
    if state.fingerprint != wanted.fingerprint:
        return None
    return drift_of(stored, wanted.spec(), name=state.name, written_at=state.written_at)


def _repairs(attempt: Attempt) -> bool:
    return attempt.item.repair or attempt.need().definition.on_drift == "repair"
