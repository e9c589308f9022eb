"""What is asked for and that the ledger has no registry for: created, adopted, or reported."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from registry_autopilot import causes
from registry_autopilot.planning.entries import Action, Entry, Pen
from registry_autopilot.planning.observed import Asked
from registry_autopilot.planning.waiting import waits
from registry_autopilot.records import RegistryState
from registry_autopilot.vertex.models import StoredRegistry


@dataclass(slots=True)
class Newcomers:
    """Registries that are asked for and that the ledger does not have; counts what families would grow to."""

    pen: Pen
    members: dict[str, int] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for state in self.pen.seen.states.values():
            if state.uid is not None:
                self.members[state.definition_id] = self.members.get(state.definition_id, 0) + 1

    def judge(self, key: str, state: RegistryState | None) -> Iterator[Entry]:
        """Asked for, and the ledger has no registry for it."""
        asked = self.pen.seen.asked[key]
        if (waiting := waits(self.pen, key, state)) is not None:
            yield waiting
            return
        if found := self.pen.seen.same.get(key):
            yield _existing(self.pen, key, found)
        elif taken := self.pen.seen.holder_of(asked.name):
            yield self.pen.report(key, f"the name is taken by the registry {taken}", causes.NAME_CONFLICT)
        elif asked.name in self.names:
            yield self.pen.report(key, f"another base path has the name {asked.name!r}, too", causes.NAME_CONFLICT)
        elif self._is_full(asked):
            most = asked.lead.definition.max_registries
            yield self.pen.report(key, f"the family may have {most} registries at most", causes.TOO_MANY_REGISTRIES)
        else:
            definition = asked.lead.definition.id
            self.members[definition] = self.members.get(definition, 0) + 1
            self.names.add(asked.name)
            missed = state is None and self.pen.seen.is_missed(asked.created_at, self.pen.seen.inventoried_at)
            yield self.pen.entry(Action.CREATE, key, "VerteX has no registry of this identity", missed=missed)

    def _is_full(self, asked: Asked) -> bool:
        definition = asked.lead.definition
        return definition.is_family and self.members.get(definition.id, 0) >= definition.max_registries


def _existing(pen: Pen, key: str, found: Sequence[StoredRegistry]) -> Entry:
    """Asked for, and somebody made it already."""
    if len(found) > 1:
        names = ", ".join(sorted(f"{one.name!r} ({one.uid})" for one in found))
        return pen.report(key, f"{len(found)} registries of this identity exist: {names}", causes.ADOPTABLE)
    one, listed = found[0], pen.seen.listed.get(found[0].uid)
    if listed is None or listed.is_default or one.name.casefold() in pen.seen.protected:
        return pen.report(key, f"{one.name!r} has this identity and may not be written", causes.PROTECTED, one.uid)
    if not pen.seen.asked[key].lead.definition.adopts:
        words = f"{one.name!r} has this identity; `adopt: refresh` lets Autopilot keep it"
        return pen.report(key, words, causes.ADOPTABLE, one.uid)
    return pen.entry(Action.ADOPT, key, f"{one.name!r} has this identity, and the definition adopts", uid=one.uid)
