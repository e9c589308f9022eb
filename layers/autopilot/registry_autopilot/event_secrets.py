"""Readers of AWS Secrets Manager's events: the native label event, and CloudTrail records of calls and rotations.

Sources: docs.aws.amazon.com/secretsmanager/latest/userguide/event-detail-secret-label-updated-secretsmanager.html
and cloudtrail_log_entries.html. A secret may belong to another account: the event is a hint to read it again.
"""

import re
from typing import Final

from registry_autopilot.event_envelope import (
    Envelope,
    Fields,
    NotForUsError,
    UnreadableError,
    refuse_failed,
    refuse_foreign_service,
    required_text,
    section,
    shown,
    text,
)
from registry_autopilot.event_types import RotationFailed, SecretChanged

MAX_MESSAGE: Final = 500
_DAY: Final = 86_400
_LONGEST_RECOVERY_DAYS: Final = 30
_CURRENT: Final = "AWSCURRENT"

_CHANGING_CALLS: Final = frozenset(
    {
        "CreateSecret",
        "PutSecretValue",
        "UpdateSecret",
        "UpdateSecretVersionStage",
        "RestoreSecret",
        "StopReplicationToReplica",  # a replica becomes a secret of its own: what it holds may go its own way
    }
)
_SETS_VALUE: Final = frozenset({"CreateSecret", "PutSecretValue", "UpdateSecretVersionStage"})
_FAILURES: Final = frozenset({"RotationFailed", "RotationAbandoned", "TestRotationFailed", "ReplicationFailed"})

_ID_PLACES: Final = (
    ("additionalEventData", "SecretId"),
    ("additionalEventData", "ARN"),
    ("serviceEventDetails", "secretId"),
    ("responseElements", "arn"),
    ("responseElements", "aRN"),  # what several calls used before February 2024
    ("requestParameters", "secretId"),
    ("requestParameters", "name"),  # CreateSecret
)
"""Where a CloudTrail record tells the secret, in the order in which the places are believed."""

_VERSION_KEYS: Final = {
    "CreateSecret": "clientRequestToken",  # a ClientRequestToken becomes the id of the version it makes
    "PutSecretValue": "clientRequestToken",
    "UpdateSecretVersionStage": "moveToVersionId",
}
_ID = re.compile(r"[A-Za-z0-9/_+=.@:!-]{1,2048}")
_ARN = re.compile(r"arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+")


def read_label_updated(envelope: Envelope) -> SecretChanged:
    """`Secret Label Updated`: a staging label moved to another version.

    Raises:
        NotForUsError: the label is not AWSCURRENT.
        UnreadableError: it tells no secret.
    """
    detail = envelope.detail
    label = required_text(detail, "labelUpdated")
    if label != _CURRENT:
        raise NotForUsError(f"label {shown(label)} is not {_CURRENT}")
    secret_id = _valid(_secret_resource(envelope) or required_text(detail, "name"))
    return SecretChanged(envelope.origin(), secret_id, text(detail, "versionId"), envelope.detail_type)


def read_api_call(envelope: Envelope) -> SecretChanged | RotationFailed:
    """A call that CloudTrail recorded: `AWS API Call via CloudTrail`.

    Raises:
        NotForUsError: another call, a failed one, or one that leaves the current value alone.
        UnreadableError: it tells no secret.
    """
    detail = _own_detail(envelope)
    event_name = required_text(detail, "eventName")
    if event_name not in _CHANGING_CALLS and event_name != "DeleteSecret":
        raise NotForUsError(f"{shown(event_name)} changes no secret value")
    refuse_failed(detail)
    request = section(detail, "requestParameters") or {}
    if event_name == "DeleteSecret":
        origin = envelope.origin()
        gone_at = origin.at.timestamp() + _recovery_days(request) * _DAY
        return RotationFailed(origin, _secret_id(envelope), event_name, _deletion(detail), gone_at)
    _refuse_not_current(event_name, request)
    version_id = text(*_version_place(event_name, detail))
    is_new = event_name in _SETS_VALUE or (event_name == "UpdateSecret" and version_id is not None)
    return SecretChanged(envelope.origin(), _secret_id(envelope), version_id, event_name, is_new)


def read_service_event(envelope: Envelope) -> SecretChanged | RotationFailed:
    """What Secrets Manager did by itself: `AWS Service Event via CloudTrail`.

    Raises:
        NotForUsError: a step that neither changes a value nor fails (starts, tests, deletions of old versions).
        UnreadableError: it tells no secret.
    """
    detail = _own_detail(envelope)
    event_name = required_text(detail, "eventName")
    if event_name in _FAILURES:
        message = text(detail, "errorMessage")
        shown_message = shown(message, MAX_MESSAGE) if message else None
        return RotationFailed(envelope.origin(), _secret_id(envelope), event_name, shown_message)
    if event_name != "RotationSucceeded":
        raise NotForUsError(f"{shown(event_name)} changes no secret value")
    refuse_failed(detail)
    return SecretChanged(envelope.origin(), _secret_id(envelope), None, event_name)


def _version_place(event_name: str, detail: Fields) -> tuple[Fields, str]:
    """Where a call tells its version; UpdateSecret answers with one only if it made one (API reference)."""
    if event_name == "UpdateSecret":
        answer = section(detail, "responseElements") or {}
        return answer, "versionId"
    return section(detail, "requestParameters") or {}, _VERSION_KEYS.get(event_name, "versionId")


def _own_detail(envelope: Envelope) -> Fields:
    refuse_foreign_service(envelope.detail, "secretsmanager")
    return envelope.detail


def _refuse_not_current(event_name: str, request: Fields) -> None:
    """A rotation first stores its new value as AWSPENDING, which changes nothing for anybody yet."""
    if event_name == "PutSecretValue" and request.get("versionStages") == ["AWSPENDING"]:
        raise NotForUsError("the new version is not yet current (AWSPENDING)")
    stage = text(request, "versionStage") if event_name == "UpdateSecretVersionStage" else None
    if stage not in {None, _CURRENT}:
        raise NotForUsError(f"stage {shown(stage)} is not {_CURRENT}")


def _secret_id(envelope: Envelope) -> str:
    for part, key in _ID_PLACES:
        if found := text(section(envelope.detail, part) or {}, key):
            return _valid(found)
    return _valid(_secret_resource(envelope) or "")


def _secret_resource(envelope: Envelope) -> str | None:
    return next((arn for arn in envelope.resources if _ARN.fullmatch(arn)), None)


def _valid(secret_id: str) -> str:
    if not secret_id:
        raise UnreadableError("the secret's name or ARN is missing")
    readable = _ID.fullmatch(secret_id) and (not secret_id.startswith("arn:") or _ARN.fullmatch(secret_id))
    if not readable:
        raise UnreadableError(f"secret id {shown(secret_id)!r} is neither a name nor an ARN of a secret")
    return secret_id


def _recovery_days(request: Fields) -> int:
    """Days until a deleted secret is gone: 30 unless the request says otherwise (DeleteSecret, API reference)."""
    if request.get("forceDeleteWithoutRecovery") is True:
        return 0
    days = request.get("recoveryWindowInDays")
    return days if isinstance(days, int) and 0 <= days <= _LONGEST_RECOVERY_DAYS else _LONGEST_RECOVERY_DAYS


def _deletion(detail: Fields) -> str | None:
    """When the secret will be gone, as AWS writes it (in the manner of the caller's locale: shown, never parsed)."""
    date = (section(detail, "responseElements") or {}).get("deletionDate")
    return f"deletion date: {shown(date)}" if isinstance(date, str) and date else None
