"""The FIFO work queue: one group per registry identity, so that a registry is worked on once at a time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from registry_autopilot.registry import digest
from registry_autopilot.work import WorkItem

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_BATCH = 10  # SQS SendMessageBatch


class QueueError(Exception):
    """Raised when SQS took only a part of a batch: redelivery of the events repeats it."""


class SqsWorkQueue:
    """Implements `WorkQueue`."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def put(self, items: Sequence[WorkItem]) -> None:
        """Enqueue in batches.

        Raises:
            QueueError: a part was not taken.
        """
        for start in range(0, len(items), _BATCH):
            entries = [_entry(index, item) for index, item in enumerate(items[start : start + _BATCH])]
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            if failed := answer.get("Failed"):
                raise QueueError(f"{len(failed)} of {len(entries)} work items were not taken: {failed[0]['Code']}")


def _entry(index: int, item: WorkItem) -> "SendMessageBatchRequestEntryTypeDef":
    body = item.model_dump_json(exclude_defaults=True)
    return {
        "Id": str(index),
        "MessageBody": body,
        "MessageGroupId": item.identity.key,
        "MessageDeduplicationId": digest(body),
    }
