"""What the ledger holds. Pure; nothing here ever holds a secret value."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from registry_autopilot.registry import Identity, Provider, RegistryType
from registry_autopilot.work import TriggerNote, WorkItem


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Outcome(StrEnum):
    """What handling an event led to."""

    REGISTERED = "registered"
    ADOPTED = "adopted"
    REFRESHED = "refreshed"
    SYNCED = "synced"
    UNCHANGED = "unchanged"
    OBSERVED = "observed"
    REFUSED = "refused"
    DEFERRED = "deferred"
    QUARANTINED = "quarantined"
    IGNORED = "ignored"


class Health(StrEnum):
    """How a registry stands."""

    NEW = "new"
    OK = "ok"
    PENDING = "pending"
    REFUSED = "refused"
    HELD = "held"


class UsedSecret(_Record):
    """Which version of which secret was applied for what."""

    use: str
    arn: str
    version_id: str


class Intent(_Record):
    """A create that is about to be made, or may have been made.

    Attributes:
        fingerprints: of every create that was tried under this intent; one only: what exists carries exactly it.
        lease_until: until then another worker leaves the create alone.
    """

    name: str
    fingerprints: tuple[str, ...]
    at: float
    lease_until: float


class RegistryState(_Record):
    """What the ledger knows of one identity.

    Attributes:
        rev: counts the writes; every write names the one it follows.
        ours: whether we made it; an adopted one is not ours, but managed.
        confirmed: whether the uid was seen at system scope; nothing is written to one that was not.
        busy_until: until then somebody else is writing the registry, between the proof and the PUT.
        moving: a PUT that re-points our own registry is under way.
        fingerprint: of the desired registry that VerteX was last given.
        last_modified: VerteX's `lastModifiedTimestamp` after our last write, where it was seen.
        written_at: when we last created or PUT it; proved_at: when VerteX last accepted a validate of it.
        ca_expires_at: when the first certificate of the CA it is trusted by ends.
        expires_at: when the applied credential ends by itself (an ECR token), in seconds since the epoch.
        sync_failed: the open incident is about a failed synchronization; all else is right.
        owed_first, owed_last: first and last push that no sync has covered.
        waiting_since: since when a fresh access key, version `waiting_version`, waits to be known by AWS.
        blocked_by: the shared subject (`vertex`, `secret:…`, `mode`) that holds this registry back.
        held: what `observe` holds back: `register` or `refresh`, with the fingerprint it was proven with.
        incident_id: the open incident of this registry.
        openings: when its incidents opened of late; quiet_since: since when a problem that comes and goes is gone.
        refused_fingerprint, refused_at, refused_cause: what was refused last, when and why: the same is not tried
            again at each push.
    """

    key: str
    type: RegistryType
    provider: Provider
    location: str
    base_content_path: str
    rev: int = 0
    definition_id: str = ""
    name: str = ""
    endpoint: str = ""
    repository: str | None = None
    uid: str | None = None
    ours: bool = False
    confirmed: bool = False
    moving: bool = False
    busy_until: float | None = None
    fingerprint: str | None = None
    secrets: tuple[UsedSecret, ...] = ()
    secret_ids: tuple[str, ...] = ()
    last_modified: str | None = None
    written_at: float | None = None
    proved_at: float | None = None
    expires_at: float | None = None
    ca_expires_at: float | None = None
    health: Health = Health.NEW
    intent: Intent | None = None
    owed_first: float | None = None
    owed_last: float | None = None
    last_sync_at: float | None = None
    sync_failed: bool = False
    waiting_since: float | None = None
    waiting_version: str | None = None
    blocked_by: str | None = None
    held: str | None = None
    held_fingerprint: str | None = None
    incident_id: str | None = None
    openings: tuple[float, ...] = ()
    quiet_since: float | None = None
    refused_fingerprint: str | None = None
    refused_at: float | None = None
    refused_cause: str | None = None
    attempts: int = 0
    due_at: float | None = None

    @classmethod
    def fresh(cls, identity: Identity) -> "RegistryState":
        """The state of an identity that was never handled."""
        return cls(
            key=identity.key,
            type=identity.type,
            provider=identity.provider,
            location=identity.location,
            base_content_path=identity.base_content_path,
        )

    @property
    def identity(self) -> Identity:
        """The registry's identity."""
        return Identity(self.type, self.provider, self.location, self.base_content_path)

    @property
    def shown_name(self) -> str:
        """How notices name the registry."""
        return self.name or f"{self.base_content_path} at {self.location}"

    def with_(self, **changes: Any) -> "RegistryState":
        """A copy with changes."""
        return self.model_copy(update=changes)

    def work(self, *triggers: TriggerNote) -> WorkItem:
        """A work item that asks for this registry to be made right again."""
        return WorkItem(
            type=self.type,
            provider=self.provider,
            location=self.location,
            base_content_path=self.base_content_path,
            definition_id=self.definition_id,
            endpoint=self.endpoint,
            repository=self.repository,
            triggers=triggers,
        )


class HistoryEntry(_Record):
    """What happened to one registry, once.

    Attributes:
        requests: `METHOD path status` of each request to VerteX, with its AuditUid where one was answered.
        before: the masked object as it was before the first PUT of an adopted registry.
    """

    key: str
    at: float
    outcome: Outcome
    name: str
    definition_id: str
    mode: str
    triggers: tuple[TriggerNote, ...] = ()
    secrets: tuple[UsedSecret, ...] = ()
    requests: tuple[str, ...] = ()
    validated: bool | None = None
    fingerprint: str | None = None
    cause: str | None = None
    detail: str | None = None
    before: dict[str, Any] | None = None


class KnownUid(_Record):
    """A registry of VerteX whose identity is known, so that it needs no typed GET.

    Attributes:
        last_modified: VerteX's `lastModifiedTimestamp` when its identity was read.
        written_at: when we ourselves wrote it, in seconds since the epoch; the timestamp of that write is not known.
    """

    uid: str
    name: str
    identity_key: str
    last_modified: str | None = None
    written_at: float | None = None


class SystemState(_Record):
    """A shared subject: `vertex`, `mode`, `events`, `secret:<name>`, `definition:<id>`.

    Attributes:
        retry_at: until then nobody tries again what the open incident is about.
        openings: when its incidents opened of late; quiet_since: since when a problem that comes and goes is gone.
        since: since when the subject is watched, in seconds since the epoch.
        ends_at: when what the subject stands for (a certificate) ends.
        changed_at: when the current value of a secret last changed, by the events' own word.
    """

    subject: str
    rev: int = 0
    incident_id: str | None = None
    cause: str | None = None
    attempts: int = 0
    retry_at: float | None = None
    openings: tuple[float, ...] = ()
    quiet_since: float | None = None
    since: float | None = None
    ends_at: float | None = None
    changed_at: float | None = None

    def with_(self, **changes: Any) -> "SystemState":
        """A copy with changes."""
        return self.model_copy(update=changes)


class SweepState(_Record):
    """The last sweep of each rhythm; times are in seconds since the epoch.

    Attributes:
        rev: counts the writes; every write names the one it follows.
        lease_until: until then a sweep is under way, and no other begins.
        finished: when each rhythm last finished.
        counts: how many entries of each action the last one had.
    """

    rev: int = 0
    lease_until: float = 0
    finished: dict[str, float] = {}
    counts: dict[str, int] = {}
