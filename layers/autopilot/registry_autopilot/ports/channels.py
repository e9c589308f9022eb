"""Incidents and channels, as notify asks for them."""

from typing import Protocol

from registry_autopilot.incidents import Change, Incident
from registry_autopilot.records import HistoryEntry


class Announcements(Protocol):
    """Incidents as notify sees them: with the mark of each channel."""

    def incident(self, incident_id: str) -> Incident | None:
        """An incident by its id, read consistently."""
        ...

    def marks(self, incident_id: str) -> dict[str, int]:
        """How far each channel has told it."""
        ...

    def move_mark(self, incident_id: str, channel: str, seq: int) -> None:
        """The channel has told everything up to `seq`."""
        ...

    def all_told(self, incident_id: str, seq: int, remind_at: float | None) -> None:
        """Every channel has told `seq`: nothing is due before `remind_at`, unless a newer change came."""
        ...

    def news(self, key: str, entry: str) -> HistoryEntry | None:
        """A history entry by the keys of its item."""
        ...

    def news_told(self, key: str, entry: str, channel: str) -> bool:
        """Whether a channel has told a history entry, by the keys of its item."""
        ...

    def move_news_mark(self, key: str, entry: str, channel: str) -> None:
        """The channel has told the history entry."""
        ...


class Channel(Protocol):
    """Where notices go."""

    name: str

    def send(self, incident: Incident, change: Change) -> None:
        """Tell one change.

        Raises:
            ChannelError: it was not told; try again later.
        """
        ...

    def send_news(self, entry: HistoryEntry) -> None:
        """Tell that a registry was registered, adopted or refreshed.

        Raises:
            ChannelError: it was not told.
        """
        ...


class ChannelError(Exception):
    """Raised when a channel did not take a notice; the text is safe to log."""

    def __init__(self, detail: str, *, permanent: bool = False) -> None:
        super().__init__(detail)
        self.permanent = permanent
