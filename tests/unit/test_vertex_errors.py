"""Which cause an answer of VerteX has, and that its own words stay inside."""

import pytest

from registry_autopilot import causes
from registry_autopilot.causes import Cause
from registry_autopilot.vertex.errors import UNPRINTABLE, VertexError, classify, error_code, identifier

_REJECTED = "InvalidRegistryCredentials"
_CANARY = "c4nary-in-the-message"

_FROM_4_10 = {
    "rejected": (500, _REJECTED, "unauthorized", causes.CREDENTIALS_REJECTED),
    "rejected-role": (500, _REJECTED, "not authorized to perform: sts:AssumeRole", causes.ROLE_NOT_ASSUMABLE),
    "rejected-with-hosts-in-its-message": (500, _REJECTED, "tried hosts: a, b", causes.CREDENTIALS_REJECTED),
    "role": (500, "AwsOperationFailed", "User is not authorized to perform: sts:AssumeRole", causes.ROLE_NOT_ASSUMABLE),
    "aws-denied": (500, "AwsOperationFailed", "AccessDeniedException: no ecr", causes.ACCESS_DENIED),
    "name-taken": (500, "OciRegistryAlreadyExists", "", causes.NAME_CONFLICT),
    "name-taken-by-another-word": (500, "DuplicateRegistryName", "", causes.NAME_CONFLICT),
    "conflict": (409, None, "", causes.NAME_CONFLICT),
    "timeout": (500, "RegistryValidationTimeout", "", causes.TIMED_OUT),
    "timeout-through-the-gateway": (504, "RegistryTimeoutError", "", causes.TIMED_OUT),
    "certificate": (500, "RegistryUnreachable", "x509: signed by unknown authority", causes.TLS_UNTRUSTED),
    "name": (500, "RegistryUnreachable", "lookup harbor: no such host", causes.NAME_NOT_RESOLVED),
    "unreachable": (500, "RegistryUnreachableError", "connection refused", causes.UNREACHABLE),
    "rate": (429, None, "", causes.RATE_LIMITED),
    "rate-by-code": (500, "TooManyRequests", "", causes.RATE_LIMITED),
    "forbidden": (403, None, "", causes.ACCESS_DENIED),
    "denied-by-code": (500, "ResourceAccessDenied", "", causes.ACCESS_DENIED),
    "sync-setting": (
        *(400, "InvalidInput", "Registry synchronization setting cannot be changed after the registry is created"),
        causes.SYNC_SETTING_FIXED,
    ),
    "base-path": (400, None, "spec.baseContentPath is required", causes.BASE_PATH_MISSING),
    "base-path-in-words": (422, "Invalid", "Base content path must be set", causes.BASE_PATH_MISSING),
    "fresh-token-refused": (401, "Unauthorized", "", causes.LOGIN_REJECTED),
    "gateway": (502, None, "", causes.VERTEX_UNAVAILABLE),
    "maintenance": (503, "ServiceUnavailable", "", causes.VERTEX_UNAVAILABLE),
    "gateway-timeout": (504, None, "", causes.VERTEX_UNAVAILABLE),
    "server-error-without-code": (500, None, "", causes.VERTEX_UNAVAILABLE),
    "no-route-at-the-ingress": (404, None, "", causes.VERTEX_UNAVAILABLE),
    "redirect": (302, None, "", causes.VERTEX_UNAVAILABLE),
    "business-error": (500, "ClusterProfileLocked", "", causes.UNKNOWN),
    "business-error-of-strange-code": (500, UNPRINTABLE, "", causes.UNKNOWN),
    "bad-request": (400, None, "", causes.UNKNOWN),
}


@pytest.mark.parametrize(("status", "code", "message", "cause"), _FROM_4_10.values(), ids=_FROM_4_10)
def test_cause_follows_from_the_answer_when_vertex_refuses(
    status: int, code: str | None, message: str, cause: Cause
) -> None:
    """The body code decides before the status, and nothing of the message is shown."""
    found, words = classify(status, code, f"{message} {_CANARY}", before_4_10=False)
    assert found is cause
    assert _CANARY not in words


_BEFORE_4_10 = {
    "x509: certificate signed by unknown authority": "an untrusted certificate",
    "dial tcp: lookup harbor: no such host": "a host name that was not resolved",
    "context deadline exceeded": "a timeout",
    "dial tcp 10.0.0.1:443: connection refused": "a connection that failed",
}


@pytest.mark.parametrize(("message", "hint"), _BEFORE_4_10.items())
def test_words_are_honest_when_the_server_is_older_than_4_10(message: str, hint: str) -> None:
    """Older servers answer one code for everything: the cause stays, the words say so and what was spoken of."""
    cause, words = classify(500, _REJECTED, message, before_4_10=True)
    assert cause is causes.CREDENTIALS_REJECTED
    assert "before 4.10" in words
    assert words.endswith(f"its message speaks of {hint}")


def test_no_hint_is_given_when_the_old_message_says_nothing() -> None:
    """A message that speaks of none of it leads to no guess."""
    assert "speaks of" not in classify(500, _REJECTED, "denied", before_4_10=True)[1]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"code": "ResourceNotFound"}, "ResourceNotFound"),
        ({"code": 4711}, "4711"),
        ({"code": ""}, None),
        ({"code": None}, None),
        ({}, None),
        ({"code": True}, UNPRINTABLE),
        ({"code": "two words"}, UNPRINTABLE),
        ({"code": "x" * 81}, UNPRINTABLE),
        ({"code": {"nested": 1}}, UNPRINTABLE),
        ({"code": "AKIA" + "Z" * 16}, UNPRINTABLE),
    ],
)
def test_code_is_shown_only_when_it_looks_like_one(body: dict[str, object], code: str | None) -> None:
    """A code that is no identifier, or looks like a secret, is there but not shown."""
    assert error_code(body) == code


def test_identifier_is_dropped_when_it_is_no_text() -> None:
    """An AuditUid that is missing is none."""
    assert identifier(None) is None


@pytest.mark.parametrize(
    ("status", "code", "is_not_found"),
    [
        (404, "ResourceNotFound", True),
        (404, "RegistryNotFound", True),
        (500, "ResourceNotFound", True),
        (404, None, False),
        (500, "Other", False),
    ],
)
def test_object_is_gone_only_when_vertex_itself_says_so(status: int, code: str | None, is_not_found: bool) -> None:
    """A 404 of an ingress without a route must not be taken for a deleted registry."""
    error = VertexError(causes.UNKNOWN, "words", operation="get_registry", status=status, code=code)
    assert error.is_not_found is is_not_found


def test_facts_hold_what_is_known_when_there_was_an_answer() -> None:
    """Facts are for the notice: only those there are."""
    error = VertexError(causes.UNKNOWN, "words", operation="validate_registry", status=500, audit_uid="audit-1")
    assert error.facts == {"operation": "validate_registry", "status": "500", "audit_uid": "audit-1"}
