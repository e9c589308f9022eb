"""Reads what people hand in: events, definitions, secrets, logins. Each error names file, place and remedy."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cli.errors import UsageError
from registry_autopilot.causes import AutopilotError
from registry_autopilot.definitions import Definition, parse_definition
from registry_autopilot.events import envelope_of


@dataclass(frozen=True, slots=True)
class LoadedEvent:
    """One event of a file, in the envelope in which EventBridge delivers it."""

    file: str
    envelope: Any


def load_events(files: Sequence[Path]) -> list[LoadedEvent]:
    """Envelopes, bare CloudTrail records, lists of either, or CloudTrail log files (`{"Records": […]}`).

    Raises:
        UsageError: a file cannot be read, or is not JSON.
    """
    events = []
    for file in files:
        document = _json(file)
        listed = document.get("Records", document) if isinstance(document, Mapping) else document
        entries = listed if isinstance(listed, list) else [listed]
        for index, entry in enumerate(entries):
            name = f"{file}#{index}" if len(entries) > 1 else str(file)
            events.append(LoadedEvent(name, envelope_of(entry)))
    return events


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
        raise UsageError(f"{file}: must be a mapping of secret names to values")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, str | Mapping):
            raise UsageError(f"{file}: {name}: must be a text or a mapping")
    return dict(content)


def load_login(file: Path) -> tuple[str, str]:
    """Username and password.

    Raises:
        UsageError: the file lacks one of them.
    """
    content = _yaml(file)
    found = content if isinstance(content, Mapping) else {}
    missing = [key for key in ("username", "password") if not isinstance(found.get(key), str)]
    if missing:
        raise UsageError(f"{file}: {', '.join(missing)}: missing; it needs username and password")
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
        raise UsageError(f"{file}: cannot be read ({type(error).__name__}); check the path") from None
