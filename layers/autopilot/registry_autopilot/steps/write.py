"""Write: create, adopt or update one registry, each after a successful validate of the very same spec."""

from typing import Any

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.ports import LedgerWrite, Mode
from registry_autopilot.records import Health, Intent, KnownUid, Outcome, RegistryState
from registry_autopilot.registry import CredentialKind
from registry_autopilot.steps import tell
from registry_autopilot.steps.attempt import Attempt
from registry_autopilot.steps.find import Found, Whose, identity_of, is_protected
from registry_autopilot.steps.resolve import stale
from registry_autopilot.steps.timing import renewal_due_at
from registry_autopilot.vertex.errors import VertexError
from registry_autopilot.vertex.models import StoredRegistry, masked_copy, spec_body, update_body

LEASE_SECONDS = 150  # longer than any POST of ours can last; shorter than the work queue's visibility timeout


# The list was asked for by scope; what an item says of itself is not reliable ("cluster" was seen for system ones).
_OTHER_SCOPES = {"tenant", "project"}


class MovedOnError(Exception):
    """Raised when a secret's AWSCURRENT moved between the proof and the write: prove the new one first."""


class HeldBackError(Exception):
    """Raised when the mode is `observe`: everything was proven, nothing is written."""

    def __init__(self, would: str) -> None:
        super().__init__(would)
        self.would = would


def create(attempt: Attempt) -> Outcome:
    """Create under a recorded intent, then read back at system scope.

    Raises:
        AutopilotError: whatever VerteX refuses, name-conflict, too-many-registries, wrong-scope.
        HeldBackError: the mode is observe.
        MovedOnError: a secret moved meanwhile.
    """
    wanted = attempt.need()
    body = spec_body(wanted.spec())
    _validate(attempt, body)
    _ready_to_write(attempt, "register")
    _record_intent(attempt)
    began = attempt.world.clock()
    uid = _post(attempt, body)
    attempt.change(uid=uid, ours=True, confirmed=False)
    _applied(attempt)
    _first_sync_began(attempt, began)
    confirm(attempt)
    return Outcome.REGISTERED


def needs_renewal(attempt: Attempt) -> bool:
    """Whether the credential that VerteX holds ends by itself, and half its life is over."""
    if attempt.need().desired.credential_kind is not CredentialKind.ECR_TOKEN:
        return False
    due = renewal_due_at(attempt.state)
    return due is None or attempt.world.clock() >= due


def _applied(attempt: Attempt) -> None:
    """VerteX holds now what is wanted."""
    wanted = attempt.need()
    attempt.change(
        fingerprint=wanted.fingerprint,
        secrets=wanted.used,
        written_at=attempt.world.clock(),
        expires_at=wanted.expires_at,
    )
    if attempt.state.uid is not None:
        attempt.known = KnownUid(
            uid=attempt.state.uid,
            name=attempt.state.name,
            identity_key=attempt.item.identity.key,
            written_at=attempt.state.written_at,
        )


def _post(attempt: Attempt, body: dict[str, Any]) -> str:
    """The one create. A plain refusal ends the intent; a lost answer leaves it, so that the next try looks first."""
    sole = attempt.state.intent is not None and len(attempt.state.intent.fingerprints) == 1
    try:
        return attempt.world.vertex().create_registry(attempt.item.type, attempt.need().desired.name, body)
    except VertexError as error:
        if sole and not error.outcome_unknown:
            attempt.change(intent=None)
        if not sole and error.cause is causes.NAME_CONFLICT:
            error.retry_after = 60  # an earlier create of ours may have arrived late: look again
        raise


def take_found(attempt: Attempt, found: Found) -> Outcome:
    """Go on with a registry that exists: ours from an interrupted create, or one to adopt.

    Raises:
        AutopilotError: adoptable, protected, and whatever `update` raises.
    """
    wanted, intent = attempt.need(), attempt.state.intent
    if found.whose is Whose.OURS and intent is not None:
        sole = intent.fingerprints == (wanted.fingerprint,)
        attempt.change(
            uid=found.stored.uid, ours=True, fingerprint=wanted.fingerprint if sole else None, secrets=wanted.used
        )
        _first_sync_began(attempt, intent.at)
        confirm(attempt)
        return Outcome.REGISTERED if sole else update(attempt, found.stored)
    if not wanted.definition.adopts:
        raise AutopilotError(
            causes.ADOPTABLE,
            f"the registry {found.stored.name!r} ({found.stored.uid}) has this identity and was not made by Autopilot",
        )
    refuse_protected(attempt, found.stored)
    attempt.change(uid=found.stored.uid, ours=False, confirmed=False, fingerprint=None)
    attempt.before = masked_copy(found.stored)
    confirm(attempt)
    update(attempt, found.stored)
    return Outcome.ADOPTED


def update(attempt: Attempt, stored: StoredRegistry) -> Outcome:
    """Validate the whole object as it would be, then PUT it; nothing is PUT when VerteX has it already.

    Raises:
        AutopilotError: whatever VerteX refuses, sync-setting-fixed.
        HeldBackError: the mode is observe.
        MovedOnError: a secret moved meanwhile.
    """
    wanted = attempt.need()
    refuse_protected(attempt, stored)
    if stored.synchronize is not None and stored.synchronize != wanted.desired.synchronize:
        raise AutopilotError(
            causes.SYNC_SETTING_FIXED,
            f"`synchronize: {str(wanted.desired.synchronize).lower()}` needs a new registry: "
            "VerteX fixed the setting at creation",
        )
    same = identity_of(stored) == attempt.item.identity
    body = update_body(stored, wanted.spec(), keep_endpoint=same)
    _validate(attempt, body["spec"])
    attempt.status = stored.sync
    if attempt.state.fingerprint == wanted.fingerprint and same and not attempt.rewrite and not needs_renewal(attempt):
        return Outcome.UNCHANGED
    _ready_to_write(attempt, "refresh")
    _mark_dirty(attempt)
    attempt.world.vertex().update_registry(attempt.item.type, stored.uid, body)
    attempt.change(moving=False)
    _applied(attempt)
    return Outcome.REFRESHED


def confirm(attempt: Attempt) -> None:
    """See the uid at system scope: what cannot be seen there, or is a default registry, is never written.

    Raises:
        AutopilotError: wrong-scope, protected.
    """
    uid = attempt.state.uid
    listed = {m.uid: m for m in attempt.world.vertex().registries_metadata()}
    entry = listed.get(uid or "")
    if entry is None or entry.scope in _OTHER_SCOPES:
        raise AutopilotError(causes.WRONG_SCOPE, f"the registry {uid} is not listed at system scope")
    if entry.is_default:
        raise AutopilotError(causes.PROTECTED, f"the registry {entry.name!r} is a default registry of VerteX")
    attempt.change(confirmed=True, intent=None, name=entry.name or attempt.state.name)
    attempt.known = KnownUid(
        uid=entry.uid,
        name=entry.name,
        identity_key=attempt.item.identity.key,
        written_at=attempt.state.written_at,
    )


def refuse_protected(attempt: Attempt, stored: StoredRegistry) -> None:
    """Refuse to write what the stack protects.

    Raises:
        AutopilotError: protected.
    """
    if is_protected(attempt, stored):
        raise AutopilotError(
            causes.PROTECTED, f"the registry {stored.name!r} is named by the stack's ProtectedRegistries"
        )


def _validate(attempt: Attempt, spec: dict[str, Any]) -> None:
    attempt.validated = False
    attempt.world.vertex().validate_registry(attempt.item.type, spec)
    attempt.validated = True
    attempt.change(proved_at=attempt.world.clock())


def _ready_to_write(attempt: Attempt, would: str) -> None:
    """Immediately before a write, mode and AWSCURRENT are read again."""
    attempt.mode = attempt.world.definitions.mode()
    if attempt.mode is not Mode.ACT:
        raise HeldBackError(would)
    if stale(attempt):
        raise MovedOnError


def _record_intent(attempt: Attempt) -> None:
    wanted, now = attempt.need(), attempt.world.clock()
    earlier = attempt.was.intent.fingerprints if attempt.was.intent else ()
    prints = (*(p for p in earlier if p != wanted.fingerprint), wanted.fingerprint)
    repeated = bool(earlier)
    intent = Intent(
        name=wanted.desired.name,
        fingerprints=(*prints, "again") if repeated else prints,
        at=now,
        lease_until=now + LEASE_SECONDS,
    )
    attempt.change(intent=intent, name=wanted.desired.name, health=Health.PENDING, due_at=intent.lease_until)
    limit = wanted.definition.max_registries if wanted.definition.is_family else None
    attempt.rebase(attempt.world.ledger.record_intent(attempt.was, attempt.state, limit=limit))


def _mark_dirty(attempt: Attempt) -> None:
    """Before a PUT the ledger forgets what VerteX holds, so that a crash cannot leave it believing in the old.

    It is a lease, too: until it ends nobody else writes between our proof and our PUT.
    """
    until = attempt.world.clock() + LEASE_SECONDS
    attempt.change(fingerprint=None, busy_until=until, due_at=until)
    history = tell.entry(attempt, Outcome.DEFERRED, detail="about to adopt") if attempt.before else None
    write = LedgerWrite(attempt.was, attempt.state, history=history, released=_released(attempt))
    attempt.rebase(attempt.world.ledger.commit(write))
    attempt.change(busy_until=None)
    attempt.moved_from = None


def _released(attempt: Attempt) -> tuple[RegistryState, RegistryState] | None:
    old = attempt.moved_from
    if old is None:
        return None
    return (old, old.with_(uid=None, ours=False, confirmed=False, fingerprint=None, due_at=None))


def _first_sync_began(attempt: Attempt, began: float) -> None:
    """A create starts its own first sync, which covers everything pushed before it."""
    last = attempt.state.owed_last
    if last is not None and last <= began:
        attempt.change(owed_first=None, owed_last=None)
    attempt.change(last_sync_at=began)
