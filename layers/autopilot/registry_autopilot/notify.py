"""Notify: tell each channel what it has not been told yet. The only code that talks to SNS and Slack.

The stream only prompts; the ledger is the record. Per channel the mark moves after the channel took the notice, so
nothing is lost, and only a crash between the two can repeat a notice (with the same incident id and sequence).
Each channel is told by a function of its own, from the same stream: one that is slow or down delays nobody else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from registry_autopilot import causes
from registry_autopilot.audience import Audience
from registry_autopilot.incidents import Incident, Story, open_incident
from registry_autopilot.ports import Announcements, Channel, ChannelError, Clock, Metrics, SharedSubjects
from registry_autopilot.records import HistoryEntry
from registry_autopilot.steps.shared import open_shared, resolve_shared

type NewsKey = tuple[str, str]

SLACK = "slack"
PATIENCE_SECONDS = 900  # what Slack has not taken for so long is told to admins as Slack being broken
GIVE_UP_SECONDS = 6 * 3600  # what Slack has not taken by then is told by SNS alone, so that reminders go on


@dataclass(frozen=True, slots=True)
class Desk:
    """The collaborators of notify.

    Attributes:
        marks: incidents with the mark of each channel.
        ledger: where the incident on Slack itself is told.
        channels: those that are told here.
        elsewhere: names of the channels that are told by another function.
        remind_after: seconds after which an incident that lasts is told again; None: never.
    """

    marks: Announcements
    ledger: SharedSubjects
    channels: Sequence[Channel]
    metrics: Metrics
    clock: Clock
    audience: Audience = field(default_factory=Audience)
    remind_after: float | None = None
    elsewhere: frozenset[str] = frozenset()


def announce(incident_ids: Iterable[str], desk: Desk) -> set[str]:
    """Tell every channel what is above its mark; gives the incidents that a channel may take later."""
    found = [one for incident_id in dict.fromkeys(incident_ids) if (one := desk.marks.incident(incident_id))]
    marks = {incident.id: desk.marks.marks(incident.id) for incident in found}
    left: set[str] = set()
    for channel in desk.channels:
        left |= _tell_all(found, channel, marks, desk)
    for incident in found:
        if incident.id not in left and _is_told_elsewhere(incident, desk):
            last = incident.changes[-1].at
            again = max(last, desk.clock()) + desk.remind_after if desk.remind_after and incident.is_open else None
            desk.marks.all_told(incident.id, incident.seq, again)
    return left


def announce_news(keys: Iterable[NewsKey], desk: Desk) -> set[NewsKey]:
    """Tell that registries were registered, adopted or refreshed, where the setting asks for it; once per channel.

    The keys are those of new history entries, in their order; gives those that a channel may take later.
    """
    found = {key: entry for key in keys if (entry := _wanted_news(key, desk))}
    left: set[NewsKey] = set()
    for channel in desk.channels:
        if desk.audience.hears_news(channel.name):
            left |= _tell_all_news(found, channel, desk)
    return left


def try_channels(desk: Desk) -> list[dict[str, object]]:
    """Send one notice through every channel, whatever the settings say; how each took it."""
    story = Story(what="Somebody asked for a test notice; nothing is wrong.", kept="Everything.")
    incident = open_incident("test", "Test", causes.TEST_NOTICE, desk.clock(), story)
    answers: list[dict[str, object]] = []
    for channel in desk.channels:
        try:
            channel.send(incident, incident.changes[0])
        except ChannelError as error:
            answers.append({"name": channel.name, "ok": False, "detail": str(error)})
        else:
            answers.append({"name": channel.name, "ok": True, "detail": ""})
            _tell_mended(channel, desk)
    return answers


def _is_told_elsewhere(incident: Incident, desk: Desk) -> bool:
    """Whether the other functions' channels have told it, too. Each looks after its own mark: the last one sees all."""
    marks = desk.marks.marks(incident.id) if desk.elsewhere else {}
    return all(marks.get(name, 0) >= incident.seq for name in desk.elsewhere)


def _tell_all(
    found: Sequence[Incident], channel: Channel, marks: Mapping[str, Mapping[str, int]], desk: Desk
) -> set[str]:
    """One channel, all incidents. After a failure the rest waits: what is down is not asked again and again."""
    for index, incident in enumerate(found):
        try:
            _tell(incident, channel, marks[incident.id].get(channel.name, 0), desk)
        except ChannelError:
            return {one.id for one in found[index:]}
    return set()


def _wanted_news(key: NewsKey, desk: Desk) -> HistoryEntry | None:
    entry = desk.marks.news(*key) if desk.audience.wants_any_news else None
    return entry if entry is not None and desk.audience.wants_news(entry) else None


def _tell_all_news(found: Mapping[NewsKey, HistoryEntry], channel: Channel, desk: Desk) -> set[NewsKey]:
    """One channel, all news; after a failure that may pass, the rest waits."""
    keys = [key for key in found if not desk.marks.news_told(*key, channel.name)]
    for index, key in enumerate(keys):
        entry = found[key]
        try:
            _send(channel, partial(channel.send_news, entry), entry.at, desk)
        except ChannelError:
            return set(keys[index:])
        desk.marks.move_news_mark(*key, channel.name)
    return set()


def _tell(incident: Incident, channel: Channel, mark: int, desk: Desk) -> None:
    """What is above the mark, in its order.

    Raises:
        ChannelError: the channel may take it later.
    """
    for change in incident.above(mark):
        if desk.audience.wants(channel.name, incident, change):
            _send(channel, partial(channel.send, incident, change), change.at, desk)
        desk.marks.move_mark(incident.id, channel.name, change.seq)


def _send(channel: Channel, send: Callable[[], None], since: float, desk: Desk) -> None:
    """Hand a channel what happened at `since`. What it refuses for good is passed over, and told elsewhere.

    Raises:
        ChannelError: the channel may take it later.
    """
    try:
        send()
    except ChannelError as error:
        desk.metrics.count("NoticesFailed", channel=channel.name)
        late = desk.clock() - since
        if error.permanent or late > PATIENCE_SECONDS:
            _tell_broken(channel, error, desk)
        if not error.permanent and (channel.name != SLACK or late <= GIVE_UP_SECONDS):
            raise
    else:
        desk.metrics.count("NoticesSent", channel=channel.name)
        _tell_mended(channel, desk)


def _tell_broken(channel: Channel, error: ChannelError, desk: Desk) -> None:
    """SNS tells that Slack takes no notices; there is nobody to tell that SNS does not but the alarm."""
    if channel.name == SLACK:
        story = Story(what=f"Slack takes no notices: {error}.", kept="Every notice goes to the SNS topic as before.")
        open_shared(desk, SLACK, "Slack", causes.SLACK_BROKEN, story)


def _tell_mended(channel: Channel, desk: Desk) -> None:
    if channel.name == SLACK and desk.ledger.system(SLACK).incident_id is not None:
        story = Story(what="Slack takes notices again.", kept="What it refused meanwhile is in the SNS notices.")
        resolve_shared(desk, SLACK, desk.clock(), story=story)
