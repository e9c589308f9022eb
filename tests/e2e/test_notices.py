"""Notices through the deployed template: news where they are asked for, Slack that stumbles, refuses and comes back."""

import time
from collections import Counter
from collections.abc import Callable

from cli.demo.rotation_scenes import as_secret
from sandbox.aws.local import make_credentials
from sandbox.aws.seeds import PULL_SECRET
from sandbox.slack import SlackAnswer
from sandbox.stack import Sandbox

NAME = "team-a/spectro-packs/archive/nginx"


def _told(sandbox: Sandbox) -> list[tuple[str, str]]:
    return [(notice.attributes["state"], notice.attributes["cause"]) for notice in sandbox.notices()]


def test_news_is_told_once_on_each_channel_when_the_setting_asks_for_it() -> None:
    """Registered, then refreshed; nothing is wrong, so nothing else is said."""
    events = {"NoticeEvents": "failures,resolutions,registered,refreshed"}
    with Sandbox(parameters=events) as sandbox:
        sandbox.activity.create_repository(NAME)
        sandbox.settle()
        made = sandbox.aws.client("iam").create_access_key(UserName=sandbox.seeds.pull_user)["AccessKey"]
        value = {"accessKeyId": made["AccessKeyId"], "secretAccessKey": made["SecretAccessKey"]}
        sandbox.activity.put_secret(PULL_SECRET, value)
        sandbox.settle()
        assert _told(sandbox) == [("done", "registered"), ("done", "refreshed")]
        assert len(sandbox.slack.messages) == 2


def test_every_notice_arrives_once_when_slack_stumbles() -> None:
    """A 429, server errors and a reset; SNS is neither delayed nor repeated."""
    with Sandbox() as sandbox:
        sandbox.activity.create_repository(NAME)
        sandbox.settle()
        stumbles = [SlackAnswer(429, retry_after=1), SlackAnswer(500), SlackAnswer(None), SlackAnswer(503)]
        sandbox.slack.answer(*stumbles)
        sandbox.activity.put_secret(PULL_SECRET, as_secret(make_credentials()))
        sandbox.settle()
        sandbox.pass_time(240, step=60)
        sandbox.activity.put_secret(PULL_SECRET, as_secret(sandbox.seeds.pull_key))
        sandbox.settle()
        expected = [("open", "credentials-rejected"), ("resolved", "credentials-rejected")]
        assert _told(sandbox) == expected
        assert len(sandbox.slack.messages) == 2
        assert not sum(sandbox.runner.dead_letters().values())


def test_later_incidents_reach_sns_at_once_when_slack_is_down() -> None:
    """Slack's place in the stream is its own: it hears of everything when it is back."""
    with Sandbox() as sandbox:
        sandbox.slack.answer(*[SlackAnswer(500, delay=1.0)] * 8)
        for number in (1, 2):
            sandbox.activity.put_parameter(f"/registry-autopilot/registries/broken-{number}", "no definition")
            _wait_until(lambda number=number: len(sandbox.notices()) == number)
        assert sandbox.slack.messages == []
        assert sandbox.slack.attempts < 8
        sandbox.settle()
        assert _told(sandbox) == [("open", "definition-invalid")] * 2
        assert len(sandbox.slack.messages) == 2
        assert not sum(sandbox.runner.dead_letters().values())


def _wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.05)
    assert true()


def test_sns_tells_that_slack_is_broken_and_that_it_works_again() -> None:
    """Its webhook was removed; the next notice that it takes ends that."""
    with Sandbox() as sandbox:
        sandbox.activity.create_repository(NAME)
        sandbox.settle()
        sandbox.slack.answer(SlackAnswer(404, "no_service"))
        sandbox.activity.put_secret(PULL_SECRET, as_secret(make_credentials()))
        sandbox.settle()
        sandbox.pass_time(240, step=60)
        sandbox.activity.put_secret(PULL_SECRET, as_secret(sandbox.seeds.pull_key))
        sandbox.settle()
        assert Counter(_told(sandbox)) == Counter(
            [
                ("open", "credentials-rejected"),
                ("open", "slack-broken"),
                ("resolved", "credentials-rejected"),
                ("resolved", "slack-broken"),
            ]
        )
        assert len(sandbox.slack.messages) == 1
