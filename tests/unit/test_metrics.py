"""What is measured: never by the name of an asset."""

import json
from typing import Any
from unittest.mock import Mock

import httpx
import pytest

from registry_autopilot import causes
from registry_autopilot.aws.counted_ledger import CountedLedger
from registry_autopilot.incidents import Story, open_incident, resolve_incident, update_incident
from registry_autopilot.observability import EmfMetrics, make_metrics
from registry_autopilot.ports import LedgerWrite, Unit
from registry_autopilot.records import RegistryState, SystemState
from registry_autopilot.registry import Identity, Provider, RegistryType
from registry_autopilot.vertex.client import VertexClient
from registry_autopilot.vertex.rate import RateLimiter
from registry_autopilot.vertex.transport import RequestRecord
from tests.support import events
from tests.support.installation import FAMILY, Installation, access_key
from tests.support.scripted import ScriptedServer, VirtualTime
from tests.support.world import CountingMetrics

_STORY = Story(what="Something happened.", kept="Nothing was lost.")
_REPOSITORY = "team-a/spectro-packs/archive/nginx"


def test_values_become_samples_of_one_metric_when_they_have_one_name(capsys: pytest.CaptureFixture[str]) -> None:
    """In the embedded format, with their unit; a slug becomes part of the name."""
    metrics = make_metrics("test_metrics")
    metrics.namespace = "RegistryAutopilot"
    emf = EmfMetrics(metrics)
    emf.observe("VertexLatency", 12.5, Unit.MILLISECONDS, operation="validate_registry")
    emf.observe("VertexLatency", 7, Unit.MILLISECONDS, operation="validate_registry")
    emf.count("IncidentsOpened", cause="credentials-rejected")
    metrics.flush_metrics()
    line = json.loads(capsys.readouterr().out)
    assert line["VertexLatencyValidateRegistry"] == [12.5, 7.0]
    assert line["IncidentsOpenedCredentialsRejected"] == [1.0]
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["service"]]
    assert {"Name": "VertexLatencyValidateRegistry", "Unit": "Milliseconds"} in directive["Metrics"]


def test_time_to_registered_counts_from_the_event() -> None:
    """From when it happened, not from when it arrived."""
    with Installation([FAMILY]) as site:
        site.pipeline.repositories.add(_REPOSITORY)
        site.pipeline.deliver(events.created(_REPOSITORY, at=site.now - 90))
        assert site.pipeline.metrics.values["TimeToRegistered"] == [90]


def test_credential_age_is_noted_when_it_is_applied() -> None:
    """How long a rotated credential waited, and how old the one of a new registry is."""
    with Installation([FAMILY]) as site:
        site.pipeline.clock.now += 3600
        site.create(_REPOSITORY)
        version = site.pipeline.secrets.put("vertex/ecr-pull", access_key("two"))
        site.pipeline.clock.now += 5
        site.pipeline.deliver(events.secret_changed("vertex/ecr-pull", version, at=site.now))
        assert site.pipeline.metrics.values["CredentialAge"] == [3600, 5]


def test_ticks_are_counted_when_they_were_handled() -> None:
    """The alarm on their absence must not be fooled by other traffic, nor by ticks that fail."""
    with Installation([FAMILY]) as site:
        site.create(_REPOSITORY)
        assert "TicksHandled" not in site.pipeline.metrics.counts
        site.run(180)
        assert site.pipeline.metrics.counts["TicksHandled"] == 3
        site.pipeline.ledger.due = Mock(side_effect=RuntimeError)  # type: ignore[method-assign] # a ledger that fails
        site.pipeline.tick()
        assert site.pipeline.metrics.counts["TicksHandled"] == 3


def test_request_is_watched_with_its_operation_when_it_was_answered_or_lost() -> None:
    """Each try counts, with the seconds it took."""
    time = VirtualTime()
    watched: list[RequestRecord] = []

    def slow(request: httpx.Request) -> httpx.Response:
        time.sleep(0.25)
        return httpx.Response(200, json={"items": []})

    server = ScriptedServer(httpx.ConnectError("x"), slow)
    limiter = RateLimiter(100, 10, clock=time.clock, sleep=time.sleep)
    tokens = Mock(token=Mock(return_value="token"))
    client = VertexClient(server.http(), tokens, limiter, clock=time.clock, sleep=time.sleep, watch=watched.append)
    client.oci_summary()
    assert [(r.operation, r.status) for r in watched] == [("oci_summary", None), ("oci_summary", 200)]
    assert watched[1].seconds == pytest.approx(0.25)


def _ledger(metrics: CountingMetrics) -> tuple[CountedLedger, Any]:
    client = Mock()
    return CountedLedger(client, "table", metrics), client


def test_incidents_are_counted_by_cause_when_they_open_and_end() -> None:
    """At the one place that all of them pass; an update is neither."""
    metrics = CountingMetrics()
    ledger, _ = _ledger(metrics)
    was = RegistryState.fresh(Identity(RegistryType.ECR, Provider.PACK, "aws:123456789012:us-east-1", "team-a"))
    opened = open_incident("registry:x", "x", causes.TIMED_OUT, 1.0, _STORY)
    changed = update_incident(opened, causes.UNREACHABLE, 2.0, _STORY)
    for incident in (opened, changed, resolve_incident(changed, 3.0, _STORY), None):
        ledger.commit(LedgerWrite(was, was, incident=incident))
    ledger.commit_system(SystemState(subject="vertex"), SystemState(subject="vertex"), opened)
    assert metrics.counts == {"IncidentsOpened/timed-out": 2, "IncidentsResolved/unreachable": 1}


def test_incident_is_not_counted_when_somebody_else_wrote_it() -> None:
    """Who loses the race tells nothing and counts nothing."""
    metrics = CountingMetrics()
    ledger, client = _ledger(metrics)
    client.transact_write_items.side_effect = RuntimeError
    incident = open_incident("vertex", "VerteX", causes.VERTEX_UNAVAILABLE, 1.0, _STORY)
    with pytest.raises(RuntimeError):
        ledger.commit_system(SystemState(subject="vertex"), SystemState(subject="vertex"), incident)
    assert metrics.counts == {}
