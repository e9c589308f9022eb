"""When a registry is looked at again after an attempt: retries, owed syncs, renewals, failed synchronizations."""

import zlib

from registry_autopilot.causes import AutopilotError
from registry_autopilot.records import Outcome
from registry_autopilot.registry import CredentialKind
from registry_autopilot.steps.attempt import Attempt
from registry_autopilot.steps.timing import RETRY_RENEWAL_SECONDS, earliest, renewal_due_at, sync_due_at

SYNC_RECHECK_SECONDS = 900


def next_try(attempt: Attempt, error: AutopilotError, attempts: int) -> float | None:
    """When the same is tried again by itself, spread a little; None: only a change leads to a new try."""
    delay = error.retry_after if error.retry_after is not None else error.cause.delay(attempts)
    if delay is None:
        return None
    spread = zlib.crc32(attempt.state.key.encode()) % max(1, int(delay) // 5)
    return attempt.world.clock() + delay + spread


def due_after(attempt: Attempt, outcome: Outcome) -> float | None:
    """What is due next when all is right: the owed sync, the renewal of a token, another look at a failed sync."""
    state = attempt.state
    waits = state.sync_failed or state.quiet_since is not None
    again = attempt.world.clock() + SYNC_RECHECK_SECONDS if waits else None
    sync = state.due_at if outcome is Outcome.DEFERRED else sync_due_at(state, attempt.world.rules)
    return earliest(sync, _renewal(attempt), again)


def due_anyway(attempt: Attempt) -> float | None:
    """What is due although the cause of a refusal asks for no next try."""
    sync = sync_due_at(attempt.state, attempt.world.rules) if attempt.state.confirmed else None
    renewal = _renewal(attempt)
    soonest = attempt.world.clock() + RETRY_RENEWAL_SECONDS
    return earliest(sync, max(renewal, soonest) if renewal is not None else None)


def _renewal(attempt: Attempt) -> float | None:
    """When the token is renewed; at once where VerteX holds one of unknown age."""
    wanted = attempt.wanted
    if wanted is None or wanted.desired.credential_kind is not CredentialKind.ECR_TOKEN:
        return None
    due = renewal_due_at(attempt.state)
    return due if due is not None else attempt.world.clock()
