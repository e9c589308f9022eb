"""`autopilot test-notice`: one notice through every channel."""

from collections.abc import Iterable
from typing import Any

from cli.stacks import Target
from sandbox.stack import Sandbox

ORDER = {"action": "test-notice"}
FUNCTIONS = ("NotifyAdminsFunction", "NotifySlackFunction")  # one per channel


def try_channels(target: Target) -> dict[str, Any]:
    """Through a stack's channels; says how each took it."""
    return _together([target.invoke(name, ORDER) for name in FUNCTIONS if name in target.outputs])


def try_channels_in(sandbox: Sandbox) -> dict[str, Any]:
    """Through a throw-away sandbox's channels."""
    return _together([sandbox.runner.invoke(name, ORDER).result for name in FUNCTIONS])


def _together(answers: Iterable[dict[str, Any] | None]) -> dict[str, Any]:
    return {"channels": [channel for answer in answers for channel in (answer or {"channels": []})["channels"]]}
