"""The system login: one attempt at a time over all functions, claimed in the ledger before it is made."""

import base64
import binascii
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.redaction import register_secret
from registry_autopilot.vertex.errors import VertexError, identifier
from registry_autopilot.vertex.login_policy import Failure

LOGIN_PATH = "/v1/auth/syslogin"
_LOGIN_TIMEOUT = httpx.Timeout(20, connect=5)
_DEFAULT_LIFETIME = 15 * 60.0  # where a token has no `exp`: "15-minute lifetime", API introduction
_MARGIN = 60.0
_BUSY_WAIT = 1.0
_BUSY_TRIES = 20


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
    """The claim to a login attempt, in the ledger."""

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
        """The attempt failed, or nobody knows."""
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
            AutopilotError: login-rejected, login-locked, login-needs-passkey, vertex-unavailable, secret-…
        """
        if self._token is None or self._clock() >= self._expires_at:
            self._log_in()
        return self._token or ""

    def drop(self) -> None:
        """Forget the token: VerteX refused it (from 4.10 a logout or password change ends every token)."""
        self._token = None

    def _log_in(self) -> None:
        admin = self._secret.read()
        if _normal(admin.url) != _normal(self._vertex_url):
            raise AutopilotError(
                causes.SECRET_MALFORMED,
                f"VERTEX_URL is {self._vertex_url} but the VerteX admin secret's `url` differs; make them equal",
                subject="vertex",
            )
        register_secret(admin.password)
        self._claim(admin.version_id)
        response = self._post(admin)
        self._take(admin, response)

    def _claim(self, version_id: str) -> None:
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
        except httpx.ConnectError as error:
            self._claims.succeeded(admin.version_id)  # nothing was sent: no attempt was made
            raise _unavailable(error) from None
        except httpx.HTTPError as error:
            self._claims.failed(admin.version_id, "unknown")
            raise _unavailable(error) from None

    def _take(self, admin: AdminCredentials, response: httpx.Response) -> None:
        if response.is_redirect or response.status_code in {429, 502, 503, 504}:
            self._claims.failed(admin.version_id, "unknown")
            raise VertexError(
                causes.VERTEX_UNAVAILABLE,
                f"VerteX answered {response.status_code} to the login",
                operation="login",
                status=response.status_code,
            )
        body = _json(response)
        token = body.get("Authorization")
        if not response.is_success or not isinstance(token, str) or not token:
            self._refused(admin, response, body)
        register_secret(str(token))
        if body.get("IsMfa") is True:
            self._claims.failed(admin.version_id, "passkey")
            raise AutopilotError(causes.LOGIN_NEEDS_PASSKEY, "VerteX answered that the admin account uses a passkey")
        self._claims.succeeded(admin.version_id)
        self._token = str(token)
        self._expires_at = self._clock() + lifetime(self._token, self._clock()) - _MARGIN

    def _refused(self, admin: AdminCredentials, response: httpx.Response, body: dict[str, object]) -> None:
        code = identifier(body.get("code"))
        if response.is_server_error and code is None:
            self._claims.failed(admin.version_id, "unknown")
            cause, words = causes.VERTEX_UNAVAILABLE, "VerteX could not answer the login"
        else:
            self._claims.failed(admin.version_id, "rejected")
            cause, words = causes.LOGIN_REJECTED, f"VerteX refused the login with version {admin.version_id}"
        detail = f"{words} ({response.status_code}{f', code {code}' if code else ''})"
        raise VertexError(cause, detail, operation="login", status=response.status_code, code=code)


def lifetime(token: str, now: float) -> float:
    """Seconds a token lasts, by its own claims. With `iat` the difference of the clocks does not matter."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        expires = float(claims["exp"])
        issued = float(claims.get("iat", now))
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return _DEFAULT_LIFETIME
    return max(_MARGIN + 1, expires - issued)


def _unavailable(error: httpx.HTTPError) -> VertexError:
    return VertexError(
        causes.VERTEX_UNAVAILABLE, f"VerteX could not be reached ({type(error).__name__})", operation="login"
    )


def _json(response: httpx.Response) -> dict[str, object]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _normal(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url.strip().rstrip("/"))
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"https": 443, "http": 80}.get(parts.scheme)
