"""A recording proxy in front of a VerteX of yours: the same journal as the stand-in's, never a body or a token."""

import json
import time
from collections.abc import Iterable
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from werkzeug.wrappers import Request, Response

from sandbox.serving import Environ, LocalServer, reset_connection
from sandbox.vertex.journal import Entry, Journal

_DROPPED = {"host", "content-length", "connection", "accept-encoding"}
_PASSED_BACK = {"content-type", "audituid", "retry-after", "location"}
_TIMEOUT = httpx.Timeout(80, connect=10)


class RecordingProxy:
    """Passes every request on and writes it down. A context manager.

    A failure to reach VerteX cuts the connection, so that the functions see what they would see themselves.
    """

    def __init__(self, vertex_url: str) -> None:
        self._vertex_url = vertex_url.rstrip("/")
        self._http = httpx.Client(timeout=_TIMEOUT, trust_env=not _is_loopback(vertex_url))
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
        """Where the functions find it."""
        return self._server.url

    def _answer(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data()
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _DROPPED}
        target = self._vertex_url + environ.get("RAW_URI", request.full_path.rstrip("?"))
        try:
            answer = self._http.request(request.method, target, headers=headers, content=body, follow_redirects=False)
        except httpx.HTTPError:
            self._note(request, body, None)
            reset_connection(environ)
        self._note(request, body, answer)
        kept = {name: value for name, value in answer.headers.items() if name.lower() in _PASSED_BACK}
        response = Response(answer.content, status=answer.status_code, headers=kept)
        return response(environ, start_response)

    def _note(self, request: Request, body: bytes, answer: httpx.Response | None) -> None:
        spec = _spec_of(request.path, body) if request.method in {"POST", "PUT"} else None
        entry = Entry(
            method=request.method,
            path=request.path,
            status=answer.status_code if answer is not None else None,
            spec=self.journal.digest(spec) if spec is not None else None,
            at=time.time(),
            audit_uid=answer.headers.get("AuditUid") if answer is not None else None,
        )
        self.journal.add(entry)


def _spec_of(path: str, body: bytes) -> object | None:
    """The spec of a validate, create or PUT body."""
    if not path.startswith("/v1/registries/oci/") or not body:
        return None
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if path.endswith("/validate") else document.get("spec") if isinstance(document, dict) else None


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
