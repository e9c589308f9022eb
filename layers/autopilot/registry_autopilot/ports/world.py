"""Definitions, secrets, repositories, VerteX and the rest of the world, as the use cases ask for them."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from pydantic import SecretStr

from registry_autopilot.causes import AutopilotError
from registry_autopilot.definitions import Definition
from registry_autopilot.events import Repository
from registry_autopilot.hosts import EcrHost
from registry_autopilot.registry import CredentialValues, RegistryType
from registry_autopilot.secret_values import SecretValue
from registry_autopilot.vertex.models import RegistryMetadata, RegistrySummary, StoredRegistry, SyncStatus
from registry_autopilot.work import WorkItem

Clock = Callable[[], float]
"""Seconds since the epoch."""


class Mode(StrEnum):
    """Whether anything is written to VerteX."""

    OBSERVE = "observe"
    ACT = "act"


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
class SecretVersion:
    """Which version of a secret is current, and since when (seconds since the epoch); never its value."""

    arn: str
    version_id: str
    changed_at: float | None = None


@dataclass(frozen=True, slots=True)
class SecretStanding:
    """How a secret stands, by its description; never its value.

    Attributes:
        is_going: whether it is scheduled for deletion.
        version_id: the version at AWSCURRENT.
        rotated_at: when Secrets Manager last rotated it, in seconds since the epoch.
    """

    is_going: bool
    version_id: str | None
    rotated_at: float | None


class SecretVersions(Protocol):
    """Secrets Manager, for those who may not read a value."""

    def current(self, secret_id: str) -> SecretVersion | None:
        """The version at AWSCURRENT; None where there is none, or the secret may not be described."""
        ...

    def standing(self, secret_id: str) -> SecretStanding | None:
        """How a secret stands; None where it is gone for good, or cannot be described at the moment."""
        ...


class EventPath(Protocol):
    """The way that events take from AWS to the events queue."""

    def doubts(self) -> Sequence[str]:
        """Why events may not have come, in words; empty where nothing is known against the way."""
        ...


@dataclass(frozen=True, slots=True)
class ListedRepository:
    """A repository as a listing shows it; `created_at` in seconds since the epoch."""

    name: str
    uri: str
    created_at: float | None = None


@dataclass(frozen=True, slots=True)
class FoundRepository:
    """A repository that exists now."""

    uri: str
    ignored: bool


class Repositories(Protocol):
    """Amazon ECR."""

    def find(self, repository: Repository, role: str | None = None) -> FoundRepository | None:
        """The repository as it is now with its ignore tag; None when it is gone. `role`: whom to ask as.

        Raises:
            AutopilotError: access-denied.
        """
        ...

    def listed(self, account: str, region: str, role: str | None = None) -> Iterable[ListedRepository]:
        """Every repository of a registry, page by page.

        Raises:
            AutopilotError: access-denied, unreachable.
        """
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


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """An ECR authorization token: what VerteX logs in with, until `expires_at` (seconds since the epoch)."""

    username: str
    password: SecretStr
    expires_at: float


class EcrTokens(Protocol):
    """Issues ECR authorization tokens through a role that may only pull."""

    def issue(self, role: str, host: EcrHost) -> IssuedToken:
        """A new token for the registry of a host.

        Raises:
            AutopilotError: role-not-assumable, access-denied.
        """
        ...


class WorkQueue(Protocol):
    """The FIFO work queue, one group per identity."""

    def put(self, items: Sequence[WorkItem]) -> None:
        """Enqueue; a repeated put of the same items within five minutes is one."""
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
