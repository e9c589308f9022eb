"""Notify: tell each channel what it has not been told yet. The only code that talks to SNS and Slack.

The stream only prompts; the ledger is the record. Per channel the mark moves after the channel took the notice, so
nothing is lost, and only a crash between the two can repeat a notice (with the same incident id and sequence).
"""

from collections.abc import Sequence

from registry_autopilot.incidents import Incident
from registry_autopilot.ports import Announcements, Channel, ChannelError, Metrics


def announce(incident_id: str, ledger: Announcements, channels: Sequence[Channel], metrics: Metrics) -> None:
    """Tell every channel what is above its mark; a channel that fails does not delay the others.

    Raises:
        ChannelError: a channel did not take a notice and may take it later.
    """
    incident = ledger.incident(incident_id)
    if incident is None:
        return
    marks = ledger.marks(incident_id)
    failures = [
        error
        for channel in channels
        if (error := _tell(incident, channel, marks.get(channel.name, 0), ledger, metrics)) is not None
    ]
    if failures:
        raise failures[0]
    ledger.all_told(incident_id, incident.seq)


def _tell(
    incident: Incident, channel: Channel, mark: int, ledger: Announcements, metrics: Metrics
) -> ChannelError | None:
    for change in incident.above(mark):
        try:
            channel.send(incident, change)
        except ChannelError as error:
            metrics.count("NoticesFailed", channel=channel.name)
            if not error.permanent:
                return error
        else:
            metrics.count("NoticesSent", channel=channel.name)
        ledger.move_mark(incident.id, channel.name, change.seq)
    return None
