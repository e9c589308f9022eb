"""What travels on the work queue: one registry to be made right. Pure; holds no secret value."""

import json
from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from registry_autopilot.registry import Identity, Provider, RegistryType

MAX_TRIGGERS = 20  # a work item names at most so many triggers; the rest is counted


class Doubt(StrEnum):
    """What of the ledger's belief a work item does not take on trust; the sweep says so, events never do."""

    DRIFT = "drift"
    PROOF = "proof"
    SYNC = "sync"


class TriggerNote(BaseModel):
    """What of a trigger goes into history: never its body."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str
    event_id: str
    at: float
    principal: str | None = None
    subject: str | None = None


class WorkItem(BaseModel):
    """One registry to be made right.

    Attributes:
        repository: a repository that lies in the registry, for matching; None where no ECR repository stands for it.
        pushed_first, pushed_last: when news of changed content arrived, in seconds since the epoch; None: none did.
        happened_last: when the newest of these changes happened by the events' own word: a sync that began after
            it has covered it, however late its event came.
        doubts: `drift`: look at the registry in VerteX although the ledger believes it right; `proof`: validate it
            although nothing changed; `sync`: look at how its synchronization stands.
        repair: put right what somebody changed, whatever `on_drift` says: a person asked for it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: RegistryType
    provider: Provider
    location: str
    base_content_path: str
    definition_id: str
    endpoint: str
    repository: str | None = None
    triggers: tuple[TriggerNote, ...] = ()
    more_triggers: int = 0
    pushed_first: float | None = None
    pushed_last: float | None = None
    happened_last: float | None = None
    doubts: tuple[Doubt, ...] = ()
    repair: bool = False

    @property
    def identity(self) -> Identity:
        """The registry's identity; its key is the FIFO message group."""
        return Identity(self.type, self.provider, self.location, self.base_content_path)

    @property
    def content_changed(self) -> bool:
        """Whether content was pushed."""
        return self.pushed_last is not None


def merge_pushes(first: float | None, last: float | None, item: WorkItem) -> tuple[float | None, float | None]:
    """The span of pushes that no sync has covered, with those of a work item."""
    starts = [at for at in (first, item.pushed_first) if at is not None]
    ends = [at for at in (last, item.pushed_last) if at is not None]
    return (min(starts) if starts else None, max(ends) if ends else None)


def merge_items(items: Iterable[WorkItem]) -> list[WorkItem]:
    """One work item per identity: triggers joined (and counted beyond a limit), pushes spanned."""
    merged: dict[str, WorkItem] = {}
    for item in items:
        key = item.identity.key
        merged[key] = _join(merged[key], item) if key in merged else item
    return list(merged.values())


def _join(one: WorkItem, other: WorkItem) -> WorkItem:
    first, last = merge_pushes(one.pushed_first, one.pushed_last, other)
    triggers = one.triggers + tuple(t for t in other.triggers if t not in one.triggers)
    return one.model_copy(
        update={
            "triggers": triggers[:MAX_TRIGGERS],
            "more_triggers": one.more_triggers + other.more_triggers + max(0, len(triggers) - MAX_TRIGGERS),
            "pushed_first": first,
            "pushed_last": last,
            "happened_last": max((at for at in (one.happened_last, other.happened_last) if at), default=None),
            "doubts": tuple(sorted({*one.doubts, *other.doubts})),
            "repair": one.repair or other.repair,
        }
    )


def parse_work(body: str) -> WorkItem:
    """Read a work queue message.

    Raises:
        ValueError: it is not one of ours.
    """
    return WorkItem.model_validate(json.loads(body))
