"""What VerteX answers when it refuses, and which cause that is.

    AutopilotError
    └── VertexError      carries status, body code and AuditUid; never the server's own text

VerteX answers business errors with HTTP 500 and a body `code` (its API introduction): 500 is not transient by itself.
"""

import re

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError, Cause

_IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,80}")
_BAD_REQUEST, _FORBIDDEN, _NOT_FOUND, _UNPROCESSABLE, _TOO_MANY, _SERVER = 400, 403, 404, 422, 429, 500
_GATEWAY = {502, 503, 504}


class VertexError(AutopilotError):
    """Raised when VerteX refuses, or cannot be reached.

    Attributes:
        status: HTTP status; None when there was no answer.
        code: `code` of the error body, where it looks like an identifier.
        outcome_unknown: a write whose answer was lost: it may have taken effect.
    """

    def __init__(
        self,
        cause: Cause,
        detail: str,
        *,
        operation: str,
        status: int | None = None,
        code: str | None = None,
        audit_uid: str | None = None,
        outcome_unknown: bool = False,
    ) -> None:
        facts = {"operation": operation, "status": str(status or ""), "code": code or "", "audit_uid": audit_uid or ""}
        super().__init__(cause, detail, facts={name: value for name, value in facts.items() if value})
        self.operation = operation
        self.status = status
        self.code = code
        self.audit_uid = audit_uid
        self.outcome_unknown = outcome_unknown

    @property
    def is_not_found(self) -> bool:
        """Whether the object asked for does not exist."""
        return self.status == _NOT_FOUND or self.code == "ResourceNotFound"


def identifier(code: object) -> str | None:
    """An error code that is safe to show."""
    return code if isinstance(code, str) and _IDENTIFIER.fullmatch(code) else None


def classify(status: int, code: str | None, message: str, *, before_4_10: bool) -> tuple[Cause, str]:
    """Cause and safe words of an error answer; the message only decides, it is never shown."""
    for matches, cause, words in _RULES:
        if matches(status, code or "", message.lower()):
            return cause, words
    if code == "InvalidRegistryCredentials":
        return _credentials(message.lower(), before_4_10=before_4_10)
    shown = f"code {code}" if code else "no error code"
    if status in _GATEWAY or (status >= _SERVER and code is None):
        return causes.VERTEX_UNAVAILABLE, f"VerteX answered {status} with {shown}"
    return causes.UNKNOWN, f"VerteX answered {status} with {shown}"


def _credentials(message: str, *, before_4_10: bool) -> tuple[Cause, str]:
    if _has(message, "assumerole", "assume role", "sts:"):
        return causes.ROLE_NOT_ASSUMABLE, "VerteX could not assume the role"
    if not before_4_10:
        return causes.CREDENTIALS_REJECTED, "VerteX answered InvalidRegistryCredentials"
    words = (
        "VerteX answered InvalidRegistryCredentials; before 4.10 it answers so for rejected credentials and for "
        "network trouble (timeout, DNS, TLS) alike"
    )
    return causes.CREDENTIALS_REJECTED, words


def _unreachable(message: str) -> Cause:
    if _has(message, "x509", "certificate", "tls"):
        return causes.TLS_UNTRUSTED
    if _has(message, "no such host", "name resolution", "getaddrinfo", "dns"):
        return causes.NAME_NOT_RESOLVED
    return causes.UNREACHABLE


def _has(text: str, *words: str) -> bool:
    return any(word in text for word in words)


_RULES = (
    (
        lambda status, code, _: status == _TOO_MANY or code == "TooManyRequests",
        causes.RATE_LIMITED,
        "VerteX answered that there are too many requests",
    ),
    (
        lambda _, code, __: re.search(r"AlreadyExists|Duplicate", code) is not None,
        causes.NAME_CONFLICT,
        "VerteX answered that the name is taken",
    ),
    (lambda _, code, __: "Timeout" in code, causes.TIMED_OUT, "VerteX's own try timed out"),
    (
        lambda _, code, m: "Unreachable" in code and _unreachable(m) is causes.TLS_UNTRUSTED,
        causes.TLS_UNTRUSTED,
        "VerteX does not trust the registry's certificate",
    ),
    (
        lambda _, code, m: "Unreachable" in code and _unreachable(m) is causes.NAME_NOT_RESOLVED,
        causes.NAME_NOT_RESOLVED,
        "VerteX could not resolve the registry's host name",
    ),
    (lambda _, code, __: "Unreachable" in code, causes.UNREACHABLE, "VerteX could not reach the registry"),
    (
        lambda status, _, m: status == _BAD_REQUEST and "synchronization setting" in m,
        causes.SYNC_SETTING_FIXED,
        "VerteX answered that the synchronization setting cannot be changed",
    ),
    (
        lambda status, _, m: status in {_BAD_REQUEST, _UNPROCESSABLE} and "basecontentpath" in m.replace(" ", ""),
        causes.BASE_PATH_MISSING,
        "VerteX answered that the base content path is missing",
    ),
    (
        lambda status, code, _: status == _FORBIDDEN or code == "ResourceAccessDenied",
        causes.ACCESS_DENIED,
        "VerteX denied its own admin account access; it needs the role Operations Administrator",
    ),
    (
        lambda _, code, m: (
            code != "InvalidRegistryCredentials" and _has(m, "accessdenied", "not authorized to perform")
        ),
        causes.ACCESS_DENIED,
        "AWS denied VerteX access to the registry",
    ),
)
