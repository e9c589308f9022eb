"""Notify and its channels: marks, repeats, limits and failures."""

import json
from collections.abc import Callable

import httpx
import pytest

from registry_autopilot.causes import CAUSES
from registry_autopilot.incidents import Incident, Story, open_incident, resolve_incident
from registry_autopilot.notices import NoticeDetail
from registry_autopilot.notify import announce
from registry_autopilot.ports import ChannelError
from registry_autopilot.records import SystemState
from registry_autopilot.slack import SlackChannel
from tests.support.ledger import MemoryLedger
from tests.support.world import CountingMetrics, FakeChannel

STORY = Story(what="Something happened.", kept="Nothing was lost.")
HOOK = "https://hooks.slack.com/services/x"


def _ledger() -> tuple[MemoryLedger, Incident]:
    ledger = MemoryLedger()
    incident = open_incident("vertex", "VerteX", CAUSES["vertex-unavailable"], 0.0, STORY)
    was = SystemState(subject="vertex")
    ledger.commit_system(was, was.with_(incident_id=incident.id), incident)
    return ledger, incident


def test_each_channel_is_told_once_when_prompted_many_times() -> None:
    """The mark moves after the channel took the notice."""
    ledger, incident = _ledger()
    sns, slack = FakeChannel("sns"), FakeChannel("slack")
    for _ in range(3):
        announce(incident.id, ledger, (sns, slack), CountingMetrics())
    assert len(sns.told) == len(slack.told) == 1
    assert incident.id not in ledger.unannounced


def test_other_channel_is_not_delayed_when_one_is_down() -> None:
    """Slack being down neither repeats nor delays SNS; later it hears the whole thread."""
    ledger, incident = _ledger()
    sns, slack = FakeChannel("sns"), FakeChannel("slack", refuse=2)
    with pytest.raises(ChannelError):
        announce(incident.id, ledger, (slack, sns), CountingMetrics())
    assert len(sns.told) == 1
    was = ledger.system("vertex")
    ledger.commit_system(was, was.with_(incident_id=None), resolve_incident(incident, 9.0, STORY))
    with pytest.raises(ChannelError):
        announce(incident.id, ledger, (slack, sns), CountingMetrics())
    announce(incident.id, ledger, (slack, sns), CountingMetrics())
    assert [change.state for _, change in slack.told] == ["open", "resolved"]
    assert [change.state for _, change in sns.told] == ["open", "resolved"]


def test_permanent_failure_is_counted_and_passed() -> None:
    """A webhook that is gone for good must not hold up the stream."""
    ledger, incident = _ledger()
    metrics = CountingMetrics()

    class _Gone(FakeChannel):
        def send(self, incident: Incident, change: object) -> None:
            raise ChannelError("Slack answered 404", permanent=True)

    announce(incident.id, ledger, (_Gone("slack"),), metrics)
    assert metrics.counts == {"NoticesFailed/slack": 1}


def test_nothing_happens_when_the_incident_is_unknown() -> None:
    """A stream record of something that is gone."""
    announce("nothing", MemoryLedger(), (FakeChannel("sns"),), CountingMetrics())


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
        (404, "1", True),
        (403, "1", True),
        (302, "1", True),
    ],
)
def test_failure_says_whether_a_repeat_would_help(status: int, retry_after: str, permanent: bool) -> None:
    """4xx but 429 is for good; the rest may pass."""
    channel, posts = _slack(lambda _: httpx.Response(status, headers={"Retry-After": retry_after}))
    with pytest.raises(ChannelError) as caught:
        _send(channel)
    assert caught.value.permanent is permanent
    assert len(posts) == 1
    assert HOOK not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/services/x", "http://hooks.slack.com/services/x", "nonsense", "ftp://hooks.slack.com/x"],
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
