"""Wiring of the VerteX client: built when it is first needed, and anew when the CA it trusts has changed."""

import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from registry_autopilot import causes
from registry_autopilot.aws.login import DynamoLoginClaims, SecretAdmin
from registry_autopilot.aws.secrets import SecretsManager
from registry_autopilot.causes import AutopilotError
from registry_autopilot.ports import Vertex
from registry_autopilot.secret_values import SecretValue
from registry_autopilot.settings import ConvergeSettings, SweepSettings
from registry_autopilot.vertex.client import VertexClient
from registry_autopilot.vertex.http_client import open_http
from registry_autopilot.vertex.rate import RateLimiter, share
from registry_autopilot.vertex.session import Session
from registry_autopilot.vertex.transport import RequestRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SWEEP_PART = 0.1  # of the stack's rate; the sweep sends few requests, and runs once at a time
BURST = 3  # requests a worker may send at once; VerteX allows 50 to everybody behind one address


class VertexBuilder:
    """Builds the client when it is first needed, so that an unchanged registry costs neither TLS nor a login."""

    def __init__(
        self,
        settings: ConvergeSettings | SweepSettings,
        secrets: SecretsManager,
        dynamodb: "DynamoDBClient",
        watch: Callable[[RequestRecord], None] | None = None,
        note_ca: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._secrets = secrets
        self._dynamodb = dynamodb
        self._watch = watch
        self._note_ca = note_ca
        self._client: VertexClient | None = None
        self._ca_version: str | None = None
        self._deadline: float | None = None

    def client(self) -> Vertex:
        """The VerteX client of this execution environment; a rotated CA bundle takes effect at once."""
        arn = self._settings.vertex_ca_bundle_secret_arn
        bundle = self._secrets.read(arn) if arn else None
        version = bundle.version_id if bundle else None
        if self._client is None or version != self._ca_version:
            self._client, self._ca_version = self._build(bundle), version
            if bundle is not None:
                self._note_ca(bundle.value.get_secret_value())
        self._client.deadline = self._deadline
        return self._client

    def deadline(self, seconds: float) -> None:
        """The function ends in so many seconds; requests end before."""
        self._deadline = time.monotonic() + max(1.0, seconds - 10)

    def _build(self, bundle: SecretValue | None) -> VertexClient:
        settings = self._settings
        http = open_http(settings.vertex_url, verify=trust(bundle))
        session = Session(
            http,
            secret=SecretAdmin(self._secrets, settings.vertex_admin_secret_arn),
            claims=DynamoLoginClaims(self._dynamodb, settings.ledger_table, time.time),
            vertex_url=settings.vertex_url,
            login_field=settings.vertex_login_field,
        )
        return VertexClient(http, session, RateLimiter(rate_of(settings), BURST), watch=self._watch)


def rate_of(settings: ConvergeSettings | SweepSettings) -> float:
    """Requests a second of one execution environment: all that may run at once never exceed the stack's rate."""
    rate = settings.vertex_requests_per_second
    if isinstance(settings, SweepSettings):
        return rate * SWEEP_PART
    return share(rate * (1 - SWEEP_PART), settings.converge_workers)


def trust(bundle: SecretValue | None) -> ssl.SSLContext:
    """The system's CAs, and the private one of the stack's VertexCaBundleSecretArn.

    Raises:
        AutopilotError: vertex-unavailable, when the secret holds no PEM certificate.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if bundle is None:
        return context
    # Python 3.13 refuses CAs without key identifiers, which private ones often lack; the chain is still verified.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    try:
        context.load_verify_locations(cadata=bundle.value.get_secret_value())
    except ssl.SSLError:
        raise AutopilotError(
            causes.VERTEX_UNAVAILABLE,
            f"the secret {bundle.name} (VertexCaBundleSecretArn) holds no PEM certificate",
            subject="vertex",
        ) from None
    return context
