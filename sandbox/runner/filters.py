"""Filter criteria of event source mappings, judged by moto's event patterns (the two share one language)."""

from collections.abc import Sequence
from typing import Any

from moto.events.models import EventPattern


class Filters:
    """A record passes if any of the patterns matches it; without patterns every record passes."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [EventPattern.load(pattern) for pattern in patterns]

    def match(self, record: Any) -> bool:
        """Whether a record is delivered to the function."""
        return not self._patterns or any(pattern.matches_event(record) for pattern in self._patterns)
