"""The command's exit codes and its two ways to speak: JSON for programs on stdout, words for people."""

import json
from pathlib import Path

import pytest

from cli.errors import UsageError
from cli.installation import Choice, checked_url, is_loopback, login_of
from cli.main import BAD_USAGE, FAILED, main

EVENTS = Path(__file__).parents[2] / "events"
COMMANDS = ["sandbox", "demo", "replay", "explain", "probe"]


@pytest.mark.parametrize("arguments", [[], ["replay"], ["explain", "--bogus"], ["nosuch"], ["probe", "extra"]])
def test_the_exit_code_is_64_when_the_command_line_is_wrong(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad usage is told apart from failure, and leaves stdout alone where a program may read it."""
    assert main(arguments) == BAD_USAGE
    if arguments:
        assert capsys.readouterr().out == ""


def test_the_exit_code_is_64_when_a_file_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The reason goes to stderr in one line."""
    file = tmp_path / "event.json"
    file.write_text("{")
    assert main(["explain", "--json", str(file)]) == BAD_USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert str(file) in told.err
    assert "not JSON" in told.err


def test_the_exit_code_is_1_when_something_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person gets a sentence instead of a trace."""

    def fail(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("cli.loading.load_events", fail)
    assert main(["explain", str(EVENTS / "image-push.json")]) == FAILED
    assert capsys.readouterr().err == "autopilot: RuntimeError: the disk is full\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_subcommand_explains_itself_when_asked(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` names the options; `--json` is among them everywhere."""
    assert main([command, "--help"]) == 0
    assert "--json" in capsys.readouterr().out


def test_stdout_holds_one_document_when_json_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """A program can read it as it is."""
    assert main(["explain", "--json", str(EVENTS / "image-push.json"), str(EVENTS / "image-scan.json")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [event["matched"] for event in document["events"]] == [["ImagePushedRule"], []]


def test_a_table_is_printed_when_a_person_asks(capsys: pytest.CaptureFixture[str]) -> None:
    """Without `--json` the same is said in words."""
    assert main(["explain", str(EVENTS / "image-push.json")]) == 0
    assert "ImagePushed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8080", True),
        ("https://127.8.9.1", True),
        ("http://localhost", True),
        ("http://[::1]:80", True),
        ("https://vertex.example.gov", False),
        ("http://127.0.0.1.example.gov", False),
        ("https://10.0.0.1", False),
    ],
)
def test_only_this_machine_counts_as_loopback_when_an_address_is_judged(url: str, *, expected: bool) -> None:
    """A name that merely begins like a loopback address is somebody else's."""
    assert is_loopback(url) is expected


@pytest.mark.parametrize(
    "url", ["vertex.example.gov", "http://vertex.example.gov", "ftp://127.0.0.1", "https://", "https://v.example?x=1"]
)
def test_an_address_is_refused_when_a_login_must_not_go_there(url: str) -> None:
    """A password never crosses a network in the clear."""
    with pytest.raises(UsageError, match="--vertex"):
        checked_url(url)


def test_userinfo_is_not_shown_when_an_address_carries_it() -> None:
    """A password in a URL is a password."""
    with pytest.raises(UsageError) as caught:
        checked_url("https://admin:hunter2@vertex.example.gov")
    assert "hunter2" not in str(caught.value)


def test_the_login_file_is_asked_for_when_there_is_nobody_to_prompt() -> None:
    """A pipeline gets an error instead of a hanging prompt."""
    with pytest.raises(UsageError, match="--vertex-login: missing"):
        login_of(None)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(), True),
        (Choice(vertex="http://127.0.0.1:1"), True),
        (Choice(vertex="https://vertex.example.gov", i_own_this_vertex=True), True),
        (Choice(vertex="https://vertex.example.gov"), False),
    ],
)
def test_a_remote_vertex_is_only_observed_when_nobody_owns_it(
    choice: Choice, capsys: pytest.CaptureFixture[str], *, expected: bool
) -> None:
    """Nothing is written to somebody's VerteX by accident, and the command says so."""
    assert choice.may_write is expected
    assert ("observe" in choice.caution) is not expected


def test_a_write_probe_is_refused_when_the_vertex_is_remote_and_not_owned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is sent, the login included."""
    login = tmp_path / "login.json"
    login.write_text(json.dumps({"username": "a", "password": "b"}))
    given = ["probe", "--vertex", "https://vertex.invalid", "--vertex-login", str(login), "--write"]
    assert main(given) == BAD_USAGE
    assert "--i-own-this-vertex" in capsys.readouterr().err
    assert main([*given, "--i-own-this-vertex"]) == BAD_USAGE
    assert "--endpoint" in capsys.readouterr().err


def test_a_ca_is_refused_when_the_file_holds_no_certificate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The option and the file are named."""
    file = tmp_path / "ca.pem"
    file.write_text("nothing")
    login = tmp_path / "login.json"
    login.write_text(json.dumps({"username": "a", "password": "b"}))
    given = ["probe", "--vertex", "https://vertex.invalid", "--vertex-login", str(login), "--ca", str(file)]
    assert main(given) == BAD_USAGE
    assert f"--ca: {file}" in capsys.readouterr().err
