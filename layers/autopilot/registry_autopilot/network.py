"""A look at a registry's server from where the function runs: name, connection, certificate, `/v2/`.

Anonymous and narrow by design. The address that was judged is the one that is connected to, so that a name cannot
point elsewhere in between; nothing is sent but one `GET /v2/` without a login, and only after the certificate was
verified; no redirect and no `realm` is followed; of an answer only its status and scheme are ever told.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address

from registry_autopilot.addresses import Address, AddressRule, why_refused
from registry_autopilot.certificates import read_certificate
from registry_autopilot.diagnosis import Server, answer_words, certificate_words

type Say = Callable[[str], None]
type Resolver = Callable[[str, int], Sequence[Address]]

_STEP_SECONDS = 1.5  # of each wait: two connections and an answer stay within the five seconds of a look
_LONGEST_HEAD = 16_384


def resolve(host: str, port: int) -> Sequence[Address]:
    """The addresses of a name, in the order in which the system prefers them.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


class Network:
    """Looks at one server after the other; `rule` says which addresses are never connected to."""

    def __init__(self, *, rule: AddressRule = why_refused, resolver: Resolver = resolve) -> None:
        self._rule = rule
        self._resolver = resolver

    def look(self, server: Server, ca: str | None, say: Say) -> None:
        """Say what is seen, as far as one gets."""
        address = self._address(server, say)
        if address is None:
            return
        try:
            with _connected(address, server) as channel:
                say(f"a connection to port {server.port} opens")
                if not server.is_tls:
                    say(_ask(channel, server))
                    return
                with _context(ca).wrap_socket(channel, server_hostname=server.host) as secured:
                    say(f"TLS is trusted: {_certificate_of(secured)}")
                    say(_ask(secured, server))
        except ssl.SSLCertVerificationError as error:
            say(f"TLS is not trusted ({error.verify_message.rstrip('.')}): {_unverified(address, server)}")
        except ssl.SSLError as error:
            say(f"TLS fails ({error.reason or type(error).__name__})")
        except OSError as error:
            say(f"port {server.port} {_trouble(error)}")

    def _address(self, server: Server, say: Say) -> Address | None:
        """The one address that is connected to, judged by the rule; None: there is none to connect to."""
        try:
            found = self._resolver(server.host, server.port)
        except (OSError, ValueError):
            say("the name does not resolve")
            return None
        private = sum(address.is_private for address in found)
        say(f"the name resolves to {len(found)} address{'es' if len(found) != 1 else ''}, {private} of them private")
        reasons = [self._rule(address) for address in found]
        allowed = [address for address, reason in zip(found, reasons, strict=True) if reason is None]
        if not allowed:
            say(f"no connection was tried: {', '.join(sorted({str(reason) for reason in reasons}))}")
            return None
        return allowed[0]


@contextmanager
def _connected(address: Address, server: Server) -> Iterator[socket.socket]:
    with socket.create_connection((str(address), server.port), timeout=_STEP_SECONDS) as channel:
        yield channel


def _context(ca: str | None) -> ssl.SSLContext:
    """The system's CAs and the definition's own, with the leniency towards old private CAs that VerteX has, too."""
    context = ssl.create_default_context()
    if ca is not None:
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.load_verify_locations(cadata=ca)
    return context


def _unverified(address: Address, server: Server) -> str:
    """What the certificate says of itself, over a second connection on which nothing is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            _connected(address, server) as channel,
            context.wrap_socket(channel, server_hostname=server.host) as secured,
        ):
            return _certificate_of(secured)
    except OSError:
        return "its certificate could not be read"


def _certificate_of(secured: ssl.SSLSocket) -> str:
    try:
        certificate = read_certificate(secured.getpeercert(binary_form=True) or b"")
    except ValueError:
        return "its certificate could not be read"
    date = datetime.fromtimestamp(certificate.not_after, UTC).strftime("%Y-%m-%d")
    return certificate_words(certificate, date, has_ended=certificate.not_after < time.time())


def _ask(channel: socket.socket, server: Server) -> str:
    """What `/v2/` answers to an anonymous request; the end point of the OCI distribution specification (end-1)."""
    channel.sendall(
        f"GET /v2/ HTTP/1.1\r\nHost: {server.authority}\r\nUser-Agent: registry-autopilot\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n".encode()
    )
    try:
        return answer_words(_head(channel))
    except TimeoutError:
        return "/v2/ does not answer in time"


def _head(channel: socket.socket) -> bytes:
    """The head of an answer, however slowly it drips; the body is never read."""
    head, until = b"", time.monotonic() + _STEP_SECONDS
    while b"\r\n\r\n" not in head and len(head) < _LONGEST_HEAD:
        channel.settimeout(max(0.01, until - time.monotonic()))
        piece = channel.recv(4096)
        if not piece:
            break
        head += piece
    return head.partition(b"\r\n\r\n")[0]


def _trouble(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "refuses the connection"
    return f"cannot be reached ({type(error).__name__})"
