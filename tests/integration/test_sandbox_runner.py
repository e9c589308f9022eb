"""The runner treats functions as Lambda does; seen with a small application of its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws import LocalAws
from sandbox.clock import SandboxClock
from sandbox.deploy import Deployment, DeploymentError, deploy
from sandbox.runner import NotIdleError, Pacing, Runner

APP = Path(__file__).parent / "sandbox_app" / "template.yaml"


class Stage:
    """A running application and hands to drive it."""

    def __init__(self, aws: LocalAws, deployment: Deployment, runner: Runner) -> None:
        self.aws, self.deployment, self.runner = aws, deployment, runner
        self.sqs = aws.client("sqs")

    def send(self, *orders: dict[str, Any]) -> None:
        for order in orders:
            self.sqs.send_message(QueueUrl=self.deployment["InQueue"], MessageBody=json.dumps(order))

    def send_ordered(self, group: str, number: int, **order: Any) -> None:
        self.sqs.send_message(
            QueueUrl=self.deployment["OrderedQueue"],
            MessageBody=json.dumps({"group": group, "number": number, **order}),
            MessageGroupId=group,
            MessageDeduplicationId=f"{group}-{number}",
        )

    def write(self, *keys: str) -> None:
        for key in keys:
            self.aws.client("dynamodb").put_item(TableName=self.deployment["Table"], Item={"pk": {"S": key}})

    def body_of_dead(self, queue: str) -> dict[str, Any]:
        message = self.sqs.receive_message(QueueUrl=self.deployment[queue])["Messages"][0]
        return dict(json.loads(message["Body"]))


@contextmanager
def staged(pacing: Pacing, *, start: bool = True) -> Iterator[Stage]:
    clock = SandboxClock()
    with LocalAws(clock) as aws:
        deployment = deploy(aws, APP, {"Greeting": "hi"})
        runner = Runner(aws, deployment, pacing=pacing)
        try:
            if start:
                runner.start()
            yield Stage(aws, deployment, runner)
        finally:
            if start:
                runner.stop()


@pytest.fixture
def stage() -> Iterator[Stage]:
    """An application whose failed batches come back at once."""
    with staged(Pacing(retry_after=0, stream_backoff=0.02)) as running:
        yield running


def bodies(stage: Stage) -> list[dict[str, Any]]:
    """What was delivered from queues, in order."""
    records = [r for o in stage.runner.outcomes if o.function == "EchoFunction" for r in o.event["Records"]]
    return [json.loads(record["body"]) for record in records]


def test_messages_are_batched_and_deleted_when_the_function_succeeds(stage: Stage) -> None:
    """Each message is delivered once, with the environment that the template gives, and the queue is empty after."""
    stage.send(*({"n": n} for n in range(12)))
    stage.runner.run_until_idle(20)
    assert sorted(body["n"] for body in bodies(stage)) == list(range(12))
    assert max(outcome.records for outcome in stage.runner.outcomes) <= 5
    assert "said hi" in list(stage.runner.logs["EchoFunction"])
    assert stage.runner.dead_letters() == {}


def test_only_failed_messages_return_when_the_function_reports_them(stage: Stage) -> None:
    """A partial failure redelivers the failed message alone, until it is moved to the dead-letter queue."""
    stage.send({"n": 1}, {"n": 2, "do": "fail"})
    stage.runner.run_until_idle(20)
    delivered = [body["n"] for body in bodies(stage)]
    assert (delivered.count(1), delivered.count(2)) == (1, 2)
    assert stage.body_of_dead("DeadQueue")["n"] == 2


@pytest.mark.parametrize(("order", "kind"), [("raise", "error"), ("exit", "crash"), ("hang", "timeout")])
def test_the_whole_batch_returns_when_an_invocation_has_no_result(stage: Stage, order: str, kind: str) -> None:
    """A function that raises, dies or hangs leaves its batch to redelivery; its receive count moves it away."""
    stage.send({"do": order})
    stage.runner.run_until_idle(20)
    assert [outcome.kind for outcome in stage.runner.outcomes] == [kind, kind]
    assert sum(stage.runner.dead_letters().values()) == 1
    stage.send({"n": 1})
    stage.runner.run_until_idle(20)
    assert stage.runner.outcomes[-1].kind == "ok"


def test_a_failed_message_stays_invisible_when_nothing_is_hurried() -> None:
    """Without a hurry a message returns after its visibility timeout, and the clock can bring that about."""
    with staged(Pacing()) as stage:
        stage.runner.crash("EchoFunction")
        stage.send({"n": 1})
        with pytest.raises(NotIdleError, match=r"1 in flight.*killed before the handler ran"):
            stage.runner.run_until_idle(3)
        stage.aws.clock.advance(13)
        stage.runner.run_until_idle(20)
        assert [outcome.kind for outcome in stage.runner.outcomes] == ["crash", "ok"]


def test_a_crash_after_the_handler_repeats_the_message_when_it_was_not_yet_deleted(stage: Stage) -> None:
    """What the function did stays done, and the message comes again."""
    stage.runner.crash("EchoFunction", when="after")
    stage.send({"do": "write", "pk": "other"})
    stage.runner.run_until_idle(20)
    assert [o.kind for o in stage.runner.outcomes if o.function == "EchoFunction"] == ["crash", "ok"]


def test_a_group_keeps_its_order_when_one_of_its_messages_is_slow(stage: Stage) -> None:
    """One batch of a group is in flight at a time; another group overtakes it."""
    stage.send_ordered("a", 1, sleep=0.5)
    stage.send_ordered("a", 2)
    stage.send_ordered("b", 1)
    stage.runner.run_until_idle(20)
    ended = [json.loads(o.event["Records"][0]["body"]) for o in stage.runner.outcomes]
    assert [(e["group"], e["number"]) for e in ended if e["group"] == "a"] == [("a", 1), ("a", 2)]
    assert (ended[-1]["group"], ended[-1]["number"]) == ("a", 2)


def test_a_deduplication_id_is_remembered_when_its_message_is_gone(stage: Stage) -> None:
    """A FIFO queue drops a repeated id for 5 minutes of the sandbox's time, and takes it after."""
    for advance in (0, 200, 101):
        stage.aws.clock.advance(advance)
        stage.send_ordered("a", 1)
        stage.runner.run_until_idle(20)
    assert len(stage.runner.outcomes) == 2


def test_stream_records_come_in_order_and_filtered_when_items_change(stage: Stage) -> None:
    """Only records that the filter criteria name are delivered, in the order of the writes."""
    stage.write("item1", "other", *(f"item{n}" for n in range(2, 8)))
    stage.runner.run_until_idle(20)
    keys = [key for outcome in stage.runner.outcomes for key in outcome.result["keys"]]
    assert keys == [f"item{n}" for n in range(1, 8)]


def test_no_stream_record_comes_when_a_write_changes_nothing(stage: Stage) -> None:
    """A function that repeats a write must not be woken by it for ever."""
    stage.write("item1", "item1")
    stage.aws.client("dynamodb").update_item(
        TableName=stage.deployment["Table"], Key={"pk": {"S": "item1"}}, UpdateExpression="REMOVE absent"
    )
    stage.runner.run_until_idle(20)
    assert [key for outcome in stage.runner.outcomes for key in outcome.result["keys"]] == ["item1"]


def test_stream_records_come_when_a_transaction_failed_before(stage: Stage) -> None:
    """Moto puts a copy of the table in its place then, with a stream of its own."""
    stage.write("item1")
    table = stage.deployment["Table"]
    put = {"TableName": table, "Item": {"pk": {"S": "item1"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    with pytest.raises(ClientError):
        stage.aws.client("dynamodb").transact_write_items(TransactItems=[{"Put": put}])
    stage.write("item2")
    stage.runner.run_until_idle(20)
    assert [key for outcome in stage.runner.outcomes for key in outcome.result["keys"]] == ["item1", "item2"]


def test_a_poisonous_record_is_isolated_when_its_batch_fails(stage: Stage) -> None:
    """Bisecting finds the bad record; it goes to the on-failure queue, its neighbours are consumed."""
    stage.write("item1", "item2-poison", "item3", "item4")
    stage.runner.run_until_idle(20)
    keys = {key for outcome in stage.runner.outcomes if outcome.result for key in outcome.result["keys"]}
    assert keys == {"item1", "item3", "item4"}
    dead = stage.body_of_dead("StreamDeadQueue")
    assert dead["DDBStreamBatchInfo"]["batchSize"] == 1
    assert dead["requestContext"]["approximateInvokeCount"] == 3


def test_records_before_a_reported_one_are_not_repeated_when_it_is_retried(stage: Stage) -> None:
    """A partial failure moves the checkpoint to the reported record."""
    stage.write("item1", "item2-bad", "item3")
    stage.runner.run_until_idle(20)
    first = [o.event["Records"][0]["dynamodb"]["Keys"]["pk"]["S"] for o in stage.runner.outcomes]
    assert first[0] == "item1"
    assert first.count("item2-bad") >= 3
    assert "item1" not in first[1:]


def test_functions_see_the_sandbox_time_when_the_clock_is_advanced(stage: Stage) -> None:
    """A warm worker's time follows the clock."""
    stage.send({"n": 1})
    stage.runner.run_until_idle(20)
    stage.aws.clock.advance(7200)
    stage.send({"n": 2})
    stage.runner.run_until_idle(20)
    before, after = (outcome.result["time"] for outcome in stage.runner.outcomes)
    assert 7200 <= after - before < 7260
    assert stage.runner.outcomes[0].result["remaining"] <= 2000


def test_the_tick_reaches_its_target_when_it_is_sent_by_hand(stage: Stage) -> None:
    """A rule with a rate of one minute sends its input to its queue."""
    assert stage.runner.tick() == [stage.deployment["TickRule"]]
    stage.runner.run_until_idle(20)
    assert bodies(stage) == [{"do": "tick"}]


def test_delayed_messages_wait_for_the_clock_when_a_delay_is_asked_for(stage: Stage) -> None:
    """A delay passes in the sandbox's time."""
    stage.sqs.send_message(QueueUrl=stage.deployment["InQueue"], MessageBody="{}", DelaySeconds=600)
    with pytest.raises(NotIdleError, match="1 delayed"):
        stage.runner.run_until_idle(0.2)
    stage.aws.clock.advance(601)
    stage.runner.run_until_idle(20)
    assert len(stage.runner.outcomes) == 1


def test_deploying_names_the_parameter_when_the_template_does_not_have_it() -> None:
    """A parameter that the template lacks is refused by name."""
    with LocalAws(SandboxClock()) as aws, pytest.raises(DeploymentError, match="Salutation"):
        deploy(aws, APP, {"Salutation": "hi"})


def test_a_broken_template_is_refused_when_it_does_not_translate(tmp_path: Path) -> None:
    """The translator's own words say what is wrong."""
    broken = tmp_path / "template.yaml"
    broken.write_text(APP.read_text().replace("Queue: !GetAtt InQueue.Arn, ", ""))
    with LocalAws(SandboxClock()) as aws, pytest.raises(DeploymentError, match="does not translate"):
        deploy(aws, broken, {})


def test_what_a_false_condition_guards_is_absent_when_it_is_looked_up() -> None:
    """Looking up a resource that was not made says why it may be missing."""
    with LocalAws(SandboxClock()) as aws:
        deployment = deploy(aws, APP, {})
    with pytest.raises(KeyError, match="Absent"):
        deployment["Absent"]
