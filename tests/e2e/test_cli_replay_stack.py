"""`replay --stack`: events that a stack never got, through its own rules, queue and functions; over HTTP alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli import replay_stack
from cli.main import main
from cli.stacks import STACK_VARIABLE
from sandbox.aws import Place, envelopes
from sandbox.stack import Sandbox

HERE = Place("123456789012", "us-east-1")
REPOSITORY = "team-lost/spectro-packs/archive/nginx"


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def stack(running: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a running stack, with the environment that leads to it; a look at its queues is quick."""
    for name, value in running.aws_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(replay_stack, "LOOK_SECONDS", 0.5)
    return running.aws_environment[STACK_VARIABLE]


def _file(folder: Path, *events: Any) -> str:
    file = folder / "events.json"
    file.write_text(json.dumps(list(events)))
    return str(file)


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any, str]:
    code = main(["replay", *arguments, "--json"])
    told = capsys.readouterr()
    return code, json.loads(told.out) if told.out else None, told.err


def test_lost_event_is_made_up_for(
    running: Sandbox, stack: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The repository is there, its event never came; one that matches no rule is not sent at all."""
    running.aws.client("ecr").create_repository(repositoryName=REPOSITORY)
    lost = envelopes.repository_created(HERE, REPOSITORY, {}, running.clock.now())
    file = _file(tmp_path, lost, lost["detail"], lost | {"source": "aws.s3"})
    assert main(["replay", file, "--stack", stack]) == 64
    assert "--yes: missing; 2 of 3 events" in capsys.readouterr().err
    assert running.ledger_items() == []
    code, document, _ = _run(capsys, file, "--stack", stack, "--yes")
    assert code == 0
    assert [row["outcome"] for row in document["events"]] == ["registered", "registered", "ignored"]
    assert [bool(row["matched"]) for row in document["events"]] == [True, True, False]
    assert [one["base_content_path"] for one in document["registries"]] == ["team-lost"]
    assert document["vertex_requests"] is None
    assert document["dead_letters"] == 0


def test_what_admins_were_told_is_in_the_report(
    running: Sandbox, stack: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An event that cannot be understood is quarantined, and both channels say so."""
    broken = envelopes.repository_created(HERE, "team-x/y", {}, running.clock.now())
    broken["detail"]["requestParameters"] = "nonsense"
    broken["detail"]["responseElements"] = {"repository": 7}
    code, document, _ = _run(capsys, _file(tmp_path, broken), "--stack", stack, "--yes")
    assert code == 0
    assert document["events"][0]["outcome"] == "quarantined"
    assert {(notice["channel"], notice["cause"]) for notice in document["notices"]} == {
        ("sns", "unrecognised-event"),
        ("slack", "unrecognised-event"),
    }


def test_event_that_eventbridge_would_not_deliver_is_not_sent(
    stack: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Too large, or without what every event has."""
    whole = envelopes.repository_created(HERE, "team-y/spectro-packs/archive/x", {}, 1_790_000_000.0)
    huge = whole | {"resources": ["x" * 300_000]}
    code, document, _ = _run(capsys, _file(tmp_path, huge, whole | {"id": None}), "--stack", stack, "--yes")
    assert code == 0
    assert [row["outcome"] for row in document["events"]] == ["ignored", "ignored"]


def test_sandbox_options_are_refused_with_a_stack(
    stack: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has its own."""
    code, _, err = _run(capsys, _file(tmp_path), "--stack", stack, "--vertex", "https://vertex.example.gov")
    assert code == 64
    assert "leave them out" in err
