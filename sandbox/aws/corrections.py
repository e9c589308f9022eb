"""Corrections to moto inside this process, for as long as a sandbox runs; each says what AWS does instead."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from moto.dynamodb.models.table import StreamShard
from moto.ecr import models as ecr
from moto.events.models import EventPattern, Rule
from moto.events.responses import EventsHandler
from moto.secretsmanager.models import FakeSecret
from moto.sqs import models as sqs

from sandbox.clock import SandboxClock

DEDUPLICATION_SECONDS = 300
# EventBridge API reference, TestEventPattern, `Event`
_EVERY_EVENT_HAS = ("id", "account", "source", "time", "region", "resources", "detail-type")


@contextmanager
def corrected(clock: SandboxClock) -> Iterator[None]:
    """SQS on the sandbox's time, with a FIFO queue's memory; events that arrive whole; streams of real changes."""
    with ExitStack() as stack:
        # Delays, visibility timeouts and deduplication windows pass when the sandbox's clock is advanced.
        stack.enter_context(patch.object(sqs, "unix_time", clock.now))
        stack.enter_context(patch.object(sqs, "unix_time_millis", lambda: clock.now() * 1000))
        stack.enter_context(patch.object(sqs.Queue, "add_message", _remembering(clock, sqs.Queue.add_message)))
        stack.enter_context(patch.object(Rule, "send_to_targets", _untouched(Rule.send_to_targets)))
        stack.enter_context(patch.object(Rule, "_send_to_sqs_queue", _send_whole))
        # Repositories are created in the sandbox's time, too.
        stack.enter_context(patch.object(ecr, "utcnow", lambda: datetime.fromtimestamp(clock.now(), UTC)))
        put_value = _after_a_rollback(FakeSecret.reset_default_version)
        stack.enter_context(patch.object(FakeSecret, "reset_default_version", put_value))
        stack.enter_context(patch.object(StreamShard, "add", _changes_only(StreamShard.add)))
        stack.enter_context(patch.object(EventsHandler, "test_event_pattern", _test_event_pattern))
        yield


def _remembering(clock: SandboxClock, add: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """A deduplication id is kept for 5 minutes after the first send; moto forgets it with its message."""

    def add_message(queue: Any, message: Any) -> None:
        moved_here = message.approximate_receive_count > 0  # a redrive is not a send
        if queue.fifo_queue and message.deduplication_id and not moved_here:
            seen = queue.__dict__.setdefault("_seen_deduplication_ids", {})
            if clock.now() - seen.get(message.deduplication_id, float("-inf")) < DEDUPLICATION_SECONDS:
                return
            seen[message.deduplication_id] = clock.now()
        add(queue, message)

    return add_message


def _untouched(send: Callable[..., None]) -> Callable[..., None]:
    """A target without an input transformer gets the event as it is; moto fills a template that lacks the account."""

    def send_to_targets(rule: Any, event: Any, transform_input: bool = True) -> None:  # noqa: FBT001, FBT002 - moto's
        send(rule, event, transform_input and any("InputTransformer" in target for target in rule.targets))

    return send_to_targets


def _send_whole(rule: Any, queue_name: str, event: dict[str, Any], group_id: str | None = None) -> None:
    """The message's body is the event, its time as text; moto fails on a time that is not a number."""
    event.pop("ingestion-time", None)
    if isinstance(event.get("time"), int | float):
        event["time"] = datetime.fromtimestamp(event["time"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    backend = sqs.sqs_backends[rule.account_id][rule.region_name]
    backend.send_message(queue_name=queue_name, message_body=json.dumps(event), group_id=group_id)


def _after_a_rollback(reset: Callable[[Any, Any, Any], None]) -> Callable[[Any, Any, Any], None]:
    """A new value takes AWSCURRENT from whichever version has it; moto takes it from the last that was put."""

    def reset_default_version(secret: Any, version: Any, version_id: Any) -> None:
        current = [known for known, one in secret.versions.items() if "AWSCURRENT" in one["version_stages"]]
        secret.default_version_id = current[0] if current else secret.default_version_id
        reset(secret, version, version_id)

    return reset_default_version


def _test_event_pattern(handler: Any) -> Any:
    """Whether a pattern matches an event that has what every event has; moto does not answer this call."""
    asked = json.loads(handler.body)
    try:
        event = json.loads(asked["Event"])
    except ValueError:
        event = None
    missing = [name for name in _EVERY_EVENT_HAS if not isinstance(event, dict) or event.get(name) is None]
    if missing:
        return handler.error("ValidationException", f"Parameter Event is not valid. Reason: {missing[0]} is missing")
    matches = EventPattern.load(asked["EventPattern"]).matches_event(event)
    return json.dumps({"Result": bool(matches)}), handler.response_headers


def _changes_only(add: Callable[[Any, Any, Any], None]) -> Callable[[Any, Any, Any], None]:
    """A write that changes nothing leaves no stream record (DynamoDB API reference, "Streams"); moto makes one."""

    def add_record(shard: Any, old: Any, new: Any) -> None:
        if old is None or new is None or old.to_json() != new.to_json():
            add(shard, old, new)

    return add_record
