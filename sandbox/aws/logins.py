"""The login of a private ECR registry: tokens that GetAuthorizationToken gave out, good for 12 hours at `/v2/`."""

import base64
import json
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sandbox.clock import SandboxClock

TOKEN_LIFE = timedelta(hours=12).total_seconds()  # ECR API reference, AuthorizationData
_ECR_HOST = re.compile(r"\d{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9.-]+(:\d+)?")


@dataclass(slots=True)
class RegistryLogins:
    """Remembers which tokens were given out, and until when they open a registry.

    Attributes:
        expiries: when each password ends, in seconds since the epoch.
    """

    clock: SandboxClock
    expiries: dict[str, float] = field(default_factory=dict)

    def renew(self, body: bytes) -> bytes:
        """An answer of GetAuthorizationToken with tokens of their own; moto's never differ and date in the past."""
        answer = json.loads(body)
        for data in answer["authorizationData"]:
            password, expires_at = secrets.token_urlsafe(40), round(self.clock.now() + TOKEN_LIFE)
            self.expiries[password] = expires_at
            data |= {"authorizationToken": base64.b64encode(f"AWS:{password}".encode()).decode()}
            data |= {"expiresAt": expires_at}
        return json.dumps(answer).encode()

    def concerns(self, environ: dict[str, Any]) -> bool:
        """Whether a request goes to a registry's own host, and not to AWS's API."""
        return _ECR_HOST.fullmatch(str(environ.get("HTTP_HOST", ""))) is not None

    def status(self, environ: dict[str, Any]) -> str:
        """What `/v2/` answers to the request's login."""
        password = _password_of(str(environ.get("HTTP_AUTHORIZATION", "")))
        return "200 OK" if self.expiries.get(password, 0) > self.clock.now() else "401 Unauthorized"


def _password_of(authorization: str) -> str:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    return base64.b64decode(encoded).decode(errors="replace").partition(":")[2]
