"""The ledger as notify sees it: incidents with the mark of each channel."""

from typing import TYPE_CHECKING

from registry_autopilot.aws import ledger_items as items
from registry_autopilot.aws.ledger_items import n
from registry_autopilot.incidents import Incident

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

    def all_told(self, incident_id: str, seq: int) -> None:
        """Nothing is left to repair, unless a newer change came."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=items.incident_key(incident_id),
                UpdateExpression="REMOVE due_shard, due_at",
                ConditionExpression="seq = :seq",
                ExpressionAttributeValues={":seq": n(seq)},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def _item(self, incident_id: str) -> items.Item | None:
        key = items.incident_key(incident_id)
        return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
