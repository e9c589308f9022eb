"""The plan of a sweep: everything that should be, against everything that is. Pure: an observation becomes entries."""

from collections.abc import Iterator

from registry_autopilot import causes
from registry_autopilot.planning.entries import WRITES, Action, Entry, Pen, Plan
from registry_autopilot.planning.managed import managed, only_synced
from registry_autopilot.planning.missing import Newcomers
from registry_autopilot.planning.observed import Asked, Observation
from registry_autopilot.planning.upkeep import proofs
from registry_autopilot.records import RegistryState

__all__ = ["WRITES", "Action", "Asked", "Entry", "Observation", "Plan", "plan"]


def plan(seen: Observation) -> Plan:
    """Compare what should be with what is."""
    pen = Pen(seen)
    newcomers = Newcomers(pen)
    entries = [entry for key in sorted(seen.asked) for entry in _judged(pen, newcomers, key)]
    entries += proofs(pen, {entry.key for entry in entries})
    entries += [*_orphans(pen), *_untouchable(seen)]
    return Plan(tuple(entries), len(seen.asked))


def _judged(pen: Pen, newcomers: Newcomers, key: str) -> Iterator[Entry]:
    """What is to be done about a registry that a definition asks for."""
    asked, state = pen.seen.asked[key], pen.seen.states.get(key)
    if state is not None and _is_being_written(state, pen.seen.now):
        return
    if asked.problem is not None:
        yield pen.report(key, asked.problem, causes.DEFINITION_INVALID)
    elif asked.lead.definition.manage == "sync-only":
        yield from only_synced(pen, key, state) if state is not None and state.uid is not None else ()
    elif state is not None and state.uid is not None:
        yield from managed(pen, key, state)
    else:
        yield from newcomers.judge(key, state)


def _orphans(pen: Pen) -> Iterator[Entry]:
    """Managed registries that nobody asks for any more. They are left alone."""
    for key, state in sorted(pen.seen.states.items()):
        gone = pen.seen.seen is not None and key not in pen.seen.seen and state.repository is not None
        if state.uid is not None and key not in pen.seen.asked:
            yield pen.about(state, "no definition asks for it any more; it is left as it is")
        elif state.uid is not None and gone:
            yield pen.about(state, "no repository lies in it any more; it is left as it is")


def _untouchable(seen: Observation) -> Iterator[Entry]:
    """Registries of VerteX that are never written, whoever asks."""
    for uid, listed in sorted(seen.listed.items()):
        if listed.is_default:
            yield Entry(Action.REPORT, listed.name, "a default registry of VerteX: never written", uid=uid)
        elif listed.name.casefold() in seen.protected:
            yield Entry(Action.REPORT, listed.name, "named by ProtectedRegistries: only ever synced", uid=uid)


def _is_being_written(state: RegistryState, now: float) -> bool:
    leased = state.intent is not None and state.uid is None and state.intent.lease_until > now
    return leased or (state.busy_until is not None and state.busy_until > now)
