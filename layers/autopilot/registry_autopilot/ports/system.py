"""The system's own parts, as its checks ask for them."""

from collections.abc import Mapping
from typing import Protocol

from registry_autopilot.findings import SecretAge


class SystemView(Protocol):
    """Queues and secrets, seen from outside: no message and no value is read."""

    def dead_letters(self) -> Mapping[str, int]:
        """How many messages lie in each dead-letter queue, by the queue's role."""
        ...

    def secret_age(self, secret_id: str) -> SecretAge | None:
        """How old a secret is; None where it is gone, going, or may not be described."""
        ...
