"""Shared incidents when several workers tell the same at the same moment."""

from typing import Any

from registry_autopilot.causes import CAUSES
from registry_autopilot.incidents import Story
from registry_autopilot.ports import ConcurrentUpdateError
from registry_autopilot.steps.shared import open_shared, resolve_shared
from tests.support.installation import Installation

STORY = Story(what="Something happened.", kept="Nothing was lost.")


class _Busy:
    """Loses so many races before a write goes through."""

    def __init__(self, inner: Any, races: int) -> None:
        self._inner, self.races = inner, races

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def commit_system(self, *args: Any) -> None:
        if self.races > 0:
            self.races -= 1
            raise ConcurrentUpdateError
        self._inner.commit_system(*args)


def test_incident_is_told_once_when_writers_race() -> None:
    """A lost race is read again and written again; a race without end is left to the next worker."""
    with Installation([]) as site:
        ledger = site.pipeline.ledger
        for races in (2, 99, 2):
            site.pipeline.ledger = _Busy(ledger, races)  # type: ignore[assignment] # the same, but busy
            open_shared(site.pipeline.world, "vertex", "VerteX", CAUSES["vertex-unavailable"], STORY)
        assert len(ledger.incidents) == 1
        for races in (99, 2, 0):
            site.pipeline.ledger = _Busy(ledger, races)  # type: ignore[assignment] # the same, but busy
            resolve_shared(site.pipeline.world, "vertex", site.now)
        (incident,) = ledger.incidents.values()
        assert [change.state for change in incident.changes] == ["open", "resolved"]
