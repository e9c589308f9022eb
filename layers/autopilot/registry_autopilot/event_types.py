"""Triggers: the canonical form of every event. What a reader of events hands on, and nothing of its original shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

UNKNOWN_TIME: Final = datetime.fromtimestamp(0, UTC)
"""Stands for a time that could not be read: an event is a hint, so a wrong clock must not cost the event."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a trigger comes from; enough to find the event again and to say who caused it.

    Attributes:
        event_id: `eventID` of the CloudTrail record, else the envelope's id (it may differ between forwards).
        source: `source` of the envelope, such as `aws.ecr`.
        detail_type: `detail-type` of the envelope.
        event_name: `eventName` of the CloudTrail record; None for native events.
        principal: ARN (or service) that made the call, where the event tells.
        at: when it happened, aware and in UTC; `UNKNOWN_TIME` where the event has no readable time.
        account: AWS account in which it happened (`recipientAccountId`, `account`).
        region: AWS region in which it happened (`awsRegion`, `region`).
    """

    event_id: str
    source: str
    detail_type: str
    event_name: str | None
    principal: str | None
    at: datetime
    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A private ECR repository of the event's own account and region.

    Attributes:
        uri: `repositoryUri` as the event gives it; None where it gives none.
    """

    account: str
    region: str
    name: str
    uri: str | None


@dataclass(frozen=True, slots=True)
class RepositoryCreated:
    """A repository was created.

    Attributes:
        tags: tags of the create call; empty does not mean untagged (templates and later calls tag, too).
    """

    origin: Origin
    repository: Repository
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RepositoryDeleted:
    """A repository was deleted."""

    origin: Origin
    repository: Repository


@dataclass(frozen=True, slots=True)
class ImagePushed:
    """A repository has new content; it may be new itself."""

    origin: Origin
    repository: Repository
    how: Literal["push", "pull-through-cache", "replication"]


@dataclass(frozen=True, slots=True)
class SecretChanged:
    """The current value of a secret may have changed.

    Attributes:
        secret_id: ARN, partial ARN or name, as the event gives it.
        version_id: the version that the event speaks of; a hint, AWSCURRENT is always read again.
        event: what happened, in the event's own word.
        is_new_value: whether the event says that the current value is another one now, rather than that it may be.
    """

    origin: Origin
    secret_id: str
    version_id: str | None
    event: str
    is_new_value: bool = True


@dataclass(frozen=True, slots=True)
class RotationFailed:
    """A rotation or replication of a secret failed, or the secret is going to be deleted.

    Attributes:
        event: RotationFailed, RotationAbandoned, TestRotationFailed, ReplicationFailed or DeleteSecret.
        message: AWS's words on it, without control characters, at most 500 characters; for a deletion its date.
        gone_at: when a deleted secret is gone for good, in seconds since the epoch; None: it is not being deleted.
    """

    origin: Origin
    secret_id: str
    event: str
    message: str | None
    gone_at: float | None = None


@dataclass(frozen=True, slots=True)
class DefinitionChanged:
    """A parameter of Parameter Store changed: a definition, or the mode.

    Attributes:
        operation: Create, Update or Delete.
    """

    origin: Origin
    parameter: str
    operation: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A minute has passed."""

    origin: Origin


@dataclass(frozen=True, slots=True)
class Swept:
    """The sweep found a registry that is not what it should be. Made by Autopilot itself, never parsed."""

    origin: Origin


@dataclass(frozen=True, slots=True)
class Ignored:
    """The event is visibly not for us: failed, foreign, or of a kind that changes nothing here.

    Attributes:
        origin: None where the event does not tell a usable one.
        reason: one phrase, safe to show.
    """

    origin: Origin | None
    reason: str


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """The event should have been understood and could not be.

    Attributes:
        origin: None where the event does not tell a usable one.
        reason: which field is wrong, and how; safe to show.
    """

    origin: Origin | None
    reason: str


type Trigger = (
    RepositoryCreated
    | RepositoryDeleted
    | ImagePushed
    | SecretChanged
    | RotationFailed
    | DefinitionChanged
    | Tick
    | Swept
)
type ParsedEvent = Trigger | Ignored | Unrecognised
