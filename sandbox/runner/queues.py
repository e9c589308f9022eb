"""SQS event source mappings: poll, batch, invoke, delete what succeeded."""

import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from moto.sqs.models import Queue, sqs_backends

from sandbox.aws import LocalAws
from sandbox.deploy import EventSource, Function
from sandbox.runner.filters import Filters
from sandbox.runner.functions import Functions, Outcome
from sandbox.runner.pacing import Pacing

_MOST_PER_RECEIVE = 10
Message = dict[str, Any]


class QueueMapping:
    """One queue that feeds one function."""

    def __init__(self, source: EventSource, aws: LocalAws, functions: Functions, pacing: Pacing) -> None:
        self._source = source
        self._aws = aws
        self._functions = functions
        self._pacing = pacing
        self._function: Function = functions.by_name(source.function)
        self._filters = Filters(source.patterns)
        name = source.source_arn.rpartition(":")[2]
        self._queue: Queue = sqs_backends[aws.account][aws.region].queues[name]
        self._sqs = aws.client("sqs")
        self._url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        workers = source.maximum_concurrency or pacing.default_concurrency
        self._slots = threading.BoundedSemaphore(workers)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=f"sandbox-{source.logical_id}")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll, name=f"sandbox-{source.logical_id}", daemon=True)

    @property
    def name(self) -> str:
        """The mapping's logical id."""
        return self._source.logical_id

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def stop(self) -> None:
        """Stop polling; batches under way end with their workers."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until nothing runs any more."""
        self._thread.join()
        self._pool.shutdown(wait=True)

    def pending(self) -> int:
        """Messages in the queue: visible, in flight or delayed."""
        with self._aws.lock:
            return len(self._queue._messages)  # noqa: SLF001 - moto's counters scan the list three times

    def describe(self) -> str:
        """What is in the queue, for a person."""
        with self._aws.lock:
            queue = self._queue
            return (
                f"{self.name}: {queue.approximate_number_of_messages} visible, "
                f"{queue.approximate_number_of_messages_not_visible} in flight, "
                f"{queue.approximate_number_of_messages_delayed} delayed"
            )

    def _poll(self) -> None:
        while not self._stopping.is_set():
            if not self._something_visible():
                self._stopping.wait(self._pacing.poll_interval)
            elif self._slots.acquire(timeout=self._pacing.poll_interval):
                self._submit(self._receive_batch())

    def _something_visible(self) -> bool:
        """A cheap look, so that an empty queue costs no requests."""
        with self._aws.lock:
            busy = self._queue.pending_message_groups if self._queue.fifo_queue else ()
            pending = self._queue.pending_messages
            return any(m.group_id not in busy or m in pending for m in self._queue.messages)

    def _receive_batch(self) -> list[Message]:
        """Up to a batch: at once what is there, then what comes within the window."""
        end = time.monotonic() + self._source.window * self._pacing.window_factor
        batch: list[Message] = []
        while len(batch) < self._source.batch_size and not self._stopping.is_set():
            if batch and not self._something_visible():
                if time.monotonic() >= end:
                    break
                self._stopping.wait(self._pacing.poll_interval)
                continue
            wanted = min(_MOST_PER_RECEIVE, self._source.batch_size - len(batch))
            answer = self._sqs.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=wanted, AttributeNames=["All"], MessageAttributeNames=["All"]
            )
            received = answer.get("Messages", [])
            batch += received
            if not received:  # what was visible went to the dead-letter queue
                break
        return batch

    def _submit(self, batch: list[Message]) -> None:
        wanted = [message for message in batch if self._filters.match(_decoded(message))]
        self._delete([message for message in batch if message not in wanted])
        if not wanted or self._stopping.is_set():
            self._slots.release()
            return
        self._pool.submit(self._run, wanted)

    def _run(self, batch: list[Message]) -> None:
        try:
            event = {"Records": [self._record(message) for message in batch]}
            self._settle(batch, self._functions.invoke(self._function, event))
        finally:
            self._slots.release()

    def _settle(self, batch: Sequence[Message], outcome: Outcome) -> None:
        """Delete what succeeded. What failed stays invisible until its visibility timeout, or as the pacing says."""
        failed = self._failed(batch, outcome)
        self._delete([message for message in batch if message["MessageId"] not in failed])
        if self._pacing.retry_after is not None and not self._stopping.is_set():
            for message in batch:
                if message["MessageId"] in failed:
                    self._sqs.change_message_visibility(
                        QueueUrl=self._url,
                        ReceiptHandle=message["ReceiptHandle"],
                        VisibilityTimeout=self._pacing.retry_after,
                    )

    def _failed(self, batch: Sequence[Message], outcome: Outcome) -> set[str]:
        everything = {message["MessageId"] for message in batch}
        if outcome.kind != "ok":
            return everything
        if not self._source.partial_failures:
            return set()
        reported = set(outcome.failed_ids)
        # An id that is not of the batch, or none at all, fails the whole batch (Lambda developer guide).
        return reported if reported <= everything else everything

    def _delete(self, messages: Sequence[Message]) -> None:
        for start in range(0, len(messages), _MOST_PER_RECEIVE):
            part = messages[start : start + _MOST_PER_RECEIVE]
            entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(part)]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def _record(self, message: Message) -> dict[str, Any]:
        """A message as Lambda hands it over (Lambda developer guide, "Using Lambda with Amazon SQS")."""
        attributes = {
            name: {key[0].lower() + key[1:]: value for key, value in attribute.items()}
            for name, attribute in message.get("MessageAttributes", {}).items()
        }
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": attributes,
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._source.source_arn,
            "awsRegion": self._aws.region,
        }


def _decoded(message: Message) -> dict[str, Any]:
    """What filter criteria see: the body as JSON where it is JSON."""
    try:
        return {"body": json.loads(message["Body"])}
    except ValueError:
        return {"body": message["Body"]}
