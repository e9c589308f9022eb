"""Small decisions of the wiring."""

import json

import pytest

from registry_autopilot.observability import make_metrics
from registry_autopilot.vertex.transport import RequestRecord
from registry_autopilot.wiring import _watch, _why_not_connected
from tests.support.world import host


@pytest.fixture(autouse=True)
def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own environment says nothing here."""
    for name in ("AWS_ENDPOINT_URL", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_every_host_is_looked_at_when_nothing_stands_between() -> None:
    """The ordinary stack."""
    assert _why_not_connected(host()) is _why_not_connected("harbor.example.gov") is None


def test_host_is_not_looked_at_when_the_function_would_use_its_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A direct connection would say nothing of the way that requests take; NO_PROXY names those that are direct."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.gov:3128")
    monkeypatch.setenv("NO_PROXY", "harbor.example.gov")
    assert _why_not_connected("quay.example.gov") == "the function would go through its proxy"
    assert _why_not_connected("harbor.example.gov") is None


def test_ecr_is_not_looked_at_when_aws_is_somewhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under another endpoint for AWS the public host is not the registry that the function speaks of."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert _why_not_connected(host()) == "the function uses another endpoint for AWS"
    assert _why_not_connected("harbor.example.gov") is None


def test_request_is_measured_by_its_operation(capsys: pytest.CaptureFixture[str]) -> None:
    """In milliseconds; one without an answer counts as lost, too."""
    metrics = make_metrics("test_wiring")
    metrics.namespace = "RegistryAutopilot"
    watch = _watch(metrics)
    watch(RequestRecord("GET", "/x", 200, None, "oci_summary", 0.25))
    watch(RequestRecord("GET", "/x", None, None, "oci_summary", 5))
    metrics.flush_metrics()
    line = json.loads(capsys.readouterr().out)
    assert line["VertexLatencyOciSummary"] == [250.0, 5000.0]
    assert line["VertexRequestsLost"] == [1.0]
