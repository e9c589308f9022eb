"""Reads what people hand in: events, definitions, secrets, logins. Each error names file, place and remedy."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cli.errors import UsageError
from registry_autopilot.causes import AutopilotError
from registry_autopilot.definitions import Definition, parse_definition
from registry_autopilot.event_envelope import kind_of
from registry_autopilot.events import envelope_of
from sandbox.aws.seeds import ADMIN_SECRET, SLACK_SECRET

_SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")  # Secrets Manager, CreateSecret

_OWN_SECRETS = {ADMIN_SECRET, SLACK_SECRET}


@dataclass(frozen=True, slots=True)
class LoadedEvent:
    """One event of a file, in the envelope in which EventBridge delivers it."""

    file: str
    envelope: Any


def load_events(files: Sequence[Path]) -> list[LoadedEvent]:
    """Envelopes, bare CloudTrail records, lists of either, or CloudTrail log files (`{"Records": […]}`).

    Raises:
        UsageError: a file cannot be read, is not JSON, or holds something that is no event.
    """
    return [event for file in files for event in _events_of(file)]


def _events_of(file: Path) -> Iterator[LoadedEvent]:
    document = _json(file)
    is_log = isinstance(document, Mapping) and "Records" in document and "detail-type" not in document
    entries = document["Records"] if is_log else document if isinstance(document, list) else None
    if entries is None:
        yield _event(str(file), document, "")
        return
    if not isinstance(entries, list):
        raise UsageError(f"{file}: Records: must be a list, as in a CloudTrail log file")
    for index, entry in enumerate(entries):
        yield _event(str(file), entry, f"{'Records' if is_log else ''}[{index}]: ")


def _event(file: str, entry: object, place: str) -> LoadedEvent:
    if not isinstance(entry, Mapping):
        raise UsageError(f"{file}: {place}is {kind_of(entry)}; an event is one JSON object")
    return LoadedEvent(file, envelope_of(entry))


def load_definitions(file: Path) -> list[dict[str, Any]]:
    """The documents of a definitions file, each one checked.

    Raises:
        UsageError: the file, or a definition in it, cannot be used.
    """
    content = _yaml(file)
    listed = content.get("registries") if isinstance(content, Mapping) else content
    if not isinstance(listed, list):
        raise UsageError(f"{file}: registries: must be a list of definitions; see docs/definitions.md")
    for index, document in enumerate(listed):
        _checked(file, index, document)
    ids = [document["id"] for document in listed]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise UsageError(f"{file}: id: {', '.join(twice)} is there twice; give each definition its own id")
    return listed


def parsed_definitions(documents: Sequence[Mapping[str, Any]]) -> list[Definition]:
    """The definitions of checked documents."""
    return [parse_definition(document, definition_id=document["id"]) for document in documents]


def load_secrets(file: Path) -> dict[str, Any]:
    """A mapping of secret names to values: texts, or mappings that are stored as JSON.

    Raises:
        UsageError: the file cannot be used; no value is shown.
    """
    content = _yaml(file)
    if not isinstance(content, Mapping):
        raise UsageError(f"{file}: is {kind_of(content)}; it must be a mapping of secret names to values")
    for name, value in content.items():
        if not isinstance(name, str) or not _SECRET_NAME.fullmatch(name):
            raise UsageError(f"{file}: {name!r}: is no name of a secret; use the part of its ARN after `:secret:`")
        if name in _OWN_SECRETS:
            raise UsageError(f"{file}: {name}: is the sandbox's own; choose another name")
        if not isinstance(value, str | Mapping) or not value:
            raise UsageError(f"{file}: {name}: must be a text or a mapping, and not empty; quote a number")
        _storable(file, name, value)
    return dict(content)


def _storable(file: Path, name: str, value: object) -> None:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        raise UsageError(f"{file}: {name}: holds a date or the like; quote it to make it a text") from None


def load_login(file: Path) -> tuple[str, str]:
    """Username and password.

    Raises:
        UsageError: the file lacks one of them.
    """
    content = _yaml(file)
    found = content if isinstance(content, Mapping) else {}
    missing = [key for key in ("username", "password") if not isinstance(found.get(key), str) or not found[key]]
    if missing:
        raise UsageError(f"{file}: {', '.join(missing)}: missing, or no text; give username and password, quoted")
    return str(found["username"]), str(found["password"])


def _checked(file: Path, index: int, document: object) -> None:
    if not isinstance(document, Mapping) or not isinstance(document.get("id"), str):
        raise UsageError(f"{file}: registries[{index}].id: missing; every definition in a file needs one")
    try:
        parse_definition(document, definition_id=document["id"])
    except AutopilotError as error:
        raise UsageError(f"{file}: registries[{index}]: {error.detail}") from None


def _json(file: Path) -> Any:
    try:
        return json.loads(_text(file))
    except RecursionError:
        raise UsageError(f"{file}: is nested too deeply for an event") from None
    except ValueError as error:
        place = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "its text"
        raise UsageError(f"{file}: {place}: is not JSON; an event is one JSON document") from None


def _yaml(file: Path) -> Any:
    try:
        return yaml.safe_load(_text(file))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "its text"
        raise UsageError(f"{file}: {place}: is neither YAML nor JSON") from None


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read as text ({type(error).__name__}); check the path") from None
