"""What AWS refuses and moto lets pass: sizes, characters, combinations. Numbers are those of the API references."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.aws.refusals import RefusalError
from sandbox.aws.requests import SignedRequest

KIB = 1024
_EVENT_LIMIT = 256 * KIB
_SECRET_LIMIT = 64 * KIB
_MESSAGE_LIMIT = 256 * KIB
_SUBJECT_LIMIT = 100
_PARAMETER_LIMITS = {"Standard": 4 * KIB, "Advanced": 8 * KIB, "Intelligent-Tiering": 8 * KIB}
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Parameters = Mapping[str, Any]


def check_limits(request: SignedRequest, *, may_speak_for_aws: bool = False) -> None:
    """Refuse what AWS would.

    Args:
        request: any request; most actions have no check of their own.
        may_speak_for_aws: the caller is the sandbox's own service credential and may put events of `aws.*` sources.

    Raises:
        RefusalError: with AWS's code for it.
    """
    if (request.service, request.action) == ("events", "PutEvents"):
        _check_events(request.parameters, may_speak_for_aws=may_speak_for_aws)
    check = _CHECKS.get((request.service, request.action))
    if check:
        check(request.parameters)


def _check_events(parameters: Parameters, *, may_speak_for_aws: bool) -> None:
    entries = parameters.get("Entries", [])
    if sum(_entry_size(entry) for entry in entries) > _EVENT_LIMIT:
        raise RefusalError("ValidationException", "Total size of the entries in the request is over the limit.")
    sources = [str(entry.get("Source", "")) for entry in entries]
    if not may_speak_for_aws and any(source.startswith("aws.") for source in sources):
        # AWS answers this entry by entry; nobody who is refused here needs the difference.
        raise RefusalError("NotAuthorizedForSourceException", "Not authorized for the source.")


def _entry_size(entry: Parameters) -> int:
    time_stamp = 14 if entry.get("Time") else 0  # the documented weight of a time
    texts = [entry.get("Source", ""), entry.get("DetailType", ""), entry.get("Detail", ""), *entry.get("Resources", [])]
    return time_stamp + sum(_size(str(text)) for text in texts)


def _size(text: str) -> int:
    return len(text.encode())


def _check_send(parameters: Parameters) -> None:
    _check_messages(str(parameters.get("QueueUrl", "")), [parameters])


def _check_send_batch(parameters: Parameters) -> None:
    _check_messages(str(parameters.get("QueueUrl", "")), parameters.get("Entries", []))


def _check_messages(queue_url: str, messages: Iterable[Parameters]) -> None:
    for message in messages:
        for name in ("MessageGroupId", "MessageDeduplicationId"):
            value = message.get(name)
            if value is not None and not _TOKEN.fullmatch(str(value)):
                raise RefusalError(
                    "InvalidParameterValue",
                    f"Value {value} for parameter {name} is invalid. Reason: {name} can only include alphanumeric "
                    "and punctuation characters. 1 to 128 in length.",
                )
        if queue_url.endswith(".fifo") and message.get("DelaySeconds"):
            raise RefusalError(
                "InvalidParameterValue",
                f"Value {message['DelaySeconds']} for parameter DelaySeconds is invalid. Reason: The request include "
                "parameter that is not valid for this queue type.",
            )


def _check_parameter(parameters: Parameters) -> None:
    tier = str(parameters.get("Tier") or "Standard")
    limit = _PARAMETER_LIMITS.get(tier, 4 * KIB)
    if _size(str(parameters.get("Value", ""))) > limit:
        raise RefusalError("ValidationException", f"{tier} tier parameters support a maximum value of {limit} bytes.")


def _check_publish(parameters: Parameters) -> None:
    subject = parameters.get("Subject")
    if subject is not None and (not subject or len(subject) >= _SUBJECT_LIMIT or _CONTROL.search(subject)):
        raise RefusalError("InvalidParameter", "Invalid parameter: Subject")
    if _size(str(parameters.get("Message", ""))) > _MESSAGE_LIMIT:
        raise RefusalError("InvalidParameter", "Invalid parameter: Message too long")


def _check_secret(parameters: Parameters) -> None:
    if _size(str(parameters.get("SecretString") or "")) > _SECRET_LIMIT:
        raise RefusalError(
            "ValidationException",
            "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have "
            f"length less than or equal to {_SECRET_LIMIT}",
        )


_CHECKS: dict[tuple[str, str], Callable[[Parameters], None]] = {
    ("sqs", "SendMessage"): _check_send,
    ("sqs", "SendMessageBatch"): _check_send_batch,
    ("ssm", "PutParameter"): _check_parameter,
    ("sns", "Publish"): _check_publish,
    ("secretsmanager", "CreateSecret"): _check_secret,
    ("secretsmanager", "PutSecretValue"): _check_secret,
    ("secretsmanager", "UpdateSecret"): _check_secret,
}
