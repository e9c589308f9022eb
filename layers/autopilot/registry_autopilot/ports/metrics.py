"""Metrics, as the use cases ask for them."""

from enum import StrEnum
from typing import Protocol


class Unit(StrEnum):
    """What a measured value is in."""

    COUNT = "Count"
    SECONDS = "Seconds"
    MILLISECONDS = "Milliseconds"


class Metrics(Protocol):
    """Counts and measures, by name and a closed list of words such as an outcome; never by the name of an asset."""

    def count(self, name: str, **dimensions: str) -> None:
        """Add one."""
        ...

    def observe(self, name: str, value: float, unit: Unit, **dimensions: str) -> None:
        """Note one measured value."""
        ...
