"""What a batch of the ledger's stream prompts, and from which record on it must come again."""

from typing import Any

from registry_autopilot.audience import Audience
from registry_autopilot.causes import CAUSES
from registry_autopilot.incidents import Story, open_incident
from registry_autopilot.notify import Desk
from registry_autopilot.prompts import tell_batch
from registry_autopilot.records import HistoryEntry, Outcome, SystemState
from tests.support.ledger import MemoryLedger
from tests.support.world import CountingMetrics, FakeChannel

EVERYTHING = Audience(frozenset({"failures", "resolutions", "registered"}))
STORY = Story(what="Something happened.", kept="Nothing was lost.")


def _record(number: int, pk: str, sk: str = "-", *, name: str = "INSERT") -> dict[str, Any]:
    keys = {"pk": {"S": pk}, "sk": {"S": sk}}
    return {"eventName": name, "dynamodb": {"Keys": keys, "SequenceNumber": str(number)}}


def _desk(*channels: FakeChannel, news: int = 0) -> tuple[Desk, str]:
    """One open incident and some news."""
    ledger = MemoryLedger()
    incident = open_incident("vertex", "VerteX", CAUSES["vertex-unavailable"], 0.0, STORY)
    was = SystemState(subject="vertex")
    ledger.commit_system(was, was.with_(incident_id=incident.id), incident)
    for n in range(news):
        entry = HistoryEntry(key="k" * 64, at=n, outcome=Outcome.REGISTERED, name="n", definition_id="d", mode="act")
        ledger.news_entries["REG#k", f"HIST#{n}"] = entry
    return Desk(ledger, ledger, channels, CountingMetrics(), lambda: 100.0, EVERYTHING), incident.id


def test_everything_is_told_when_every_channel_takes_it() -> None:
    """Incidents and news; what a removal or another kind of item says is nobody's business."""
    sns, slack = FakeChannel("sns"), FakeChannel("slack")
    desk, incident = _desk(sns, slack, news=2)
    batch = [
        _record(7, f"INC#{incident}"),
        _record(8, "REG#k", "HIST#0"),
        _record(9, "REG#k", "HIST#1", name="REMOVE"),
        _record(10, "REG#k", "STATE"),
    ]
    assert tell_batch(batch, desk) is None
    assert [len(channel.told) for channel in (sns, slack)] == [1, 1]
    assert [len(channel.news) for channel in (sns, slack)] == [1, 1]


def test_batch_comes_again_from_the_first_record_that_was_not_taken() -> None:
    """Sequence numbers are compared as numbers: 9 comes before 10."""
    slack = FakeChannel("slack", refuse=1)
    desk, incident = _desk(slack, news=2)
    batch = [_record(10, f"INC#{incident}"), _record(9, "REG#k", "HIST#0")]
    assert tell_batch(batch, desk) == "10"  # the news was taken, the incident was not
    slack.refuse = 2
    batch = [_record(10, f"INC#{incident}"), _record(9, "REG#k", "HIST#1")]
    assert tell_batch(batch, desk) == "9"
    assert tell_batch(batch, desk) is None
    assert (len(slack.told), len(slack.news)) == (1, 2)


def test_news_reach_one_channel_when_the_other_is_down() -> None:
    """And are told to the other alone when it is back."""
    slack, sns = FakeChannel("slack", refuse=1), FakeChannel("sns")
    desk, _ = _desk(slack, sns, news=3)
    batch = [_record(n, "REG#k", f"HIST#{n}") for n in range(3)]
    assert tell_batch(batch, desk) == "0"
    assert (len(slack.news), len(sns.news)) == (0, 3)
    assert tell_batch(batch, desk) is None
    assert (len(slack.news), len(sns.news)) == (3, 3)


def test_mark_on_old_news_prompts_nothing() -> None:
    """Marks are written to the entry itself, and come back through the stream."""
    sns = FakeChannel("sns")
    desk, _ = _desk(sns, news=1)
    assert tell_batch([_record(1, "REG#k", "HIST#0", name="MODIFY")], desk) is None
    assert sns.news == []
