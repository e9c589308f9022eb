"""Scripted trouble, VerteX away, and the rate limit, over HTTP."""

import time
from collections.abc import Iterator

import httpx
import pytest

from sandbox.vertex import Fault, RateLimit
from tests.support.stand_in import Site, ecr_body, running

CREATE = "POST /v1/registries/oci/ecr"
LIST = "/v1/registries/metadata"


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as site:
        yield site


def test_registry_exists_when_only_the_answer_of_its_creation_is_lost(site: Site) -> None:
    """The connection is reset after the effect; the journal knows both."""
    site.vertex.faults.add(Fault(CREATE, "reset", effect="after"))
    with pytest.raises(httpx.TransportError):
        site.create(ecr_body())
    (registry,) = site.vertex.registries()
    entry = site.vertex.journal[-1]
    assert (entry.status, entry.took_effect, entry.uid) == (None, True, registry.uid)
    assert site.create(ecr_body()).status_code == 500


def test_nothing_happens_when_the_connection_is_reset_before(site: Site) -> None:
    """A fault strikes as often as it was told to."""
    site.vertex.faults.add(Fault(CREATE, "reset", times=2))
    for _ in range(2):
        with pytest.raises(httpx.TransportError):
            site.create(ecr_body())
    assert site.vertex.registries() == []
    assert not site.vertex.journal[-1].took_effect
    assert site.create(ecr_body()).status_code == 201


@pytest.mark.parametrize(
    ("fault", "status", "content"),
    [
        (Fault("GET *", "status", status=503), 503, b'"code": "ServiceUnavailable"'),
        (Fault("GET *", "html"), 502, b"<html>"),
        (Fault("GET *", "garbage"), 200, b'{"items": ['),
        (Fault("GET *", "empty"), 200, b""),
    ],
)
def test_answer_is_replaced_when_a_fault_strikes(site: Site, fault: Fault, status: int, content: bytes) -> None:
    """What proxies and dying servers answer."""
    site.vertex.faults.add(fault)
    struck = site.http.get(LIST)
    assert (struck.status_code, content in struck.content) == (status, True)
    assert site.http.get(LIST).json() == {"items": []}


def test_answer_comes_late_when_latency_is_scripted(site: Site) -> None:
    """And is otherwise as usual."""
    site.vertex.faults.add(Fault(f"GET {LIST}", "latency", seconds=0.2))
    started = time.monotonic()
    assert site.http.get(LIST).status_code == 200
    assert time.monotonic() - started >= 0.2


def test_only_matching_requests_are_struck_when_a_predicate_says_so(site: Site) -> None:
    """Endless faults last until they are cleared; `Retry-After` is passed on."""
    fault = Fault(lambda method, path: path.endswith("summary"), "status", times=None, status=429, retry_after="3")
    site.vertex.faults.add(fault)
    for _ in range(3):
        struck = site.http.get("/v1/registries/oci/summary")
        assert (struck.status_code, struck.headers["Retry-After"]) == (429, "3")
    assert site.http.get(LIST).status_code == 200
    site.vertex.faults.clear()
    assert site.http.get("/v1/registries/oci/summary").status_code == 200


def test_every_connection_is_reset_when_vertex_is_away(site: Site) -> None:
    """Logins too, and the attempts are in the journal; then it is back with all it held."""
    site.create(ecr_body())
    site.vertex.faults.down()
    for call in (site.log_in, lambda: site.http.get(LIST)):
        with pytest.raises(httpx.TransportError):
            call()
    assert [entry.status for entry in site.vertex.journal][-2:] == [None, None]
    site.vertex.faults.down(status=503)
    assert site.http.get(LIST).status_code == 503
    site.vertex.faults.up()
    assert len(site.http.get(LIST).json()["items"]) == 1


def test_requests_are_refused_when_the_burst_is_used_up() -> None:
    """All paths under a prefix count together, each prefix for itself; the bucket fills with real time."""
    with running(rate_limit=RateLimit(per_second=10, burst=3)) as site:
        answers = [site.http.get(path) for path in (LIST, "/v1/registries/oci/summary", LIST, LIST, LIST, LIST)]
        statuses = [answer.status_code for answer in answers]
        assert statuses[:3] == [200, 200, 200]
        assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "TooManyRequests")
        assert site.http.get("/v1/system/version/installed").status_code == 200
        time.sleep(0.15)
        assert site.http.get(LIST).status_code == 200


def test_write_has_no_effect_when_it_is_refused_by_the_rate_limit() -> None:
    """The journal has it all the same: it was a request."""
    with running(rate_limit=RateLimit(per_second=0.001, burst=1)) as site:
        assert site.http.get(LIST).status_code == 200
        assert site.create(ecr_body()).status_code == 429
        assert site.vertex.registries() == []
        entry = site.vertex.journal[-1]
        assert (entry.status, entry.error_code, entry.took_effect) == (429, "TooManyRequests", False)


def test_fifty_requests_pass_at_once_when_the_limit_is_the_documented_one(site: Site) -> None:
    """A burst of 50 on each prefix; the login counts for another one."""
    assert {site.http.get(LIST).status_code for _ in range(50)} == {200}
