"""DynamoDB stream event source mappings: records in order, retried until they succeed or are given up."""

import base64
import json
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamShard

from sandbox.aws import LocalAws
from sandbox.deploy import EventSource
from sandbox.runner.filters import Filters
from sandbox.runner.functions import Functions, Outcome
from sandbox.runner.pacing import Pacing

Record = dict[str, Any]
_LONGEST_BACKOFF = 5.0


class StreamMapping:
    """One table's stream that feeds one function. moto's streams have one shard."""

    def __init__(self, source: EventSource, aws: LocalAws, functions: Functions, pacing: Pacing) -> None:
        self._source = source
        self._aws = aws
        self._functions = functions
        self._pacing = pacing
        self._function = functions.by_name(source.function)
        self._filters = Filters(source.patterns)
        self._table = source.source_arn.split("/")[1]
        self._shard_id = self._shard.id
        self._position = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll, name=f"sandbox-{source.logical_id}", daemon=True)

    @property
    def _shard(self) -> StreamShard:
        """The table's shard as moto has it now: a transaction that fails puts a copy of the table in its place."""
        shard = dynamodb_backends[self._aws.account][self._aws.region].get_table(self._table).stream_shard
        if shard is None:
            raise ValueError(f"{self._source.logical_id}: the table {self._table} has no stream")
        return shard

    @property
    def name(self) -> str:
        """The mapping's logical id."""
        return self._source.logical_id

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until nothing runs any more."""
        self._thread.join()

    def pending(self) -> int:
        """Records that are not yet dealt with."""
        return len(self._shard.items) - self._position

    def describe(self) -> str:
        """What is left, for a person."""
        return f"{self.name}: {self.pending()} stream records left"

    def _poll(self) -> None:
        while not self._stopping.is_set():
            if not self.pending():
                self._stopping.wait(self._pacing.poll_interval)
                continue
            batch = self._next_batch()
            wanted = [record for record in batch if self._filters.match(record)]
            if wanted:
                self._deliver(wanted)
            if not self._stopping.is_set():
                self._position += len(batch)

    def _next_batch(self) -> list[Record]:
        self._stopping.wait(self._source.window * self._pacing.window_factor)
        with self._aws.lock:
            items = self._shard.items[self._position : self._position + self._source.batch_size]
            return [self._record(item.to_json()) for item in items]

    def _deliver(self, records: Sequence[Record], attempt: int = 1) -> None:
        """Deliver until everything succeeded or was given up. Reported and bisected parts keep their order."""
        while records and not self._stopping.is_set():
            outcome = self._functions.invoke(self._function, {"Records": list(records)})
            left = self._left(records, outcome)
            if not left:
                return
            if len(left) < len(records):  # progress: what is left starts as new
                records, attempt = left, 1
                continue
            if self._source.maximum_attempts is not None and attempt >= self._source.maximum_attempts:
                self._give_up(left, outcome, attempt)
                return
            self._stopping.wait(min(self._pacing.stream_backoff * 2 ** (attempt - 1), _LONGEST_BACKOFF))
            if self._source.bisect and len(left) > 1:
                middle = len(left) // 2
                self._deliver(left[:middle])
                records, attempt = left[middle:], 1
                continue
            attempt += 1

    def _left(self, records: Sequence[Record], outcome: Outcome) -> Sequence[Record]:
        """The records from the first that failed on."""
        if outcome.kind != "ok":
            return records
        if not self._source.partial_failures or not outcome.failed_ids:
            return []
        failed = set(outcome.failed_ids)
        for index, record in enumerate(records):
            if record["dynamodb"]["SequenceNumber"] in failed:
                return records[index:]
        return records  # an unknown sequence number fails the whole batch (Lambda developer guide)

    def _give_up(self, records: Sequence[Record], outcome: Outcome, attempts: int) -> None:
        """Tell the on-failure queue where the records were (Lambda developer guide, "Discarded batches")."""
        if not self._source.on_failure_arn:
            return
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        message = {
            "requestContext": {
                "requestId": outcome.request_id,
                "functionArn": self._function.arn,
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": attempts,
            },
            "DDBStreamBatchInfo": {
                "shardId": self._shard_id,
                "startSequenceNumber": numbers[0],
                "endSequenceNumber": numbers[-1],
                "batchSize": len(records),
                "streamArn": self._source.source_arn,
            },
        }
        sqs = self._aws.client("sqs")
        url = sqs.get_queue_url(QueueName=self._source.on_failure_arn.rpartition(":")[2])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message))

    def _record(self, item: dict[str, Any]) -> Record:
        """A record as Lambda hands it over: plain JSON, with the stream's ARN."""
        record: Record = json.loads(json.dumps(item, default=_plain))
        return {**record, "awsRegion": self._aws.region, "eventSourceARN": self._source.source_arn}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)
