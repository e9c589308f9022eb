"""Checks of the system through the deployed template: what lies in a dead-letter queue is told, and that it is over."""

from sandbox.stack import Sandbox


def _told(sandbox: Sandbox) -> list[str]:
    return [n.attributes["state"] for n in sandbox.notices() if n.attributes["cause"] == "dead-letters"]


def test_dead_letter_is_told_until_the_queue_is_empty() -> None:
    """The tick finds it within a quarter of an hour, from the queue itself; once, however long it lies there."""
    with Sandbox() as sandbox:
        sqs, url = sandbox.aws.client("sqs"), sandbox.deployment["EventsDeadLetterQueue"]
        sqs.send_message(QueueUrl=url, MessageBody="{}")
        sandbox.pass_time(35 * 60, step=300)
        assert _told(sandbox) == ["open"]
        sqs.purge_queue(QueueUrl=url)
        sandbox.pass_time(20 * 60, step=300)
        assert _told(sandbox) == ["open", "resolved"]
