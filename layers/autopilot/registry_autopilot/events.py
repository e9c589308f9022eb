"""Every event from outside becomes exactly one `Trigger`, `Ignored` or `Unrecognised`. Pure, and never raises.

The readers of each service's shapes are in `event_ecr` and `event_secrets`; sample events, one per shape, are in
the folder `events/`.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from registry_autopilot import event_ecr, event_secrets
from registry_autopilot.event_envelope import (
    Envelope,
    NotForUsError,
    RefusedError,
    UnreadableError,
    open_envelope,
    required_text,
    shown,
)
from registry_autopilot.event_types import (
    UNKNOWN_TIME,
    DefinitionChanged,
    Ignored,
    ImagePushed,
    Origin,
    ParsedEvent,
    Repository,
    RepositoryCreated,
    RepositoryDeleted,
    RotationFailed,
    SecretChanged,
    Swept,
    Tick,
    Trigger,
    Unrecognised,
)

__all__ = [
    "MAX_BODY_BYTES",
    "UNKNOWN_TIME",
    "DefinitionChanged",
    "Ignored",
    "ImagePushed",
    "Origin",
    "ParsedEvent",
    "Repository",
    "RepositoryCreated",
    "RepositoryDeleted",
    "RotationFailed",
    "SecretChanged",
    "Swept",
    "Tick",
    "Trigger",
    "Unrecognised",
    "envelope_of",
    "parse_body",
    "parse_event",
]

MAX_BODY_BYTES: Final = 256 * 1024
"""What EventBridge delivers at most (PutEvents API: the size of an entry); anything larger is not its own."""

API_CALL: Final = "AWS API Call via CloudTrail"
SERVICE_EVENT: Final = "AWS Service Event via CloudTrail"
_PARAMETER = re.compile(r"[A-Za-z0-9_./-]{1,2048}")


def parse_body(body: str | bytes) -> ParsedEvent:
    """Parse one queue message: the JSON text of an event, of at most `MAX_BODY_BYTES`."""
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    if len(raw) > MAX_BODY_BYTES:
        return Unrecognised(None, f"too large: {len(raw)} bytes, an event has at most {MAX_BODY_BYTES}")
    try:
        document = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return Unrecognised(None, "not JSON in UTF-8, or nested too deeply")
    return parse_event(document)


def parse_event(document: object) -> ParsedEvent:
    """Parse one decoded event, whatever it is."""
    envelope: Envelope | None = None
    try:
        envelope = open_envelope(document)
        return _reader(envelope)(envelope)
    except NotForUsError as refusal:
        return Ignored(_origin_if_any(envelope), str(refusal))
    except UnreadableError as refusal:
        return Unrecognised(_origin_if_any(envelope), str(refusal))


def envelope_of(record: object) -> object:
    """The EventBridge envelope in which a bare CloudTrail record would arrive; anything else is returned as it is."""
    if not isinstance(record, Mapping) or "detail-type" in record or "detail" in record:
        return record
    service = record.get("eventSource")
    if not isinstance(service, str) or "eventName" not in record:
        return record
    return {
        "version": "0",
        "id": record.get("eventID"),
        "detail-type": SERVICE_EVENT if record.get("eventType") == "AwsServiceEvent" else API_CALL,
        "source": f"aws.{service.partition('.')[0]}",
        "account": record.get("recipientAccountId"),
        "time": record.get("eventTime"),
        "region": record.get("awsRegion"),
        "resources": [],
        "detail": record,
    }


def _reader(envelope: Envelope) -> Callable[[Envelope], Trigger]:
    reader = _READERS.get((envelope.source, envelope.detail_type))
    if reader is None:
        raise NotForUsError(f"{shown(envelope.detail_type)} of {shown(envelope.source)} is foreign")
    return reader


def _origin_if_any(envelope: Envelope | None) -> Origin | None:
    try:
        return envelope.origin() if envelope else None
    except RefusedError:
        return None


def _read_parameter_change(envelope: Envelope) -> DefinitionChanged:
    """`Parameter Store Change` (docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html)."""
    detail = envelope.detail
    operation = required_text(detail, "operation")
    if operation not in {"Create", "Update", "Delete"}:
        raise NotForUsError(f"operation {shown(operation)} changes no value")
    if detail.get("exception") is not None:
        raise NotForUsError(f"the change failed: {shown(detail['exception'])}")
    parameter = required_text(detail, "name")
    if not _PARAMETER.fullmatch(parameter):
        raise UnreadableError(f"parameter name {shown(parameter)!r} is none that Parameter Store allows")
    return DefinitionChanged(envelope.origin(), parameter, operation)


def _read_tick(envelope: Envelope) -> Tick:
    """`Scheduled Event`; what its detail holds, or how it is written, does not matter."""
    return Tick(envelope.origin())


_READERS: Final[Mapping[tuple[str, str], Callable[[Envelope], Trigger]]] = {
    ("aws.ecr", API_CALL): event_ecr.read_api_call,
    ("aws.ecr", SERVICE_EVENT): event_ecr.read_service_event,
    ("aws.ecr", "ECR Image Action"): event_ecr.read_image_action,
    ("aws.ecr", "ECR Pull Through Cache Action"): event_ecr.read_pull_through_cache_action,
    ("aws.ecr", "ECR Replication Action"): event_ecr.read_replication_action,
    ("aws.secretsmanager", "Secret Label Updated"): event_secrets.read_label_updated,
    ("aws.secretsmanager", API_CALL): event_secrets.read_api_call,
    ("aws.secretsmanager", SERVICE_EVENT): event_secrets.read_service_event,
    ("aws.ssm", "Parameter Store Change"): _read_parameter_change,
    ("aws.events", "Scheduled Event"): _read_tick,  # a rule with a schedule
    ("aws.scheduler", "Scheduled Event"): _read_tick,  # EventBridge Scheduler
}
"""Which reader reads what, by `source` and `detail-type`; everything else is foreign."""
