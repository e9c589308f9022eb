"""`autopilot push`: writes checked definitions to Parameter Store. All is checked before the first write."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.checking import STANDARD_BYTES, Checked
from cli.stacks import Target


@dataclass(frozen=True, slots=True)
class Change:
    """What a push does to one parameter."""

    id: str
    action: str
    fields: tuple[str, ...]
    text: str


class PushError(Exception):
    """Raised when a write failed; says what was written before it."""


def changes(target: Target, definitions: Sequence[Checked]) -> tuple[list[Change], list[str]]:
    """What would change, and the parameters that no file names (they are left alone)."""
    existing = _existing(target)
    found = [_change(one, existing.get(one.definition.id)) for one in definitions]
    return found, sorted(existing.keys() - {one.id for one in found})


def push(target: Target, planned: Sequence[Change]) -> None:
    """Write what is new or changed.

    Raises:
        PushError: a write failed.
    """
    done: list[str] = []
    for change in planned:
        if change.action == "unchanged":
            continue
        try:
            target.client("ssm").put_parameter(
                Name=f"{target.outputs['DefinitionsPath']}/{change.id}",
                Value=change.text,
                Type="String",
                Tier="Advanced" if len(change.text.encode()) > STANDARD_BYTES else "Standard",
                Overwrite=True,
            )
        except (ClientError, BotoCoreError) as error:
            written = ", ".join(done) or "nothing"
            raise PushError(f"{change.id}: was not written ({error}); written before it: {written}") from None
        done.append(change.id)


def document(planned: Sequence[Change], unnamed: Sequence[str]) -> dict[str, Any]:
    """As a program reads it."""
    return {
        "definitions": [{"id": c.id, "action": c.action, "fields": list(c.fields)} for c in planned],
        "not_in_files": list(unnamed),
    }


def _existing(target: Target) -> dict[str, str]:
    pages = target.client("ssm").get_paginator("get_parameters_by_path")
    found = pages.paginate(Path=target.outputs["DefinitionsPath"], Recursive=False, WithDecryption=True)
    return {p["Name"].rpartition("/")[2]: p["Value"] for page in found for p in page["Parameters"]}


def _change(one: Checked, before: str | None) -> Change:
    if before is None:
        return Change(one.definition.id, "created", (), one.text)
    old, new = _fields(before), _fields(one.text)
    fields = tuple(sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key)))
    return Change(one.definition.id, "changed" if fields else "unchanged", fields, one.text)


def _fields(text: str) -> Mapping[str, Any]:
    """The document's fields without `id`, which is the parameter's name; nothing where it is no JSON."""
    try:
        content = json.loads(text)
    except ValueError:
        return {"": text}
    return {key: value for key, value in content.items() if key != "id"} if isinstance(content, Mapping) else {"": text}
