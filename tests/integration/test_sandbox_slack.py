"""The receiver of Slack webhooks, over HTTP."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.slack import SlackAnswer, SlackReceiver


def section(text: str, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": "section", "text": {"type": kind, "text": text}}


def header(text: str, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": "header", "text": {"type": kind, "text": text}}


@pytest.fixture
def slack() -> Iterator[SlackReceiver]:
    with SlackReceiver() as slack:
        yield slack


def test_message_is_kept_when_slack_would_take_it(slack: SlackReceiver) -> None:
    """200 `ok`; the payload is there as it was sent."""
    payload = {"text": "x", "blocks": [header("h" * 150), section("s" * 3000), *[{"type": "divider"}] * 48]}
    response = httpx.post(slack.webhook_url, json=payload)
    assert (response.status_code, response.text, slack.messages) == (200, "ok", [payload])


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        ({}, "no_text"),
        ({"text": "", "blocks": []}, "no_text"),
        (["x"], "invalid_payload"),
        ({"text": "x" * 40_001}, "invalid_payload"),
        ({"text": "x", "blocks": [{"type": "divider"}] * 51}, "invalid_payload"),
        ({"text": "x", "blocks": [section("s" * 3001)]}, "invalid_payload"),
        ({"text": "x", "blocks": [section("")]}, "invalid_payload"),
        ({"text": "x", "blocks": [header("h" * 151)]}, "invalid_payload"),
        ({"text": "x", "blocks": [header("h", kind="mrkdwn")]}, "invalid_payload"),
        ({"text": "x", "blocks": [{"type": "section"}]}, "invalid_payload"),
        ({"text": "x", "blocks": [section("s") | {"fields": [section("f")["text"]] * 11}]}, "invalid_payload"),
        ({"text": "x", "blocks": [{"type": "context", "elements": []}]}, "invalid_payload"),
        ({"text": "x", "blocks": ["divider"]}, "invalid_payload"),
    ],
)
def test_message_is_refused_when_slack_would_refuse_it(slack: SlackReceiver, payload: Any, answer: str) -> None:
    """400 in Slack's words; nothing is kept."""
    response = httpx.post(slack.webhook_url, json=payload)
    assert (response.status_code, response.text) == (400, answer)
    assert (slack.messages, slack.attempts) == ([], 1)


def test_post_is_refused_when_it_is_no_json_or_goes_elsewhere(slack: SlackReceiver) -> None:
    """The path is the secret."""
    assert httpx.post(slack.webhook_url, content=b"{").text == "invalid_payload"
    assert httpx.post(slack.webhook_url + "x", json={"text": "x"}).status_code == 404
    assert httpx.get(slack.webhook_url).status_code == 400


def test_script_is_followed_when_there_is_one(slack: SlackReceiver) -> None:
    """Statuses, `Retry-After`, delays and resets in order, one a post; then it answers as usual."""
    slack.answer(SlackAnswer(429, retry_after=2), SlackAnswer(500, "rollup_error", delay=0.1), SlackAnswer(None))
    limited = httpx.post(slack.webhook_url, json={"text": "x"})
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "2")
    started = time.monotonic()
    assert httpx.post(slack.webhook_url, json={"text": "x"}).text == "rollup_error"
    assert time.monotonic() - started >= 0.1
    with pytest.raises(httpx.TransportError):
        httpx.post(slack.webhook_url, json={"text": "x"})
    assert httpx.post(slack.webhook_url, json={"text": "y"}).text == "ok"
    assert (slack.messages, slack.attempts) == ([{"text": "y"}], 4)


def test_nothing_is_left_when_it_is_cleared(slack: SlackReceiver) -> None:
    """Messages, attempts and script."""
    httpx.post(slack.webhook_url, json={"text": "x"})
    slack.answer(SlackAnswer(500))
    slack.clear()
    assert (slack.messages, slack.attempts) == ([], 0)
    assert httpx.post(slack.webhook_url, json={"text": "x"}).status_code == 200
