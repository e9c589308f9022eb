"""The EventBridge envelope, and checked access to what is in it. Nothing here trusts the shape of an event.

    RefusedError
    ├── NotForUsError     readable, but nothing for us: becomes `Ignored`
    └── UnreadableError   should have been understood and cannot be: becomes `Unrecognised`

Field names are those of the EventBridge event structure
(docs.aws.amazon.com/eventbridge/latest/ref/overview-event-structure.html) and of the CloudTrail record
(docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from registry_autopilot.event_types import UNKNOWN_TIME, Origin
from registry_autopilot.hosts import partition_of_region

type Fields = Mapping[str, object]

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_EVENT_ID = re.compile(r"[!-~]{1,128}")


class RefusedError(Exception):
    """An event leads to no trigger; the text is one phrase that is safe to show."""


class NotForUsError(RefusedError):
    """The event is visibly not for us."""


class UnreadableError(RefusedError):
    """The event should have been understood and cannot be."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event as EventBridge delivers it.

    Attributes:
        content: every field of the envelope.
        fields: the decoded `detail`; None where it is no object.
    """

    content: Fields
    source: str
    detail_type: str
    fields: Fields | None

    @property
    def detail(self) -> Fields:
        """What the event says.

        Raises:
            UnreadableError: `detail` is no object.
        """
        if self.fields is None:
            raise UnreadableError(f"detail must be an object, not {kind_of(self.content.get('detail'))}")
        return self.fields

    @property
    def resources(self) -> tuple[str, ...]:
        """The ARNs the envelope names; CloudTrail events have none."""
        listed = self.content.get("resources")
        return tuple(arn for arn in listed if isinstance(arn, str)) if isinstance(listed, list) else ()

    def origin(self) -> Origin:
        """Where the event comes from; what a CloudTrail record tells goes before the envelope.

        Raises:
            NotForUsError: record and envelope disagree about account or region.
            UnreadableError: id, account or region is missing or impossible.
        """
        record = self.fields or {}
        return Origin(
            event_id=_event_id(record, self.content),
            source=shown(self.source),
            detail_type=shown(self.detail_type),
            event_name=_event_name(record),
            principal=_principal(record),
            at=_time(record.get("eventTime")) or _time(self.content.get("time")) or UNKNOWN_TIME,
            account=_account(record, self.content),
            region=_region(record, self.content),
        )


def open_envelope(document: object) -> Envelope:
    """Take an event for what it says it is.

    Raises:
        UnreadableError: it is no object, or has no source or detail-type.
    """
    if not isinstance(document, Mapping):
        raise UnreadableError(f"an event must be an object, not {kind_of(document)}")
    source, detail_type = required_text(document, "source"), required_text(document, "detail-type")
    return Envelope(document, source, detail_type, _decoded(document.get("detail")))


def text(fields: Fields, key: str) -> str | None:
    """The text under a key; None where it is null or left out, as CloudTrail does with both.

    Raises:
        UnreadableError: it is anything but text.
    """
    value = fields.get(key)
    if value is None or isinstance(value, str):
        return value
    raise UnreadableError(f"{key} must be text, not {kind_of(value)}")


def required_text(fields: Fields, key: str) -> str:
    """The text under a key.

    Raises:
        UnreadableError: there is none.
    """
    value = text(fields, key)
    if not value:
        raise UnreadableError(f"{key} is missing")
    return value


def section(fields: Fields, key: str) -> Fields | None:
    """The object under a key; None where it is null or left out.

    Raises:
        UnreadableError: it is anything but an object.
    """
    value = fields.get(key)
    if value is None or isinstance(value, Mapping):
        return value
    raise UnreadableError(f"{key} must be an object, not {kind_of(value)}")


def refuse_failed(detail: Fields) -> None:
    """CloudTrail delivers failed calls, too; some services put the error into the response.

    Raises:
        NotForUsError: the call failed.
    """
    for fields in (detail, section(detail, "responseElements") or {}):
        for key in ("errorCode", "errorMessage", "error", "__type"):
            if fields.get(key) is not None:
                raise NotForUsError(f"the call failed: {shown(fields[key])}")


def refuse_foreign_service(detail: Fields, service: str) -> None:
    """Many services have calls of the same name. `eventSource` ends in `amazonaws.com` outside `aws`, too.

    Raises:
        NotForUsError: another service's call.
        UnreadableError: the record does not say whose call it is.
    """
    event_source = required_text(detail, "eventSource")
    if event_source != f"{service}.amazonaws.com":
        raise NotForUsError(f"eventSource {shown(event_source)} is another service")


def shown(value: object, limit: int = 80) -> str:
    """A value from outside as a log line or a notice may hold it: printable, on one line, short."""
    if not isinstance(value, str):
        return kind_of(value)
    return "".join(c if c.isprintable() else "?" for c in value[:limit])


def kind_of(value: object) -> str:
    """The JSON type of a value, for messages."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")


def _decoded(detail: object) -> Fields | None:
    """The detail; EventBridge Scheduler and other senders deliver it as a text that holds JSON."""
    if isinstance(detail, str):
        try:
            detail = json.loads(detail)
        except (ValueError, RecursionError):
            return None
    return detail if isinstance(detail, Mapping) else None


def _event_id(record: Fields, content: Fields) -> str:
    event_id = text(record, "eventID") or required_text(content, "id")
    if not _EVENT_ID.fullmatch(event_id):
        raise UnreadableError(f"event id {shown(event_id)!r} must be 1 to 128 printable ASCII characters")
    return event_id


def _event_name(record: Fields) -> str | None:
    event_name = text(record, "eventName")
    return None if event_name is None else shown(event_name)


def _account(record: Fields, content: Fields) -> str:
    account = _agreed("account", text(record, "recipientAccountId"), text(content, "account"))
    if not _ACCOUNT.fullmatch(account):
        raise UnreadableError(f"account {shown(account)!r} must be 12 digits")
    return account


def _region(record: Fields, content: Fields) -> str:
    region = _agreed("region", text(record, "awsRegion"), text(content, "region"))
    try:
        partition_of_region(region)
    except ValueError as error:
        raise UnreadableError(shown(str(error), 160)) from None
    return region


def _agreed(what: str, recorded: str | None, enveloped: str | None) -> str:
    if recorded and enveloped and recorded != enveloped:
        raise NotForUsError(f"{what} of the record ({shown(recorded)}) and of the envelope ({shown(enveloped)}) differ")
    agreed = recorded or enveloped
    if not agreed:
        raise UnreadableError(f"{what} is missing")
    return agreed


def _principal(record: Fields) -> str | None:
    identity = record.get("userIdentity")
    if not isinstance(identity, Mapping):
        return None
    names = (identity.get(key) for key in ("arn", "invokedBy", "principalId"))
    return next((shown(name, 512) for name in names if isinstance(name, str) and name), None)


def _time(value: object) -> datetime | None:
    """An ISO 8601 time with an offset, in UTC; None for anything else (AWS's own samples hold a 29 February 2023)."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None
