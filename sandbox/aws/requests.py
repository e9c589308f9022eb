"""A signed AWS request, read from WSGI: which service, which action, signed by whom; and the log of them."""

import io
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from sandbox.aws.refusals import QUERY_SERVICES

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/[^/]+/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request to AWS before it is carried out.

    Attributes:
        parameters: the body as a mapping (JSON services as sent; query services flat, as strings).
        headers: by their names in Title-Case.
    """

    service: str
    region: str
    action: str
    access_key_id: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One line of the request log."""

    service: str
    action: str
    region: str
    access_key_id: str
    status: int


@dataclass(slots=True)
class RequestLog:
    """Who asked AWS for what, in order; for tests."""

    entries: list[LoggedRequest] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, request: SignedRequest, status: int) -> None:
        """Note an answered request."""
        entry = LoggedRequest(request.service, request.action, request.region, request.access_key_id, status)
        with self._lock:
            self.entries.append(entry)

    def calls(self, service: str, action: str | None = None) -> list[LoggedRequest]:
        """The requests to one service, or to one action of it."""
        with self._lock:
            return [e for e in self.entries if e.service == service and action in (None, e.action)]


def read_request(environ: dict[str, Any]) -> SignedRequest | None:
    """Read a request and leave its body readable again; None: it carries no AWS signature."""
    headers = _headers(environ)
    credential = _CREDENTIAL.search(headers.get("Authorization", ""))
    if not credential:
        return None
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    set_body(environ, body)
    access_key_id, region, service = credential.groups()
    parameters = _parameters(service, body)
    target = headers.get("X-Amz-Target", "")
    query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
    return SignedRequest(
        service=service,
        region=region,
        action=target.rpartition(".")[2] or str(parameters.get("Action", "")) or environ["PATH_INFO"],
        access_key_id=access_key_id,
        method=environ["REQUEST_METHOD"],
        url=f"http://{headers.get('Host', '')}{environ['PATH_INFO']}{query}",
        headers=headers,
        body=body,
        parameters=parameters,
    )


def set_body(environ: dict[str, Any], body: bytes) -> None:
    """Give a request another body."""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    names = {key: key[5:] for key in environ if key.startswith("HTTP_")}
    names |= {key: key for key in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(key)}
    return {name.replace("_", "-").title(): str(environ[key]) for key, name in names.items()}


def _parameters(service: str, body: bytes) -> Mapping[str, Any]:
    if service in QUERY_SERVICES:
        return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
