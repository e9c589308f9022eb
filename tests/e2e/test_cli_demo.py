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

SCENE_KEYS = frozenset({"name", "ok", "registries", "vertex_requests", "notices"})


def test_every_scene_holds_what_it_claims_when_the_story_is_told() -> None:
    """The whole story, told once: 500 repositories under one registry, and nothing in a dead-letter queue."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["demo", "--json"])
    assert code == 0, err.getvalue()
    document: dict[str, Any] = json.loads(out.getvalue())
    assert [scene["ok"] for scene in document["scenes"]] == [True] * len(SCENES)
    assert {frozenset(scene) for scene in document["scenes"]} == {SCENE_KEYS}
    team = [event for event in document["events"] if event["registries"] == ["ecr-123456789012-us-east-1-team-a"]]
    assert len(team) >= 500
    assert document["dead_letters"] == 0
    requests = [request for scene in document["scenes"] for request in scene["vertex_requests"]]
    assert requests == document["vertex_requests"]


def test_the_command_fails_when_a_scene_claims_what_is_not_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo cannot succeed by talking; what did hold is still told."""

    def a_false_claim(stage: Stage) -> None:
        """A claim that is wrong."""
        stage.claim("VerteX has a registry that nobody asked for", stage.registry("no-such-registry"))

    play: Callable[..., dict[str, Any]] = demo.run
    scenes = (a_repository_appears, a_false_claim)
    monkeypatch.setattr(demo, "run", lambda narrate, **options: play(narrate, scenes, **options))
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
