"""How the ledger's records lie in DynamoDB: one table, one JSON document per item, a few attributes beside it.

    pk                  sk                    what
    REG#<identity>      STATE                 state of a registry (rev; due_shard/due_at while due)
    REG#<identity>      HIST#<time>#<rev>     one entry of its history
    REG#<identity>      REF#<reference>       the registry refers to a secret or definition, or is blocked (ref)
    NAME#<name>         NAME                  which identity claimed the name
    FAMILY#<id>         COUNT | <identity>    how many registries a family has, and which
    UID#<uid>           UID                   identity of a registry in VerteX that was looked into
    INC#<id>            INC                   an incident (told_<channel>, announced; due_shard/due_at until announced,
                                              then until its reminder)
    SYS                 <subject>             state of a shared subject
    LOGIN               STATE                 login attempts
    SWEEP               STATE                 when sweeps ran, and what they found
    SYNCS#<minute>      COUNT                 sync starts of a minute (expires)
    QUARANTINE          <event id>            an event that could not be read (expires)

Index `due-index` (due_shard, due_at) and `reference-index` (ref, pk) are sparse: only items with these attributes.
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from registry_autopilot.incidents import Incident
from registry_autopilot.records import HistoryEntry, KnownUid, RegistryState

DUE_SHARD = "due"
ALL = "registries"  # what every registry refers to, so that all are found without a scan
ANNOUNCE_WITHIN_SECONDS = 120  # an incident not announced by then is announced by the tick
Item = dict[str, Any]


def s(value: str) -> dict[str, str]:
    """A string attribute."""
    return {"S": value}


def n(value: float) -> dict[str, str]:
    """A number attribute."""
    return {"N": repr(value) if isinstance(value, float) else str(value)}


def doc(record: BaseModel) -> dict[str, str]:
    """The document attribute."""
    return s(record.model_dump_json(exclude_defaults=True))


def read_doc[T: BaseModel](model: type[T], item: Mapping[str, Any] | None) -> T | None:
    """The document of an item as it was read."""
    return model.model_validate(json.loads(item["doc"]["S"])) if item else None


SWEEP_KEY: Item = {"pk": s("SWEEP"), "sk": s("STATE")}


def state_key(key: str) -> Item:
    """Where a registry's state lies."""
    return {"pk": s(f"REG#{key}"), "sk": s("STATE")}


def incident_key(incident_id: str) -> Item:
    """Where an incident lies."""
    return {"pk": s(f"INC#{incident_id}"), "sk": s("INC")}


def system_key(subject: str) -> Item:
    """Where the state of a shared subject lies."""
    return {"pk": s("SYS"), "sk": s(subject)}


def put_state(table: str, was_rev: int, now: RegistryState) -> Item:
    """Write a state, if nobody wrote it since revision `was_rev`."""
    item = state_key(now.key) | {"doc": doc(now), "rev": n(now.rev)}
    if now.due_at is not None:
        item |= {"due_shard": s(DUE_SHARD), "due_at": n(now.due_at)}
    return {"Put": {"TableName": table, "Item": item} | unless_changed(was_rev)}


def put_history(table: str, entry: HistoryEntry, rev: int) -> Item:
    """Add a history entry; time and revision keep entries in order."""
    key = {"pk": s(f"REG#{entry.key}"), "sk": s(f"HIST#{entry.at:017.3f}#{rev:08d}")}
    return {"Put": {"TableName": table, "Item": key | {"doc": doc(entry)}}}


def put_incident(table: str, incident: Incident) -> Item:
    """Write an incident's thread, leaving the channels' marks alone; due until every channel has told it."""
    last = incident.changes[-1]
    values = {":doc": doc(incident), ":seq": n(incident.seq), ":before": n(incident.seq - 1)}
    values |= {":shard": s(DUE_SHARD), ":at": n(last.at + ANNOUNCE_WITHIN_SECONDS)}
    return {
        "Update": {
            "TableName": table,
            "Key": incident_key(incident.id),
            "UpdateExpression": "SET doc = :doc, seq = :seq, due_shard = :shard, due_at = :at",
            "ConditionExpression": "attribute_not_exists(seq) OR seq = :before",
            "ExpressionAttributeValues": values,
        }
    }


def put_reference(table: str, key: str, reference: str) -> Item:
    """The registry refers to `secret#…`, `definition#…`, or is blocked by `blocked#…`."""
    item = {"pk": s(f"REG#{key}"), "sk": s(f"REF#{reference}"), "ref": s(reference)}
    return {"Put": {"TableName": table, "Item": item}}


def delete_reference(table: str, key: str, reference: str) -> Item:
    """The registry refers to it no more."""
    return {"Delete": {"TableName": table, "Key": {"pk": s(f"REG#{key}"), "sk": s(f"REF#{reference}")}}}


def put_known(table: str, known: KnownUid) -> Item:
    """Remember what a registry of VerteX is."""
    return {"Put": {"TableName": table, "Item": {"pk": s(f"UID#{known.uid}"), "sk": s("UID"), "doc": doc(known)}}}


def put_name(table: str, name: str, key: str, previous: str | None = None) -> Item:
    """Claim a name for an identity; it may be taken over from `previous`."""
    values = {":own": s(key), ":previous": s(previous or key)}
    return {
        "Put": {
            "TableName": table,
            "Item": {"pk": s(f"NAME#{name}"), "sk": s("NAME"), "owner": s(key)},
            "ConditionExpression": "attribute_not_exists(pk) OR #owner IN (:own, :previous)",
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": values,
        }
    }


def references(state: RegistryState) -> set[str]:
    """Everything by which a registry is found again."""
    from registry_autopilot.secret_names import reference_names

    found = {ALL} | {f"secret#{reference_names(secret)[0]}" for secret in state.secret_ids}
    found |= {f"secret#{reference_names(secret.arn)[0]}" for secret in state.secrets}
    if state.definition_id:
        found.add(f"definition#{state.definition_id}")
    if state.blocked_by:
        found.add(f"blocked#{state.blocked_by}")
    return found


def unless_changed(was_rev: int) -> Item:
    """The condition that nobody wrote the item since revision `was_rev`; 0: that it is not there."""
    if was_rev == 0:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {"ConditionExpression": "rev = :was", "ExpressionAttributeValues": {":was": n(was_rev)}}
