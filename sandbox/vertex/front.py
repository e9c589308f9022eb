"""What every request passes first: the script of faults, the rate limit, the journal. A WSGI application."""

import io
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.serving import Environ, WsgiApp, reset_connection
from sandbox.vertex.behaviour import Behaviour
from sandbox.vertex.errors import TOO_MANY, ApiError
from sandbox.vertex.faults import Faults
from sandbox.vertex.journal import Entry, Journal
from sandbox.vertex.rate import RateLimiter

_QUERY = ("scope", "skipPackSync", "forceSync", "partition")
_ONE_REGISTRY = re.compile(r"/v1/registries/(?:oci/)?(?P<uid>[0-9a-f]{24})(?:/.*)?")
_VALIDATE = "/validate"
_SUCCESS = range(200, 300)


class Front:
    """Stands before the API.

    Args:
        api: the WSGI application that answers.
        name_of: the name of a registry by its uid.
    """

    def __init__(
        self,
        api: WsgiApp,
        *,
        faults: Faults,
        limiter: RateLimiter,
        journal: Journal,
        behaviour: Behaviour,
        clock: Callable[[], float],
        name_of: Callable[[str], str | None],
    ) -> None:
        self._api = api
        self._faults = faults
        self._limiter = limiter
        self._journal = journal
        self._behaviour = behaviour
        self._clock = clock
        self._name_of = name_of

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer one request, or cut its connection."""
        request = _buffered(environ)
        time.sleep(self._behaviour.latency_seconds)
        fault = self._faults.take(request.method, request.path)
        entry = self._described(request)
        computed = None if fault and fault.effect == "before" else self._respond(request, environ)
        sent = fault.answer() if fault else computed
        self._journal.add(self._completed(entry, computed, sent))
        if sent is None:
            reset_connection(environ)
        return sent(environ, start_response)

    def _respond(self, request: Request, environ: Environ) -> Response:
        if not self._limiter.allows(request.remote_addr or "", request.path):
            return ApiError(TOO_MANY, "TooManyRequests", "too many requests; retry after a few moments").render()
        return Response.from_app(self._api, environ, buffered=True)

    def _described(self, request: Request) -> Entry:
        """What the request itself says."""
        body = _object(request.get_data())
        found = _ONE_REGISTRY.fullmatch(request.path)
        metadata = body.get("metadata")
        named = metadata.get("name") if isinstance(metadata, Mapping) else None
        return Entry(
            method=request.method,
            path=request.path,
            query={key: request.args[key] for key in _QUERY if key in request.args},
            status=None,
            spec=self._spec_digest(request, body),
            at=self._clock(),
            uid=found["uid"] if found else None,
            name=_text(named) or (self._name_of(found["uid"]) if found else None),
        )

    def _completed(self, entry: Entry, computed: Response | None, sent: Response | None) -> Entry:
        """The same with what the API made of it, and what was sent in the end."""
        made = _object(computed.get_data()).get("uid") if computed is not None else None
        return replace(
            entry,
            status=sent.status_code if sent is not None else None,
            at=self._clock(),
            uid=entry.uid or _text(made),
            error_code=_text(_object(sent.get_data()).get("code")) if sent is not None else None,
            audit_uid=computed.headers.get("AuditUid") if computed is not None else None,
            took_effect=entry.method != "GET" and computed is not None and computed.status_code in _SUCCESS,
        )

    def _spec_digest(self, request: Request, body: Mapping[str, Any]) -> str | None:
        if request.method not in {"POST", "PUT"} or not request.path.startswith("/v1/registries/oci/"):
            return None
        spec = body if request.path.endswith(_VALIDATE) else body.get("spec")
        return self._journal.digest(spec) if spec else None


def _buffered(environ: Environ) -> Request:
    """The request with its body read; the application gets the same body again."""
    body = Request(environ).get_data()
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.pop("wsgi.input_terminated", None)
    request = Request(environ)
    request.get_data()
    environ["wsgi.input"] = io.BytesIO(body)
    return request


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
