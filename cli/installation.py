"""The sandbox as a person chose it: definitions, secrets, the stand-in or a VerteX of theirs."""

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cli import loading
from cli.errors import UsageError
from registry_autopilot.definitions import Definition
from sandbox.proxy import RecordingProxy
from sandbox.stack import DEFINITIONS, Sandbox, VertexLogin
from sandbox.vertex import Journal

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for on the command line."""

    definitions: Path | None = None
    secrets: Path | None = None
    vertex: str | None = None
    vertex_login: Path | None = None
    i_own_this_vertex: bool = False
    ticking: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """A running sandbox, its definitions and the journal of requests to VerteX."""

    sandbox: Sandbox
    definitions: Sequence[Definition]
    journal: Journal
    vertex_url: str


@contextmanager
def installation(choice: Choice) -> Iterator[Site]:
    """Start it; a VerteX that is not on this machine is only observed unless its owner says so."""
    documents = loading.load_definitions(choice.definitions or DEFINITIONS)
    secrets = loading.load_secrets(choice.secrets) if choice.secrets else {}
    with ExitStack() as stack:
        proxy = stack.enter_context(RecordingProxy(_checked(choice.vertex))) if choice.vertex else None
        sandbox = Sandbox(
            documents,
            secrets=secrets,
            mode="act" if _may_write(choice) else "observe",
            vertex_url=proxy.url if proxy else None,
            vertex_login=_login(choice) if proxy else None,
            auto_tick=choice.ticking,
        )
        stack.enter_context(sandbox)
        journal = proxy.journal if proxy else _journal_of(sandbox)
        yield Site(sandbox, loading.parsed_definitions(documents), journal, choice.vertex or sandbox.vertex_url)


def _journal_of(sandbox: Sandbox) -> Journal:
    if sandbox.vertex is None:
        raise UsageError("the sandbox has no stand-in")
    return sandbox.vertex.journal


def _may_write(choice: Choice) -> bool:
    remote = choice.vertex is not None and urlsplit(choice.vertex).hostname not in _LOOPBACK
    if remote and not choice.i_own_this_vertex:
        sys.stderr.write("autopilot: mode observe: nothing is written to this VerteX without --i-own-this-vertex\n")
        return False
    return True


def _checked(url: str) -> str:
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not parts.hostname or not secure:
        raise UsageError(f"--vertex: {url!r}: must be like https://vertex.example.gov (http for a loopback host only)")
    return url


def _login(choice: Choice) -> VertexLogin:
    if choice.vertex_login is not None:
        return VertexLogin(*loading.load_login(choice.vertex_login))
    if not sys.stdin.isatty():
        raise UsageError("--vertex-login: missing; give a file with username and password")
    sys.stderr.write("VerteX username: ")
    return VertexLogin(sys.stdin.readline().strip(), getpass.getpass("VerteX password: ", stream=sys.stderr))
