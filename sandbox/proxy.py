"""A recording proxy in front of a VerteX of yours: the same journal as the stand-in's, never a body or a token."""

import json
import ssl
import time
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from werkzeug.wrappers import Request, Response

from sandbox.serving import Environ, LocalServer, reset_connection
from sandbox.vertex.journal import Entry, Journal

_DROPPED = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}
_PASSED_BACK = {"content-type", "audituid", "retry-after", "location"}
_TIMEOUT = httpx.Timeout(80, connect=10)  # longer than the functions wait, so that theirs is the one that ends first


class RecordingProxy:
    """Passes every request on and writes it down. A context manager.

    A failure to reach VerteX cuts the connection, so that the functions see what they would see themselves.

    Args:
        vertex_url: where requests go.
        trust: the certificate authorities to trust; default: the system's, or those of `SSL_CERT_FILE`.
        clock: seconds since the epoch, for the journal.
    """

    def __init__(
        self, vertex_url: str, *, trust: ssl.SSLContext | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._vertex_url = vertex_url.rstrip("/")
        self._http = httpx.Client(
            verify=trust or ssl.create_default_context(),
            timeout=_TIMEOUT,
            trust_env=not _is_loopback(vertex_url),  # no HTTPS_PROXY for what is on this machine
        )
        self._clock = clock
        self._server = LocalServer(self._answer)
        self.journal = Journal()

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.stop()
        self._http.close()

    @property
    def url(self) -> str:
        """Where the functions find it, once started."""
        return self._server.url

    def _answer(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data()
        try:
            answer = self._pass_on(request, body)
        except httpx.HTTPError:
            self._note(request, body, None)
            reset_connection(environ)
        self._note(request, body, answer)
        kept = {name: value for name, value in answer.headers.items() if name.lower() in _PASSED_BACK}
        response = Response(answer.content, status=answer.status_code, headers=kept)
        return response(environ, start_response)

    def _pass_on(self, request: Request, body: bytes) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _DROPPED}
        target = self._vertex_url + request.environ.get("RAW_URI", request.full_path.rstrip("?"))
        return self._http.request(request.method, target, headers=headers, content=body, follow_redirects=False)

    def _note(self, request: Request, body: bytes, answer: httpx.Response | None) -> None:
        spec = _spec_of(request.path, body) if request.method in {"POST", "PUT"} else None
        self.journal.add(
            Entry(
                method=request.method,
                path=request.path,
                status=answer.status_code if answer is not None else None,
                spec=self.journal.digest(spec) if spec else None,
                at=self._clock(),
                audit_uid=answer.headers.get("AuditUid") if answer is not None else None,
            )
        )


def _spec_of(path: str, body: bytes) -> object | None:
    """The spec of a validate, create or PUT body."""
    if not path.startswith("/v1/registries/oci/"):
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    return document if path.endswith("/validate") else document.get("spec")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
