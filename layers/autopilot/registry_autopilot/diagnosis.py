"""What is looked at when VerteX refused a registry, and how it is worded. Pure: `network` does the looking."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from registry_autopilot import causes
from registry_autopilot.causes import Cause
from registry_autopilot.certificates import Certificate
from registry_autopilot.registry import Identity

SECONDS: Final = 5.0
"""A look lasts at most so long, whatever hangs."""

LOOKED_INTO: Final = frozenset(
    {
        causes.CREDENTIALS_REJECTED,  # VerteX before 4.10 says so of network trouble, too
        causes.ACCESS_DENIED,
        causes.ROLE_NOT_ASSUMABLE,
        causes.TLS_UNTRUSTED,
        causes.NAME_NOT_RESOLVED,
        causes.UNREACHABLE,
        causes.TIMED_OUT,
        causes.BASE_PATH_MISSING,
        causes.UNKNOWN,
    }
)
_PORTS: Final = {"https": 443, "http": 80}
_SCHEMES: Final = ("Basic", "Bearer", "Digest", "Negotiate", "NTLM")
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})\b")
_CHALLENGE = re.compile(rb"(?im)^www-authenticate:[ \t]*([a-z]+)")
_REDIRECT = range(300, 400)


@dataclass(frozen=True, slots=True)
class Target:
    """What is looked at: an endpoint, and the base path that VerteX was to read there.

    Attributes:
        ca: PEM of the private CA that the definition gives; trusted beside the system's own.
        is_elsewhere: ECR answers there to a role only that converge has no need of, and so may not assume.
    """

    endpoint: str
    identity: Identity
    ca: str | None = None
    is_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Server:
    """Where a connection goes."""

    host: str
    port: int
    is_tls: bool

    @property
    def authority(self) -> str:
        """What the `Host` header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port in _PORTS.values() else f"{host}:{self.port}"


def is_looked_into(cause: Cause) -> bool:
    """Whether a look from our own side can add to a refusal for this cause."""
    return cause in LOOKED_INTO


def server_of(endpoint: str) -> Server | None:
    """The server of an endpoint, https unless it says otherwise; None where it cannot be read."""
    try:
        parts = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname:
        return None
    scheme = "http" if parts.scheme == "http" else "https"
    return Server(parts.hostname, port or _PORTS[scheme], is_tls=scheme == "https")


def certificate_words(certificate: Certificate, date: str, *, has_ended: bool) -> str:
    """A certificate as admins know it."""
    ends = "ended" if has_ended else "ends"
    return f"certificate of {certificate.subject}, issued by {certificate.issuer}, {ends} on {date}"


def answer_words(head: bytes) -> str:
    """What the head of an answer to `GET /v2/` says: its status and scheme, never its text."""
    status = _STATUS.match(head)
    if status is None:
        return "/v2/ answers with something that is not HTTP" if head else "/v2/ gives no answer"
    code = int(status[1])
    if code in _REDIRECT:
        return f"/v2/ answers {code}, a redirect that was not followed"
    asked = [found.decode().lower() for found in _CHALLENGE.findall(head)]
    schemes = [scheme for scheme in _SCHEMES if scheme.lower() in asked]
    login = f" and asks for {' or '.join(schemes)}" if schemes else ""
    return f"/v2/ answers {code} to an anonymous request{login}"


def repositories_words(names: list[str], base: str, limit: int) -> str:
    """Whether ECR has any repository under a base path, of the first `limit` that it lists."""
    under = [name for name in names if base in {"/", name} or name.startswith(f"{base}/")]
    if under:
        return f"ECR has repositories under the base path {base}"
    among = f" among the first {limit} it lists" if len(names) >= limit else ""
    return f"ECR has no repository under the base path {base}{among}"
