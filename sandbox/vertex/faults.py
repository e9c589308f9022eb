"""Trouble on demand: resets, gateway errors, HTML, garbage, silence, slowness; and VerteX away altogether."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from flask import Response

from sandbox.vertex.errors import ApiError

type Matcher = Callable[[str, str], bool]
type Kind = Literal["reset", "status", "html", "garbage", "empty", "latency"]

_HTML = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """One piece of trouble.

    Attributes:
        match: a glob over `METHOD path` (`"POST /v1/registries/oci/ecr"`, `"* /v1/registries/*"`), or a predicate of
            method and path.
        kind: `reset` cuts the connection; `status` answers an error body; `html` what a proxy says; `garbage` half a
            JSON document; `empty` no body; `latency` waits, then goes on as usual.
        times: how often it strikes; None: until the faults are cleared.
        effect: whether it strikes before the request takes effect, or after, so that only the answer is lost.
        status: HTTP status of `status`, `html`, `garbage` and `empty`; each kind has a default.
        code: body code of `status`.
        seconds: how long `latency` waits, in real time.
        retry_after: value of a `Retry-After` header.
    """

    match: str | Matcher
    kind: Kind
    times: int | None = 1
    effect: Literal["before", "after"] = "before"
    status: int | None = None
    code: str = "ServiceUnavailable"
    seconds: float = 0.0
    retry_after: str | None = None

    def strikes(self, method: str, path: str) -> bool:
        """Whether it is meant for this request."""
        if callable(self.match):
            return self.match(method, path)
        return fnmatchcase(f"{method} {path}", self.match)

    def answer(self) -> Response | None:
        """What the caller gets instead of an answer; None: a reset connection."""
        match self.kind:
            case "reset":
                return None
            case "status":
                response = ApiError(self.status or 503, self.code, "the service is not available").render()
            case "html":
                response = Response(_HTML, self.status or 502, mimetype="text/html")
            case "garbage":
                response = Response('{"items": [{"metadata": {"na', self.status or 200, mimetype="application/json")
            case _:
                response = Response(b"", self.status or 200)
        if self.retry_after is not None:
            response.headers["Retry-After"] = self.retry_after
        return response


class Faults:
    """The script of trouble to come: the first fault that matches a request strikes. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: list[tuple[Fault, int | None]] = []
        self._away: Fault | None = None

    def add(self, *faults: Fault) -> None:
        """Append to the script."""
        with self._lock:
            self._left.extend((fault, fault.times) for fault in faults)

    def clear(self) -> None:
        """Forget the script; `down` is ended by `up`."""
        with self._lock:
            self._left.clear()

    def down(self, status: int | None = None) -> None:
        """VerteX is away: every connection is reset, or answered with this status by whatever stands before it."""
        kind: Kind = "status" if status else "reset"
        self._away = Fault("*", kind, times=None, status=status)

    def up(self) -> None:
        """VerteX is back."""
        self._away = None

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, counted; a wait is over when this returns."""
        fault = self._away or self._next(method, path)
        if fault and fault.kind == "latency":
            time.sleep(fault.seconds)
            return None
        return fault

    def _next(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for index, (fault, left) in enumerate(self._left):
                if not fault.strikes(method, path):
                    continue
                if left is not None:
                    self._left[index : index + 1] = [(fault, left - 1)] if left > 1 else []
                return fault
        return None
