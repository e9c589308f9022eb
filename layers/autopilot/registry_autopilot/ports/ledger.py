"""The ledger, as the use cases ask for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from registry_autopilot.incidents import Incident
from registry_autopilot.records import HistoryEntry, KnownUid, RegistryState, SweepState, SystemState


class ConcurrentUpdateError(Exception):
    """Raised when somebody else wrote the same ledger item first: leave the message to redelivery."""


@dataclass(slots=True)
class LedgerWrite:
    """What one transaction writes. All of it or nothing.

    Attributes:
        was, now: the registry's state that was read, and the new one.
        released: the state of another identity whose registry this one took over (an endpoint or base path changed).
        known: a registry of VerteX whose identity is now known.
    """

    was: RegistryState
    now: RegistryState
    history: HistoryEntry | None = None
    incident: Incident | None = None
    known: KnownUid | None = None
    released: tuple[RegistryState, RegistryState] | None = None


class SharedSubjects(Protocol):
    """The part of the ledger that holds shared subjects and their incidents."""

    def incident(self, incident_id: str) -> Incident | None:
        """An incident by its id, read consistently."""
        ...

    def system(self, subject: str) -> SystemState:
        """State of a shared subject."""
        ...

    def systems(self) -> Sequence[SystemState]:
        """Every shared subject that was ever told."""
        ...

    def referring(self, reference: str) -> Sequence[RegistryState]:
        """Registries that refer to `secret#<name>`, `definition#<id>`, or are `blocked#<subject>`."""
        ...

    def commit_system(self, was: SystemState, now: SystemState, incident: Incident | None) -> None:
        """Write a shared subject and its incident in one transaction.

        Raises:
            ConcurrentUpdateError: somebody wrote it since it was read.
        """
        ...


class Ledger(SharedSubjects, Protocol):
    """The DynamoDB table. Every write is conditional on the revision that was read."""

    def registry(self, key: str) -> RegistryState | None:
        """State of an identity, read consistently."""
        ...

    def commit(self, write: LedgerWrite) -> RegistryState:
        """Write in one transaction; the new state with its revision.

        Raises:
            ConcurrentUpdateError: somebody wrote the state, or the same incident, since it was read.
        """
        ...

    def record_intent(self, was: RegistryState, now: RegistryState, *, limit: int | None) -> RegistryState:
        """Write an intent with the claim to its name and, for a family, to one of `limit` places.

        Raises:
            AutopilotError: name-conflict, too-many-registries.
            ConcurrentUpdateError: somebody wrote the state since it was read.
        """
        ...

    def name_owner(self, name: str) -> str | None:
        """Key of the identity that claimed a name."""
        ...

    def known_uids(self, uids: Sequence[str]) -> dict[str, KnownUid]:
        """Which registries of VerteX were looked into before."""
        ...

    def remember_uids(self, known: Sequence[KnownUid]) -> None:
        """Keep what a typed GET showed."""
        ...

    def due(self, now: float, limit: int) -> tuple[Sequence[RegistryState], Sequence[str]]:
        """Registries that are due, and ids of incidents whose announcement is overdue."""
        ...

    def announced(self, incident_id: str) -> int:
        """Up to which change every channel has told an incident."""
        ...

    def commit_incident(self, incident: Incident) -> None:
        """Write a further change of an incident.

        Raises:
            ConcurrentUpdateError: another change was written first.
        """
        ...

    def touch_incident(self, incident_id: str, now: float) -> None:
        """Prompt notify again through the stream."""
        ...

    def registries(self) -> Sequence[RegistryState]:
        """Every registry that was ever handled."""
        ...

    def sweep_state(self) -> SweepState:
        """How the last sweeps went."""
        ...

    def commit_sweep(self, was: SweepState, now: SweepState) -> SweepState:
        """Write how a sweep goes; the new state with its revision.

        Raises:
            ConcurrentUpdateError: another sweep wrote it since it was read.
        """
        ...

    def claim_sync_start(self, now: float, per_minute: int) -> bool:
        """Take one of this minute's sync starts; False when all are taken."""
        ...

    def quarantine(self, event_id: str, reason: str, body: str, now: float) -> None:
        """Keep an event that could not be read, redacted and cut."""
        ...
