"""Replay on a deployed stack: its own rules say what matches, its own queue and functions do the work.

PutEvents refuses sources that begin with `aws.`, so EventBridge is asked with TestEventPattern which rule would match,
and what matches is sent to the events queue as EventBridge would send it. Nothing is created in AWS: events are hints,
and the functions look at what is really there.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from cli.explaining import Meaning, meaning_of
from cli.loading import LoadedEvent
from cli.outcomes import event_row, references_of
from cli.report import Ledger, registries_of
from cli.stacks import Target
from registry_autopilot.aws.announcements import DynamoAnnouncements
from registry_autopilot.aws.definitions_store import ParameterStore
from registry_autopilot.events import MAX_BODY_BYTES
from registry_autopilot.incidents import Incident
from registry_autopilot.matching import Home
from registry_autopilot.notices import NoticeDetail, notice_of

LOOK_SECONDS = 2.0
QUIET_LOOKS = 4  # SQS counts its messages approximately: one look at zero proves nothing
WAIT_SECONDS = 600
HISTORY_ENTRIES = 20  # the newest of each registry, where an event just sent is found
_NO_EVENT = {"InvalidEventPatternException", "ValidationException"}  # it lacks what EventBridge gives every event
_DEAD_LETTERS = ("EventsDeadLetterQueue", "WorkDeadLetterQueue", "RulesDeadLetterQueue", "NoticesDeadLetterQueue")
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")


def matched_rules(target: Target, events: Sequence[LoadedEvent]) -> list[list[str]]:
    """For each event the logical ids of the stack's enabled rules that match it, as EventBridge says; sends nothing."""
    patterns = dict(_patterns(target))
    return [[name for name, pattern in patterns.items() if _matches(target, pattern, event)] for event in events]


def send(target: Target, events: Sequence[LoadedEvent], matched: Sequence[Sequence[str]]) -> None:
    """Put what matches into the events queue, once per rule, as EventBridge does."""
    queue = target.client("sqs")
    for event, rules in zip(events, matched, strict=True):
        for _ in rules:
            queue.send_message(QueueUrl=target.outputs["EventsQueue"], MessageBody=json.dumps(event.envelope))


def replay(target: Target, events: Sequence[LoadedEvent], matched: Sequence[list[str]]) -> dict[str, Any]:
    """Send, wait until the queues are quiet, report. Requests to VerteX are not known from here: null."""
    definitions = ParameterStore(
        target.client("ssm"), target.outputs["DefinitionsPath"], target.outputs["ModeParameter"]
    ).load()
    home = _home(target)
    meanings = [meaning_of(event.envelope, definitions.usable, home) for event in events]
    before = {one.id: one.seq for one in _incidents(target, _known(target, meanings))}
    send(target, events, matched)
    _wait(target)
    known = _known(target, meanings)
    return {
        "events": [
            event_row(event, rules, meaning, known)
            for event, rules, meaning in zip(events, matched, meanings, strict=True)
        ],
        "registries": registries_of(known),
        "vertex_requests": None,
        "notices": [notice for one in _incidents(target, known) for notice in _notices(target, one, before)],
        "dead_letters": sum(_messages(target, target.outputs[name]) for name in _DEAD_LETTERS),
    }


def _patterns(target: Target) -> Iterator[tuple[str, str]]:
    """Logical id and pattern of the rules that pass events on; those with a schedule have none."""
    bridge, pages = target.client("events"), target.client("cloudformation").get_paginator("list_stack_resources")
    for page in pages.paginate(StackName=target.name):
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceType"] != "AWS::Events::Rule":
                continue
            rule = bridge.describe_rule(Name=resource["PhysicalResourceId"].rpartition("|")[2])
            if rule["State"] == "ENABLED" and rule.get("EventPattern"):
                yield resource["LogicalResourceId"], rule["EventPattern"]


def _matches(target: Target, pattern: str, event: LoadedEvent) -> bool:
    body = json.dumps(event.envelope)
    if len(body.encode()) > MAX_BODY_BYTES:
        return False
    try:
        return bool(target.client("events").test_event_pattern(EventPattern=pattern, Event=body)["Result"])
    except ClientError as error:
        if error.response["Error"]["Code"] in _NO_EVENT:
            return False
        raise


def _home(target: Target) -> Home:
    """Account and region of the stack."""
    arn = target.client("cloudformation").describe_stacks(StackName=target.name)["Stacks"][0]["StackId"]
    _, _, _, region, account, *_ = arn.split(":")
    return Home(account, region)


def _known(target: Target, meanings: Sequence[Meaning]) -> Ledger:
    """The ledger, with the history of the registries that the events lead to."""
    ledger, known = target.ledger, Ledger(())
    known.states = {state.key: state for state in ledger.registries()}
    keys = {key for meaning in meanings for key in meaning.keys}
    wanted = {reference for meaning in meanings for reference in references_of(meaning)}
    keys |= {state.key for reference in sorted(wanted) for state in ledger.referring(reference)}
    for key in sorted(keys & known.states.keys()):
        known.history += ledger.history(key, HISTORY_ENTRIES)
    return known


def _incidents(target: Target, known: Ledger) -> list[Incident]:
    """What is open on registries and on what they share."""
    ledger = target.ledger
    ids = {state.incident_id for state in known.states.values()} | {one.incident_id for one in ledger.systems()}
    found = [ledger.incident(incident_id) for incident_id in sorted(filter(None, ids))]
    return [incident for incident in found if incident is not None]


def _notices(target: Target, incident: Incident, before: dict[str, int]) -> Iterator[dict[str, Any]]:
    """What each channel was told since `before`; in full, whatever `NoticeDetail` says: who may read the ledger may."""
    marks = DynamoAnnouncements(target.client("dynamodb"), target.outputs["LedgerTable"]).marks(incident.id)
    for change in incident.above(before.get(incident.id, 0)):
        notice = notice_of(incident, change, NoticeDetail.FULL)
        for channel in sorted(name for name, mark in marks.items() if mark >= change.seq):
            yield {
                "state": notice.state,
                "severity": notice.severity.value,
                "cause": notice.cause,
                "subject": notice.subject,
                "channel": channel,
                "title": notice.title,
                "body": notice.body,
            }


def _wait(target: Target) -> None:
    """Until both queues have been empty for a while, or long enough has passed."""
    quiet, end = 0, time.monotonic() + WAIT_SECONDS
    while quiet < QUIET_LOOKS and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
        busy = any(_messages(target, target.outputs[name]) for name in ("EventsQueue", "WorkQueue"))
        quiet = 0 if busy else quiet + 1
    if quiet < QUIET_LOOKS:
        sys.stderr.write(f"autopilot: the queues are not empty after {WAIT_SECONDS} s; this is how far it came\n")


def _messages(target: Target, url: str) -> int:
    counts = target.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))["Attributes"]
    return sum(int(count) for count in counts.values())
