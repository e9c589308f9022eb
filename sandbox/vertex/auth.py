"""The system console's login and tokens: `POST /v1/auth/syslogin`, lockout, expiry, passkeys, roles."""

import hmac
import secrets
import threading
from collections.abc import Callable
from typing import Literal

import jwt

from sandbox.vertex.behaviour import Behaviour
from sandbox.vertex.errors import FORBIDDEN, UNAUTHORIZED, ApiError

MAX_FAILURES = 5
SUSPENSION_SECONDS = 15 * 60
_ALGORITHM = "HS256"
_CODE = "InvalidAuthToken"

type Role = Literal["RootAdmin", "OperationAdmin", "AccountAdmin"]


class AdminAccount:
    """The one system administrator of the stand-in. Thread-safe.

    Attributes:
        role: only `RootAdmin` and `OperationAdmin` may manage registries.
        has_passkey: the login still answers, with `IsMfa` true, but its token opens nothing.
        token_lifetime_seconds: of tokens issued from now on.
    """

    def __init__(
        self,
        username: str,
        password: str,
        *,
        clock: Callable[[], float],
        behaviour: Behaviour,
        token_lifetime_seconds: int,
    ) -> None:
        self.username = username
        self.role: Role = "OperationAdmin"
        self.has_passkey = False
        self.token_lifetime_seconds = token_lifetime_seconds
        self._password = password
        self._clock = clock
        self._behaviour = behaviour
        self._key = secrets.token_bytes(32)
        self._generation = 0
        self._failures = 0
        self._suspended_until = 0.0
        self._lock = threading.Lock()

    @property
    def is_suspended(self) -> bool:
        """Whether logins are refused for the time being, right password or not."""
        return self._clock() < self._suspended_until

    def suspend(self, seconds: float = SUSPENSION_SECONDS) -> None:
        """Suspend the account as five failed logins would."""
        self._failures = 0
        self._suspended_until = self._clock() + seconds

    def set_password(self, new: str) -> None:
        """Change the password; from 4.10 on this ends every token (release notes 4.10.0)."""
        self._password = new
        if self._behaviour.is_from("4.10"):
            self.kill_tokens()

    def kill_tokens(self) -> None:
        """End every token, as a logout of the same account does."""
        self._generation += 1

    def log_in(self, username: str, password: str) -> dict[str, object]:
        """The answer to a right login, with the API's capitalised keys.

        Raises:
            ApiError: 401; wrong username or password, or the account is suspended.
        """
        with self._lock:
            if self.is_suspended:
                words = "The account is suspended after too many failed logins. Try again in 15 minutes."
                raise ApiError(UNAUTHORIZED, self._behaviour.codes.suspended_login, words)
            self._check_password(username, password)
            self._failures = 0
        return {
            "Authorization": self._issue(),
            "IsEmailSet": True,
            "IsEmailVerified": True,
            "IsMfa": self.has_passkey,
            "IsPasswordReset": True,
        }

    def check_token(self, header: str | None) -> None:
        """Let a request pass only with a raw, signed, living token.

        Raises:
            ApiError: 401.
        """
        if not header:
            raise ApiError(UNAUTHORIZED, _CODE, "Authorization header is missing")
        if " " in header.strip():
            raise ApiError(UNAUTHORIZED, _CODE, "Authorization header is not a raw token")
        claims = self._verified(header)
        if claims["exp"] <= self._clock():
            raise ApiError(UNAUTHORIZED, _CODE, "token is expired")
        if claims["generation"] != self._generation:
            raise ApiError(UNAUTHORIZED, _CODE, f"token {header} is revoked")
        if self.has_passkey:
            raise ApiError(UNAUTHORIZED, _CODE, "token of an account with a passkey cannot be used for the API")

    def check_role(self) -> None:
        """Let only those pass who may manage registries (account management, table of roles).

        Raises:
            ApiError: 403.
        """
        if self.role == "AccountAdmin":
            raise ApiError(FORBIDDEN, "ResourceAccessDenied", f"{self.role} is not permitted to access this resource")

    def _check_password(self, username: str, password: str) -> None:
        known = hmac.compare_digest(username.encode(), self.username.encode())
        right = hmac.compare_digest(password.encode(), self._password.encode())
        if known and right:
            return
        self._failures += known  # who does not exist cannot be suspended
        if self._failures >= MAX_FAILURES:
            self.suspend()
        words = f"Invalid username or password for user '{username}'"
        raise ApiError(UNAUTHORIZED, self._behaviour.codes.rejected_login, words)

    def _issue(self) -> str:
        now = int(self._clock())
        claims = {
            "iat": now,
            "exp": now + self.token_lifetime_seconds,
            "jti": secrets.token_hex(8),
            "generation": self._generation,
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def _verified(self, token: str) -> dict[str, int]:
        """The claims of a token of ours; its times are judged by the stand-in's own clock."""
        try:
            claims: dict[str, int] = jwt.decode(
                token, self._key, algorithms=[_ALGORITHM], options={"verify_exp": False, "verify_iat": False}
            )
        except jwt.InvalidTokenError as error:
            raise ApiError(UNAUTHORIZED, _CODE, f"token is invalid: {error}") from None
        return claims
