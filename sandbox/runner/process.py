"""The outside of a worker process: start it, invoke it, kill it."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from sandbox.deploy import Function

START_SECONDS = 30.0
# Run as a file, not as a module of this package: a worker then starts without what only the sandbox needs.
_WORKER = Path(__file__).with_name("worker.py").resolve()


class WorkerError(Exception):
    """Raised when an invocation has no result: the function raised, hung, or its process died."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class WorkerProcess:
    """One execution environment: warm after its first invocation, gone after a timeout or crash."""

    def __init__(
        self, function: Function, environment: Mapping[str, str], path: Sequence[Path], log: deque[str]
    ) -> None:
        self.function = function
        self._log = log
        self._answers: queue.Queue[str | None] = queue.Queue()
        folders = [str(folder.resolve()) for folder in (function.code, *path)]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-P", str(_WORKER), function.handler, *folders],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(environment),
            cwd=function.code,
        )
        for pump, stream in ((self._read_answers, self._process.stdout), (self._read_log, self._process.stderr)):
            threading.Thread(target=pump, args=(stream,), name=f"sandbox-{function.logical_id}", daemon=True).start()
        self._ready = False

    @property
    def alive(self) -> bool:
        """Whether it can take another invocation."""
        return self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Wait for the function's module to be imported.

        Raises:
            WorkerError: `init`, it could not be.
        """
        if not self._ready:
            self._answer(START_SECONDS, "init")
            self._ready = True

    def invoke(self, event: Mapping[str, Any], offset: float, request_id: str) -> Any:
        """Run the handler.

        Args:
            event: Lambda's event.
            offset: seconds by which the sandbox's clock is ahead of real time.
            request_id: what the function gets as its `aws_request_id`.

        Raises:
            WorkerError: `error` (the function raised), `timeout`, `crash` or `init`.
        """
        self.wait_until_ready()
        timeout = self.function.timeout
        message = {
            "event": event,
            "offset": offset,
            "timeout": timeout,
            "request_id": request_id,
            "arn": self.function.arn,
        }
        try:
            self._stdin.write(json.dumps(message) + "\n")
            self._stdin.flush()
        except OSError:
            raise WorkerError("crash", "the worker is gone") from None
        return self._answer(timeout, "timeout")["result"]

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            _close(self._process.stdin)

    @property
    def _stdin(self) -> IO[str]:
        if self._process.stdin is None:
            raise WorkerError("crash", "the worker has no input")
        return self._process.stdin

    def _answer(self, timeout: float, late: str) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=timeout)
        except queue.Empty:
            self.kill()
            raise WorkerError(late, f"Task timed out after {timeout:.2f} seconds") from None
        if line is None:
            raise WorkerError("crash", f"the worker ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerError("error" if self._ready else "init", answer["error"])
        return answer

    def _read_answers(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._answers.put(line)
        self._answers.put(None)

    def _read_log(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._log.append(line.rstrip("\n"))


def environment_of(function: Function, aws: Mapping[str, str], region: str) -> dict[str, str]:
    """The whole environment of a worker: what the template says and what Lambda adds, nothing of this process.

    Args:
        function: its own variables come first.
        aws: endpoint and credentials of the sandbox's AWS.
        region: where the function is deployed.
    """
    return {
        **function.environment,
        **aws,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "PYTHONUNBUFFERED": "1",
        "TZ": ":UTC",
    }


def new_request_id() -> str:
    """An id as Lambda gives each invocation."""
    return str(uuid.uuid4())


def _close(stream: IO[str]) -> None:
    with contextlib.suppress(OSError):  # bytes that a dead process did not take
        stream.close()
