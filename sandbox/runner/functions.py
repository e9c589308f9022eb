"""Functions as Lambda keeps them: warm workers, one invocation each at a time, outcomes and logs."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sandbox.clock import SandboxClock
from sandbox.deploy import Function
from sandbox.runner.process import WorkerError, WorkerProcess, new_request_id

_LOG_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """One invocation and how it ended.

    Attributes:
        function: its logical id.
        records: how many records it was given.
        error: None, or what went wrong; `kind` says how: `ok`, `error`, `timeout`, `crash` or `init`.
        duration: in seconds of real time.
    """

    function: str
    request_id: str
    event: Mapping[str, Any] = field(repr=False)
    kind: str
    result: Any
    error: str | None
    duration: float

    @property
    def records(self) -> int:
        """How many records it was given."""
        return len(self.event.get("Records", []))

    @property
    def failed_ids(self) -> list[str]:
        """Records that the function reported as failed (`batchItemFailures`)."""
        failures = self.result.get("batchItemFailures", []) if isinstance(self.result, Mapping) else []
        return [str(failure["itemIdentifier"]) for failure in failures]


@dataclass(frozen=True, slots=True)
class Crash:
    """An order to kill a worker at its function's N-th invocation from now (1 = the next)."""

    function: str
    invocation: int
    when: Literal["before", "after"]


class Functions:
    """All deployed functions and their workers."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        environments: Mapping[str, Mapping[str, str]],
        path: Sequence[Path],
        clock: SandboxClock,
    ) -> None:
        self._functions = functions
        self._environments = environments
        self._path = path
        self._clock = clock
        self._idle: dict[str, list[WorkerProcess]] = defaultdict(list)
        self._all: list[WorkerProcess] = []
        self._lock = threading.Lock()
        self._crashes: list[Crash] = []
        self._counts: dict[str, int] = defaultdict(int)
        self.logs: dict[str, deque[str]] = {name: deque(maxlen=_LOG_LINES) for name in functions}
        self.outcomes: list[Outcome] = []

    def by_name(self, name: str) -> Function:
        """The function of a physical name.

        Raises:
            LookupError: there is none.
        """
        found = [function for function in self._functions.values() if function.name == name]
        if not found:
            raise LookupError(f"no function is named {name}")
        return found[0]

    def crash(self, function: str, *, invocation: int = 1, when: Literal["before", "after"] = "before") -> None:
        """Kill the worker before its handler runs, or after it ran but before anybody learns of it."""
        with self._lock:
            self._crashes.append(Crash(function, self._counts[function] + invocation, when))

    def invoke(self, function: Function, event: Mapping[str, Any]) -> Outcome:
        """Run a function with an event; what goes wrong is in the outcome."""
        request_id, started = new_request_id(), time.monotonic()
        kind, result, error = "ok", None, None
        try:
            result = self._run(function, event, request_id)
        except WorkerError as problem:
            kind, error = problem.kind, str(problem)
        outcome = Outcome(
            function.logical_id, request_id, event, kind, result, error, duration=time.monotonic() - started
        )
        with self._lock:
            self.outcomes.append(outcome)
        return outcome

    def warm_up(self) -> None:
        """Start one worker of each function, so that the first events need not wait."""
        for function in self._functions.values():
            self._give_back(self._start(function))

    def stop(self) -> None:
        """Kill every worker."""
        with self._lock:
            workers, self._all = self._all, []
            self._idle.clear()
        for worker in workers:
            worker.kill()

    def _run(self, function: Function, event: Mapping[str, Any], request_id: str) -> Any:
        order = self._crash_order(function.logical_id)
        worker = self._take(function)
        try:
            if order == "before":
                worker.kill()
                raise WorkerError("crash", "killed before the handler ran")
            result = worker.invoke(event, self._clock.offset, request_id)
            if order == "after":
                worker.kill()
                raise WorkerError("crash", "killed after the handler ran")
            return result
        finally:
            self._give_back(worker)

    def _crash_order(self, name: str) -> str | None:
        with self._lock:
            self._counts[name] += 1
            for order in self._crashes:
                if order.function == name and order.invocation == self._counts[name]:
                    self._crashes.remove(order)
                    return order.when
        return None

    def _take(self, function: Function) -> WorkerProcess:
        with self._lock:
            while self._idle[function.logical_id]:
                worker = self._idle[function.logical_id].pop()
                if worker.alive:
                    return worker
        return self._start(function)

    def _start(self, function: Function) -> WorkerProcess:
        name = function.logical_id
        worker = WorkerProcess(function, self._environments[name], self._path, self.logs[name])
        with self._lock:
            self._all.append(worker)
        return worker

    def _give_back(self, worker: WorkerProcess) -> None:
        with self._lock:
            if worker.alive and worker in self._all:
                self._idle[worker.function.logical_id].append(worker)
            elif worker in self._all:
                self._all.remove(worker)
