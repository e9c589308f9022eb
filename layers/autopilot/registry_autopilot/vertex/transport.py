"""How requests reach VerteX: paced, recorded, bounded by a deadline, and repeated narrowly.

A request is repeated only where that can do no harm: reads and validates on trouble with the connection or the
gateway, a sync, PUT or DELETE only where nothing was sent, a create never. A 401 had no effect: any request is sent
once more with a new token.
"""

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import httpx

from registry_autopilot import causes
from registry_autopilot.vertex.errors import VertexError, identifier
from registry_autopilot.vertex.http_client import LONGEST_PAUSE, UNSENT, seconds_asked, unreachable_words
from registry_autopilot.vertex.rate import RateLimiter

USER_AGENT = "registry-autopilot/0.1.0"
_TROUBLE = {429, 502, 503, 504}
_UNAUTHORIZED = 401
_TIME_AFTER_PAUSE = 5.0
_LOGIN_AT_MOST = 60.0  # a knock, a wait for somebody else's attempt, and the attempt


class Repeat(Enum):
    """How many times a request may be sent, and after what."""

    NEVER = 1
    UNSENT = 2
    ALWAYS = 3

    @property
    def tries(self) -> int:
        """The number of times."""
        return self.value


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that a request may wait for its connection, and for its answer."""

    connect: float = 5.0
    answer: float = 30.0
    validate: float = 65.0  # VerteX tries the registry itself, which may take a minute


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of the API; `answer` are the seconds its answer may take."""

    operation: str
    method: str
    path: str
    answer: float
    json: dict[str, Any] | None = None
    params: dict[str, str] | None = None
    repeat: Repeat = Repeat.NEVER

    @property
    def writes(self) -> bool:
        """Whether it changes something; a validate is a POST that changes nothing."""
        return self.method != "GET" and self.operation != "validate_registry"


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request as it goes into history, and into the metrics by its operation and the seconds it took."""

    method: str
    path: str
    status: int | None
    audit_uid: str | None
    operation: str = ""
    seconds: float = 0

    @property
    def line(self) -> str:
        """`METHOD path status AuditUid`."""
        parts = (self.method, self.path, str(self.status or "no-answer"), self.audit_uid or "")
        return " ".join(part for part in parts if part)


class Tokens(Protocol):
    """Where the token comes from."""

    def token(self) -> str:
        """A token that lasts."""
        ...

    def drop(self) -> None:
        """The token was refused."""
        ...


class Transport:
    """Sends requests with a token. Not safe for threads: an execution environment does one thing at a time.

    Attributes:
        deadline: when the last answer must be there, on `clock`; None: no bound.
        watch: hears of every request, answered or not.
    """

    def __init__(
        self,
        http: httpx.Client,
        session: Tokens,
        limiter: RateLimiter,
        *,
        connect: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        watch: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        self._http = http
        self._session = session
        self._limiter = limiter
        self._connect = connect
        self._clock = clock
        self._sleep = sleep
        self._watch = watch
        self._records: list[RequestRecord] | None = None
        self.deadline: float | None = None

    @contextmanager
    def recording(self) -> Iterator[list[RequestRecord]]:
        """Collects the requests made inside."""
        self._records = []
        try:
            yield self._records
        finally:
            self._records = None

    def send(self, call: Call) -> httpx.Response:
        """The last answer, whatever its status.

        Raises:
            VertexError: there was none.
            AutopilotError: no token could be had.
        """
        for attempt in range(1, call.repeat.tries + 1):
            is_last = attempt == call.repeat.tries
            try:
                response = self._authorised(call)
            except httpx.HTTPError as error:
                if is_last or not _may_repeat(call, error) or not self._pause(attempt, None):
                    raise _lost(call, error) from None
                continue
            again = call.repeat is Repeat.ALWAYS and response.status_code in _TROUBLE
            if is_last or not again or not self._pause(attempt, seconds_asked(response)):
                return response
        raise AssertionError("a request is sent at least once")

    def _authorised(self, call: Call) -> httpx.Response:
        response = self._once(call)
        if response.status_code != _UNAUTHORIZED:
            return response
        self._session.drop()
        self._time_left(call, _LOGIN_AT_MOST, "VerteX ended the token when no time was left to log in again")
        return self._once(call)

    def _once(self, call: Call) -> httpx.Response:
        self._bounded(call, call.answer)  # no login, and no wait for the rate, when there is no time left anyway
        token = self._session.token()
        self._limiter.wait()
        timeout = httpx.Timeout(self._bounded(call, call.answer), connect=self._bounded(call, self._connect))
        headers = {"Authorization": token, "User-Agent": USER_AGENT, "Accept": "application/json"}
        request = self._http.build_request(
            call.method, call.path, json=call.json, params=call.params, headers=headers, timeout=timeout
        )
        status = audit = None
        begun = self._clock()
        try:
            response = self._http.send(request, follow_redirects=False)
            status, audit = response.status_code, identifier(response.headers.get("AuditUid"))
        finally:
            self._note(RequestRecord(call.method, call.path, status, audit, call.operation, self._clock() - begun))
        return response

    def _note(self, record: RequestRecord) -> None:
        if self._records is not None:
            self._records.append(record)
        if self._watch is not None:
            self._watch(record)

    def _bounded(self, call: Call, seconds: float) -> float:
        return min(seconds, self._time_left(call, 1, "the function's time was over before VerteX could be asked"))

    def _time_left(self, call: Call, least: float, words: str) -> float:
        left = math.inf if self.deadline is None else self.deadline - self._clock()
        if left <= least:
            raise VertexError(causes.VERTEX_UNAVAILABLE, words, operation=call.operation)
        return left

    def _pause(self, attempt: int, asked: int | None) -> bool:
        """Wait before the next try; False when that is too long, or the deadline would not allow it."""
        jitter = random.uniform(0.25, 0.5)  # noqa: S311 - spreads retries, keeps no secret
        wait = float(asked) if asked is not None else 2**attempt * jitter
        is_late = self.deadline is not None and self._clock() + wait > self.deadline - _TIME_AFTER_PAUSE
        if wait > LONGEST_PAUSE or is_late:
            return False
        self._sleep(wait)
        return True


def _may_repeat(call: Call, error: httpx.HTTPError) -> bool:
    """A timeout of the answer is not repeated: it has already used up the time that there was."""
    if isinstance(error, UNSENT):
        return True
    return call.repeat is Repeat.ALWAYS and isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError)


def _lost(call: Call, error: httpx.HTTPError) -> VertexError:
    cause, words = causes.VERTEX_UNAVAILABLE, unreachable_words(error)
    if call.operation == "validate_registry" and isinstance(error, httpx.ReadTimeout):
        # VerteX was there and was trying the registry: that is the registry's trouble, not the whole installation's.
        cause, words = causes.TIMED_OUT, "VerteX did not finish its own try of the registry in time"
    unknown = call.writes and not isinstance(error, UNSENT)
    return VertexError(cause, words, operation=call.operation, outcome_unknown=unknown)
