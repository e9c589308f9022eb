"""The ledger in memory, with the same conditions on every write as the one in DynamoDB."""

from collections.abc import Sequence
from threading import RLock

from registry_autopilot import causes
from registry_autopilot.aws.ledger_items import ANNOUNCE_WITHIN_SECONDS, references
from registry_autopilot.causes import AutopilotError
from registry_autopilot.incidents import Incident
from registry_autopilot.ports import ConcurrentUpdateError, LedgerWrite
from registry_autopilot.records import HistoryEntry, KnownUid, RegistryState, SweepState, SystemState


class MemoryLedger:
    """Implements `Ledger` and `Announcements`."""

    def __init__(self) -> None:
        self.states: dict[str, RegistryState] = {}
        self.history: list[HistoryEntry] = []
        self.incidents: dict[str, Incident] = {}
        self.names: dict[str, str] = {}
        self.families: dict[str, set[str]] = {}
        self.uids: dict[str, KnownUid] = {}
        self.subjects: dict[str, SystemState] = {}
        self.quarantined: list[tuple[str, str]] = []
        self.sync_starts: dict[int, int] = {}
        self.told: dict[str, dict[str, int]] = {}
        self.unannounced: dict[str, float] = {}
        self.prompts: list[str] = []
        self.announced_seq: dict[str, int] = {}
        self.news_marks: set[tuple[str, str, str]] = set()
        self.news_entries: dict[tuple[str, str], HistoryEntry] = {}
        self.swept = SweepState()
        self._lock = RLock()

    def registry(self, key: str) -> RegistryState | None:
        return self.states.get(key)

    def commit(self, write: LedgerWrite) -> RegistryState:
        with self._lock:
            self._check(write.was)
            if write.released is not None:
                self._check(write.released[0])
            now = write.now.with_(rev=write.was.rev + 1)
            if write.incident is not None:
                self._put_incident(write.incident)
            self.states[now.key] = now
            if write.history is not None:
                self.history.append(write.history)
            if write.known is not None:
                self.uids[write.known.uid] = write.known
            if write.released is not None:
                old, cleared = write.released
                self.states[old.key] = cleared.with_(rev=old.rev + 1)
                self.names[now.name] = now.key
            return now

    def record_intent(self, was: RegistryState, now: RegistryState, *, limit: int | None) -> RegistryState:
        with self._lock:
            self._check(was)
            name = now.intent.name if now.intent else now.name
            if self.names.get(name, now.key) != now.key:
                raise AutopilotError(causes.NAME_CONFLICT, f"the name {name!r} belongs to another registry of ours")
            members = self.families.setdefault(now.definition_id, set())
            if limit is not None and now.key not in members and len(members) >= limit:
                raise AutopilotError(
                    causes.TOO_MANY_REGISTRIES,
                    f"definition {now.definition_id}: a further registry would exceed max_registries: {limit}",
                    subject=f"definition:{now.definition_id}",
                )
            if limit is not None:
                members.add(now.key)
            self.names[name] = now.key
            self.states[now.key] = written = now.with_(rev=was.rev + 1)
            return written

    def name_owner(self, name: str) -> str | None:
        return self.names.get(name)

    def incident(self, incident_id: str) -> Incident | None:
        return self.incidents.get(incident_id)

    def system(self, subject: str) -> SystemState:
        return self.subjects.get(subject, SystemState(subject=subject))

    def systems(self) -> Sequence[SystemState]:
        return list(self.subjects.values())

    def commit_system(self, was: SystemState, now: SystemState, incident: Incident | None) -> None:
        with self._lock:
            if self.system(was.subject).rev != was.rev:
                raise ConcurrentUpdateError
            if incident is not None:
                self._put_incident(incident)
            self.subjects[now.subject] = now.with_(rev=was.rev + 1)

    def known_uids(self, uids: Sequence[str]) -> dict[str, KnownUid]:
        return {uid: self.uids[uid] for uid in uids if uid in self.uids}

    def remember_uids(self, known: Sequence[KnownUid]) -> None:
        self.uids |= {one.uid: one for one in known}

    def due(self, now: float, limit: int) -> tuple[Sequence[RegistryState], Sequence[str]]:
        states = [s for s in self.states.values() if s.due_at is not None and s.due_at <= now]
        late = [incident_id for incident_id, at in self.unannounced.items() if at <= now]
        return states[:limit], late

    def touch_incident(self, incident_id: str, now: float) -> None:
        self.unannounced[incident_id] = now + ANNOUNCE_WITHIN_SECONDS
        self.prompts.append(incident_id)

    def referring(self, reference: str) -> Sequence[RegistryState]:
        return [state for state in self.states.values() if reference in references(state)]

    def registries(self) -> Sequence[RegistryState]:
        return list(self.states.values())

    def sweep_state(self) -> SweepState:
        return self.swept

    def commit_sweep(self, was: SweepState, now: SweepState) -> SweepState:
        with self._lock:
            if self.swept.rev != was.rev:
                raise ConcurrentUpdateError
            self.swept = now.model_copy(update={"rev": was.rev + 1})
            return self.swept

    def claim_sync_start(self, now: float, per_minute: int) -> bool:
        with self._lock:
            minute = int(now // 60)
            if self.sync_starts.get(minute, 0) >= per_minute:
                return False
            self.sync_starts[minute] = self.sync_starts.get(minute, 0) + 1
            return True

    def quarantine(self, event_id: str, reason: str, body: str, now: float) -> None:
        self.quarantined.append((event_id, reason))

    def marks(self, incident_id: str) -> dict[str, int]:
        return dict(self.told.get(incident_id, {}))

    def move_mark(self, incident_id: str, channel: str, seq: int) -> None:
        marks = self.told.setdefault(incident_id, {})
        marks[channel] = max(seq, marks.get(channel, 0))

    def all_told(self, incident_id: str, seq: int, remind_at: float | None) -> None:
        if self.incidents[incident_id].seq == seq and self.announced(incident_id) < seq:
            self.announced_seq[incident_id] = seq
            self.unannounced.pop(incident_id, None)
            if remind_at is not None:
                self.unannounced[incident_id] = remind_at

    def announced(self, incident_id: str) -> int:
        return self.announced_seq.get(incident_id, 0)

    def commit_incident(self, incident: Incident) -> None:
        with self._lock:
            self._put_incident(incident)

    def news(self, key: str, entry: str) -> HistoryEntry | None:
        return self.news_entries.get((key, entry))

    def news_told(self, key: str, entry: str, channel: str) -> bool:
        return (key, entry, channel) in self.news_marks

    def move_news_mark(self, key: str, entry: str, channel: str) -> None:
        self.news_marks.add((key, entry, channel))

    def open_incidents(self) -> list[Incident]:
        """Incidents that last."""
        return [incident for incident in self.incidents.values() if incident.is_open]

    def _check(self, was: RegistryState) -> None:
        current = self.states.get(was.key)
        if (current.rev if current else 0) != was.rev:
            raise ConcurrentUpdateError

    def _put_incident(self, incident: Incident) -> None:
        before = self.incidents.get(incident.id)
        if before is not None and before.seq != incident.seq - 1:
            raise ConcurrentUpdateError
        self.incidents[incident.id] = incident
        self.unannounced[incident.id] = incident.changes[-1].at + ANNOUNCE_WITHIN_SECONDS
        self.prompts.append(incident.id)
