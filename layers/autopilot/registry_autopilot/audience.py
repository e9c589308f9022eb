"""Which notices are sent at all, and to which channel. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from registry_autopilot.causes import SLACK_BROKEN, Severity
from registry_autopilot.incidents import Change, Incident, cause_of
from registry_autopilot.records import HistoryEntry, Outcome

_RANK = {severity: rank for rank, severity in enumerate(Severity)}
_NEWS = {Outcome.REGISTERED: "registered", Outcome.ADOPTED: "registered", Outcome.REFRESHED: "refreshed"}


@dataclass(frozen=True, slots=True)
class Audience:
    """What is told at all, and to whom.

    Attributes:
        events: out of `failures`, `resolutions`, `registered`, `refreshed`.
        least: by channel, the least severity that it hears of.
    """

    events: frozenset[str] = frozenset({"failures", "resolutions"})
    least: Mapping[str, Severity] | None = None

    def wants(self, channel: str, incident: Incident, change: Change) -> bool:
        """Whether a channel is told a change: the end of what it was told of, and failures severe enough."""
        if incident.subject == channel:
            return False  # who is broken cannot be told so; whoever is left is, however few they want to hear of
        if change.state != "resolved":
            return "failures" in self.events and self._is_severe(channel, change)
        told = any(self.wants(channel, incident, one) for one in incident.changes if one.state != "resolved")
        return "resolutions" in self.events and (told or "failures" not in self.events)

    @property
    def wants_any_news(self) -> bool:
        """Whether anything that went well is told at all."""
        return bool(self.events & set(_NEWS.values()))

    def wants_news(self, entry: HistoryEntry) -> bool:
        """Whether anybody is told that a registry was registered or refreshed."""
        return _NEWS.get(entry.outcome) in self.events

    def hears_news(self, channel: str) -> bool:
        """Whether a channel hears of what went well, which is of the least severity."""
        return (self.least or {}).get(channel, Severity.INFO) is Severity.INFO

    def _is_severe(self, channel: str, change: Change) -> bool:
        least = (self.least or {}).get(channel, Severity.INFO)
        return change.cause == SLACK_BROKEN.slug or _RANK[cause_of(change.cause).severity] >= _RANK[least]
