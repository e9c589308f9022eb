"""What the use cases ask of the world. Adapters implement these; tests implement them in memory."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from registry_autopilot.causes import AutopilotError
from registry_autopilot.definitions import Definition
from registry_autopilot.events import Repository
from registry_autopilot.incidents import Change, Incident
from registry_autopilot.records import HistoryEntry, KnownUid, RegistryState, SystemState, WorkItem
from registry_autopilot.registry import CredentialValues, RegistryType
from registry_autopilot.secret_values import SecretValue
from registry_autopilot.vertex.models import RegistryMetadata, RegistrySummary, StoredRegistry, SyncStatus

Clock = Callable[[], float]
"""Seconds since the epoch."""


class Mode(StrEnum):
    """Whether anything is written to VerteX."""

    OBSERVE = "observe"
    ACT = "act"


class ConcurrentUpdateError(Exception):
    """Raised when somebody else wrote the same ledger item first: leave the message to redelivery."""


@dataclass(frozen=True, slots=True)
class LoadedDefinitions:
    """All definitions at one moment, and the errors of those that cannot be used."""

    usable: tuple[Definition, ...]
    broken: tuple[AutopilotError, ...] = ()

    def get(self, definition_id: str) -> Definition | None:
        """The definition of an id, where it is usable."""
        return next((d for d in self.usable if d.id == definition_id), None)


class Definitions(Protocol):
    """Definitions and mode, in Parameter Store."""

    def load(self) -> LoadedDefinitions:
        """Every definition, read anew."""
        ...

    def mode(self) -> Mode:
        """The mode, read anew; anything but `act` is `observe`."""
        ...


class Secrets(Protocol):
    """Secrets Manager, never cached."""

    def read(self, secret_id: str) -> SecretValue:
        """The version at AWSCURRENT, by name, partial or full ARN.

        Raises:
            AutopilotError: secret-unreadable.
        """
        ...


@dataclass(frozen=True, slots=True)
class FoundRepository:
    """A repository that exists now."""

    uri: str
    ignored: bool


class Repositories(Protocol):
    """Amazon ECR."""

    def find(self, repository: Repository) -> FoundRepository | None:
        """The repository as it is now with its ignore tag; None when it is gone.

        Raises:
            AutopilotError: access-denied.
        """
        ...

    def list_names(self, account: str, region: str) -> Iterable[tuple[str, str]]:
        """Name and URI of every repository of a registry, page by page."""
        ...


class Verdict(StrEnum):
    """What trying a static access key against AWS from here says."""

    PROVEN = "proven"
    UNKNOWN_KEY = "unknown-key"
    EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class Proof:
    """What our own try saw, in words for a notice."""

    verdict: Verdict
    seen: str


class Prover(Protocol):
    """Tries a static access key against AWS from where the function runs."""

    def try_access_key(self, values: CredentialValues, region: str) -> Proof:
        """Never raises: what cannot be tried is evidence only."""
        ...


class WorkQueue(Protocol):
    """The FIFO work queue, one group per identity."""

    def put(self, items: Sequence[WorkItem]) -> None:
        """Enqueue; a repeated put of the same items within five minutes is one."""
        ...


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


class Ledger(Protocol):
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

    def incident(self, incident_id: str) -> Incident | None:
        """An incident by its id, read consistently."""
        ...

    def system(self, subject: str) -> SystemState:
        """State of a shared subject."""
        ...

    def systems(self) -> Sequence[SystemState]:
        """Every shared subject that was ever told."""
        ...

    def commit_system(self, was: SystemState, now: SystemState, incident: Incident | None) -> None:
        """Write a shared subject and its incident in one transaction.

        Raises:
            ConcurrentUpdateError: somebody wrote it since it was read.
        """
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

    def touch_incident(self, incident_id: str, now: float) -> None:
        """Prompt notify again through the stream."""
        ...

    def referring(self, reference: str) -> Sequence[RegistryState]:
        """Registries that refer to `secret#…`, `definition#…` or are blocked by `blocked#…`."""
        ...

    def claim_sync_start(self, now: float, per_minute: int) -> bool:
        """Take one of this minute's sync starts; False when all are taken."""
        ...

    def quarantine(self, event_id: str, reason: str, body: str, now: float) -> None:
        """Keep an event that could not be read, redacted and cut."""
        ...


class RequestRecord(Protocol):
    """One request to VerteX as it goes into history."""

    @property
    def line(self) -> str:
        """`METHOD path status AuditUid`."""
        ...


class Vertex(Protocol):
    """The VerteX API. Every method may raise AutopilotError with its cause."""

    def recording(self) -> AbstractContextManager[list[Any]]:
        """Collects the requests made inside."""
        ...

    def registries_metadata(self) -> Sequence[RegistryMetadata]:
        """Registries at system scope."""
        ...

    def oci_summary(self) -> Sequence[RegistrySummary]:
        """Every OCI registry, without base content paths."""
        ...

    def get_registry(self, type_: RegistryType, uid: str) -> StoredRegistry | None:
        """The typed object; None when it is gone."""
        ...

    def validate_registry(self, type_: RegistryType, spec: dict[str, Any]) -> None:
        """Ask VerteX to try a spec."""
        ...

    def create_registry(self, type_: RegistryType, name: str, spec: dict[str, Any]) -> str:
        """Create; the uid. Never repeated by the client."""
        ...

    def update_registry(self, type_: RegistryType, uid: str, body: dict[str, Any]) -> None:
        """Replace the whole object."""
        ...

    def sync_registry(self, type_: RegistryType, uid: str) -> None:
        """Start a synchronization."""
        ...

    def sync_status(self, type_: RegistryType, uid: str) -> SyncStatus:
        """How the synchronization stands."""
        ...


class Metrics(Protocol):
    """Counts, by name and outcome; no asset names."""

    def count(self, name: str, **dimensions: str) -> None:
        """Add one."""
        ...


class Announcements(Protocol):
    """Incidents as notify sees them: with the mark of each channel."""

    def incident(self, incident_id: str) -> Incident | None:
        """An incident by its id, read consistently."""
        ...

    def marks(self, incident_id: str) -> dict[str, int]:
        """How far each channel has told it."""
        ...

    def move_mark(self, incident_id: str, channel: str, seq: int) -> None:
        """The channel has told everything up to `seq`."""
        ...

    def all_told(self, incident_id: str, seq: int) -> None:
        """Every channel has told `seq`: no repair is due, unless a newer change came."""
        ...


class Channel(Protocol):
    """Where notices go."""

    name: str

    def send(self, incident: Incident, change: Change) -> None:
        """Tell one change.

        Raises:
            ChannelError: it was not told; try again later.
        """
        ...


class ChannelError(Exception):
    """Raised when a channel did not take a notice; the text is safe to log."""

    def __init__(self, detail: str, *, permanent: bool = False) -> None:
        super().__init__(detail)
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Rules:
    """The stack's own rules that converge keeps; see the template's parameters of the same names."""

    allowed_hosts: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    allow_insecure_tls: bool = False
    own_secrets: tuple[str, ...] = ()
    sync_quiet_seconds: float = 300
    sync_max_wait_seconds: float = 1800
    sync_starts_per_minute: int = 6
    key_wait_seconds: float = field(default=120)
