"""The sandbox as a person chose it: definitions, secrets, the stand-in or a VerteX of theirs."""

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cli import loading
from cli.errors import UsageError
from cli.trust import trusting
from registry_autopilot.definitions import Definition
from sandbox.proxy import RecordingProxy
from sandbox.stack import DEFINITIONS, Sandbox, VertexLogin
from sandbox.vertex import Journal


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for on the command line."""

    definitions: Path | None = None
    secrets: Path | None = None
    vertex: str | None = None
    vertex_login: Path | None = None
    i_own_this_vertex: bool = False
    ca: Path | None = None
    ticking: bool = False

    @property
    def may_write(self) -> bool:
        """Whether anything may be written to this VerteX: it is on this machine, or its owner says so."""
        return self.vertex is None or is_loopback(self.vertex) or self.i_own_this_vertex

    @property
    def caution(self) -> str:
        """What to say before the start; empty where nothing is held back."""
        if self.may_write:
            return ""
        return "autopilot: mode observe: nothing is written to this VerteX without --i-own-this-vertex\n"


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
    sys.stderr.write(choice.caution)
    with ExitStack() as stack:
        proxy = (
            stack.enter_context(RecordingProxy(checked_url(choice.vertex), trust=trusting(choice.ca)))
            if choice.vertex
            else None
        )
        sandbox = Sandbox(
            documents,
            secrets=secrets,
            mode="act" if choice.may_write else "observe",
            vertex_url=proxy.url if proxy else None,
            vertex_login=login_of(choice.vertex_login) if proxy else None,
            auto_tick=choice.ticking,
        )
        stack.enter_context(sandbox)
        journal = proxy.journal if proxy else _journal_of(sandbox)
        yield Site(sandbox, loading.parsed_definitions(documents), journal, choice.vertex or sandbox.vertex_url)


def _journal_of(sandbox: Sandbox) -> Journal:
    if sandbox.vertex is None:
        raise UsageError("the sandbox has no stand-in")
    return sandbox.vertex.journal


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def checked_url(url: str) -> str:
    """An address of a VerteX.

    Raises:
        UsageError: it is none, or a login would cross a network in the clear.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))
    if not parts.hostname or not secure or parts.username or parts.query or parts.fragment:
        shown = url if not parts.username else "(not shown)"
        raise UsageError(
            f"--vertex: {shown!r}: must be like https://vertex.example.gov (http for a loopback host only)"
        )
    return url.rstrip("/")


def login_of(file: Path | None) -> VertexLogin:
    """The login to VerteX: from a file, else asked for.

    Raises:
        UsageError: the file cannot be used, or there is nobody to ask.
    """
    if file is not None:
        return VertexLogin(*loading.load_login(file))
    if not sys.stdin.isatty():
        raise UsageError("--vertex-login: missing; give a file with username and password")
    sys.stderr.write("VerteX username: ")
    sys.stderr.flush()
    return VertexLogin(sys.stdin.readline().strip(), getpass.getpass("VerteX password: ", stream=sys.stderr))
