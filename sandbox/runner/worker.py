"""The inside of a worker process: one execution environment of one function. Run as a file.

It speaks JSON lines over what were its standard input and output; whatever the function prints goes to the log.
"""

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

import time_machine


@dataclass(slots=True)
class Context:
    """What Lambda passes beside the event, with Lambda's own names (Lambda developer guide, "Python context")."""

    aws_request_id: str
    invoked_function_arn: str
    deadline: float
    function_name: str = ""
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "128"
    log_group_name: str = ""
    log_stream_name: str = "sandbox"
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is stopped."""
        return max(0, round((self.deadline - time.monotonic()) * 1000))


class _ShiftedTime:
    """Time as the sandbox has it; shifted anew only when the sandbox's clock has moved."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._traveller: time_machine.travel | None = None

    def shift(self, offset: float) -> None:
        """Let time be real time plus `offset` seconds, and run on."""
        if offset == self._offset:
            return
        if self._traveller:
            self._traveller.stop()
        self._traveller = time_machine.travel(time.time() + offset, tick=True)
        self._traveller.start()
        self._offset = offset


def main(folders: list[str], handler: str) -> None:
    """Import the function, say that it is ready, and serve invocations until the input ends."""
    inbox, outbox = _take_pipes()
    sys.path[:0] = folders
    module, _, name = handler.rpartition(".")
    try:
        function = getattr(importlib.import_module(module), name)
    except Exception as error:  # whatever stops a function's start is reported, as Lambda does
        _send(outbox, _failure(error))
        return
    _send(outbox, {"ready": True})
    clock = _ShiftedTime()
    for line in inbox:
        message = json.loads(line)
        clock.shift(message["offset"])
        _send(outbox, _invoke(function, message))


def _take_pipes() -> tuple[IO[str], IO[str]]:
    """Keep the pipes for ourselves: the function's own input is empty, its output goes where its errors go."""
    inbox, outbox = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    return inbox, outbox


def _invoke(function: Callable[[Any, Context], Any], message: dict[str, Any]) -> dict[str, Any]:
    context = Context(
        aws_request_id=message["request_id"],
        invoked_function_arn=message["arn"],
        deadline=time.monotonic() + message["timeout"],
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        log_group_name=os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
    )
    try:
        result = function(message["event"], context)
        json.dumps(result)  # a result that is no JSON is the function's error, as with Lambda
    except Exception as error:  # any error of the function is an answer
        return _failure(error)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return {"result": result}


def _failure(error: Exception) -> dict[str, Any]:
    traceback.print_exception(error, file=sys.stderr)
    sys.stderr.flush()
    return {"error": f"{type(error).__name__}: {error}"}


def _send(outbox: IO[str], message: dict[str, Any]) -> None:
    outbox.write(json.dumps(message) + "\n")
    outbox.flush()


if __name__ == "__main__":
    main(sys.argv[2:], sys.argv[1])
