"""Notify and its channels: marks, repeats, limits and failures."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from registry_autopilot.audience import Audience
from registry_autopilot.causes import CAUSES, Severity
from registry_autopilot.incidents import Change, Incident, Story, open_incident, resolve_incident
from registry_autopilot.notices import NoticeDetail
from registry_autopilot.notify import Desk, announce, announce_news, try_channels
from registry_autopilot.ports import ChannelError
from registry_autopilot.records import HistoryEntry, Outcome, SystemState
from registry_autopilot.slack import SlackChannel
from tests.support.ledger import MemoryLedger
from tests.support.world import CountingMetrics, FakeChannel

STORY = Story(what="Something happened.", kept="Nothing was lost.")
HOOK = "https://hooks.slack.com/services/x"


def _desk(*channels: Any, **settings: Any) -> tuple[Desk, MemoryLedger, Incident]:
    """A desk with one open incident on VerteX that nobody was told of."""
    ledger = MemoryLedger()
    incident = open_incident("vertex", "VerteX", CAUSES["vertex-unavailable"], 0.0, STORY)
    was = SystemState(subject="vertex")
    ledger.commit_system(was, was.with_(incident_id=incident.id), incident)
    return Desk(ledger, ledger, channels, CountingMetrics(), lambda: 100.0, **settings), ledger, incident


class _Gone(FakeChannel):
    """Refuses for good, until it is mended."""

    mended = False

    def send(self, incident: Incident, change: Change) -> None:
        if not self.mended:
            raise ChannelError("Slack answered 404", permanent=True)
        super().send(incident, change)

    def send_news(self, entry: HistoryEntry) -> None:
        raise ChannelError("Slack answered 404", permanent=True)


def test_each_channel_is_told_once_when_prompted_many_times() -> None:
    """The mark moves after the channel took the notice."""
    sns, slack = FakeChannel("sns"), FakeChannel("slack")
    desk, ledger, incident = _desk(sns, slack)
    for _ in range(3):
        assert announce([incident.id], desk) == set()
    assert len(sns.told) == len(slack.told) == 1
    assert incident.id not in ledger.unannounced


def test_nothing_is_written_when_everything_was_told_before() -> None:
    """A mark comes back through the stream: if it led to another write, notify would never come to rest."""
    sns = FakeChannel("sns")
    now = [100.0]
    desk, ledger, incident = _desk(sns, remind_after=3600)
    desk = replace(desk, clock=lambda: now[0])
    announce([incident.id], desk)
    due = dict(ledger.unannounced)
    now[0] = 200.0
    announce([incident.id], desk)
    assert ledger.unannounced == due == {incident.id: 3700.0}


def test_other_channel_is_not_delayed_when_one_is_down() -> None:
    """Slack being down neither repeats nor delays SNS; later it hears the whole thread."""
    sns, slack = FakeChannel("sns"), FakeChannel("slack", refuse=2)
    desk, ledger, incident = _desk(slack, sns)
    assert announce([incident.id], desk) == {incident.id}
    assert len(sns.told) == 1
    was = ledger.system("vertex")
    ledger.commit_system(was, was.with_(incident_id=None), resolve_incident(incident, 9.0, STORY))
    assert announce([incident.id], desk) == {incident.id}
    assert announce([incident.id], desk) == set()
    assert [change.state for _, change in slack.told] == ["open", "resolved"]
    assert [change.state for _, change in sns.told] == ["open", "resolved"]


def test_channel_that_is_down_is_asked_once_when_many_incidents_wait() -> None:
    """A hundred timeouts in one invocation would hold up everything."""
    sns, slack = FakeChannel("sns"), FakeChannel("slack", refuse=1)
    desk, ledger, first = _desk(sns, slack)
    others = [open_incident(f"secret:{n}", "a secret", CAUSES["secret-going"], float(n), STORY) for n in range(20)]
    for incident in others:
        was = ledger.system(incident.subject)
        ledger.commit_system(was, was.with_(incident_id=incident.id), incident)
    ids = [first.id, *(incident.id for incident in others)]
    assert announce(ids, desk) == set(ids)
    assert (len(sns.told), len(slack.told), slack.refuse) == (21, 0, 0)
    assert announce(ids, desk) == set()
    assert (len(sns.told), len(slack.told)) == (21, 21)


def test_sns_tells_once_that_slack_is_broken_and_when_it_works_again() -> None:
    """Slack refuses for good: nothing is repeated there, and one incident says so by SNS alone."""
    sns, slack = FakeChannel("sns"), _Gone("slack")
    desk, ledger, incident = _desk(sns, slack)
    announce([incident.id], desk)
    broken = ledger.system("slack").incident_id
    assert broken is not None
    announce([broken], desk)
    assert [incident.cause for incident, _ in sns.told] == ["vertex-unavailable", "slack-broken"]
    slack.mended = True
    was = ledger.system("vertex")
    ledger.commit_system(was, was.with_(incident_id=None), resolve_incident(incident, 9.0, STORY))
    announce([incident.id], desk)
    announce([broken], desk)
    assert [(i.cause, c.state) for i, c in sns.told][-1] == ("slack-broken", "resolved")
    assert [i.cause for i, _ in slack.told] == ["vertex-unavailable"]


def test_incident_is_all_told_when_the_last_of_two_functions_has_told_it() -> None:
    """Each has its own channel and its own place in the stream."""
    sns, slack = FakeChannel("sns"), FakeChannel("slack", refuse=1)
    desk, ledger, incident = _desk(sns, elsewhere=frozenset({"slack"}))
    other = replace(desk, channels=(slack,), elsewhere=frozenset({"sns"}))
    assert announce([incident.id], other) == {incident.id}
    assert announce([incident.id], desk) == set()
    assert incident.id in ledger.unannounced
    assert announce([incident.id], other) == set()
    assert incident.id not in ledger.unannounced
    assert len(sns.told) == len(slack.told) == 1


def test_slack_that_is_down_is_told_after_a_while_and_passed_over_at_last() -> None:
    """A quarter of an hour is an outage; after six hours reminders must go on without Slack. SNS is never given up."""
    sns, slack = FakeChannel("sns"), FakeChannel("slack", refuse=10**6)
    now = [100.0]
    desk, ledger, incident = _desk(slack)
    desk = replace(desk, clock=lambda: now[0])
    assert announce([incident.id], desk) == {incident.id}
    assert ledger.system("slack").incident_id is None
    now[0] = 1000.0
    assert announce([incident.id], desk) == {incident.id}
    broken = ledger.system("slack").incident_id
    assert broken is not None
    now[0] = 7 * 3600.0
    assert announce([incident.id, broken], desk) == set()
    assert ledger.marks(incident.id) == {"slack": 1}
    sns.refuse = 1
    assert announce([incident.id, broken], replace(desk, channels=(sns,))) == {incident.id, broken}
    assert announce([incident.id, broken], replace(desk, channels=(sns,))) == set()
    assert [incident.cause for incident, _ in sns.told] == ["vertex-unavailable", "slack-broken"]
    slack.refuse = 0
    assert [answer["ok"] for answer in try_channels(desk)] == [True]
    assert ledger.system("slack").incident_id is None, "a test notice that Slack takes ends it"


def test_slack_being_broken_is_told_when_only_news_met_it_and_only_errors_are_asked_for() -> None:
    """A warning that no channel hears would leave Slack broken in silence."""
    sns, slack = FakeChannel("sns"), _Gone("slack")
    audience = Audience(frozenset({"failures", "registered"}), {"sns": Severity.CRITICAL, "slack": Severity.INFO})
    desk, ledger, _ = _desk(slack, audience=audience)
    entry = HistoryEntry(key="k", at=1.0, outcome=Outcome.REGISTERED, name="n", definition_id="d", mode="act")
    ledger.news_entries["REG#k", "HIST#1"] = entry
    assert announce_news([("REG#k", "HIST#1")], desk) == set()
    broken = ledger.system("slack").incident_id
    assert broken is not None
    announce([broken], replace(desk, channels=(sns,)))
    assert [incident.cause for incident, _ in sns.told] == ["slack-broken"]


def test_only_severe_incidents_are_told_where_the_setting_asks_for_it() -> None:
    """The end is told to whom the opening was told."""
    sns, slack = FakeChannel("sns"), FakeChannel("slack")
    audience = Audience(least={"slack": Severity.CRITICAL, "sns": Severity.INFO})
    desk, ledger, _ = _desk(sns, slack, audience=audience)
    going = open_incident("secret:s", "a secret", CAUSES["secret-going"], 1.0, STORY)
    was = ledger.system("secret:s")
    ledger.commit_system(was, was.with_(incident_id=going.id), going)
    announce([going.id], desk)
    was = ledger.system("secret:s")
    ledger.commit_system(was, was.with_(incident_id=None), resolve_incident(going, 9.0, STORY))
    announce([going.id], desk)
    assert [change.state for _, change in sns.told] == ["open", "resolved"]
    assert slack.told == []


@pytest.mark.parametrize(
    ("events", "states"),
    [({"failures"}, ["open"]), ({"resolutions"}, ["resolved"]), ({"registered"}, [])],
)
def test_kinds_of_notices_are_a_setting(events: set[str], states: list[str]) -> None:
    """Out of failures and resolutions."""
    sns = FakeChannel("sns")
    desk, ledger, incident = _desk(sns, audience=Audience(frozenset(events)))
    was = ledger.system("vertex")
    ledger.commit_system(was, was.with_(incident_id=None), resolve_incident(incident, 9.0, STORY))
    announce([incident.id], desk)
    assert [change.state for _, change in sns.told] == states


@pytest.mark.parametrize(("events", "told"), [({"registered"}, 1), ({"refreshed"}, 0), ({"failures"}, 0)])
def test_news_is_told_once_where_the_setting_asks_for_it(events: set[str], told: int) -> None:
    """A registry was registered; a doubled stream record says nothing twice."""
    sns = FakeChannel("sns")
    desk, ledger, _ = _desk(sns, audience=Audience(frozenset(events)))
    entry = HistoryEntry(key="k" * 64, at=0, outcome=Outcome.REGISTERED, name="n", definition_id="d", mode="act")
    ledger.news_entries["REG#k", "HIST#1"] = entry
    for _ in range(2):
        assert announce_news([("REG#k", "HIST#1")], desk) == set()
    assert len(sns.news) == told


def test_test_notice_says_how_each_channel_took_it() -> None:
    """Whatever the settings say."""
    desk, _, _ = _desk(FakeChannel("sns"), _Gone("slack"), audience=Audience(frozenset()))
    assert [(answer["name"], answer["ok"]) for answer in try_channels(desk)] == [("sns", True), ("slack", False)]


def test_nothing_happens_when_the_incident_is_unknown() -> None:
    """A stream record of something that is gone."""
    desk, _, _ = _desk(FakeChannel("sns"))
    assert announce(["nothing"], desk) == set()


def _slack(answer: Callable[[int], httpx.Response], *, url: str = HOOK) -> tuple[SlackChannel, list[dict[str, object]]]:
    posts: list[dict[str, object]] = []

    def receive(request: httpx.Request) -> httpx.Response:
        posts.append(json.loads(request.content))
        return answer(len(posts))

    http = httpx.Client(transport=httpx.MockTransport(receive))
    channel = SlackChannel(
        http, lambda: url, hosts=["hooks.slack.com", "127.0.0.1"], detail=NoticeDetail.FULL, sleep=lambda _: None
    )
    return channel, posts


def _send(channel: SlackChannel) -> None:
    incident = open_incident("vertex", "VerteX", CAUSES["vertex-unavailable"], 0.0, STORY)
    channel.send(incident, incident.changes[0])


def test_short_429_is_waited_for() -> None:
    """429 with Retry-After, then 200."""
    channel, posts = _slack(
        lambda n: httpx.Response(429, headers={"Retry-After": "2"}) if n == 1 else httpx.Response(200)
    )
    _send(channel)
    assert len(posts) == 2


@pytest.mark.parametrize(
    ("status", "retry_after", "permanent"),
    [
        (429, "120", False),
        (429, "soon", False),
        (500, "1", False),
        (408, "1", False),
        (404, "1", True),
        (403, "1", True),
        (302, "1", True),
    ],
)
def test_failure_says_whether_a_repeat_would_help(status: int, retry_after: str, permanent: bool) -> None:
    """4xx is for good but where it says that it was too early, too slow or too much; the rest may pass."""
    channel, posts = _slack(lambda _: httpx.Response(status, headers={"Retry-After": retry_after}))
    with pytest.raises(ChannelError) as caught:
        _send(channel)
    assert caught.value.permanent is permanent
    assert len(posts) == 1
    assert HOOK not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/services/x",
        "http://hooks.slack.com/services/x",
        "nonsense",
        "ftp://hooks.slack.com/x",
        "",
        "https://[::1",
        "https://hooks.slack.com:port/x",
        "https://hooks.slack.com:99999999/x",
        "https://hooks.slack.com/\x00",
        "https://hooks.slack\udcff.com/x",
        "https://hooks.slack.com@evil.example/x",
        '{"url": "https://hooks.slack.com/services/x"}',
    ],
)
def test_webhook_is_refused_when_its_host_is_not_of_the_setting(url: str) -> None:
    """The webhook is a secret that a person may get wrong: nothing is sent elsewhere."""
    channel, posts = _slack(lambda _: httpx.Response(200), url=url)
    with pytest.raises(ChannelError) as caught:
        _send(channel)
    assert caught.value.permanent
    assert not posts


def test_dead_network_is_no_permanent_failure() -> None:
    """Slack out of reach: later."""

    def broken(_: int) -> httpx.Response:
        raise httpx.ConnectError("no route")

    channel, _ = _slack(broken)
    with pytest.raises(ChannelError) as caught:
        _send(channel)
    assert not caught.value.permanent
