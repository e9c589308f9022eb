"""`autopilot probe`: what a VerteX really does, against what Autopilot assumes. Proven, refuted or unknown."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from cli.errors import UsageError
from cli.installation import checked_url, is_loopback, login_of
from cli.probe_checks import Findings, Seen, read_checks
from cli.probe_writes import write_checks
from cli.trust import trusting
from sandbox.stack import VertexLogin
from sandbox.vertex import VertexStandIn

_TIMEOUT = httpx.Timeout(65, connect=10)
_NOWHERE = "https://registry.invalid"  # a create tries nothing, and this name never resolves (RFC 2606)


@dataclass(frozen=True, slots=True)
class Target:
    """Which VerteX is asked, and how far the probe may go.

    Attributes:
        vertex: its address; None: a stand-in of our own.
        endpoint: of the throw-away registry.
    """

    vertex: str | None = None
    vertex_login: Path | None = None
    ca: Path | None = None
    i_own_this_vertex: bool = False
    write: bool = False
    endpoint: str | None = None


def probe(target: Target) -> dict[str, Any]:
    """Ask everything; each assumption with its verdict and what was seen.

    Raises:
        UsageError: an option is missing or wrong.
    """
    endpoint = _endpoint(target)
    with _vertex(target) as (url, login), _client(url, target.ca) as http:
        findings = Findings()
        seen = read_checks(http, login, findings)
        if endpoint is not None:
            write_checks(http, seen, findings, endpoint)
    return _document(target.vertex or url, seen, findings)


def _document(url: str, seen: Seen, findings: Findings) -> dict[str, Any]:
    return {"vertex": url, "version": seen.version, "findings": findings.rows}


def _endpoint(target: Target) -> str | None:
    """Endpoint of the throw-away registry; None: nothing is written."""
    if not target.write:
        return None
    if target.vertex is None:
        return target.endpoint or _NOWHERE
    if not is_loopback(target.vertex) and not target.i_own_this_vertex:
        raise UsageError("--write: this VerteX is not on this machine; add --i-own-this-vertex if it may be written")
    if not target.endpoint:
        raise UsageError(
            "--endpoint: missing; --write needs a registry to point to, such as https://harbor.example.gov"
        )
    return target.endpoint


@contextmanager
def _vertex(target: Target) -> Iterator[tuple[str, VertexLogin]]:
    """Address and login: those given, or of a stand-in that lives as long as the probe."""
    if target.vertex is not None:
        url = checked_url(target.vertex)
        yield url, login_of(target.vertex_login)
        return
    login = VertexLogin("probe@sandbox.example", secrets.token_urlsafe(16))
    with VertexStandIn(username=login.username, password=login.password) as stand_in:
        host = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
        stand_in.seed_registry(name="Pack registry", endpoint=host, base_content_path="spectro-packs", by="installer")
        yield stand_in.url, login


def _client(url: str, ca: Path | None) -> httpx.Client:
    # No HTTPS_PROXY for what is on this machine.
    return httpx.Client(base_url=url, verify=trusting(ca), timeout=_TIMEOUT, trust_env=not is_loopback(url))
