"""Incidents and channels, as notify asks for them."""

from typing import Protocol

from registry_autopilot.incidents import Change, Incident


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

    def all_told(self, incident_id: str, seq: int) -> None:
        """Every channel has told `seq`: no repair is due, unless a newer change came."""
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


class ChannelError(Exception):
    """Raised when a channel did not take a notice; the text is safe to log."""

    def __init__(self, detail: str, *, permanent: bool = False) -> None:
        super().__init__(detail)
        self.permanent = permanent
