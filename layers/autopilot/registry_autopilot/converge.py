"""Converge: make one registry right. The only code that writes to VerteX.

The event that led here is a hint; what counts is read now: definition, current secret versions, ledger, VerteX.

    begin → which definition governs → resolve (secrets at AWSCURRENT) → nothing to do?
          → prove → find → validate → create | adopt | update → sync what is owed → ledger, in one transaction
"""

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.matching import Lead, Place, registry_name, winner
from registry_autopilot.ports import Mode
from registry_autopilot.records import Outcome
from registry_autopilot.steps import tell
from registry_autopilot.steps.attempt import Attempt, Wanted, World
from registry_autopilot.steps.find import find, find_known
from registry_autopilot.steps.known import write_known
from registry_autopilot.steps.prove import prove
from registry_autopilot.steps.resolve import resolve
from registry_autopilot.steps.sync import asks_for_sync, check_sync, sync_owed
from registry_autopilot.steps.timing import sync_due_at
from registry_autopilot.steps.write import (
    HeldBackError,
    MovedOnError,
    create,
    needs_renewal,
    take_found,
)
from registry_autopilot.work import Doubt, WorkItem

KEY_RETRY_SECONDS = 20
SAME_REFUSAL_SECONDS = 300
_MOVES = 3  # how often AWSCURRENT may move under one attempt before it is left to the next


def converge(item: WorkItem, world: World) -> Outcome:
    """Make the registry of one work item right, or record why it is not.

    Raises:
        ConcurrentUpdateError: somebody else worked on it at the same time; leave the message to redelivery.
    """
    attempt = Attempt.begin(item, world)
    try:
        lead = _governing(attempt)
        if lead is None:
            return _outdated(attempt)
        return _with_vertex(attempt, lead)
    except AutopilotError as error:
        return tell.refuse(attempt, error)


def _with_vertex(attempt: Attempt, lead: Lead) -> Outcome:
    with attempt.world.vertex().recording() as attempt.requests:
        try:
            return _make_right(attempt, lead)
        except HeldBackError as held:
            return tell.hold_back(attempt, held.would)
        except AutopilotError as error:
            return tell.refuse(attempt, error)


def _make_right(attempt: Attempt, lead: Lead) -> Outcome:
    for _ in range(_MOVES):
        try:
            return _once(attempt, lead)
        except MovedOnError:
            continue
    return tell.defer(attempt, attempt.world.clock() + KEY_RETRY_SECONDS)


def _once(attempt: Attempt, lead: Lead) -> Outcome:
    definition = lead.definition
    name = attempt.state.name or registry_name(definition, lead.identity)
    attempt.change(definition_id=definition.id, secret_ids=definition.secret_ids, name=name)
    if definition.manage == "sync-only":
        return _only_sync(attempt)
    wanted = attempt.wanted = resolve(attempt, lead)
    if _is_right(attempt, wanted) and not attempt.is_doubted:
        return _finish(attempt, Outcome.UNCHANGED)
    if (early := _not_now(attempt, wanted)) is not None:
        return early
    if not prove(attempt, wanted):
        return tell.defer(attempt, attempt.world.clock() + KEY_RETRY_SECONDS)
    return _finish(attempt, _write(attempt, attempt.need()))


def _governing(attempt: Attempt) -> Lead | None:
    item, world = attempt.item, attempt.world
    usable = world.definitions.load().usable
    return winner(usable, Place(item.endpoint, item.repository), world.home, item.identity)


def _outdated(attempt: Attempt) -> Outcome:
    """The definition no longer leads here: nothing is done, nothing is due, and no problem is left."""
    attempt.state = attempt.was
    tell.retire(attempt)
    return Outcome.UNCHANGED


def _is_right(attempt: Attempt, wanted: Wanted) -> bool:
    state = attempt.state
    applied = state.uid is not None and state.confirmed and state.fingerprint == wanted.fingerprint
    calm = state.incident_id is None or state.sync_failed or state.quiet_since is not None
    return applied and calm and state.held in {None, "sync"} and not needs_renewal(attempt)


def _not_now(attempt: Attempt, wanted: Wanted) -> Outcome | None:
    """Reasons to send no request at this moment, in the order of their weight."""
    state, now = attempt.state, attempt.world.clock()
    if state.intent is not None and state.uid is None and state.intent.lease_until > now:
        return tell.defer(attempt, state.intent.lease_until)
    if state.busy_until is not None and state.busy_until > now:
        return tell.defer(attempt, state.busy_until)
    if (until := _vertex_pause(attempt)) is not None:
        return tell.defer(attempt, until, blocked_by="vertex")
    if state.held is not None and state.held_fingerprint == wanted.fingerprint:
        attempt.mode = attempt.world.definitions.mode()
        if attempt.mode is Mode.OBSERVE:
            return tell.hold_back(attempt, state.held)
    attempt.change(busy_until=None)
    if _refused_just_now(attempt, wanted, now):
        return tell.defer(attempt, state.due_at or (state.refused_at or now) + SAME_REFUSAL_SECONDS)
    return None


def _refused_just_now(attempt: Attempt, wanted: Wanted, now: float) -> bool:
    """The same was refused, and neither is its next try due nor did anybody change anything."""
    state = attempt.state
    blocked_elsewhere = state.blocked_by is not None and not state.blocked_by.startswith("secret:")
    if attempt.is_nudged or state.refused_fingerprint != wanted.fingerprint or blocked_elsewhere:
        return False
    again = state.due_at if state.due_at is not None else (state.refused_at or 0) + SAME_REFUSAL_SECONDS
    return now < again


def _vertex_pause(attempt: Attempt) -> float | None:
    """Until when VerteX is left alone, because somebody just saw that it is away."""
    attempt.vertex_state = attempt.world.ledger.system("vertex")
    retry_at = attempt.vertex_state.retry_at
    if attempt.vertex_state.incident_id is None or retry_at is None or attempt.is_nudged:
        return None
    return retry_at if attempt.world.clock() < retry_at else None


def _write(attempt: Attempt, wanted: Wanted) -> Outcome:
    if attempt.state.uid is None:
        _take_over_renamed_place(attempt, wanted)
    if attempt.state.uid is not None:
        return write_known(attempt)
    found = find(attempt, name=wanted.desired.name)
    return take_found(attempt, found) if found else create(attempt)


def _take_over_renamed_place(attempt: Attempt, wanted: Wanted) -> None:
    """A fixed definition whose endpoint or base path changed: its registry moves along; another type cannot.

    Raises:
        AutopilotError: needs-new-registry.
    """
    if wanted.definition.is_family:
        return
    ledger, own = attempt.world.ledger, attempt.item.identity
    owner = ledger.name_owner(wanted.desired.name)
    old = ledger.registry(owner) if owner and owner != own.key else None
    if old is None or old.uid is None or not old.ours or old.definition_id != wanted.definition.id:
        return
    if (old.type, old.provider) != (own.type, own.provider):
        raise AutopilotError(
            causes.NEEDS_NEW_REGISTRY,
            f"type {own.type} with provider {own.provider} needs a new registry: "
            f"{old.shown_name!r} was created as {old.type} with {old.provider}",
        )
    attempt.moved_from = old
    attempt.change(uid=old.uid, ours=True, confirmed=old.confirmed, name=old.name, fingerprint=None, moving=True)


def _only_sync(attempt: Attempt) -> Outcome:
    """A registry that is never created, adopted or PUT: what was pushed is synced, nothing else."""
    if Doubt.DRIFT in attempt.item.doubts and attempt.state.uid is not None and find_known(attempt) is None:
        raise AutopilotError(causes.DRIFTED, f"the registry {attempt.state.uid} was deleted in VerteX")
    due = sync_due_at(attempt.state, attempt.world.rules)
    if due is None and not (attempt.state.uid and asks_for_sync(attempt)):
        return tell.succeed(attempt, Outcome.UNCHANGED)
    if due is not None and attempt.world.clock() >= due and attempt.state.uid is None:
        if (until := _vertex_pause(attempt)) is not None:
            return tell.defer(attempt, until, blocked_by="vertex")
        if attempt.world.definitions.mode() is not Mode.ACT:
            raise HeldBackError("sync")
        found = find(attempt, name=None)
        if found is None:
            raise AutopilotError(
                causes.DRIFTED, f"no registry of this identity exists in VerteX; {attempt.state.name!r} is sync-only"
            )
        attempt.change(uid=found.stored.uid, name=found.stored.name)
        attempt.status = found.stored.sync
    if attempt.state.uid is None and due is not None:
        return tell.defer(attempt, due)
    check_sync(attempt, synchronize=True)
    return tell.succeed(attempt, sync_owed(attempt, synchronize=True) or Outcome.UNCHANGED)


def _finish(attempt: Attempt, outcome: Outcome) -> Outcome:
    """What is right may still owe a sync."""
    if outcome is Outcome.REGISTERED:
        return tell.succeed(attempt, outcome)
    if attempt.vertex_state is None and asks_for_sync(attempt) and (until := _vertex_pause(attempt)) is not None:
        return tell.defer(attempt, until, blocked_by="vertex")
    synchronize = attempt.need().desired.synchronize
    check_sync(attempt, synchronize=synchronize)
    synced = sync_owed(attempt, synchronize=synchronize)
    return tell.succeed(attempt, synced if outcome is Outcome.UNCHANGED and synced else outcome)
