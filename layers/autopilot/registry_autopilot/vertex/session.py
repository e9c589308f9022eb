"""The system login: one attempt at a time over all functions, claimed in the ledger before it is made."""

import base64
import binascii
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.redaction import register_secret
from registry_autopilot.vertex.errors import VertexError, error_code
from registry_autopilot.vertex.http_client import UNSENT, due_after, json_object, unreachable_words
from registry_autopilot.vertex.login_policy import Failure

LOGIN_PATH = "/v1/auth/syslogin"
KNOCK_PATH = "/v1/system/version/installed"  # asked without a token: any answer of VerteX's own will do
_LOGIN_TIMEOUT = httpx.Timeout(20, connect=5)
_DEFAULT_LIFETIME = 15 * 60.0  # where a token has no `exp`: "15-minute lifetime", API introduction
_MARGIN = 60.0
_BUSY_WAIT = 1.0
_BUSY_TRIES = 20
_TOO_MANY = 429
_GATEWAY = {502, 503, 504}
_ELSEWHERE = {404, 405, 407, 408}  # answers of an ingress or proxy, not of the login
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class AdminCredentials:
    """What the VerteX admin secret holds, and in which version."""

    username: str
    password: SecretStr
    url: str
    version_id: str


class AdminSecret(Protocol):
    """The VerteX admin secret."""

    def read(self) -> AdminCredentials:
        """The current version, read anew.

        Raises:
            AutopilotError: secret-unreadable, secret-malformed.
        """
        ...


class LoginBusyError(Exception):
    """Raised by a claim while another function is logging in."""


class LoginClaims(Protocol):
    """The claim to a login attempt, in the ledger; what it decides by is `login_policy`."""

    def claim(self, version_id: str) -> None:
        """Claim an attempt before it is made.

        Raises:
            AutopilotError: login-rejected, login-locked, login-needs-passkey: not now.
            LoginBusyError: another function is logging in.
        """
        ...

    def succeeded(self, version_id: str) -> None:
        """The attempt worked."""
        ...

    def failed(self, version_id: str, how: Failure) -> None:
        """The attempt failed, or nobody knows, or it was never sent."""
        ...


class Session:
    """Holds the token of one execution environment; it is never stored anywhere else."""

    def __init__(
        self,
        http: httpx.Client,
        *,
        secret: AdminSecret,
        claims: LoginClaims,
        vertex_url: str,
        login_field: str = "username",
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = http
        self._secret = secret
        self._claims = claims
        self._vertex_url = vertex_url
        self._login_field = login_field
        self._clock = clock
        self._sleep = sleep
        self._token: str | None = None
        self._expires_at = 0.0

    def token(self) -> str:
        """The raw JWT for the `Authorization` header; logs in when there is none that lasts.

        Raises:
            AutopilotError: login-rejected, login-locked, login-needs-passkey, vertex-unavailable, rate-limited,
                secret-unreadable, secret-malformed.
        """
        if self._token is None or self._clock() >= self._expires_at:
            self._token = None
            self._token = self._log_in()
        return self._token

    def drop(self) -> None:
        """Forget the token: VerteX refused it (from 4.10 a logout or password change ends every token)."""
        self._token = None

    def _log_in(self) -> str:
        admin = self._secret.read()
        if _origin(admin.url) is None or _origin(admin.url) != _origin(self._vertex_url):
            raise AutopilotError(
                causes.SECRET_MALFORMED,
                f"VERTEX_URL is {self._vertex_url} but the VerteX admin secret's `url` differs; make them equal",
                subject="vertex",
            )
        register_secret(admin.password)
        self._knock()
        self._claim(admin.version_id)
        return self._take(admin, self._post(admin))

    def _knock(self) -> None:
        """See that VerteX answers at all before an attempt is claimed: one that is away must not cost attempts."""
        try:
            status = self._http.get(KNOCK_PATH, timeout=_LOGIN_TIMEOUT, follow_redirects=False).status_code
        except httpx.HTTPError as error:
            raise VertexError(causes.VERTEX_UNAVAILABLE, unreachable_words(error), operation="knock") from None
        if status in _GATEWAY:
            words = f"VerteX answered {status}"
            raise VertexError(causes.VERTEX_UNAVAILABLE, words, operation="knock", status=status)

    def _claim(self, version_id: str) -> None:
        """Claim the attempt, waiting a while for another function that is logging in."""
        for _ in range(_BUSY_TRIES):
            try:
                self._claims.claim(version_id)
            except LoginBusyError:
                self._sleep(_BUSY_WAIT)
                continue
            return
        raise AutopilotError(causes.RATE_LIMITED, "another function has been logging in to VerteX for long")

    def _post(self, admin: AdminCredentials) -> httpx.Response:
        body = {self._login_field: admin.username, "password": admin.password.get_secret_value()}
        try:
            return self._http.post(LOGIN_PATH, json=body, timeout=_LOGIN_TIMEOUT, follow_redirects=False)
        except httpx.HTTPError as error:
            self._claims.failed(admin.version_id, "unsent" if isinstance(error, UNSENT) else "unknown")
            raise VertexError(causes.VERTEX_UNAVAILABLE, unreachable_words(error), operation="login") from None

    def _take(self, admin: AdminCredentials, response: httpx.Response) -> str:
        """The token of an answer, or the failure, told to the claims first."""
        body = json_object(response) or {}
        token = body.get("Authorization")
        if not response.is_success or not isinstance(token, str) or not _TOKEN.fullmatch(token):
            how, error = _refusal(response, body, admin.version_id)
            self._claims.failed(admin.version_id, how)
            raise error
        register_secret(token)
        if body.get("IsMfa") is True:
            self._claims.failed(admin.version_id, "passkey")
            raise AutopilotError(causes.LOGIN_NEEDS_PASSKEY, "VerteX answered that the admin account uses a passkey")
        self._claims.succeeded(admin.version_id)
        now = self._clock()
        self._expires_at = now + lifetime(token, now) - _MARGIN
        return token


def _refusal(response: httpx.Response, body: Mapping[str, object], version_id: str) -> tuple[Failure, VertexError]:
    """How a login without a token failed: only what VerteX itself says counts against the password."""
    status, code = response.status_code, error_code(body)
    is_refused = response.is_client_error and status not in _ELSEWHERE
    is_refused |= response.is_server_error and status not in _GATEWAY and code is not None
    how: Failure = "unknown"
    cause, words = causes.VERTEX_UNAVAILABLE, "VerteX could not answer the login"
    if status == _TOO_MANY or code == "TooManyRequests":
        how, cause, words = "unsent", causes.RATE_LIMITED, "VerteX answered the login that there are too many requests"
    elif is_refused:
        how, cause, words = "rejected", causes.LOGIN_REJECTED, f"VerteX refused the login with version {version_id}"
    detail = f"{words} ({status}{f', code {code}' if code else ''})"
    error = VertexError(cause, detail, operation="login", status=status, code=code, retry_after=due_after(response))
    return how, error


def lifetime(token: str, now: float) -> float:
    """Seconds a token lasts, by its own claims (not verified: VerteX does that).

    With `iat` the difference between VerteX's clock and ours does not matter. Without `exp`: 15 minutes.
    """
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        lasts = float(claims["exp"]) - float(claims.get("iat", now))
    except (ArithmeticError, IndexError, KeyError, RecursionError, TypeError, ValueError, binascii.Error):
        return _DEFAULT_LIFETIME
    return max(_MARGIN + 1, lasts)


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port; None where the address cannot be read."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname.lower(), port) if parts.hostname else None
