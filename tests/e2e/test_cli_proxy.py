"""The recording proxy: functions see what they would see without it, and nothing secret is written down."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from werkzeug.wrappers import Request, Response

from cli.trust import trusting
from sandbox.proxy import RecordingProxy
from sandbox.serving import LocalServer
from sandbox.vertex import Fault, VertexStandIn
from tests.support.oci import make_ca

PASSWORD = "Only-for-this-1-test!"
USERNAME = "admin@vertex.example"
SPEC = {"endpoint": "https://registry.invalid", "auth": {"type": "basic", "username": "u", "password": "canary"}}


@pytest.fixture
def vertex() -> Iterator[VertexStandIn]:
    """What the proxy stands before."""
    with VertexStandIn(username=USERNAME, password=PASSWORD) as stand_in:
        yield stand_in


@pytest.fixture
def proxy(vertex: VertexStandIn) -> Iterator[RecordingProxy]:
    with RecordingProxy(vertex.url) as recording:
        yield recording


@pytest.fixture
def http(proxy: RecordingProxy) -> Iterator[httpx.Client]:
    """A client that is logged in through the proxy."""
    with httpx.Client(base_url=proxy.url, timeout=20) as client:
        answer = client.post("/v1/auth/syslogin", json={"username": USERNAME, "password": PASSWORD})
        client.headers["Authorization"] = answer.json()["Authorization"]
        yield client


def test_answers_come_through_when_requests_are_passed_on(
    vertex: VertexStandIn, proxy: RecordingProxy, http: httpx.Client
) -> None:
    """Status, body, AuditUid and Retry-After, and the query on the way in."""
    vertex.seed_registry(name="theirs", endpoint="h.example", base_content_path="a", type="basic", scope="tenant")
    assert http.get("/v1/registries/metadata?scope=system").json() == {"items": []}
    created = http.post("/v1/registries/oci/basic", json={"metadata": {"name": "one"}, "spec": SPEC})
    assert created.status_code == 201
    assert proxy.journal[-1].audit_uid == created.headers["AuditUid"]
    vertex.faults.add(Fault("GET *", "status", status=429, retry_after="7"))
    assert http.get("/v1/registries/metadata").headers["Retry-After"] == "7"
    assert [entry.status for entry in proxy.journal] == [entry.status for entry in vertex.journal]


def test_the_connection_breaks_when_vertex_breaks_it(
    vertex: VertexStandIn, proxy: RecordingProxy, http: httpx.Client
) -> None:
    """A transport error stays one; the journal has an entry without status."""
    vertex.faults.add(Fault("GET /v1/registries/metadata", "reset"))
    with pytest.raises(httpx.TransportError):
        http.get("/v1/registries/metadata")
    assert proxy.journal[-1].status is None


def test_one_spec_has_one_digest_when_it_is_validated_and_created(proxy: RecordingProxy, http: httpx.Client) -> None:
    """The digest tells that they are the same, and nothing else; neither token nor password is kept."""
    http.post("/v1/registries/oci/basic/validate", json=SPEC)
    http.post("/v1/registries/oci/basic", json={"metadata": {"name": "one"}, "spec": SPEC})
    http.post("/v1/registries/oci/basic", content=b"{nonsense")
    validated, created, broken = proxy.journal.entries()[-3:]
    assert validated.spec == created.spec is not None
    assert broken.spec is None
    kept = repr(proxy.journal.entries())
    assert not [secret for secret in (PASSWORD, "canary", http.headers["Authorization"]) if secret in kept]


@Request.application
def greeting(_request: Request) -> Response:
    """Anything that answers."""
    return Response("{}", mimetype="application/json")


def test_a_private_ca_is_trusted_when_it_is_given(tmp_path: Path) -> None:
    """Without it the connection is cut, as it is for the functions themselves."""
    ca = make_ca(tmp_path)
    (tmp_path / "ca.pem").write_text(ca.ca_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca.certificate, ca.key)
    with LocalServer(greeting, ssl_context=context) as server:
        with RecordingProxy(server.url, trust=trusting(tmp_path / "ca.pem")) as proxy:
            assert httpx.get(f"{proxy.url}/v1/anything").json() == {}
        with RecordingProxy(server.url) as stranger, pytest.raises(httpx.TransportError):
            httpx.get(f"{stranger.url}/v1/anything")
