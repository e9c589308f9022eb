"""`autopilot plan`, `apply` and `restore`: a sweep, shown or carried out."""

import time
from collections.abc import Callable
from typing import Any

from cli.errors import UsageError
from cli.stacks import Target
from registry_autopilot.aws.ledger import DynamoLedger
from registry_autopilot.records import RegistryState
from sandbox.stack import Sandbox

LOOK_SECONDS = 1.0
_DONE_AFTER = 900  # seconds; what is not done by then has its own next try

type Progress = Callable[[int, int], None]


def plan(target: Target, *, reprove: bool) -> dict[str, Any]:
    """What a sweep would do. Writes nothing."""
    return target.invoke("SweepFunction", {"action": "plan", "rhythm": "inventory", "reprove": reprove})


def plan_in(sandbox: Sandbox, *, reprove: bool) -> dict[str, Any]:
    """The same in a throw-away sandbox."""
    return sandbox.sweep("plan", rhythm="inventory", reprove=reprove)


def apply(target: Target, *, yes: bool, reprove: bool, progress: Progress) -> dict[str, Any]:
    """A sweep that is carried out; waits until what it set off is done, or has a next try of its own."""
    order = {"action": "apply", "rhythm": "inventory", "yes": yes, "reprove": reprove}
    report = target.invoke("SweepFunction", order)
    left = _wait(target.ledger, report.get("keys", []), float(report.get("at", 0)), progress)
    return report | {"unfinished": left}


def restore(target: Target, name: str) -> dict[str, Any]:
    """Have one registry put right, and name its uid.

    Raises:
        UsageError: the ledger has no registry of that name.
    """
    ledger = target.ledger
    before = next((s for s in ledger.registries() if name in {s.name, s.key}), None)
    if before is None:
        raise UsageError(f"NAME: {name!r}: the ledger has no registry of that name; `autopilot status` lists them")
    target.invoke("SweepFunction", {"action": "restore", "name": name})
    after = _watched(ledger, before)
    return {
        "name": after.name,
        "uid": after.uid,
        "previous_uid": before.uid,
        "health": after.health,
        "cause": after.refused_cause,
        "restored": after.uid is not None and after.incident_id is None and after.rev > before.rev,
    }


def _watched(ledger: DynamoLedger, before: RegistryState) -> RegistryState:
    """The registry after it was worked on; a write begins with a lease, which is not the end of it."""
    state = before
    for _ in range(round(_DONE_AFTER / LOOK_SECONDS)):
        state = ledger.registry(before.key) or before
        under_way = state.busy_until is not None or (state.uid is None and state.intent is not None)
        if state.rev > before.rev and not under_way:
            return state
        time.sleep(LOOK_SECONDS)
    return state


def _wait(ledger: DynamoLedger, keys: list[str], since: float, progress: Progress) -> list[str]:
    """Wait until each registry was attempted after the sweep; gives the keys that were not."""
    left = set(keys)
    end = time.monotonic() + _DONE_AFTER
    while left and time.monotonic() < end:
        states = {key: ledger.registry(key) for key in sorted(left)}
        left -= {key for key, state in states.items() if state is not None and _is_settled(state, since)}
        progress(len(keys) - len(left), len(keys))
        if left:
            time.sleep(LOOK_SECONDS)
    return sorted(left)


def _is_settled(state: RegistryState, since: float) -> bool:
    """Whether an attempt after `since` has ended: it wrote, proved, refused, held back or put off."""
    under_way = (state.intent is not None and state.uid is None) or state.busy_until is not None
    times = (state.written_at, state.proved_at, state.refused_at, state.last_sync_at, state.due_at)
    return not under_way and any(at is not None and at >= since for at in times)
