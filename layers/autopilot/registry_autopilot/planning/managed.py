"""What is asked for and is ours to look after: drift, changes of its definition and secrets, its upkeep."""

from collections.abc import Iterator

from registry_autopilot import causes
from registry_autopilot.drift import seconds_of, written_by_somebody
from registry_autopilot.planning.entries import Action, Entry, Pen
from registry_autopilot.planning.observed import Observation
from registry_autopilot.planning.upkeep import synchronization
from registry_autopilot.planning.waiting import waits
from registry_autopilot.records import RegistryState
from registry_autopilot.registry import DesiredRegistry
from registry_autopilot.work import Doubt

OVERDUE_RENEWAL_SECONDS = 600


def managed(pen: Pen, key: str, state: RegistryState) -> Iterator[Entry]:
    """Asked for, and ours to look after."""
    drift = _drift(pen, key, state)
    if drift is not None:
        yield drift
        return
    if (waiting := waits(pen, key, state)) is not None:
        yield waiting
        return
    asked = pen.seen.asked[key]
    if asked.desired is not None and asked.desired.fingerprint != state.fingerprint:
        yield _differs(pen, key, state, asked.desired)
    elif state.expires_at is not None and _renewal_is_overdue(pen.seen, state):
        yield pen.entry(Action.RENEW, key, "the ECR token should have been renewed")
    elif not pen.seen.reprove:
        yield from synchronization(pen, key)


def only_synced(pen: Pen, key: str, state: RegistryState) -> Iterator[Entry]:
    """Never written, only synced; that it is gone is told all the same."""
    if state.uid in pen.seen.listed:
        yield from synchronization(pen, key)
        return
    words = f"the registry {state.uid} was deleted in VerteX"
    item = None if state.refused_cause == causes.DRIFTED.slug else pen.item(key, words, (Doubt.DRIFT,))
    yield Entry(Action.REPORT, state.shown_name, words, state.definition_id, state.uid, key, item)


def _drift(pen: Pen, key: str, state: RegistryState) -> Entry | None:
    """What somebody did to it in VerteX, as far as the lists show."""
    words = _seen_of_drift(pen.seen, state)
    if words is None:
        return None
    deleted = state.uid not in pen.seen.listed
    told = state.refused_cause == causes.DRIFTED.slug and (deleted or not _has_moved(pen.seen, state))
    if pen.seen.asked[key].lead.definition.on_drift == "repair":
        action = Action.CREATE if deleted else Action.UPDATE
        return pen.entry(action, key, words, uid=state.uid, doubts=(Doubt.DRIFT,))
    item = None if told else pen.item(key, words, (Doubt.DRIFT,))
    return Entry(Action.REPORT, state.shown_name, words, state.definition_id, state.uid, key, item)


def _seen_of_drift(seen: Observation, state: RegistryState) -> str | None:
    listed = seen.listed.get(state.uid or "")
    if listed is None:
        return f"the registry {state.uid} was deleted in VerteX"
    if state.refused_cause == causes.DRIFTED.slug:
        return "somebody changed it in VerteX"
    if listed.name not in {state.name, ""}:
        return f"somebody renamed it to {listed.name!r}"
    return "somebody wrote it in VerteX after us" if _has_moved(seen, state) else None


def _has_moved(seen: Observation, state: RegistryState) -> bool:
    """Whether VerteX's time of modification is neither what was seen before nor that of our own write."""
    summary = seen.summaries.get(state.uid or "")
    if summary is None or summary.last_modified in {None, state.last_modified}:
        return False
    unreadable = seconds_of(summary.last_modified) is None
    return unreadable or written_by_somebody(summary.last_modified, summary.sync.last_run, state.written_at or 0)


def _differs(pen: Pen, key: str, state: RegistryState, desired: DesiredRegistry) -> Entry:
    """The definition changed, or a version of its secrets did."""
    before = {(s.use, s.arn): s.version_id for s in state.secrets}
    moved = [s.arn.rpartition(":")[2] for s in desired.secrets if before.get((s.use, s.arn), "") != s.version_id]
    if moved and before.keys() == {(s.use, s.arn) for s in desired.secrets}:
        words = f"the current version of {', '.join(moved)} is not the one applied"
        changed_at = pen.seen.asked[key].changed_at
        tried = changed_at is not None and max(state.refused_at or 0, state.waiting_since or 0) >= changed_at
        missed = not tried and pen.seen.is_missed(changed_at, pen.seen.swept_at)
        return pen.entry(Action.REFRESH, key, words, uid=state.uid, missed=missed)
    return pen.entry(Action.UPDATE, key, "the definition asks for something else than was applied", uid=state.uid)


def _renewal_is_overdue(seen: Observation, state: RegistryState) -> bool:
    half = ((state.expires_at or 0) + (state.written_at or 0)) / 2
    return seen.now > half + OVERDUE_RENEWAL_SECONDS
