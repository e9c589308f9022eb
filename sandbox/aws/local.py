"""The sandbox's AWS: moto's server behind the gate, on a free port of this machine."""

import secrets
import string
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Self

import boto3
from botocore.config import Config
from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from sandbox.aws import bus
from sandbox.aws.corrections import corrected
from sandbox.aws.gate import Gate
from sandbox.aws.invocations import Invoker
from sandbox.aws.logins import RegistryLogins
from sandbox.aws.requests import RequestLog
from sandbox.clock import SandboxClock

ACCOUNT = "123456789012"
REGION = "us-east-1"
_CLIENT = Config(retries={"mode": "standard", "total_max_attempts": 1}, max_pool_connections=20, read_timeout=60)
_running = threading.Lock()


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key of the sandbox."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


def make_credentials() -> Credentials:
    """A new access key; made at run time, so that none is ever written down."""
    letters = string.ascii_uppercase + string.digits
    key_id = "AKIA" + "".join(secrets.choice(letters) for _ in range(16))
    return Credentials(key_id, secrets.token_urlsafe(30))


class _QuietHandler(MotoRequestHandler):
    """Speaks HTTP/1.1, so that clients keep their connections, and writes no access log."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *_args: object, **_kwargs: object) -> None:
        """The gate keeps the log."""


class LocalAws:
    """moto as strict as AWS where it matters. A context manager; moto's state allows one at a time in a process.

    Attributes:
        root: credentials of the account's owner; nothing they do is judged by IAM.
        service: credentials that may besides put events in the name of AWS's own services.
    """

    def __init__(self, clock: SandboxClock) -> None:
        self.clock = clock
        self.account = ACCOUNT
        self.region = REGION
        self.root = make_credentials()
        self.service = make_credentials()
        trusted = frozenset({self.root.access_key_id, self.service.access_key_id})
        moto = DomainDispatcherApplication(create_backend_app)
        self._gate = Gate(moto, clock, trusted, self.service.access_key_id, self.account)
        self._clients: dict[tuple[str, str, str, Credentials], Any] = {}
        self._session = boto3.Session()
        self._stack = ExitStack()
        self.endpoint_url = ""

    @property
    def requests(self) -> RequestLog:
        """Every request so far."""
        return self._gate.log

    @property
    def invoker(self) -> Invoker | None:
        """Who runs a function that is invoked by its name."""
        return self._gate.invoker

    @invoker.setter
    def invoker(self, invoker: Invoker) -> None:
        self._gate.invoker = invoker

    @property
    def logins(self) -> RegistryLogins:
        """The tokens that ECR has given out."""
        return self._gate.logins

    @property
    def lock(self) -> threading.RLock:
        """Held while moto works; whoever looks into moto's state from this process takes it too."""
        return self._gate.lock

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start on a free port, empty.

        Raises:
            RuntimeError: another one runs in this process.
        """
        if not _running.acquire(blocking=False):
            raise RuntimeError("another sandbox runs in this process; stop it first (moto keeps one state a process)")
        self._stack.callback(_running.release)
        BackendDict.reset()
        self._stack.callback(BackendDict.reset)
        self._stack.enter_context(corrected(self.clock))
        server = make_server("127.0.0.1", 0, self._gate, threaded=True, request_handler=_QuietHandler)
        server.daemon_threads = True  # type: ignore[attr-defined] # of socketserver.ThreadingMixIn
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="sandbox-aws", daemon=True)
        thread.start()
        self._stack.callback(server.server_close)
        self._stack.callback(thread.join)
        self._stack.callback(server.shutdown)
        self.endpoint_url = f"http://127.0.0.1:{server.server_port}"

    def stop(self) -> None:
        """Stop, and forget everything. Stopping twice is fine."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._stack.close()

    def client(
        self, service: str, *, region: str | None = None, account: str | None = None, as_: Credentials | None = None
    ) -> Any:
        """A boto3 client of this AWS, kept for further use.

        Args:
            service: boto3's name of the service.
            region: default: the sandbox's own.
            account: act in another account as its owner; default: the sandbox's own.
            as_: whom to sign for; default: `root`.
        """
        signer = as_ or self.root
        key = (service, region or self.region, account or self.account, signer)
        if key not in self._clients:
            self._clients[key] = self._build(service, key[1], account, signer)
        return self._clients[key]

    def _build(self, service: str, region: str, account: str | None, signer: Credentials) -> Any:
        client = self._session.client(
            service,  # type: ignore[call-overload] # any service is fine here
            region_name=region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=signer.access_key_id,
            aws_secret_access_key=signer.secret_access_key,
            config=_CLIENT,
        )
        if account:
            client.meta.events.register("before-sign.*.*", _acting_in(account))
        return client

    def put_event(self, envelope: Mapping[str, Any]) -> list[str]:
        """Put an event on the default bus as AWS's services do; gives the names of the rules that matched."""
        with self.lock:
            return bus.deliver(envelope, self.account, self.region)


def _acting_in(account: str) -> Any:
    def act(request: Any, **_kwargs: object) -> None:
        request.headers["x-moto-account-id"] = account

    return act
