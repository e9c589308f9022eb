"""`autopilot check`: definition files, with errors that name file, line, field, value and remedy."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from cli.errors import UsageError
from registry_autopilot.definitions import MAX_DOCUMENT_BYTES, Definition, explain

STANDARD_BYTES = 4096  # Parameter Store's standard tier; beyond, the advanced tier costs
_FIELD = re.compile(r"([a-z_]+(?:\.[a-z_0-9]+)*):")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or worth knowing (`is_error` false)."""

    file: str
    line: int
    definition: str | None
    message: str
    is_error: bool = True

    @property
    def text(self) -> str:
        """As people read it."""
        about = f"{self.definition}: " if self.definition else ""
        return f"{self.file}:{self.line}: {'' if self.is_error else 'note: '}{about}{self.message}"


@dataclass(frozen=True, slots=True)
class Checked:
    """A definition that can be used, and where it stands."""

    file: str
    line: int
    definition: Definition
    document: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The parameter's value: one JSON document, without `id`."""
        return json.dumps({key: value for key, value in self.document.items() if key != "id"}, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Findings:
    """What the files hold."""

    usable: tuple[Checked, ...]
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> list[Problem]:
        """What keeps the files from being used."""
        return [problem for problem in self.problems if problem.is_error]


def check(files: Sequence[Path]) -> Findings:
    """Read and check every file, each definition by itself and all of them together.

    Raises:
        UsageError: a file cannot be read as text.
    """
    usable: list[Checked] = []
    problems: list[Problem] = []
    for file in files:
        for found in _read(file):
            (usable if isinstance(found, Checked) else problems).append(found)  # type: ignore[arg-type] # by its type
    problems += _between(usable)
    problems += [problem for one in usable for problem in _size(one)]
    return Findings(tuple(usable), tuple(sorted(problems, key=lambda problem: (problem.file, problem.line))))


def document(findings: Findings) -> dict[str, Any]:
    """As a program reads it."""
    return {
        "definitions": [{"id": one.definition.id, "file": one.file, "line": one.line} for one in findings.usable],
        "problems": [
            {
                "file": problem.file,
                "line": problem.line,
                "definition": problem.definition,
                "severity": "error" if problem.is_error else "note",
                "message": problem.message,
            }
            for problem in findings.problems
        ],
        "ok": not findings.errors,
    }


def _read(file: Path) -> Iterator[Checked | Problem]:
    name = str(file)
    try:
        text = file.read_text()
        root = yaml.compose(text)
        content = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{name}: cannot be read as text ({type(error).__name__}); check the path") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        yield Problem(name, mark.line + 1 if mark else 1, None, "is neither YAML nor JSON")
        return
    listed, node = (
        (content.get("registries"), _child(root, "registries")) if isinstance(content, Mapping) else (content, root)
    )
    if not isinstance(listed, list) or not isinstance(node, yaml.SequenceNode):
        yield Problem(name, 1, None, "registries: must be a list of definitions; see docs/definitions.md")
        return
    for one, place in zip(listed, node.value, strict=True):
        yield from _definition(name, one, place)


def _definition(file: str, content: object, node: yaml.Node) -> Iterator[Checked | Problem]:
    line = node.start_mark.line + 1
    if not isinstance(content, Mapping):
        yield Problem(file, line, None, "must be one mapping with the keys of docs/definitions.md")
        return
    name = content.get("id") if isinstance(content.get("id"), str) else None
    try:
        definition = Definition.model_validate(dict(content))
    except ValidationError as error:
        for words in explain(error):
            yield Problem(file, _line_of(words, node), name, words)
        return
    yield Checked(file, line, definition, content)


def _line_of(words: str, node: yaml.Node) -> int:
    """Line of the field that an explanation begins with; of the definition where it names none that is there."""
    found, line = _FIELD.match(words), node.start_mark.line + 1
    here: yaml.Node | None = node
    for part in found[1].split(".") if found else []:
        key = _key(here, part)
        here = _child(here, part)
        line = key.start_mark.line + 1 if key is not None else line
    return line


def _key(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((name for name, _ in pairs if name.value == key), None)


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode):
        return node.value[int(key)] if key.isdigit() and int(key) < len(node.value) else None
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _between(usable: Iterable[Checked]) -> Iterator[Problem]:
    """What two definitions do to each other."""
    for one, other in combinations(usable, 2):
        first, second = one.definition, other.definition
        where = f"{one.file}:{one.line}"
        if first.id == second.id:
            yield _problem(other, f"id: {second.id!r}: is taken by {where}; give each definition its own")
        elif not first.is_family and not second.is_family and first.name == second.name:
            yield _problem(other, f"name: {second.name!r}: is the name of {first.id} ({where}), too; names are unique")
        elif _lead_to_the_same(first, second):
            yield _problem(other, f"match: leads to the same registry as {first.id} ({where}); narrow one of them")


def _lead_to_the_same(one: Definition, other: Definition) -> bool:
    """Whether two definitions tie for a registry, as far as their documents show."""
    same = (one.type, one.provider, one.base_content_path, one.endpoint) == (
        other.type,
        other.provider,
        other.base_content_path,
        other.endpoint,
    )
    globs = set(one.match.repositories) == set(other.match.repositories)
    return (
        same
        and globs
        and _overlap(one.match.accounts, other.match.accounts)
        and _overlap(one.match.regions, other.match.regions)
    )


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return one == other or bool(set(one) & set(other))


def _size(one: Checked) -> Iterator[Problem]:
    size = len(one.text.encode())
    if size > MAX_DOCUMENT_BYTES:
        words = f"has {size} bytes; a parameter holds {MAX_DOCUMENT_BYTES} at most. Keep the CA in a secret"
        yield _problem(one, words)
    elif size > STANDARD_BYTES:
        words = f"has {size} bytes, more than {STANDARD_BYTES}: it needs Parameter Store's advanced tier, which costs"
        yield Problem(one.file, one.line, one.definition.id, words, is_error=False)


def _problem(one: Checked, message: str) -> Problem:
    return Problem(one.file, one.line, one.definition.id, message)
