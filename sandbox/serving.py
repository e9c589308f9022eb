"""A WSGI application on a free port of this machine, served from threads of the calling process."""

import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, Self

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

type Environ = dict[str, Any]
type WsgiApp = Callable[[Environ, Any], Iterable[bytes]]


class _QuietHandler(WSGIRequestHandler):
    """Writes no access log, and forgets a connection that the application reset."""

    def log_request(self, *_args: object, **_kwargs: object) -> None:
        """The applications keep their own journals."""

    def connection_dropped(self, *_args: object, **_kwargs: object) -> None:
        """Read no further request from a connection that is gone."""
        self.close_connection = True


class LocalServer:
    """A real HTTP server on loopback. A context manager.

    Args:
        app: what answers.
        ssl_context: makes it HTTPS.
    """

    def __init__(self, app: WsgiApp, *, ssl_context: ssl.SSLContext | None = None) -> None:
        self._app = app
        self._ssl_context = ssl_context
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve on a free port until `stop`."""
        server = make_server(
            "127.0.0.1", 0, self._app, threaded=True, request_handler=_QuietHandler, ssl_context=self._ssl_context
        )
        server.daemon_threads = True  # type: ignore[attr-defined] # of socketserver.ThreadingMixIn
        scheme = "https" if self._ssl_context else "http"
        self.url = f"{scheme}://127.0.0.1:{server.server_port}"
        self._thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self._server = server

    def stop(self) -> None:
        """Stop listening. Stopping twice is fine."""
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._server = self._thread = None


def reset_connection(environ: Environ) -> NoReturn:
    """Cut the connection of a request with a TCP reset, as a dying server or a firewall does.

    Raises:
        ConnectionResetError: always; it tells werkzeug that there is nobody left to answer.
    """
    connection: socket.socket = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())
    raise ConnectionResetError("the stand-in reset this connection on purpose")
