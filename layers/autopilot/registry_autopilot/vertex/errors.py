"""What VerteX answers when it refuses, and which cause that is.

    AutopilotError
    └── VertexError      carries status, body code and AuditUid; never the server's own text

VerteX answers business errors with HTTP 500 and a body `code` (its API introduction): 500 is not transient by itself.
Most codes are unpublished, so they are told apart by their endings, and by what the message speaks of. The message
can echo what was sent, secrets included: it decides, and is never shown.
"""

import re
from collections.abc import Mapping

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError, Cause
from registry_autopilot.redaction import redact

UNPRINTABLE = "unprintable"
_CODE = re.compile(r"[A-Za-z0-9._-]{1,80}")
_REDIRECTS = range(300, 400)
_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 400, 401, 403, 404
_CONFLICT, _UNPROCESSABLE, _TOO_MANY, _SERVER = 409, 422, 429, 500
_GATEWAY = {502, 503, 504}
_REJECTED = "InvalidRegistryCredentials"

_Verdict = tuple[Cause, str]


class VertexError(AutopilotError):
    """Raised when VerteX refuses, or cannot be reached.

    Attributes:
        operation: the method of the client that failed.
        status: HTTP status; None when there was no answer.
        code: `code` of the error body, where it looks like an identifier.
        audit_uid: VerteX's own number for the request, from the response header `AuditUid`.
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
        retry_after: int | None = None,
    ) -> None:
        facts = {"operation": operation, "status": str(status or ""), "code": code or "", "audit_uid": audit_uid or ""}
        known = {name: value for name, value in facts.items() if value}
        super().__init__(cause, detail, facts=known, retry_after=retry_after)
        self.operation = operation
        self.status = status
        self.code = code
        self.audit_uid = audit_uid
        self.outcome_unknown = outcome_unknown

    @property
    def is_not_found(self) -> bool:
        """Whether VerteX itself says that the object does not exist.

        A 404 without a code comes from an ingress that has no route to VerteX at the moment, and says nothing.
        """
        return self.code is not None and (self.status == _NOT_FOUND or self.code == "ResourceNotFound")


def identifier(value: object) -> str | None:
    """A code or an AuditUid, where it is safe to show; None for anything else."""
    if not isinstance(value, str) or not _CODE.fullmatch(value) or redact(value) != value:
        return None
    return value


def error_code(body: Mapping[str, object]) -> str | None:
    """`code` of an error body (`v1Error`); `unprintable` where there is one that cannot be shown; None: none."""
    code = body.get("code")
    if isinstance(code, int) and not isinstance(code, bool):
        code = str(code)
    return (identifier(code) or UNPRINTABLE) if code else None


def classify(status: int, code: str | None, message: str, *, before_4_10: bool) -> tuple[Cause, str]:
    """Which cause an error answer has, with words that are safe to show.

    Args:
        status: the HTTP status.
        code: what `error_code` made of the body.
        message: `message` of the body; it only decides, and is never shown.
        before_4_10: whether the server is older than 4.10, or of an unknown version: those answer
            InvalidRegistryCredentials for network trouble too (release notes of 4.10.0, PEM-11430).
    """
    text = message.lower()
    if code == _REJECTED:
        return _rejected(text, before_4_10=before_4_10)
    found = _by_status(status, code or "") or _by_code((code or "").lower(), text) or _by_text(status, text)
    return found or _by_default(status, code)


def _by_status(status: int, code: str) -> _Verdict | None:
    if status == _TOO_MANY or code == "TooManyRequests":
        return causes.RATE_LIMITED, "VerteX answered that there are too many requests"
    if status == _UNAUTHORIZED:
        return causes.LOGIN_REJECTED, "VerteX refused a token that it had just issued"
    if status == _FORBIDDEN or code == "ResourceAccessDenied":
        words = "VerteX denied its own admin account access; it needs the role Operations Administrator"
        return causes.ACCESS_DENIED, words
    if status == _CONFLICT:
        return causes.NAME_CONFLICT, "VerteX answered that the name is taken"
    return None


def _by_code(code: str, text: str) -> _Verdict | None:
    if "alreadyexists" in code or "duplicate" in code:
        return causes.NAME_CONFLICT, "VerteX answered that the name is taken"
    if "timeout" in code:
        return causes.TIMED_OUT, "VerteX's own try of the registry timed out"
    return _unreachable(text) if "unreachable" in code else None


def _by_text(status: int, text: str) -> _Verdict | None:
    if _has(text, "assumerole", "assume role"):
        return causes.ROLE_NOT_ASSUMABLE, "VerteX could not assume the role"
    if _has(text, "accessdenied", "not authorized to perform"):
        return causes.ACCESS_DENIED, "AWS denied VerteX access to the registry"
    if status == _BAD_REQUEST and "synchronization setting" in text:
        return causes.SYNC_SETTING_FIXED, "VerteX answered that the synchronization setting cannot be changed"
    if status in {_BAD_REQUEST, _UNPROCESSABLE} and "basecontentpath" in text.replace(" ", ""):
        return causes.BASE_PATH_MISSING, "VerteX answered that the base content path is missing"
    return None


def _by_default(status: int, code: str | None) -> _Verdict:
    words = f"VerteX answered {status} with {f'code {code}' if code else 'no error code'}"
    if status in _REDIRECTS:
        return causes.VERTEX_UNAVAILABLE, f"{words}: a redirect; VERTEX_URL must be VerteX's own address"
    if code is None and status == _NOT_FOUND:
        return causes.VERTEX_UNAVAILABLE, f"{words}: VERTEX_URL does not lead to VerteX at the moment"
    is_down = status in _GATEWAY or (status >= _SERVER and code is None)
    return (causes.VERTEX_UNAVAILABLE if is_down else causes.UNKNOWN), words


def _rejected(text: str, *, before_4_10: bool) -> _Verdict:
    if _has(text, "assumerole", "assume role"):
        return causes.ROLE_NOT_ASSUMABLE, "VerteX could not assume the role"
    if not before_4_10:
        return causes.CREDENTIALS_REJECTED, f"VerteX answered {_REJECTED}"
    words = (
        f"VerteX answered {_REJECTED}; before 4.10 it answers so for rejected credentials and for network trouble "
        f"(timeout, DNS, TLS) alike{_evidence(text)}"
    )
    return causes.CREDENTIALS_REJECTED, words


def _evidence(text: str) -> str:
    """What the message of an older server speaks of: a hint for the reader, not a proof."""
    hints = {
        "an untrusted certificate": ("x509", "certificate"),
        "a host name that was not resolved": ("no such host", "name resolution", "getaddrinfo"),
        "a timeout": ("timeout", "timed out", "deadline exceeded"),
        "a connection that failed": ("connection refused", "connection reset", "unreachable", "no route"),
    }
    spoken_of = next((words for words, signs in hints.items() if _has(text, *signs)), None)
    return f"; its message speaks of {spoken_of}" if spoken_of else ""


def _unreachable(text: str) -> _Verdict:
    if _has(text, "x509", "certificate", "tls"):
        return causes.TLS_UNTRUSTED, "VerteX does not trust the registry's certificate"
    if _has(text, "no such host", "name resolution", "getaddrinfo", "dns"):
        return causes.NAME_NOT_RESOLVED, "VerteX could not resolve the registry's host name"
    return causes.UNREACHABLE, "VerteX could not reach the registry"


def _has(text: str, *words: str) -> bool:
    return any(word in text for word in words)
