"""A server that answers as told, one answer after the other, and remembers what it was asked."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class ScriptedServer:
    """Gives its answers in order, the last one again and again; a path with an answer of its own stands apart."""

    def __init__(self, *answers: Answer, by_path: Mapping[str, Answer] | None = None) -> None:
        self._answers = list(answers)
        self._by_path = dict(by_path or {})
        self.requests: list[httpx.Request] = []

    @property
    def asked(self) -> list[str]:
        """Method and path of every request."""
        return [f"{request.method} {request.url.path}" for request in self.requests]

    def body(self, index: int = -1) -> Any:
        """The JSON body of a request."""
        return json.loads(self.requests[index].content)

    def http(self, base_url: str = "https://vertex.example.gov") -> httpx.Client:
        """A client that talks to this server only."""
        return httpx.Client(base_url=base_url, transport=httpx.MockTransport(self._handle))

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._by_path.get(request.url.path) or self._next()
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return answer(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def _next(self) -> Answer:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class VirtualTime:
    """A clock that only sleeping moves."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def clock(self) -> float:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds
