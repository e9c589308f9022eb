"""`autopilot check`: one invalid file per rule; each says what it expects, and at which line."""

import json
import re
from pathlib import Path

import pytest

from cli.checking import STANDARD_BYTES, check, document
from cli.errors import UsageError

FILES = Path(__file__).resolve().parents[1] / "fixtures" / "definitions" / "invalid"
_EXPECT = re.compile(r"# expect: (\d+): (.+)")


@pytest.mark.parametrize("file", sorted(FILES.glob("*.yaml")), ids=lambda file: file.stem)
def test_error_names_line_and_field_when_a_definition_is_invalid(file: Path) -> None:
    """The first line of each file says which error, and where."""
    line, words = _EXPECT.fullmatch(file.read_text().splitlines()[0]).groups()  # type: ignore[union-attr] # each has one
    found = [(problem.line, problem.message) for problem in check([file]).errors]
    assert any(at == int(line) and message.startswith(words) for at, message in found), found


def test_every_file_is_usable_when_nothing_is_wrong(tmp_path: Path) -> None:
    """Two files together, YAML and JSON."""
    one, other = tmp_path / "a.yaml", tmp_path / "b.json"
    one.write_text("registries:\n  - {id: a, name: a, base_content_path: a}\n")
    other.write_text(json.dumps({"registries": [{"id": "b", "name": "b", "base_content_path": "b"}]}))
    findings = check([one, other])
    assert findings.problems == ()
    assert [d["id"] for d in document(findings)["definitions"]] == ["a", "b"]
    assert document(findings)["ok"] is True


def test_ids_are_compared_over_all_files(tmp_path: Path) -> None:
    """They share one path in Parameter Store."""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(f"registries:\n  - {{id: same, name: {name}, base_content_path: {name[0]}}}\n")
    (problem,) = check([tmp_path / "a.yaml", tmp_path / "b.yaml"]).errors
    assert problem.message.startswith("id: 'same': is taken by")


@pytest.mark.parametrize(("size", "is_error"), [(5000, False), (9000, True)])
def test_size_is_that_of_parameter_store(tmp_path: Path, size: int, is_error: bool) -> None:
    """Beyond 4096 bytes the advanced tier costs; beyond 8192 there is none."""
    pem = "-----BEGIN CERTIFICATE-----\n" + "A" * size
    definition = {"id": "big", "name": "big", "type": "basic", "provider": "helm", "endpoint": "https://h.example"}
    file = tmp_path / "big.json"
    file.write_text(json.dumps({"registries": [definition | {"base_content_path": "x", "tls": {"ca": pem}}]}))
    (problem,) = check([file]).problems
    assert problem.is_error is is_error
    assert str(STANDARD_BYTES) in problem.message or "8192" in problem.message


def test_values_of_credentials_are_not_shown(tmp_path: Path) -> None:
    """People paste secrets into the wrong place."""
    file = tmp_path / "pasted.yaml"
    pasted = "hunter2-" + "x" * 10
    file.write_text(f"registries:\n  - {{id: a, name: a, base_content_path: a, credentials: {{kind: {pasted}}}}}\n")
    assert pasted not in json.dumps(document(check([file])))


def test_file_that_cannot_be_read_is_bad_usage(tmp_path: Path) -> None:
    """The path is named."""
    with pytest.raises(UsageError, match=r"absent\.yaml"):
        check([tmp_path / "absent.yaml"])
