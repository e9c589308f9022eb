"""Runs the deployed functions as Lambda does, on the sandbox's queues, streams and schedule."""

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from moto.sqs.models import sqs_backends

from sandbox.aws import LocalAws
from sandbox.deploy import Deployment, EventSource
from sandbox.runner.functions import Functions, Outcome
from sandbox.runner.pacing import Pacing
from sandbox.runner.process import environment_of
from sandbox.runner.queues import QueueMapping
from sandbox.runner.schedule import Schedule
from sandbox.runner.streams import StreamMapping

_CHECK_SECONDS = 0.02
Mapped = QueueMapping | StreamMapping


class NotIdleError(Exception):
    """Raised when the sandbox did not come to rest in time; says what is left, and how the last invocations ended."""


class Runner:
    """The runner of one deployment. A context manager.

    Args:
        aws: the sandbox's AWS.
        deployment: what to run.
        path: folders of the layers' code, put on each function's path.
        pacing: which waits are shortened.
        auto_tick: fire rules with a rate by the sandbox's clock, not only when `tick` is called.
    """

    def __init__(
        self,
        aws: LocalAws,
        deployment: Deployment,
        *,
        path: Sequence[Path] = (),
        pacing: Pacing | None = None,
        auto_tick: bool = False,
    ) -> None:
        self._aws = aws
        self._deployment = deployment
        shared = {
            "AWS_ENDPOINT_URL": aws.endpoint_url,
            "AWS_ACCESS_KEY_ID": aws.root.access_key_id,
            "AWS_SECRET_ACCESS_KEY": aws.root.secret_access_key,
        }
        environments = {n: environment_of(f, shared, aws.region) for n, f in deployment.functions.items()}
        self._functions = Functions(deployment.functions, environments, path, aws.clock)
        self._mappings = [self._map(source, pacing or Pacing()) for source in deployment.sources]
        self._schedule = Schedule(aws, self.invoke_named)
        self._auto_tick = auto_tick
        self._stopping = threading.Event()
        self._ticker = threading.Thread(target=self._keep_ticking, name="sandbox-schedule", daemon=True)

    @property
    def outcomes(self) -> list[Outcome]:
        """Every invocation so far."""
        return self._functions.outcomes

    @property
    def logs(self) -> Mapping[str, deque[str]]:
        """What each function wrote, by logical id."""
        return self._functions.logs

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self, *, warm: bool = False) -> None:
        """Begin to poll; with `warm` every function's first worker starts now."""
        if warm:
            self._functions.warm_up()
        for mapping in self._mappings:
            mapping.start()
        if self._auto_tick:
            self._schedule.fire_due()
            self._ticker.start()

    def stop(self) -> None:
        """Stop polling, kill the workers, wait for the threads."""
        self._stopping.set()
        for mapping in self._mappings:
            mapping.stop()
        self._functions.stop()
        for mapping in self._mappings:
            mapping.join()
        self._functions.stop()  # one that was started while the others were killed
        if self._auto_tick:
            self._ticker.join()

    def tick(self) -> list[str]:
        """Send the event of the minute's tick now; gives the names of the rules."""
        return self._schedule.tick()

    def invoke(self, function: str, event: Mapping[str, Any]) -> Outcome:
        """Run a function now, by its logical id, as whoever invokes it would."""
        return self._functions.invoke(self._deployment.functions[function], event)

    def invoke_named(self, name: str, event: Mapping[str, Any]) -> Outcome:
        """Run a function now, by its physical name.

        Raises:
            LookupError: there is none of the name.
        """
        return self._functions.invoke(self._functions.by_name(name), event)

    def crash(self, function: str, *, invocation: int = 1, when: Literal["before", "after"] = "before") -> None:
        """Kill the function's worker at its N-th invocation from now, before or after its handler."""
        self._functions.crash(function, invocation=invocation, when=when)

    def run_until_idle(self, timeout: float = 60) -> None:
        """Wait until every queue and stream is drained, what is delayed or in flight included.

        Args:
            timeout: seconds of real time.

        Raises:
            NotIdleError: something is left.
        """
        end = time.monotonic() + timeout
        while not self._idle():
            if time.monotonic() > end:
                raise NotIdleError(self._report(timeout))
            time.sleep(_CHECK_SECONDS)

    def dead_letters(self) -> dict[str, int]:
        """How many messages lie in the queues that feed no function: by name, empty ones left out."""
        fed = {source.source_arn.rpartition(":")[2] for source in self._deployment.sources}
        stack = {url.rpartition("/")[2] for url in self._deployment.resources.values() if url.startswith("https://sqs")}
        with self._aws.lock:
            queues = sqs_backends[self._aws.account][self._aws.region].queues
            counts = {name: len(queues[name]._messages) for name in stack - fed if name in queues}  # noqa: SLF001
        return {name: count for name, count in sorted(counts.items()) if count}

    def drain_dead_letters(self) -> int:
        """Count the messages in dead-letter queues and throw them away."""
        counts = self.dead_letters()
        with self._aws.lock:
            queues = sqs_backends[self._aws.account][self._aws.region].queues
            for name in counts:
                queues[name]._messages.clear()  # noqa: SLF001 - PurgeQueue may be called once a minute only
        return sum(counts.values())

    def _idle(self) -> bool:
        """Nothing anywhere.

        A message is in flight until its batch is settled, so nothing runs unseen; and what feeds is looked at
        before and after what it may feed.
        """
        runs = len(self.outcomes)
        empty = all(not mapping.pending() for mapping in (*self._mappings, *self._mappings))
        return empty and len(self.outcomes) == runs

    def _report(self, timeout: float) -> str:
        left = "; ".join(mapping.describe() for mapping in self._mappings if mapping.pending())
        problems = [o for o in self.outcomes if o.kind != "ok" or o.failed_ids][-5:]
        told = "; ".join(f"{o.function} {o.kind}: {o.error or f'{len(o.failed_ids)} reported'}" for o in problems)
        return f"not idle after {timeout:g} s: {left or 'it came to rest just now'}. Last problems: {told or 'none'}"

    def _map(self, source: EventSource, pacing: Pacing) -> Mapped:
        service = source.source_arn.split(":")[2]
        kind: type[QueueMapping] | type[StreamMapping] = QueueMapping if service == "sqs" else StreamMapping
        return kind(source, self._aws, self._functions, pacing)

    def _keep_ticking(self) -> None:
        while not self._stopping.wait(0.2):
            self._schedule.fire_due()
