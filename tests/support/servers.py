"""Small servers on loopback that answer one way, for what a look at a registry may meet."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass(slots=True)
class RunningServer:
    """A server, and what reached it: one entry for each connection."""

    port: int
    received: list[bytes] = field(default_factory=list)


@contextmanager
def server(answer: bytes | None = OK, context: ssl.SSLContext | None = None) -> Iterator[RunningServer]:
    """Answer each connection alike until the block ends; None: take what comes and say nothing."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = RunningServer(listener.getsockname()[1])

        def serve() -> None:
            while not over.is_set():
                with suppress(OSError), listener.accept()[0] as plain:
                    _converse(plain, context, answer, running.received, over)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            over.set()
            with suppress(OSError), socket.create_connection(("127.0.0.1", running.port), timeout=1):
                pass  # wakes the one that accepts
            thread.join(timeout=5)


def _converse(
    plain: socket.socket,
    context: ssl.SSLContext | None,
    answer: bytes | None,
    received: list[bytes],
    over: threading.Event,
) -> None:
    plain.settimeout(5)
    received.append(b"")
    channel = context.wrap_socket(plain, server_side=True) if context else plain
    with channel:
        received[-1] = channel.recv(4096)
        if answer is None:
            over.wait(5)
        else:
            channel.sendall(answer)
