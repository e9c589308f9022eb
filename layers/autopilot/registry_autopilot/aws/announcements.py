"""The ledger as notify sees it: incidents with the mark of each channel."""

from typing import TYPE_CHECKING

from registry_autopilot.aws import ledger_items as items
from registry_autopilot.aws.ledger_items import n, s
from registry_autopilot.incidents import Incident
from registry_autopilot.records import HistoryEntry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoAnnouncements:
    """Implements the `Announcements` of notify over the ledger table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def incident(self, incident_id: str) -> Incident | None:
        """An incident by its id, read consistently."""
        return items.read_doc(Incident, self._item(incident_id))

    def marks(self, incident_id: str) -> dict[str, int]:
        """How far each channel has told it."""
        item = self._item(incident_id) or {}
        return {name.removeprefix("told_"): int(v["N"]) for name, v in item.items() if name.startswith("told_")}

    def move_mark(self, incident_id: str, channel: str, seq: int) -> None:
        """The channel has told everything up to `seq`; a mark never moves back."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=items.incident_key(incident_id),
                UpdateExpression="SET #mark = :seq",
                ConditionExpression="attribute_not_exists(#mark) OR #mark < :seq",
                ExpressionAttributeNames={"#mark": f"told_{channel}"},
                ExpressionAttributeValues={":seq": n(seq)},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def all_told(self, incident_id: str, seq: int, remind_at: float | None) -> None:
        """Nothing is left to repair, unless a newer change came; due again at the reminder.

        Written once for each change: the write comes back through the stream, and must not lead to another one.
        """
        values = {":seq": n(seq)}
        change = "SET announced = :seq REMOVE due_shard, due_at"
        if remind_at is not None:
            change = "SET announced = :seq, due_shard = :shard, due_at = :at"
            values |= {":shard": s(items.DUE_SHARD), ":at": n(remind_at)}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=items.incident_key(incident_id),
                UpdateExpression=change,
                ConditionExpression="seq = :seq AND (attribute_not_exists(announced) OR announced < :seq)",
                ExpressionAttributeValues=values,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def news(self, key: str, entry: str) -> HistoryEntry | None:
        """A history entry by the keys of its item; the stream tells the keys alone."""
        item = self._client.get_item(TableName=self._table, Key=_entry_key(key, entry), ConsistentRead=True).get("Item")
        return items.read_doc(HistoryEntry, item)

    def news_told(self, key: str, entry: str, channel: str) -> bool:
        """Whether a channel has told a history entry."""
        item = self._client.get_item(TableName=self._table, Key=_entry_key(key, entry), ConsistentRead=True).get("Item")
        return item is None or f"told_{channel}" in item

    def move_news_mark(self, key: str, entry: str, channel: str) -> None:
        """The channel has told the history entry."""
        self._client.update_item(
            TableName=self._table,
            Key=_entry_key(key, entry),
            UpdateExpression="SET #mark = :one",
            ExpressionAttributeNames={"#mark": f"told_{channel}"},
            ExpressionAttributeValues={":one": n(1)},
        )

    def _item(self, incident_id: str) -> items.Item | None:
        key = items.incident_key(incident_id)
        return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")


def _entry_key(key: str, entry: str) -> items.Item:
    return {"pk": s(key), "sk": s(entry)}
