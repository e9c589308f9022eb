"""Corrections to moto inside this process, for as long as a sandbox runs; each says what AWS does instead."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.sqs import models as sqs

from sandbox.clock import SandboxClock

DEDUPLICATION_SECONDS = 300


@contextmanager
def corrected(clock: SandboxClock) -> Iterator[None]:
    """SQS on the sandbox's time, with a FIFO queue's memory of deduplication ids."""
    with ExitStack() as stack:
        # Delays, visibility timeouts and deduplication windows pass when the sandbox's clock is advanced.
        stack.enter_context(patch.object(sqs, "unix_time", clock.now))
        stack.enter_context(patch.object(sqs, "unix_time_millis", lambda: clock.now() * 1000))
        stack.enter_context(patch.object(sqs.Queue, "add_message", _remembering(clock, sqs.Queue.add_message)))
        yield


def _remembering(clock: SandboxClock, add: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """A deduplication id is kept for 5 minutes after the first send; moto forgets it with its message."""

    def add_message(queue: Any, message: Any) -> None:
        moved_here = message.approximate_receive_count > 0  # a redrive is not a send
        if queue.fifo_queue and message.deduplication_id and not moved_here:
            seen = queue.__dict__.setdefault("_seen_deduplication_ids", {})
            if clock.now() - seen.get(message.deduplication_id, float("-inf")) < DEDUPLICATION_SECONDS:
                return
            seen[message.deduplication_id] = clock.now()
        add(queue, message)

    return add_message
