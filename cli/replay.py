"""Replay: events through the stack's real rules and functions, and what came of each."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.explaining import HOME, meaning_of
from cli.loading import LoadedEvent
from cli.outcomes import event_row
from cli.report import Ledger, notices_of, registries_of, requests_of
from registry_autopilot.definitions import Definition
from registry_autopilot.events import (
    MAX_BODY_BYTES,
    ImagePushed,
    RepositoryCreated,
    RepositoryDeleted,
    Tick,
    parse_event,
)
from sandbox.stack import Sandbox
from sandbox.vertex import Journal

KEY_WAIT_SECONDS = 200  # of the sandbox's time: a fresh access key is waited for, a sync that is not due is not


def replay(
    sandbox: Sandbox, events: Sequence[LoadedEvent], definitions: Sequence[Definition], journal: Journal
) -> dict[str, Any]:
    """Deliver, run until idle, report."""
    for event in events:
        _claim(sandbox, event)
    matched = [_deliver(sandbox, event) for event in events]
    settle(sandbox)
    return report(sandbox, events, matched, definitions, journal)


def report(
    sandbox: Sandbox,
    events: Sequence[LoadedEvent],
    matched: Sequence[list[str]],
    definitions: Sequence[Definition],
    journal: Journal,
) -> dict[str, Any]:
    """What came of events that were delivered, each with the rules it matched."""
    ledger = Ledger(sandbox.ledger_items())
    meanings = [meaning_of(event.envelope, definitions, HOME) for event in events]
    return {
        "events": [
            event_row(event, rules, meaning, ledger)
            for event, rules, meaning in zip(events, matched, meanings, strict=True)
        ],
        "registries": registries_of(ledger),
        "vertex_requests": requests_of(journal),
        "notices": notices_of(sandbox, ledger),
        "dead_letters": sum(sandbox.runner.dead_letters().values()),
    }


def settle(sandbox: Sandbox, timeout: float = 300) -> None:
    """Run until idle; short waits for a fresh access key pass in the sandbox's time."""
    sandbox.settle(timeout)
    end = sandbox.clock.now() + KEY_WAIT_SECONDS
    while (wait := _key_wait(sandbox)) is not None and sandbox.clock.now() + wait <= end:
        sandbox.clock.advance(wait)
        sandbox.tick()
        sandbox.settle(timeout)


def _key_wait(sandbox: Sandbox) -> float | None:
    states = Ledger(sandbox.ledger_items()).states.values()
    due = [s.due_at for s in states if s.waiting_since is not None and s.refused_at is None and s.due_at is not None]
    return max(1.0, min(due) - sandbox.clock.now() + 1) if due else None


def _claim(sandbox: Sandbox, event: LoadedEvent) -> None:
    """Make AWS agree with an event that means a repository; anything else claims nothing that could be made true."""
    meant = parse_event(event.envelope)
    try:
        if isinstance(meant, RepositoryCreated | ImagePushed):
            sandbox.ensure_claims(event.envelope)
        elif isinstance(meant, RepositoryDeleted):
            sandbox.activity.delete_repository(meant.repository.name)
    except (ClientError, BotoCoreError) as error:
        sys.stderr.write(f"autopilot: {event.file}: the sandbox's AWS cannot agree: {error}\n")


def _deliver(sandbox: Sandbox, event: LoadedEvent) -> list[str]:
    """Put it on the bus; one that is larger than EventBridge delivers never arrives."""
    if len(json.dumps(event.envelope).encode()) > MAX_BODY_BYTES:
        sys.stderr.write(f"autopilot: {event.file}: larger than the {MAX_BODY_BYTES} bytes that EventBridge delivers\n")
        return []
    if isinstance(parse_event(event.envelope), Tick):
        return sandbox.tick()  # a schedule's event goes to its own target, never over the bus
    return sandbox.put_event(event.envelope)
