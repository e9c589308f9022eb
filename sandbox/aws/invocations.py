"""Lambda's Invoke, answered by whoever runs the functions; moto would want Docker for it."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import unquote

from sandbox.aws.requests import SignedRequest

_PATH = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations")


class Invoked(Protocol):
    """How an invocation ended."""

    @property
    def kind(self) -> str:
        """`ok`, or how it failed."""
        ...

    @property
    def result(self) -> Any:
        """What the handler answered."""
        ...

    @property
    def error(self) -> str | None:
        """What went wrong."""
        ...


type Invoker = Callable[[str, Mapping[str, Any]], Invoked]


def function_named(request: SignedRequest) -> str | None:
    """Name of the function that a request invokes; None: it is no invocation."""
    found = _PATH.search(request.url) if request.service == "lambda" and request.method == "POST" else None
    return unquote(found["name"]).rpartition(":")[2] if found else None


def answer(name: str, request: SignedRequest, invoke: Invoker, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Run the function and answer as Lambda does: an error of the function is an answer, too."""
    headers = [("Content-Type", "application/json")]
    try:
        outcome = invoke(name, json.loads(request.body or b"{}"))
    except LookupError as error:
        body = json.dumps({"Type": "User", "Message": str(error)}).encode()
        headers += [("x-amzn-ErrorType", "ResourceNotFoundException"), ("Content-Length", str(len(body)))]
        start_response("404 Not Found", headers)
        return [body]
    failed = outcome.kind != "ok"
    body = json.dumps({"errorMessage": outcome.error} if failed else outcome.result).encode()
    headers += [("X-Amz-Function-Error", "Unhandled")] if failed else []
    start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
    return [body]
