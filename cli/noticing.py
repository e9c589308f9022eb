"""`autopilot test-notice`: one notice through every channel."""

from typing import Any

from cli.stacks import Target
from sandbox.stack import Sandbox

ORDER = {"action": "test-notice"}


def try_channels(target: Target) -> dict[str, Any]:
    """Through a stack's channels; says how each took it."""
    return target.invoke("NotifyAdminsFunction", ORDER)


def try_channels_in(sandbox: Sandbox) -> dict[str, Any]:
    """Through a throw-away sandbox's channels."""
    outcome = sandbox.runner.invoke("NotifyAdminsFunction", ORDER)
    return dict(outcome.result or {"channels": []})
