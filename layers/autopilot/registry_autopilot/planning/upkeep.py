"""How the synchronization of a registry stands, and whose daily proof is due."""

import math
from collections.abc import Iterator

from registry_autopilot.drift import seconds_of
from registry_autopilot.planning.entries import Action, Entry, Pen
from registry_autopilot.planning.observed import DAY
from registry_autopilot.work import Doubt

NEVER_ENDS_SECONDS = 2 * 3600  # a synchronization that runs for longer is not going to end
STALE_SECONDS = 26 * 3600  # VerteX synchronizes by itself every 24 hours


def synchronization(pen: Pen, key: str) -> Iterator[Entry]:
    """How its synchronization stands, as the summary tells."""
    state = pen.seen.states[key]
    summary = pen.seen.summaries.get(state.uid or "")
    if summary is None or not pen.seen.asked[key].lead.definition.synchronize:
        return
    began = seconds_of(summary.sync.last_run)
    age = pen.seen.now - began if began is not None else 0
    if state.sync_failed:
        yield pen.about(state, "its synchronization failed; it is tried again by its own rule")
    elif summary.sync.state == "failed":
        yield pen.entry(Action.SYNC, key, "its synchronization failed", uid=state.uid, doubts=(Doubt.SYNC,))
    elif summary.sync.state == "running" and age > NEVER_ENDS_SECONDS:
        words = "its synchronization does not end; from VerteX 4.9.14 Force sync in the console interrupts it"
        yield pen.entry(Action.SYNC, key, words, uid=state.uid, doubts=(Doubt.SYNC,))
    elif summary.sync.state == "succeeded" and age > STALE_SECONDS and state.owed_last is None:
        words = f"its last synchronization is {round(age / 3600)} hours old"
        yield pen.entry(Action.SYNC, key, words, uid=state.uid, doubts=(Doubt.SYNC,))
    elif summary.sync.state == "pending" and began is None and pen.seen.now - (state.written_at or 0) > DAY:
        words = "it was never synchronized; kinds made before VerteX 4.5 have to be registered anew by hand"
        yield pen.about(state, words)


def proofs(pen: Pen, busy: set[str | None]) -> list[Entry]:
    """The registries whose daily proof is due: the longest unproven first, spread over the day.

    With `reprove` all that are not written anyway are looked at now.
    """
    seen = pen.seen
    managed = [s for k in seen.asked if (s := seen.states.get(k)) and s.uid and s.confirmed]
    quiet = [s for s in managed if s.incident_id is None or s.sync_failed]
    calm = [s for s in quiet if s.key not in busy and not s.blocked_by]
    due = [s for s in calm if seen.reprove or seen.now - (s.proved_at or 0) > DAY]
    most = len(due) if seen.reprove else math.ceil(len(managed) * seen.period / DAY * 2)
    oldest = sorted(due, key=lambda state: (state.proved_at or 0, state.key))[:most]
    doubts = (Doubt.DRIFT, Doubt.PROOF, Doubt.SYNC) if seen.reprove else (Doubt.PROOF,)
    why = "nothing the ledger believes counts (reprove)" if seen.reprove else "not proven for a day"
    return [pen.entry(Action.PROVE, s.key, why, doubts=doubts) for s in oldest]
