"""Measure: how long it took from an event to a registry, and how old the credentials are that are applied."""

from registry_autopilot.ports import Unit
from registry_autopilot.records import Outcome
from registry_autopilot.steps.attempt import Attempt

_WRITTEN = {Outcome.REGISTERED, Outcome.ADOPTED, Outcome.REFRESHED}
_OURS = {"Tick", "Swept"}  # what began with ourselves says nothing of how long an event took


def measure(attempt: Attempt, outcome: Outcome) -> None:
    """Note what a successful attempt shows."""
    metrics, now = attempt.world.metrics, attempt.world.clock()
    happened = [trigger.at for trigger in attempt.item.triggers if trigger.kind not in _OURS]
    if outcome is Outcome.REGISTERED and happened:
        metrics.observe("TimeToRegistered", max(0.0, now - min(happened)), Unit.SECONDS)
    created = attempt.wanted.credential_created_at if attempt.wanted else None
    if outcome in _WRITTEN and created is not None:
        metrics.observe("CredentialAge", max(0.0, now - created), Unit.SECONDS)
