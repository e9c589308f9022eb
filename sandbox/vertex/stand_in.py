"""The whole stand-in: start it, seed it, change it as an admin would in the console, look at what came of it."""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Self

from sandbox.serving import LocalServer
from sandbox.vertex import views
from sandbox.vertex.app import VertexApi
from sandbox.vertex.auth import AdminAccount
from sandbox.vertex.behaviour import AwsIdentity, Behaviour, ErrorCodes
from sandbox.vertex.faults import Faults
from sandbox.vertex.front import Front
from sandbox.vertex.journal import Journal
from sandbox.vertex.rate import RateLimit, RateLimiter
from sandbox.vertex.seeding import changes_of, with_credentials
from sandbox.vertex.service import RegistryService
from sandbox.vertex.store import RegistryStore, StoredRegistry
from sandbox.vertex.syncs import Syncs, SyncStart
from sandbox.vertex.validation import Validator

_RATE = RateLimit(10, 50)  # of the API introduction


class VertexStandIn:
    """A VerteX over real HTTP on a free port of this machine. A context manager.

    Args:
        username: of its one system administrator.
        password: of the same.
        clock: seconds since the epoch; everything but the rate limit and timeouts goes by it.
        version: what it claims to be and behaves like.
        aws_endpoint: base URL of the AWS that ECR credentials are tried against.
        aws_identity: its own identity there, which assumes roles.
        token_lifetime_seconds: how long a login lasts.
        sync_seconds: how long a synchronization takes.
        latency_seconds: real time that every request takes at least.
        rate_limit: per source address and path prefix.
        validation_timeout_seconds: how long validate waits, in real time.
        reject_unvalidated: refuse to store a spec that was not validated before.
        pod_identity_roles: roles that pod identity works for.
        codes: error codes that the vendor does not publish.

    Attributes:
        url: base URL, once started.
        account: the administrator: `has_passkey`, `role`, `suspend()`.
        faults: the script of trouble.
        journal: the requests so far.
        behaviour: settings that may change while it runs.
    """

    def __init__(
        self,
        *,
        username: str,
        password: str,
        clock: Callable[[], float] = time.time,
        version: str = "4.10.1",
        aws_endpoint: str | None = None,
        aws_identity: AwsIdentity | None = None,
        token_lifetime_seconds: int = 900,
        sync_seconds: float = 20.0,
        latency_seconds: float = 0.0,
        rate_limit: RateLimit = _RATE,
        validation_timeout_seconds: float = 10.0,
        reject_unvalidated: bool = False,
        pod_identity_roles: Collection[str] = (),
        codes: ErrorCodes | None = None,
    ) -> None:
        self.behaviour = Behaviour(
            version=version,
            validation_timeout_seconds=validation_timeout_seconds,
            latency_seconds=latency_seconds,
            reject_unvalidated=reject_unvalidated,
            pod_identity_roles=pod_identity_roles,
            codes=codes or ErrorCodes(),
        )
        self.journal = Journal()
        self.faults = Faults()
        self.account = AdminAccount(
            username,
            password,
            clock=clock,
            behaviour=self.behaviour,
            token_lifetime_seconds=token_lifetime_seconds,
        )
        self._store = RegistryStore(clock, self.behaviour)
        self._syncs = Syncs(clock, sync_seconds)
        validator = Validator(self.behaviour, aws_endpoint, aws_identity)
        service = RegistryService(self._store, self._syncs, validator, self.journal, self.behaviour)
        front = Front(
            VertexApi(self.account, service, self.behaviour, aws_identity).wsgi,
            faults=self.faults,
            limiter=RateLimiter(rate_limit),
            journal=self.journal,
            behaviour=self.behaviour,
            clock=clock,
            name_of=self._store.name_of,
        )
        self._server = LocalServer(front)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve until `stop`."""
        self._server.start()

    def stop(self) -> None:
        """Stop listening; what it holds can still be looked at. Stopping twice is fine."""
        self._server.stop()

    @property
    def url(self) -> str:
        """Base URL, without a trailing slash."""
        return self._server.url

    @property
    def version(self) -> str:
        """What it claims to be; may be set at any time, as by an upgrade."""
        return self.behaviour.version

    @version.setter
    def version(self, version: str) -> None:
        self.behaviour.version = version

    @property
    def sync_seconds(self) -> float:
        """How long a synchronization takes that begins from now on."""
        return self._syncs.seconds

    @sync_seconds.setter
    def sync_seconds(self, seconds: float) -> None:
        self._syncs.seconds = seconds

    def set_password(self, new: str) -> None:
        """Change the administrator's password; from 4.10 on this ends every token."""
        self.account.set_password(new)

    def kill_tokens(self) -> None:
        """End every token."""
        self.account.kill_tokens()

    def seed_registry(
        self,
        *,
        name: str,
        type: str = "ecr",  # noqa: A002 - the API's own word
        provider: str = "pack",
        endpoint: str,
        base_content_path: str,
        synchronize: bool = True,
        is_default: bool = False,
        scope: str = "system",
        credentials: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        by: str = "console",
    ) -> str:
        """Put a registry there before the story begins, long synchronized; gives its uid.

        `credentials` is a `v1AwsCloudAccount` or `v1RegistryAuth`; by default a key pair that nobody knows, or none.
        `by` says who made it, in `registries`.

        Raises:
            ApiError: a field that the API would not take, or a name that is taken.
        """
        spec: dict[str, Any] = {
            "endpoint": endpoint,
            "providerType": provider,
            "baseContentPath": base_content_path,
            "isSyncSupported": synchronize,
        }
        registry = StoredRegistry(
            uid="",
            type=type,
            name=name,
            spec=spec,
            synchronize=synchronize,
            scope=scope,
            is_default=is_default,
            labels=dict(labels or {}),
            created_by=by,
        )
        registry = self._store.add(with_credentials(registry, credentials))
        if synchronize:
            self._syncs.begin(registry.uid, "seed")
        return registry.uid

    def change_registry(self, uid: str, **fields: Any) -> None:
        """Change a registry as an admin would in the console: nothing is tried and no sync begins.

        Args:
            uid: which one.
            fields: `name`, `labels`, `annotations`, `is_default`, `scope`, and of the spec `endpoint`,
                `base_content_path`, `credentials`, `auth`, `tls`, `default_region`.

        Raises:
            ValueError: a field that is none of these.
            ApiError: there is no such registry, or the API would not take the value.
        """
        self._store.change(uid, **changes_of(self._store.get(uid), fields))

    def remove_registry(self, uid: str) -> None:
        """Delete a registry as an admin would in the console."""
        self._store.remove(uid)

    def registries(self) -> list[views.Snapshot]:
        """What there is, in the order of creation."""
        return [views.snapshot(registry, self.journal.digest) for registry in self._store.all()]

    def credential_digest(self, credentials: Mapping[str, Any]) -> str:
        """The digest that a registry with these credentials (of the API's form) has in `registries`."""
        return self.journal.digest({key: value for key, value in credentials.items() if key != "tls"})

    def syncs(self) -> list[SyncStart]:
        """Every synchronization that began, those of creates included."""
        return self._syncs.starts()

    def fail_next_sync(self, uid: str, message: str) -> None:
        """Let the next synchronization of a registry end as failed."""
        self._syncs.fail_next(uid, message)
