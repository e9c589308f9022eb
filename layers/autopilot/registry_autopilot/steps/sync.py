"""Sync: content that was pushed becomes visible, with as few synchronizations as that takes."""

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.drift import seconds_of
from registry_autopilot.ports import Mode
from registry_autopilot.records import Outcome
from registry_autopilot.steps.attempt import Attempt
from registry_autopilot.steps.timing import sync_due_at
from registry_autopilot.steps.write import HeldBackError
from registry_autopilot.vertex.models import SyncStatus
from registry_autopilot.work import Doubt

TOO_LONG_SECONDS = 2 * 3600  # a synchronization that runs for longer is not going to end
STALE_SECONDS = 26 * 3600  # VerteX synchronizes by itself every 24 hours


def sync_owed(attempt: Attempt, *, synchronize: bool) -> Outcome | None:
    """Start the owed sync if it is due, else say when it will be.

    Returns:
        synced, deferred (owed and not started), or None when nothing is owed.

    Raises:
        AutopilotError: whatever VerteX refuses.
        HeldBackError: the mode is observe.
    """
    state, rules, now = attempt.state, attempt.world.rules, attempt.world.clock()
    due = sync_due_at(state, rules)
    if not synchronize or due is None or state.uid is None:
        attempt.change(owed_first=None, owed_last=None)
        return None
    if now < due:
        return _later(attempt, due)
    attempt.mode = attempt.world.definitions.mode()
    if attempt.mode is not Mode.ACT:
        raise HeldBackError("sync")
    return _start(attempt, now)


def asks_for_sync(attempt: Attempt) -> bool:
    """Whether VerteX is asked about a synchronization now: one is owed and due, or its health is in doubt."""
    due = sync_due_at(attempt.state, attempt.world.rules)
    return _is_doubtful(attempt) or (due is not None and attempt.world.clock() >= due)


def check_sync(attempt: Attempt, *, synchronize: bool) -> None:
    """Look at how the last synchronization went: a failed one is told and tried again, a stale one is owed.

    Raises:
        AutopilotError: sync-failed.
    """
    state = attempt.state
    if not synchronize or state.uid is None or not _is_doubtful(attempt):
        return
    status = attempt.status = attempt.world.vertex().sync_status(state.type, state.uid)
    now = attempt.world.clock()
    if status.state == "failed":
        _try_again(attempt, now)
        raise AutopilotError(causes.SYNC_FAILED, f"the synchronization of {state.shown_name!r} failed in VerteX")
    if status.state == "running" and _lasted(status, now) > TOO_LONG_SECONDS:
        attempt.change(sync_failed=True)
        hours = round(_lasted(status, now) / 3600)
        raise AutopilotError(causes.SYNC_FAILED, f"the synchronization of {state.shown_name!r} runs for {hours} hours")
    if status.state == "succeeded":
        attempt.change(sync_failed=False)
        if _lasted(status, now) > STALE_SECONDS and state.owed_last is None:
            long_ago = now - attempt.world.rules.sync_max_wait_seconds
            attempt.change(owed_first=long_ago, owed_last=long_ago)


def _is_doubtful(attempt: Attempt) -> bool:
    state = attempt.state
    retry_is_due = state.sync_failed and attempt.world.clock() >= (state.due_at or 0)
    return Doubt.SYNC in attempt.item.doubts or retry_is_due


def _try_again(attempt: Attempt, now: float) -> None:
    """Start another one, which covers what was pushed; in `observe` nothing is started."""
    attempt.change(sync_failed=True)
    attempt.mode = attempt.world.definitions.mode()
    starts = attempt.world.rules.sync_starts_per_minute
    if attempt.mode is Mode.ACT and attempt.world.ledger.claim_sync_start(now, starts):
        attempt.world.vertex().sync_registry(attempt.state.type, attempt.state.uid or "")
        attempt.change(owed_first=None, owed_last=None, last_sync_at=now)


def _lasted(status: SyncStatus, now: float) -> float:
    """Seconds since the last run began; 0 where VerteX does not say when."""
    began = seconds_of(status.last_run)
    return now - began if began is not None else 0


def _start(attempt: Attempt, now: float) -> Outcome | None:
    state, rules, vertex = attempt.state, attempt.world.rules, attempt.world.vertex()
    uid = state.uid or ""
    status: SyncStatus = attempt.status or vertex.sync_status(state.type, uid)
    if status.state == "unsupported":
        attempt.change(owed_first=None, owed_last=None)
        return None
    if status.state == "running":
        return _later(attempt, now + rules.sync_quiet_seconds)
    if not attempt.world.ledger.claim_sync_start(now, rules.sync_starts_per_minute):
        return _later(attempt, now + 60)
    vertex.sync_registry(state.type, uid)
    attempt.change(owed_first=None, owed_last=None, last_sync_at=now)
    return Outcome.SYNCED


def _later(attempt: Attempt, at: float) -> Outcome:
    attempt.change(due_at=at)
    return Outcome.DEFERRED
