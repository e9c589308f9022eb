"""The plan of a sweep: everything that should be, against everything that is. Pure: an observation becomes entries."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from registry_autopilot import causes
from registry_autopilot.drift import seconds_of, written_by_somebody
from registry_autopilot.matching import Lead, registry_name
from registry_autopilot.records import Doubt, RegistryState, TriggerNote, WorkItem
from registry_autopilot.registry import DesiredRegistry
from registry_autopilot.vertex.models import RegistryMetadata, RegistrySummary, StoredRegistry

DAY = 86_400
MISSED_AFTER_SECONDS = 600  # an event that was going to come has come by then
NEVER_ENDS_SECONDS = 2 * 3600  # a synchronization that runs for longer is not going to end
STALE_SECONDS = 26 * 3600  # VerteX synchronizes by itself every 24 hours
OVERDUE_RENEWAL_SECONDS = 600


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
class Asked:
    """A registry that a definition asks for.

    Attributes:
        item: the work item that would make it right; its trigger says that it was swept.
        desired: None where a secret of it cannot be read.
        problem: why the definition cannot be followed here.
        created_at, changed_at: when its repository was created, and when a secret of it last changed; epoch seconds.
    """

    lead: Lead
    item: WorkItem
    desired: DesiredRegistry | None
    problem: str | None = None
    created_at: float | None = None
    changed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything that should be and everything that is, at one moment.

    Attributes:
        period: seconds between two sweeps of this rhythm.
        swept_at: when a sweep last looked at VerteX and the secrets; inventoried_at: when one last looked at ECR, too;
            epoch seconds. What happened before was seen then, or there before we were: no event of it was missed.
        asked: by identity key.
        seen: identity keys under which a repository lies; None: ECR was not asked.
        same: registries in VerteX, by identity key, of asked identities for which the ledger has none.
        protected: names that are never written, in lower case.
    """

    now: float
    period: float
    swept_at: float | None
    inventoried_at: float | None
    asked: Mapping[str, Asked]
    states: Mapping[str, RegistryState]
    seen: frozenset[str] | None
    listed: Mapping[str, RegistryMetadata]
    summaries: Mapping[str, RegistrySummary]
    same: Mapping[str, Sequence[StoredRegistry]]
    protected: frozenset[str] = frozenset()
    reprove: bool = False


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


def plan(seen: Observation) -> Plan:
    """Compare what should be with what is."""
    judge = _Judge(seen)
    entries = [entry for key in sorted(seen.asked) for entry in judge.asked(key)]
    entries += judge.proofs({entry.key for entry in entries})
    entries += [*judge.orphans(), *judge.untouchable()]
    return Plan(tuple(entries), len(seen.asked))


@dataclass(slots=True)
class _Judge:
    """Judges one registry after the other; counts what families would grow to."""

    seen: Observation
    members: dict[str, int] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for state in self.seen.states.values():
            if state.uid is not None:
                self.members[state.definition_id] = self.members.get(state.definition_id, 0) + 1

    def asked(self, key: str) -> Iterator[Entry]:
        """What is to be done about a registry that a definition asks for."""
        asked, state = self.seen.asked[key], self.seen.states.get(key)
        if state is not None and _is_being_written(state, self.seen.now):
            return
        if asked.problem is not None:
            yield self._report(key, asked.problem, causes.DEFINITION_INVALID)
        elif asked.lead.definition.manage == "sync-only":
            yield from self._synced(key, state) if state is not None and state.uid is not None else ()
        elif state is not None and state.uid is not None:
            yield from self._managed(key, state)
        else:
            yield from self._missing(key, state)

    def proofs(self, busy: set[str | None]) -> list[Entry]:
        """The registries whose daily proof is due: the longest unproven first, spread over the day.

        With `reprove` all that are not written anyway are looked at now.
        """
        seen = self.seen
        managed = [s for k in seen.asked if (s := seen.states.get(k)) and s.uid and s.confirmed]
        quiet = [s for s in managed if s.incident_id is None or s.sync_failed]
        calm = [s for s in quiet if s.key not in busy and not s.blocked_by]
        due = [s for s in calm if seen.reprove or seen.now - (s.proved_at or 0) > DAY]
        most = len(due) if seen.reprove else math.ceil(len(managed) * seen.period / DAY * 2)
        oldest = sorted(due, key=lambda state: (state.proved_at or 0, state.key))[:most]
        doubts = (Doubt.DRIFT, Doubt.PROOF, Doubt.SYNC) if seen.reprove else (Doubt.PROOF,)
        why = "nothing the ledger believes counts (reprove)" if seen.reprove else "not proven for a day"
        return [self._entry(Action.PROVE, s.key, why, doubts=doubts) for s in oldest]

    def orphans(self) -> Iterator[Entry]:
        """Managed registries that nobody asks for any more. They are left alone."""
        for key, state in sorted(self.seen.states.items()):
            gone = self.seen.seen is not None and key not in self.seen.seen and state.repository is not None
            if state.uid is not None and key not in self.seen.asked:
                yield self._about(state, "no definition asks for it any more; it is left as it is")
            elif state.uid is not None and gone:
                yield self._about(state, "no repository lies in it any more; it is left as it is")

    def untouchable(self) -> Iterator[Entry]:
        """Registries of VerteX that are never written, whoever asks."""
        for uid, listed in sorted(self.seen.listed.items()):
            if listed.is_default:
                yield Entry(Action.REPORT, listed.name, "a default registry of VerteX: never written", uid=uid)
            elif listed.name.casefold() in self.seen.protected:
                yield Entry(Action.REPORT, listed.name, "named by ProtectedRegistries: only ever synced", uid=uid)

    def _missing(self, key: str, state: RegistryState | None) -> Iterator[Entry]:
        """Asked for, and the ledger has no registry for it."""
        asked = self.seen.asked[key]
        if (waiting := self._waits(key, state)) is not None:
            yield waiting
            return
        if found := self.seen.same.get(key):
            yield self._existing(key, found)
        elif taken := self._holder_of(_name(asked)):
            yield self._report(key, f"the name is taken by the registry {taken}", causes.NAME_CONFLICT)
        elif _name(asked) in self.names:
            yield self._report(key, f"another base path has the name {_name(asked)!r}, too", causes.NAME_CONFLICT)
        elif self._is_full(asked):
            most = asked.lead.definition.max_registries
            yield self._report(key, f"the family may have {most} registries at most", causes.TOO_MANY_REGISTRIES)
        else:
            definition = asked.lead.definition.id
            self.members[definition] = self.members.get(definition, 0) + 1
            self.names.add(_name(asked))
            missed = state is None and self._is_missed(asked.created_at, self.seen.inventoried_at)
            yield self._entry(Action.CREATE, key, "VerteX has no registry of this identity", missed=missed)

    def _existing(self, key: str, found: Sequence[StoredRegistry]) -> Entry:
        """Asked for, and somebody made it already."""
        if len(found) > 1:
            names = ", ".join(sorted(f"{one.name!r} ({one.uid})" for one in found))
            return self._report(key, f"{len(found)} registries of this identity exist: {names}", causes.ADOPTABLE)
        one, listed = found[0], self.seen.listed.get(found[0].uid)
        if listed is None or listed.is_default or one.name.casefold() in self.seen.protected:
            return self._report(
                key, f"{one.name!r} has this identity and may not be written", causes.PROTECTED, one.uid
            )
        if not self.seen.asked[key].lead.definition.adopts:
            words = f"{one.name!r} has this identity; `adopt: refresh` lets Autopilot keep it"
            return self._report(key, words, causes.ADOPTABLE, one.uid)
        return self._entry(Action.ADOPT, key, f"{one.name!r} has this identity, and the definition adopts", uid=one.uid)

    def _synced(self, key: str, state: RegistryState) -> Iterator[Entry]:
        """Never written, only synced; that it is gone is told all the same."""
        if state.uid in self.seen.listed:
            yield from self._sync(key)
            return
        words = f"the registry {state.uid} was deleted in VerteX"
        item = None if state.refused_cause == causes.DRIFTED.slug else self._item(key, words, (Doubt.DRIFT,))
        yield Entry(Action.REPORT, state.shown_name, words, state.definition_id, state.uid, key, item)

    def _managed(self, key: str, state: RegistryState) -> Iterator[Entry]:
        """Asked for, and ours to look after."""
        drift = self._drift(key, state)
        if drift is not None:
            yield drift
            return
        if (waiting := self._waits(key, state)) is not None:
            yield waiting
            return
        asked = self.seen.asked[key]
        if asked.desired is not None and asked.desired.fingerprint != state.fingerprint:
            yield self._differs(key, state, asked.desired)
        elif state.expires_at is not None and self._renewal_is_overdue(state):
            yield self._entry(Action.RENEW, key, "the ECR token should have been renewed")
        elif not self.seen.reprove:
            yield from self._sync(key)

    def _drift(self, key: str, state: RegistryState) -> Entry | None:
        """What somebody did to it in VerteX, as far as the lists show."""
        words = self._seen_of_drift(state)
        if words is None:
            return None
        deleted = state.uid not in self.seen.listed
        told = state.refused_cause == causes.DRIFTED.slug and (deleted or not self._has_moved(state))
        if self.seen.asked[key].lead.definition.on_drift == "repair":
            action = Action.CREATE if deleted else Action.UPDATE
            return self._entry(action, key, words, uid=state.uid, doubts=(Doubt.DRIFT,))
        item = None if told else self._item(key, words, (Doubt.DRIFT,))
        return Entry(Action.REPORT, state.shown_name, words, state.definition_id, state.uid, key, item)

    def _seen_of_drift(self, state: RegistryState) -> str | None:
        listed = self.seen.listed.get(state.uid or "")
        if listed is None:
            return f"the registry {state.uid} was deleted in VerteX"
        if state.refused_cause == causes.DRIFTED.slug:
            return "somebody changed it in VerteX"
        if listed.name not in {state.name, ""}:
            return f"somebody renamed it to {listed.name!r}"
        return "somebody wrote it in VerteX after us" if self._has_moved(state) else None

    def _has_moved(self, state: RegistryState) -> bool:
        """Whether VerteX's time of modification is neither what was seen before nor that of our own write."""
        summary = self.seen.summaries.get(state.uid or "")
        if summary is None or summary.last_modified in {None, state.last_modified}:
            return False
        unreadable = seconds_of(summary.last_modified) is None
        return unreadable or written_by_somebody(summary.last_modified, summary.sync.last_run, state.written_at or 0)

    def _differs(self, key: str, state: RegistryState, desired: DesiredRegistry) -> Entry:
        """The definition changed, or a version of its secrets did."""
        before = {(s.use, s.arn): s.version_id for s in state.secrets}
        moved = [s.arn.rpartition(":")[2] for s in desired.secrets if before.get((s.use, s.arn), "") != s.version_id]
        if moved and before.keys() == {(s.use, s.arn) for s in desired.secrets}:
            words = f"the current version of {', '.join(moved)} is not the one applied"
            changed_at = self.seen.asked[key].changed_at
            tried = changed_at is not None and max(state.refused_at or 0, state.waiting_since or 0) >= changed_at
            missed = not tried and self._is_missed(changed_at, self.seen.swept_at)
            return self._entry(Action.REFRESH, key, words, uid=state.uid, missed=missed)
        return self._entry(Action.UPDATE, key, "the definition asks for something else than was applied", uid=state.uid)

    def _renewal_is_overdue(self, state: RegistryState) -> bool:
        half = ((state.expires_at or 0) + (state.written_at or 0)) / 2
        return self.seen.now > half + OVERDUE_RENEWAL_SECONDS

    def _waits(self, key: str, state: RegistryState | None) -> Entry | None:
        """Refused, held back or blocked, and nothing has changed since: it has its own next try."""
        asked = self.seen.asked[key]
        if asked.desired is None:
            told = state is not None and (state.blocked_by or "").startswith("secret:")
            item = None if told else asked.item
            return Entry(
                Action.REPORT,
                _name(asked),
                "a secret of it cannot be read",
                asked.lead.definition.id,
                key=key,
                item=item,
            )
        if state is None:
            return None
        same = state.refused_fingerprint == asked.desired.fingerprint and (state.incident_id or state.blocked_by)
        if state.held is not None and state.held_fingerprint == asked.desired.fingerprint:
            return self._about(state, f"held back by mode observe: would {state.held}")
        if (same or self._refused_unresolved(asked, state)) and not state.sync_failed:
            return self._about(state, f"refused ({state.refused_cause}); it is tried again by its own rule")
        return None

    def _refused_unresolved(self, asked: Asked, state: RegistryState) -> bool:
        """Refused before it could be resolved (a malformed secret, a host that is not allowed), and no secret is newer.

        A definition leaves no such trace: what was refused so is tried again after a day at the latest.
        """
        if state.refused_at is None or state.refused_fingerprint is not None:
            return False
        told = state.incident_id is not None or state.blocked_by is not None
        return told and state.refused_at >= (asked.changed_at or 0) and self.seen.now - state.refused_at < DAY

    def _is_missed(self, since: float | None, looked_at: float | None) -> bool:
        """Whether an event should have told what happened at `since`, after somebody last looked."""
        if since is None or looked_at is None:
            return False
        return since >= looked_at and self.seen.now - since > MISSED_AFTER_SECONDS

    def _sync(self, key: str) -> Iterator[Entry]:
        """How its synchronization stands, as the summary tells."""
        state = self.seen.states[key]
        summary = self.seen.summaries.get(state.uid or "")
        if summary is None or not self.seen.asked[key].lead.definition.synchronize:
            return
        began = seconds_of(summary.sync.last_run)
        age = self.seen.now - began if began is not None else 0
        if state.sync_failed:
            yield self._about(state, "its synchronization failed; it is tried again by its own rule")
        elif summary.sync.state == "failed":
            yield self._entry(Action.SYNC, key, "its synchronization failed", uid=state.uid, doubts=(Doubt.SYNC,))
        elif summary.sync.state == "running" and age > NEVER_ENDS_SECONDS:
            words = "its synchronization does not end; from VerteX 4.9.14 Force sync in the console interrupts it"
            yield self._entry(Action.SYNC, key, words, uid=state.uid, doubts=(Doubt.SYNC,))
        elif summary.sync.state == "succeeded" and age > STALE_SECONDS and state.owed_last is None:
            words = f"its last synchronization is {round(age / 3600)} hours old"
            yield self._entry(Action.SYNC, key, words, uid=state.uid, doubts=(Doubt.SYNC,))
        elif summary.sync.state == "pending" and began is None and self.seen.now - (state.written_at or 0) > DAY:
            words = "it was never synchronized; kinds made before VerteX 4.5 have to be registered anew by hand"
            yield self._about(state, words)

    def _entry(
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
        name = state.shown_name if state is not None and state.name else _name(asked)
        item = self._item(key, why, doubts)
        return Entry(action, name, why, asked.lead.definition.id, uid, key, item, missed)

    def _report(self, key: str, why: str, cause: causes.Cause, uid: str | None = None) -> Entry:
        """Something that converge tells, unless it did already."""
        asked, state = self.seen.asked[key], self.seen.states.get(key)
        told = state is not None and state.refused_cause == cause.slug
        item = None if told else self._item(key, why)
        return Entry(Action.REPORT, _name(asked), why, asked.lead.definition.id, uid, key, item)

    def _about(self, state: RegistryState, why: str) -> Entry:
        return Entry(Action.REPORT, state.shown_name, why, state.definition_id, state.uid, state.key)

    def _item(self, key: str, why: str, doubts: tuple[Doubt, ...] = ()) -> WorkItem:
        item = self.seen.asked[key].item
        note = TriggerNote(**item.triggers[0].model_dump() | {"subject": why})
        return item.model_copy(update={"triggers": (note,), "doubts": doubts})

    def _holder_of(self, name: str) -> str | None:
        return next((uid for uid, listed in self.seen.listed.items() if listed.name == name), None)

    def _is_full(self, asked: Asked) -> bool:
        definition = asked.lead.definition
        return definition.is_family and self.members.get(definition.id, 0) >= definition.max_registries


def _name(asked: Asked) -> str:
    return registry_name(asked.lead.definition, asked.lead.identity)


def _is_being_written(state: RegistryState, now: float) -> bool:
    leased = state.intent is not None and state.uid is None and state.intent.lease_until > now
    return leased or (state.busy_until is not None and state.busy_until > now)
