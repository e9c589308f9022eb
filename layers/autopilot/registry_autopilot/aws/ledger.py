"""The ledger in DynamoDB. Every write is conditional on the revision that was read, or on nothing being there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from registry_autopilot import causes
from registry_autopilot.aws import ledger_items as items
from registry_autopilot.aws.ledger_items import Item, n, s
from registry_autopilot.causes import AutopilotError
from registry_autopilot.incidents import Incident
from registry_autopilot.ports import ConcurrentUpdateError, LedgerWrite
from registry_autopilot.records import HistoryEntry, KnownUid, RegistryState, SweepState, SystemState
from registry_autopilot.redaction import redact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_QUARANTINE_DAYS = 30
_MAX_BODY = 32_768
_GET = 100  # BatchGetItem


class DynamoLedger:
    """Implements the `Ledger` of the use cases over one table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def registry(self, key: str) -> RegistryState | None:
        """State of an identity, read consistently."""
        return items.read_doc(RegistryState, self._get(items.state_key(key)))

    def commit(self, write: LedgerWrite) -> RegistryState:
        """Write in one transaction; see `Ledger.commit`."""
        now = write.now.with_(rev=write.was.rev + 1)
        actions = [items.put_state(self._table, write.was.rev, now), *self._reference_changes(write.was, now)]
        if write.history is not None:
            actions.append(items.put_history(self._table, write.history, now.rev))
        if write.incident is not None:
            actions.append(items.put_incident(self._table, write.incident))
        if write.known is not None:
            actions.append(items.put_known(self._table, write.known))
        if write.released is not None:
            old, cleared = write.released
            actions.append(items.put_state(self._table, old.rev, cleared.with_(rev=old.rev + 1)))
            actions.append(items.put_name(self._table, now.name, now.key, previous=old.key))
        self._transact(actions)
        return now

    def record_intent(self, was: RegistryState, now: RegistryState, *, limit: int | None) -> RegistryState:
        """Write an intent with its claims; see `Ledger.record_intent`."""
        now = now.with_(rev=was.rev + 1)
        name = now.intent.name if now.intent else now.name
        claims = [items.put_name(self._table, name, now.key)]
        place = limit is not None and not self._has_place(now)
        if place:
            claims += self._take_place(now, limit or 0)
        actions = [items.put_state(self._table, was.rev, now), *claims, *self._reference_changes(was, now)]
        reasons = self._try_transact(actions)
        if reasons is None:
            return now
        if reasons[0]:
            raise ConcurrentUpdateError
        if reasons[1]:
            raise AutopilotError(causes.NAME_CONFLICT, f"the name {name!r} belongs to another registry of ours")
        if place and any(reasons[2:4]):
            raise AutopilotError(
                causes.TOO_MANY_REGISTRIES,
                f"definition {now.definition_id}: a further registry {name!r} would exceed max_registries: {limit}",
                subject=f"definition:{now.definition_id}",
            )
        raise ConcurrentUpdateError

    def name_owner(self, name: str) -> str | None:
        """Key of the identity that claimed a name."""
        item = self._get({"pk": s(f"NAME#{name}"), "sk": s("NAME")})
        return str(item["owner"]["S"]) if item else None

    def incident(self, incident_id: str) -> Incident | None:
        """An incident by its id, read consistently."""
        return items.read_doc(Incident, self._get(items.incident_key(incident_id)))

    def system(self, subject: str) -> SystemState:
        """State of a shared subject."""
        found = items.read_doc(SystemState, self._get(items.system_key(subject)))
        return found or SystemState(subject=subject)

    def systems(self) -> list[SystemState]:
        """Every shared subject that was ever told."""
        return [
            SystemState.model_validate_json(item["doc"]["S"])
            for item in self._query(
                KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": s("SYS")}, ConsistentRead=True
            )
        ]

    def commit_system(self, was: SystemState, now: SystemState, incident: Incident | None) -> None:
        """Write a shared subject and its incident in one transaction."""
        now = now.with_(rev=was.rev + 1)
        item = items.system_key(now.subject) | {"doc": items.doc(now), "rev": n(now.rev)}
        condition: Item = {"ConditionExpression": "attribute_not_exists(pk)"}
        if was.rev:
            condition = {"ConditionExpression": "rev = :was", "ExpressionAttributeValues": {":was": n(was.rev)}}
        actions = [{"Put": {"TableName": self._table, "Item": item} | condition}]
        if incident is not None:
            actions.append(items.put_incident(self._table, incident))
        self._transact(actions)

    def known_uids(self, uids: Sequence[str]) -> dict[str, KnownUid]:
        """Which registries of VerteX were looked into before."""
        found = (items.read_doc(KnownUid, self._get({"pk": s(f"UID#{uid}"), "sk": s("UID")})) for uid in uids)
        return {known.uid: known for known in found if known is not None}

    def remember_uids(self, known: Sequence[KnownUid]) -> None:
        """Keep what a typed GET showed."""
        for one in known:
            self._client.put_item(**items.put_known(self._table, one)["Put"])

    def due(self, now: float, limit: int) -> tuple[list[RegistryState], list[str]]:
        """Registries that are due, and ids of incidents whose announcement is overdue: one query."""
        found = self._query(
            limit=limit,
            IndexName="due-index",
            KeyConditionExpression="due_shard = :shard AND due_at <= :now",
            ExpressionAttributeValues={":shard": s(items.DUE_SHARD), ":now": n(now)},
        )
        kinds = [item["pk"]["S"].partition("#")[::2] for item in found]
        states = [state for kind, key in kinds if kind == "REG" and (state := self.registry(key))]
        return states, [key for kind, key in kinds if kind == "INC"]

    def announced(self, incident_id: str) -> int:
        """Up to which change every channel has told an incident."""
        item = self._get(items.incident_key(incident_id)) or {}
        return int(item["announced"]["N"]) if "announced" in item else 0

    def commit_incident(self, incident: Incident) -> None:
        """Write a further change of an incident; see `Ledger.commit_incident`."""
        self._transact([items.put_incident(self._table, incident)])

    def touch_incident(self, incident_id: str, now: float) -> None:
        """Prompt notify again through the stream, and once more later if that is lost too."""
        self._client.update_item(
            TableName=self._table,
            Key=items.incident_key(incident_id),
            UpdateExpression="SET due_at = :at, prompted_at = :now",
            ConditionExpression="attribute_exists(due_at)",
            ExpressionAttributeValues={":at": n(now + items.ANNOUNCE_WITHIN_SECONDS), ":now": n(now)},
        )

    def referring(self, reference: str) -> list[RegistryState]:
        """Registries that refer to a secret or definition, or are blocked by a subject."""
        found = self._query(
            IndexName="reference-index",
            KeyConditionExpression="#ref = :ref",
            ExpressionAttributeNames={"#ref": "ref"},
            ExpressionAttributeValues={":ref": s(reference)},
        )
        keys = [item["pk"]["S"].removeprefix("REG#") for item in found]
        return [state for key in keys if (state := self.registry(key))]

    def registries(self) -> list[RegistryState]:
        """Every registry that was ever handled: one query for the keys, then a hundred states at a time."""
        found = self._query(
            IndexName="reference-index",
            KeyConditionExpression="#ref = :ref",
            ExpressionAttributeNames={"#ref": "ref"},
            ExpressionAttributeValues={":ref": s(items.ALL)},
        )
        keys = [item["pk"] for item in found]
        return [state for start in range(0, len(keys), _GET) for state in self._states(keys[start : start + _GET])]

    def history(self, key: str, limit: int) -> list[HistoryEntry]:
        """What happened to a registry: the newest `limit` entries, in the order of time."""
        found = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": s(f"REG#{key}"), ":sk": s("HIST#")},
            ScanIndexForward=False,
            Limit=limit,
        )["Items"]
        return [HistoryEntry.model_validate_json(item["doc"]["S"]) for item in reversed(found)]

    def quarantined(self) -> int:
        """How many events lie in the quarantine."""
        return len(self._query(KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": s("QUARANTINE")}))

    def sweep_state(self) -> SweepState:
        """How the last sweeps went."""
        return items.read_doc(SweepState, self._get(items.SWEEP_KEY)) or SweepState()

    def commit_sweep(self, was: SweepState, now: SweepState) -> SweepState:
        """Write how a sweep goes; see `Ledger.commit_sweep`."""
        now = now.model_copy(update={"rev": was.rev + 1})
        item = items.SWEEP_KEY | {"doc": items.doc(now), "rev": n(now.rev)}
        self._transact([{"Put": {"TableName": self._table, "Item": item} | items.unless_changed(was.rev)}])
        return now

    def _states(self, keys: Sequence[Item]) -> list[RegistryState]:
        wanted: dict[str, Any] = {self._table: {"Keys": [{"pk": key, "sk": s("STATE")} for key in keys]}}
        states: list[RegistryState] = []
        while wanted:
            answer = self._client.batch_get_item(RequestItems=wanted)
            documents = [items.read_doc(RegistryState, item) for item in answer["Responses"].get(self._table, [])]
            states += [state for state in documents if state is not None]
            wanted = dict(answer.get("UnprocessedKeys", {}))
        return states

    def claim_sync_start(self, now: float, per_minute: int) -> bool:
        """Take one of this minute's sync starts."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": s(f"SYNCS#{int(now // 60)}"), "sk": s("COUNT")},
                UpdateExpression="ADD taken :one SET expires_at = :expiry",
                ConditionExpression="attribute_not_exists(taken) OR taken < :limit",
                ExpressionAttributeValues={":one": n(1), ":limit": n(per_minute), ":expiry": n(int(now) + 3600)},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def quarantine(self, event_id: str, reason: str, body: str, now: float) -> None:
        """Keep an event that could not be read, redacted and cut."""
        item = {
            "pk": s("QUARANTINE"),
            "sk": s(event_id[:256] or "unknown"),
            "reason": s(redact(reason)),
            "body": s(redact(body[:_MAX_BODY])),
            "expires_at": n(int(now) + _QUARANTINE_DAYS * 86_400),
        }
        self._client.put_item(TableName=self._table, Item=item)

    def _has_place(self, state: RegistryState) -> bool:
        return self._get({"pk": s(f"FAMILY#{state.definition_id}"), "sk": s(state.key)}) is not None

    def _take_place(self, state: RegistryState, limit: int) -> list[Item]:
        family = s(f"FAMILY#{state.definition_id}")
        member = {"pk": family, "sk": s(state.key)}
        return [
            {"Put": {"TableName": self._table, "Item": member, "ConditionExpression": "attribute_not_exists(pk)"}},
            {
                "Update": {
                    "TableName": self._table,
                    "Key": {"pk": family, "sk": s("COUNT")},
                    "UpdateExpression": "ADD members :one",
                    "ConditionExpression": "attribute_not_exists(members) OR members < :limit",
                    "ExpressionAttributeValues": {":one": n(1), ":limit": n(limit)},
                }
            },
        ]

    def _reference_changes(self, was: RegistryState, now: RegistryState) -> list[Item]:
        before, after = items.references(was) if was.rev else set(), items.references(now)
        added = [items.put_reference(self._table, now.key, ref) for ref in sorted(after - before)]
        return added + [items.delete_reference(self._table, now.key, ref) for ref in sorted(before - after)]

    def _get(self, key: Item) -> Item | None:
        return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")

    def _query(self, *, limit: int | None = None, **arguments: Any) -> list[Item]:
        found: list[Item] = []
        for page in self._client.get_paginator("query").paginate(TableName=self._table, **arguments):
            found += page["Items"]
            if limit is not None and len(found) >= limit:
                return found[:limit]
        return found

    def _transact(self, actions: list[Item]) -> None:
        if self._try_transact(actions) is not None:
            raise ConcurrentUpdateError

    def _try_transact(self, actions: list[Item]) -> list[bool] | None:
        """None when written; else, per action, whether its condition failed."""
        try:
            self._client.transact_write_items(TransactItems=actions)  # type: ignore[arg-type] # plain dicts
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            reasons = error.response.get("CancellationReasons", [])
            return [reason.get("Code") not in {None, "None"} for reason in reasons] or [True]
        return None
