"""The lines of a plan, and who writes them."""

from dataclasses import dataclass
from enum import StrEnum

from registry_autopilot import causes
from registry_autopilot.planning.observed import Observation
from registry_autopilot.records import RegistryState
from registry_autopilot.work import Doubt, TriggerNote, WorkItem


class Action(StrEnum):
    """What is done about a registry."""

    CREATE = "create"
    ADOPT = "adopt"
    UPDATE = "update"
    REFRESH = "refresh"
    RENEW = "renew"
    SYNC = "sync"
    PROVE = "prove"
    REPORT = "report"


WRITES = frozenset({Action.CREATE, Action.ADOPT, Action.UPDATE, Action.REFRESH})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the plan.

    Attributes:
        why: in words, for people.
        item: the work that does it, or that has converge tell it; None: nothing is to be done.
        missed: an event should have told this, and did not.
    """

    action: Action
    name: str
    why: str
    definition: str | None = None
    uid: str | None = None
    key: str | None = None
    item: WorkItem | None = None
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep would do. Registries that are right have no entry."""

    entries: tuple[Entry, ...]
    checked: int

    @property
    def writes(self) -> int:
        """How many registries would be written."""
        return sum(entry.action in WRITES and entry.item is not None for entry in self.entries)

    @property
    def pending(self) -> bool:
        """Whether anything would change in VerteX."""
        return any(entry.action is not Action.REPORT and entry.action is not Action.PROVE for entry in self.entries)

    @property
    def counts(self) -> dict[str, int]:
        """Entries by action, and `nothing` for the registries that are right."""
        counts: dict[str, int] = {}
        for entry in self.entries:
            counts[entry.action] = counts.get(entry.action, 0) + 1
        touched = {entry.key for entry in self.entries if entry.key is not None}
        return counts | {"nothing": max(0, self.checked - len(touched))}


@dataclass(frozen=True, slots=True)
class Pen:
    """Writes entries about what was seen."""

    seen: Observation

    def entry(
        self,
        action: Action,
        key: str,
        why: str,
        *,
        uid: str | None = None,
        doubts: tuple[Doubt, ...] = (),
        missed: bool = False,
    ) -> Entry:
        """An entry with its work."""
        asked = self.seen.asked[key]
        state = self.seen.states.get(key)
        name = state.shown_name if state is not None and state.name else asked.name
        item = self.item(key, why, doubts)
        return Entry(action, name, why, asked.lead.definition.id, uid, key, item, missed)

    def report(self, key: str, why: str, cause: causes.Cause, uid: str | None = None) -> Entry:
        """Something that converge tells, unless it did already."""
        asked, state = self.seen.asked[key], self.seen.states.get(key)
        told = state is not None and state.refused_cause == cause.slug
        item = None if told else self.item(key, why)
        return Entry(Action.REPORT, asked.name, why, asked.lead.definition.id, uid, key, item)

    def about(self, state: RegistryState, why: str) -> Entry:
        """Something to know about a registry; nobody is woken for it."""
        return Entry(Action.REPORT, state.shown_name, why, state.definition_id, state.uid, state.key)

    def item(self, key: str, why: str, doubts: tuple[Doubt, ...] = ()) -> WorkItem:
        """The work item of a registry that a definition asks for, with the reason in its trigger."""
        item = self.seen.asked[key].item
        note = TriggerNote(**item.triggers[0].model_dump() | {"subject": why})
        return item.model_copy(update={"triggers": (note,), "doubts": doubts})
