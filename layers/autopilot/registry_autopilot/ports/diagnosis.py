"""A look at a registry from our own side, as converge asks for it."""

from collections.abc import Sequence
from typing import Protocol

from registry_autopilot.diagnosis import Target


class Diagnosis(Protocol):
    """Looks at a registry from where the function runs, anonymously and for a few seconds at most."""

    def look(self, target: Target) -> Sequence[str]:
        """What was seen, in words for a notice. Never raises: what cannot be looked at is said to be so."""
        ...
