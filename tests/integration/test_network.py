"""A look at a registry's server, against real ones: names, connections, certificates, answers."""

import datetime as dt
import socket
import time
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from unittest.mock import Mock

import pytest

from registry_autopilot.addresses import Address
from registry_autopilot.diagnosis import Target
from registry_autopilot.network import Network, resolve
from registry_autopilot.own_view import OwnView
from registry_autopilot.registry import Identity, Provider, RegistryType
from tests.support.certificates import make_certificate
from tests.support.oci import free_port
from tests.support.servers import OK, server
from tests.support.world import FakeRepositories

_CA = make_certificate("Agency Root")
_AT_LOOPBACK = Network(rule=lambda _: None)  # strict everywhere else; here the servers are on loopback


def _look(endpoint: str, network: Network = _AT_LOOPBACK, *, ca: str | None = None, seconds: float = 5) -> list[str]:
    identity = Identity(RegistryType.BASIC, Provider.HELM, endpoint, "charts")
    return list(OwnView(network, FakeRepositories(), seconds=seconds).look(Target(endpoint, identity, ca)))


def test_everything_is_told_when_the_registry_is_well(tmp_path: Path) -> None:
    """Name, connection, certificate with its end, and how `/v2/` asks for a login; nothing of its text."""
    made = make_certificate("harbor.example.gov", signed_by=_CA)
    answer = b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="secret words"\r\n\r\n{"errors": "text"}'
    with server(answer, made.server_context(tmp_path)) as running:
        seen = _look(f"https://localhost:{running.port}", ca=_CA.pem)
        (request,) = running.received
    tomorrow = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).strftime("%Y-%m-%d")
    assert seen[1:] == [
        f"a connection to port {running.port} opens",
        f"TLS is trusted: certificate of harbor.example.gov, issued by Agency Root, ends on {tomorrow}",
        "/v2/ answers 401 to an anonymous request and asks for Basic",
    ]
    assert seen[0].startswith("the name resolves to ")
    assert request.startswith(b"GET /v2/ HTTP/1.1\r\n")
    assert b"authorization" not in request.lower()


def test_certificate_is_told_and_nothing_sent_when_it_has_expired(tmp_path: Path) -> None:
    """The second connection verifies nothing, and so carries nothing."""
    ended = dt.datetime(2021, 3, 4, tzinfo=dt.UTC)
    made = make_certificate("harbor.example.gov", signed_by=_CA, ends=ended)
    with server(OK, made.server_context(tmp_path)) as running:
        seen = _look(f"https://localhost:{running.port}", ca=_CA.pem)
        assert len(running.received) == 2
    assert seen[-1] == (
        "TLS is not trusted (certificate has expired): "
        "certificate of harbor.example.gov, issued by Agency Root, ended on 2021-03-04"
    )
    assert not any(running.received)


def test_issuer_is_told_when_nobody_knows_it(tmp_path: Path) -> None:
    """Without the definition's CA a private one is not trusted; a name that differs is not, either."""
    made = make_certificate("harbor.example.gov", signed_by=_CA)
    with server(OK, made.server_context(tmp_path)) as running:
        seen = _look(f"https://localhost:{running.port}")
        other = Network(rule=lambda _: None, resolver=lambda *_: (ip_address("127.0.0.1"),))
        elsewhere = _look(f"https://other.example.gov:{running.port}", other, ca=_CA.pem)
    assert "TLS is not trusted (unable to get local issuer certificate): certificate of harbor" in seen[-1]
    assert "other.example.gov" in elsewhere[-1]
    assert not any(running.received)


def test_port_is_told_when_nobody_listens() -> None:
    """A dead port refuses."""
    port = free_port()
    assert _look(f"http://127.0.0.1:{port}")[-1] == f"port {port} refuses the connection"


def test_name_is_told_when_it_does_not_resolve() -> None:
    """Names under `.invalid` never resolve (RFC 6761)."""
    assert _look("https://registry.invalid") == ["the name does not resolve"]


def test_server_is_told_when_it_speaks_no_tls() -> None:
    """Plain HTTP behind an https endpoint."""
    with server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as running:
        assert _look(f"https://127.0.0.1:{running.port}")[-1].startswith("TLS fails (")


def test_certificate_is_said_to_be_unread_when_the_server_is_gone_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second connection may fail where the first did not."""
    made = make_certificate("harbor.example.gov", signed_by=_CA)
    connect, tried = socket.create_connection, list[int]()

    def once(address: tuple[str, int], timeout: float) -> socket.socket:
        tried.append(address[1])
        if len(tried) > 1:
            raise ConnectionResetError
        return connect(address, timeout=timeout)

    with server(OK, made.server_context(tmp_path)) as running:
        monkeypatch.setattr("registry_autopilot.network.socket.create_connection", once)
        seen = _look(f"https://localhost:{running.port}")
        monkeypatch.undo()
    assert seen[-1].endswith(": its certificate could not be read")


def test_network_is_told_when_there_is_no_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """No route, or a network that is down: the kind of the error, not its text."""
    monkeypatch.setattr("registry_autopilot.network.socket.create_connection", Mock(side_effect=OSError(113, "text")))
    assert _look("http://127.0.0.1:5000")[-1] == "port 5000 cannot be reached (OSError)"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (OK, "/v2/ answers 200 to an anonymous request"),
        (
            b"HTTP/1.1 401 x\r\nwww-authenticate: Bearer realm=x\r\nWWW-Authenticate: Evil realm=y\r\n\r\n",
            "/v2/ answers 401 to an anonymous request and asks for Bearer",
        ),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "/v2/ answers with something that is not HTTP"),
        (b"", "/v2/ gives no answer"),
    ],
)
def test_answer_is_told_by_its_status_and_scheme(answer: bytes, words: str) -> None:
    """No word of the server's own goes into a notice."""
    with server(answer) as running:
        assert _look(f"http://127.0.0.1:{running.port}")[-1] == words


def test_redirect_is_told_and_not_followed_when_v2_redirects() -> None:
    """The other server hears nothing."""
    with server() as other:
        location = f"HTTP/1.1 307 x\r\nLocation: http://127.0.0.1:{other.port}/steal\r\n\r\n".encode()
        with server(location) as running:
            seen = _look(f"http://127.0.0.1:{running.port}")
        assert seen[-1] == "/v2/ answers 307, a redirect that was not followed"
        assert other.received == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_look_ends_when_a_server_never_answers(scheme: str) -> None:
    """Neither a silent handshake nor a silent `/v2/` holds it up."""
    begun = time.monotonic()
    with server(None) as running:
        seen = _look(f"{scheme}://127.0.0.1:{running.port}")
        assert time.monotonic() - begun < 5
    assert seen[-1].endswith("does not answer in time")


def test_look_ends_when_even_the_name_hangs() -> None:
    """A resolver cannot be interrupted: it is left behind, and what was not seen is said."""

    def hang(host: str, port: int) -> Sequence[Address]:
        time.sleep(2)
        return resolve(host, port)

    begun = time.monotonic()
    seen = _look("https://registry.example.gov", Network(resolver=hang), seconds=0.2)
    assert time.monotonic() - begun < 1.5
    assert seen == ["the rest was not seen within 0.2 seconds"]


@pytest.mark.parametrize(
    ("addresses", "reason"),
    [
        (("127.0.0.1",), "loopback"),
        (("169.254.169.254",), "link-local"),
        (("::ffff:127.0.0.1", "::1"), "loopback"),
        (("0.0.0.0",), "metadata or unspecified"),  # noqa: S104 - an address that is refused
    ],
)
def test_nothing_is_connected_to_when_a_name_points_at_the_machine_itself(
    addresses: tuple[str, ...], reason: str
) -> None:
    """A listener on loopback hears nothing, whatever the name resolves to."""
    with server() as running:
        network = Network(resolver=lambda *_: tuple(ip_address(a) for a in addresses))
        seen = _look(f"http://registry.example.gov:{running.port}", network)
        assert seen[-1] == f"no connection was tried: {reason}"
        assert running.received == []


def test_judged_address_is_the_one_connected_to_when_a_name_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is resolved once: what it says a moment later does not count (DNS rebinding)."""
    asked: list[str] = []
    connected: list[str] = []

    def once(host: str, port: int) -> Sequence[Address]:
        asked.append(host)
        return (ip_address("10.255.255.1" if len(asked) == 1 else "127.0.0.1"),)

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr("registry_autopilot.network.socket.create_connection", connect)
    _look("https://registry.example.gov", Network(resolver=once))
    assert (asked, connected) == (["registry.example.gov"], ["10.255.255.1"])


def test_hidden_failure_is_told_when_a_part_of_the_look_breaks() -> None:
    """Evidence only: whatever goes wrong in a look, the refusal is told."""

    def broken(host: str, port: int) -> Sequence[Address]:
        raise KeyError(host)

    assert _look("https://registry.example.gov", Network(resolver=broken)) == [
        "a part of it could not be looked at (KeyError)"
    ]
    assert _look("https://[broken") == ["no connection was tried: the endpoint cannot be read"]
