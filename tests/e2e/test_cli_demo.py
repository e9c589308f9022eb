"""`autopilot demo`: every scene holds what it claims, and a scene that does not makes the command fail."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytest

from cli import demo, show
from cli.demo.scenes import SCENES, a_repository_appears
from cli.demo.stage import Stage
from cli.main import FAILED, main


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The whole story, told once."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["demo", "--json"])
    assert code == 0, err.getvalue()
    return dict(json.loads(out.getvalue()))


def test_every_scene_holds_what_it_claims_when_the_story_is_told(document: dict[str, Any]) -> None:
    """Eight scenes, from the first repository to observe."""
    assert [scene["ok"] for scene in document["scenes"]] == [True] * len(SCENES)
    assert {frozenset(scene) for scene in document["scenes"]} == {
        frozenset({"name", "ok", "registries", "vertex_requests", "notices"})
    }


def test_the_story_s_events_are_reported_when_it_is_over(document: dict[str, Any]) -> None:
    """The same document as replay's: 500 repositories and one registry for them, nothing in a dead-letter queue."""
    outcomes = [event["outcome"] for event in document["events"] if event["registries"] == [f"ecr-{PLACE}-team-a"]]
    assert len(outcomes) >= 500
    assert document["dead_letters"] == 0
    assert sum(len(scene["vertex_requests"]) for scene in document["scenes"]) == len(document["vertex_requests"])


PLACE = "123456789012-us-east-1"


def test_the_command_fails_when_a_scene_claims_what_is_not_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo cannot succeed by talking; what did hold is still told."""

    def a_false_claim(stage: Stage) -> None:
        """A claim that is wrong."""
        stage.claim("VerteX has a registry that nobody asked for", stage.registry("no-such-registry"))

    play: Callable[..., dict[str, Any]] = demo.run
    monkeypatch.setattr(demo, "run", lambda narrate: play(narrate, (a_repository_appears, a_false_claim)))
    assert main(["demo"]) == FAILED
    told = capsys.readouterr().out
    assert "NOT SO: VerteX has a registry that nobody asked for" in told
    assert "1 of 2 scenes" in told


def test_a_notice_is_boxed_only_when_somebody_looks() -> None:
    """In a file or a pipe there are words without frames."""
    notice = {"title": "Open", "body": "What happened", "state": "open", "severity": "error"}
    plain = io.StringIO()
    show.show_notice(show.Console(file=plain), notice)
    boxed = io.StringIO()
    show.show_notice(show.Console(file=boxed, force_terminal=True), notice)
    assert "─" not in plain.getvalue()
    assert "─" in boxed.getvalue()
