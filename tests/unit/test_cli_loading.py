"""What people hand in is read, or refused with file, place and remedy, and never with a secret."""

import json
from pathlib import Path

import pytest

from cli.errors import UsageError
from cli.loading import load_definitions, load_events, load_login, load_secrets

RECORD = {
    "eventSource": "ecr.amazonaws.com",
    "eventName": "CreateRepository",
    "eventType": "AwsApiCall",
    "eventID": "one",
    "awsRegion": "us-east-1",
    "recipientAccountId": "123456789012",
}
ENVELOPE = {"source": "aws.ecr", "detail-type": "ECR Image Action", "detail": {}}
CANARY = "canary-that-must-not-show"


def written(folder: Path, content: object, name: str = "given.json") -> Path:
    """A file with this content: a text as it is, anything else as JSON."""
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


@pytest.mark.parametrize(
    ("content", "types"),
    [
        (ENVELOPE, ["ECR Image Action"]),
        (RECORD, ["AWS API Call via CloudTrail"]),
        ([ENVELOPE, RECORD], ["ECR Image Action", "AWS API Call via CloudTrail"]),
        ({"Records": [RECORD, RECORD]}, ["AWS API Call via CloudTrail"] * 2),
        ([], []),
    ],
)
def test_each_event_gets_its_envelope_when_a_file_of_any_form_is_read(
    tmp_path: Path, content: object, types: list[str]
) -> None:
    """Envelopes, bare records, lists and CloudTrail log files are all taken."""
    file = written(tmp_path, content)
    events = load_events([file])
    assert [event.envelope["detail-type"] for event in events] == types
    assert {event.file for event in events} <= {str(file)}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{nonsense", ["given.json", "line 1, column 2", "not JSON"]),
        ("[1]", ["given.json", "[0]", "a number", "one JSON object"]),
        ({"Records": [RECORD, "x"]}, ["given.json", "Records[1]", "text"]),
        ({"Records": "x"}, ["given.json", "Records", "a list"]),
        ("[" * 100_000, ["given.json", "nested"]),
        ("null", ["given.json", "null"]),
    ],
)
def test_the_error_names_file_and_place_when_an_event_file_is_broken(
    tmp_path: Path, content: object, words: list[str]
) -> None:
    """A person finds the spot without opening the code."""
    with pytest.raises(UsageError) as caught:
        load_events([written(tmp_path, content)])
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("load", [load_events, load_definitions, load_secrets, load_login])
def test_the_error_names_the_path_when_a_file_is_missing(tmp_path: Path, load: object) -> None:
    """Every kind of file is refused the same way."""
    missing = tmp_path / "missing.json"
    with pytest.raises(UsageError, match=r"missing\.json: cannot be read"):
        load([missing] if load is load_events else missing)  # type: ignore[operator] # one of four loaders


def test_the_error_says_so_when_an_event_file_is_not_text(tmp_path: Path) -> None:
    """A compressed log file is not JSON yet."""
    file = tmp_path / "log.json.gz"
    file.write_bytes(b"\x1f\x8b\x08\xff")
    with pytest.raises(UsageError, match="cannot be read as text"):
        load_events([file])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("registries: {}", ["registries", "a list"]),
        ("just words", ["registries", "a list"]),
        ("registries: [{name: x}]", ["registries[0].id", "missing"]),
        ("registries: [{id: a, name: x, matches: 1}]", ["registries[0]", "matches", "unknown key"]),
        (
            "registries: [{id: a, name: x, provider: zarf, match: {repositories: ['*']}}]",
            ["registries[0]", "zarf goes with type basic only"],
        ),
        (
            "registries:\n- &one {id: a, name: x, match: {repositories: ['*']}}\n- *one\n",
            ["id", "a", "twice"],
        ),
        ("registries: [", ["line 1", "neither YAML nor JSON"]),
    ],
)
def test_the_error_names_the_field_when_a_definitions_file_is_broken(
    tmp_path: Path, content: str, words: list[str]
) -> None:
    """Each rule that is broken is said with its place."""
    with pytest.raises(UsageError) as caught:
        load_definitions(written(tmp_path, content, "definitions.yaml"))
    assert all(word in str(caught.value) for word in ["definitions.yaml", *words])


def test_definitions_are_read_when_the_file_holds_a_bare_list(tmp_path: Path) -> None:
    """The key `registries` may be left out."""
    document = {"id": "packs", "name": "{base}", "match": {"repositories": ["team-*"]}}
    assert load_definitions(written(tmp_path, [document])) == [document]


def test_secrets_are_read_when_they_are_texts_or_mappings(tmp_path: Path) -> None:
    """A mapping is what Secrets Manager would hold as JSON."""
    file = written(tmp_path, "vertex/harbor: {username: u, password: p}\nvertex/token: abc\n", "secrets.yaml")
    assert load_secrets(file) == {"vertex/harbor": {"username": "u", "password": "p"}, "vertex/token": "abc"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"[{CANARY}]", ["mapping of secret names"]),
        (f"vertex/one: [{CANARY}]", ["vertex/one", "a text or a mapping"]),
        ("vertex/one: 12345678", ["vertex/one", "quote a number"]),
        ("vertex/one: ''", ["vertex/one", "not empty"]),
        (f"vertex/one: {{since: 2026-01-01, password: {CANARY}}}", ["vertex/one", "quote it"]),
        (f"'arn:aws:secretsmanager:us-east-1:123456789012:secret:x': {CANARY}", ["no name of a secret"]),
        (f"sandbox/vertex-admin: {CANARY}", ["sandbox/vertex-admin", "the sandbox's own"]),
        (f"vertex/one: '{CANARY}", ["neither YAML nor JSON"]),
    ],
)
def test_no_value_is_shown_when_a_secrets_file_is_broken(tmp_path: Path, content: str, words: list[str]) -> None:
    """The error names file, secret and remedy; what is in the secret stays there."""
    with pytest.raises(UsageError) as caught:
        load_secrets(written(tmp_path, content, "secrets.yaml"))
    assert all(word in str(caught.value) for word in ["secrets.yaml", *words])
    assert CANARY not in str(caught.value)


def test_a_login_is_read_when_both_parts_are_there(tmp_path: Path) -> None:
    """JSON is YAML, too."""
    assert load_login(written(tmp_path, {"username": "admin@example.gov", "password": "p"})) == (
        "admin@example.gov",
        "p",
    )


@pytest.mark.parametrize("content", [{"username": CANARY}, {"username": CANARY, "password": ""}, {"password": 1}, []])
def test_the_missing_part_is_named_when_a_login_file_lacks_it(tmp_path: Path, content: object) -> None:
    """What is there is not shown."""
    with pytest.raises(UsageError, match=r"(username|password)") as caught:
        load_login(written(tmp_path, content))
    assert CANARY not in str(caught.value)
