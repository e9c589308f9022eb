"""Plays every scene on one throw-away sandbox."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cli.demo.scenes import SCENES, Scene
from cli.demo.stage import Stage
from cli.loading import load_definitions, parsed_definitions
from cli.page import page
from cli.replay import report
from cli.rules import matching_rules
from sandbox.stack import DEFINITIONS, Sandbox

_SHOWN_ONLY = {"story", "seconds"}
type Narrator = Callable[[dict[str, Any]], None]


def run(narrate: Narrator, scenes: Sequence[Scene] = SCENES, page_file: Path | None = None) -> dict[str, Any]:
    """Play the scenes and narrate each one as it ends; `page_file` is left with what admins were told.

    Returns:
        The document of `replay` for all events of the story, and `scenes`.
    """
    with Sandbox(DEFINITIONS, parameters={"VertexRequestsPerSecond": "10"}) as sandbox:
        stage = Stage(sandbox)
        played = [_play(stage, scene, narrate) for scene in scenes]
        matched = [matching_rules(event.envelope) for event in stage.events]
        definitions = parsed_definitions(load_definitions(DEFINITIONS))
        document = report(sandbox, stage.events, matched, definitions, stage.journal)
        if page_file is not None:
            told = page(sandbox.slack.messages, sandbox.notices(), list(stage.ledger().incidents.values()))
            page_file.write_text(told)
    return document | {"scenes": played}


def _play(stage: Stage, scene: Scene, narrate: Narrator) -> dict[str, Any]:
    stage.begin((scene.__doc__ or scene.__name__).strip())
    scene(stage)
    told = stage.end()
    narrate(told)
    return {key: value for key, value in told.items() if key not in _SHOWN_ONLY}
