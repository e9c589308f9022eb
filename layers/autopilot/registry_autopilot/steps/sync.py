"""Sync: content that was pushed becomes visible, with as few synchronizations as that takes."""

from registry_autopilot.ports import Mode
from registry_autopilot.records import Outcome
from registry_autopilot.steps.attempt import Attempt
from registry_autopilot.steps.timing import sync_due_at
from registry_autopilot.steps.write import HeldBackError
from registry_autopilot.vertex.models import SyncStatus


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
