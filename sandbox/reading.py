"""What came out at the other end: the ledger's items, and the notices that were published."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from sandbox.aws import LocalAws


@dataclass(frozen=True, slots=True)
class Notice:
    """One message of the topic; attributes are what filter policies see."""

    subject: str | None
    body: str
    attributes: Mapping[str, str]


class NoticeBox:
    """A queue subscribed to the topic, as a pager or a person's own queue would be."""

    def __init__(self, aws: LocalAws, topic_arn: str) -> None:
        self._sqs = aws.client("sqs")
        self._url = self._sqs.create_queue(QueueName="sandbox-notices")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        aws.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=attributes["QueueArn"])
        self._read: list[Notice] = []

    def read(self) -> list[Notice]:
        """Every notice since the start, in order of publication."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._read.append(_notice(json.loads(message["Body"])))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return list(self._read)


def _notice(message: Mapping[str, Any]) -> Notice:
    attributes = {name: str(entry["Value"]) for name, entry in message.get("MessageAttributes", {}).items()}
    return Notice(message.get("Subject"), message["Message"], attributes)


def scan_table(aws: LocalAws, table: str) -> list[dict[str, Any]]:
    """All items of a table as plain values."""
    read = TypeDeserializer().deserialize
    pages = aws.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]
