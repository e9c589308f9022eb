"""Sweep: everything that should be, against everything that is. It reads VerteX and ECR, and writes neither.

Events are best effort, consoles are open to people, installations start with hundreds of repositories. What a sweep
finds becomes work items, so that the same converge does the work; it keeps no position: a sweep that was killed is made
up for by the next one, which looks anew.

    lease → observe → plan → too much at once? → work queue → what events had missed → ledger
"""

from dataclasses import dataclass, field
from typing import Any

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.incidents import Story
from registry_autopilot.planning import WRITES, Plan, plan
from registry_autopilot.ports import ConcurrentUpdateError, EventPath, SecretVersions, WorkQueue
from registry_autopilot.records import SweepState
from registry_autopilot.redaction import redact
from registry_autopilot.steps.attempt import World
from registry_autopilot.steps.observe import HEALTH, INVENTORY, Observer, Scope
from registry_autopilot.steps.shared import open_shared, resolve_shared
from registry_autopilot.steps.sweep_news import tell_held, tell_missed
from registry_autopilot.work import Doubt, TriggerNote, WorkItem

LEASE_SECONDS = 900  # no longer than the function may run
SHOWN_AT_MOST = 5000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sweep may write without being asked twice, and how often it runs (in seconds)."""

    writes: int = 50
    percent: int = 20
    health_period: float = 900
    inventory_period: float = 6 * 3600


@dataclass(frozen=True, slots=True)
class Tools:
    """The collaborators of the sweep."""

    world: World
    versions: SecretVersions
    queue: WorkQueue
    path: EventPath
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of a sweep.

    Attributes:
        apply: do it; else only say what would be done.
        yes: do it even where that writes more than the limit.
        reprove: doubt everything that the ledger believes (VerteX was restored from a backup).
    """

    apply: bool
    rhythm: str = INVENTORY
    yes: bool = False
    reprove: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a sweep found and did.

    Attributes:
        held: nothing that creates or changes a registry was enqueued, because it would have been too much.
        busy: another sweep is under way; nothing was looked at.
        requests: how many were sent to VerteX.
        at: when the work was handed over (seconds since the epoch), and keys: of which registries.
    """

    plan: Plan
    enqueued: int = 0
    held: bool = False
    busy: bool = False
    sweep_id: str = ""
    requests: int = 0
    at: float = 0
    keys: tuple[str, ...] = ()


_NOTHING = Plan((), 0)


def sweep(tools: Tools, order: Order) -> Report:
    """Look, plan and, when asked to, hand the work over.

    Raises:
        AutopilotError: VerteX could not be asked; it is told as an incident on VerteX.
    """
    state = tools.world.ledger.sweep_state()
    if not order.apply:
        with tools.world.vertex().recording() as requests:
            return Report(_planned(tools, order, state), requests=len(requests))
    now = tools.world.clock()
    if state.lease_until > now:
        return Report(_NOTHING, busy=True)
    try:
        state = tools.world.ledger.commit_sweep(state, state.model_copy(update={"lease_until": now + LEASE_SECONDS}))
    except ConcurrentUpdateError:
        return Report(_NOTHING, busy=True)
    try:
        return _carried_out(tools, order, state)
    except Exception:
        tools.world.ledger.commit_sweep(state, state.model_copy(update={"lease_until": 0.0}))
        raise


def answer(tools: Tools, order: Order) -> dict[str, Any]:
    """Sweep, and say what came of it as the function answers; also that VerteX, which has its incident, was away."""
    try:
        return _document(sweep(tools, order))
    except AutopilotError as error:
        if causes.subject_of(error) != "vertex":
            raise
        return {"failed": error.cause.slug, "detail": redact(error.detail)}


def _document(report: Report) -> dict[str, Any]:
    """A report as the function answers it: Lambda's answers end at 6 MB, so a long plan is cut and says so."""
    shown = report.plan.entries[:SHOWN_AT_MOST]
    return {
        "entries": [
            {
                "action": entry.action.value,
                "name": entry.name,
                "why": entry.why,
                "definition": entry.definition,
                "uid": entry.uid,
            }
            for entry in shown
        ],
        "counts": report.plan.counts,
        "checked": report.plan.checked,
        "pending": report.plan.pending,
        "enqueued": report.enqueued,
        "held": report.held,
        "busy": report.busy,
        "sweep": report.sweep_id,
        "vertex_requests": report.requests,
        "at": report.at,
        "keys": list(report.keys[:SHOWN_AT_MOST]),
        "truncated": len(report.plan.entries) > SHOWN_AT_MOST,
    }


def restore(tools: Tools, name: str) -> WorkItem | None:
    """Have one registry put right, whatever its definition's `on_drift` says; None: there is none of the name."""
    state = next((one for one in tools.world.ledger.registries() if name in {one.name, one.key}), None)
    if state is None:
        return None
    note = _note(tools, "restore", "a person asked to restore it")
    item = state.work(note).model_copy(update={"doubts": (Doubt.DRIFT,), "repair": True})
    tools.queue.put([item])
    return item


def _carried_out(tools: Tools, order: Order, state: SweepState) -> Report:
    with tools.world.vertex().recording() as requests:
        found = _planned(tools, order, state)
    most = max(tools.limits.writes, found.checked * tools.limits.percent / 100)
    held = not order.yes and found.writes > most
    entries = [entry for entry in found.entries if entry.item and not (held and entry.action in WRITES)]
    begun = tools.world.clock()
    tools.queue.put([entry.item for entry in entries if entry.item is not None])
    complete = order.rhythm == INVENTORY  # only who looked at everything may say that it is over
    tell_held(tools.world, found, most, held=held, complete=complete)
    tell_missed(tools.world, tools.path, [entry for entry in found.entries if entry.missed], complete=complete)
    finished = state.finished | {order.rhythm: tools.world.clock()}
    now = state.model_copy(update={"lease_until": 0.0, "finished": finished, "counts": found.counts})
    tools.world.ledger.commit_sweep(state, now)
    tools.world.metrics.count("SweepsFinished", rhythm=order.rhythm)
    return Report(
        found,
        enqueued=len(entries),
        held=held,
        sweep_id=_id(tools),
        requests=len(requests),
        at=begun,
        keys=tuple(entry.key for entry in entries if entry.key is not None),
    )


def _planned(tools: Tools, order: Order, state: SweepState) -> Plan:
    """Look and compare. A VerteX that cannot be asked is one incident, like anybody's."""
    limits = tools.limits
    scope = Scope(
        note=_note(tools, _id(tools), "swept"),
        rhythm=order.rhythm,
        period=limits.health_period if order.rhythm == HEALTH else limits.inventory_period,
        swept_at=max(state.finished.values(), default=None),
        inventoried_at=state.finished.get(INVENTORY),
        reprove=order.reprove,
    )
    try:
        found = plan(Observer(tools.world, tools.versions, scope).look())
    except AutopilotError as error:
        if causes.subject_of(error) == "vertex":
            story = Story(what=error.detail, kept="Nothing was written; the next sweep looks again.")
            retry_at = tools.world.clock() + (error.cause.delay(1) or 0)
            open_shared(tools.world, "vertex", "VerteX", error.cause, story, retry_at=retry_at)
        raise
    if order.apply:
        _end_away(tools.world)
    return found


def _end_away(world: World) -> None:
    """VerteX answered. Where registries wait for it, the first of them that is done ends the incident."""
    if world.ledger.system("vertex").incident_id is None:
        return
    if not any(state.blocked_by == "vertex" for state in world.ledger.registries()):
        resolve_shared(world, "vertex", world.clock())


def _note(tools: Tools, event_id: str, why: str) -> TriggerNote:
    return TriggerNote(kind="Swept", event_id=event_id, at=tools.world.clock(), subject=why)


def _id(tools: Tools) -> str:
    """Different for each sweep, so that the work queue takes what an earlier one put, too."""
    return f"sweep-{tools.world.clock():.3f}"
