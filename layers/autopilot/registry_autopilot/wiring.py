"""Wiring: builds the collaborators of each function from its settings, once per execution environment."""

import os
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import httpx
from botocore.config import Config

from registry_autopilot import causes
from registry_autopilot.aws.announcements import DynamoAnnouncements
from registry_autopilot.aws.definitions_store import ParameterStore
from registry_autopilot.aws.ecr_tokens import RoleTokens
from registry_autopilot.aws.ledger import DynamoLedger
from registry_autopilot.aws.login import DynamoLoginClaims, SecretAdmin
from registry_autopilot.aws.proof import AccessKeyProver
from registry_autopilot.aws.repositories import EcrRepositories
from registry_autopilot.aws.secrets import SecretsManager
from registry_autopilot.aws.topic import TopicChannel
from registry_autopilot.aws.work_queue import SqsWorkQueue
from registry_autopilot.causes import AutopilotError
from registry_autopilot.observability import EmfMetrics
from registry_autopilot.ports import Channel, Vertex, WorkQueue
from registry_autopilot.registry import CredentialValues
from registry_autopilot.settings import ConvergeSettings, NotifySettings, RouteSettings, _Governed
from registry_autopilot.slack import SlackChannel
from registry_autopilot.steps.attempt import World
from registry_autopilot.vertex.client import VertexClient
from registry_autopilot.vertex.http_client import open_http
from registry_autopilot.vertex.rate import RateLimiter, share
from registry_autopilot.vertex.session import Session

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import CredentialsTypeDef

_AWS = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 5})
_PROOF = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
BURST = 3  # requests a worker may send at once; VerteX allows 50 to everybody behind one address


@dataclass(frozen=True, slots=True)
class Router:
    """What route_events works with."""

    world: World
    queue: WorkQueue
    mode_parameter: str


@dataclass(frozen=True, slots=True)
class Converger:
    """What converge_registry works with; `deadline` bounds the requests by the time the function has left."""

    collaborators: World
    deadline: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Notifier:
    """What notify_admins works with."""

    ledger: DynamoAnnouncements
    channels: Sequence[Channel]
    metrics: EmfMetrics


def router(metrics: "Metrics") -> Router:
    """Collaborators of route_events; it has no way to VerteX."""
    settings = RouteSettings.read(os.environ)
    world = _world(settings, metrics, _no_vertex)
    queue = SqsWorkQueue(boto3.client("sqs", config=_AWS), settings.work_queue_url)
    return Router(world, queue, settings.mode_parameter)


def converger(metrics: "Metrics") -> Converger:
    """Collaborators of converge_registry; the VerteX client is built at its first use."""
    settings = ConvergeSettings.read(os.environ)
    built = _VertexBuilder(settings)
    return Converger(_world(settings, metrics, built.client), built.deadline)


def notifier(metrics: "Metrics") -> Notifier:
    """Collaborators of notify_admins."""
    settings = NotifySettings.read(os.environ)
    topic = TopicChannel(
        boto3.client("sns", config=_AWS),
        settings.notice_topic_arn,
        detail=settings.detail,
        vertex_url=settings.vertex_url,
    )
    channels: list[Channel] = [topic]
    if settings.slack_webhook_secret_arn:
        channels.append(_slack(settings, settings.slack_webhook_secret_arn))
    ledger = DynamoAnnouncements(boto3.client("dynamodb", config=_AWS), settings.ledger_table)
    return Notifier(ledger, channels, EmfMetrics(metrics))


def _slack(settings: NotifySettings, webhook_secret: str) -> SlackChannel:
    secrets = SecretsManager(boto3.client("secretsmanager", config=_AWS))

    def webhook() -> str:
        return secrets.read(webhook_secret).value.get_secret_value()

    return SlackChannel(
        httpx.Client(),
        webhook,
        hosts=settings.slack_hosts,
        detail=settings.detail,
        sleep=time.sleep,
        vertex_url=settings.vertex_url,
    )


def _world(settings: _Governed, metrics: "Metrics", vertex: Callable[[], Vertex]) -> World:
    ssm = boto3.client("ssm", config=_AWS)
    return World(
        definitions=ParameterStore(ssm, settings.definitions_path, settings.mode_parameter),
        secrets=SecretsManager(boto3.client("secretsmanager", config=_AWS)),
        repositories=EcrRepositories(_ecr_in),
        prover=AccessKeyProver(_sts_as),
        tokens=RoleTokens(_sts_in, _ecr_as),
        vertex=vertex,
        ledger=DynamoLedger(boto3.client("dynamodb", config=_AWS), settings.ledger_table),
        metrics=EmfMetrics(metrics),
        clock=time.time,
        rules=settings.rules,
        home=settings.home,
        console_link=_console_link(settings),
    )


@cache
def _ecr_in(region: str) -> "ECRClient":
    """The ECR client of a region."""
    return boto3.client("ecr", region_name=region, config=_AWS)


@cache
def _sts_in(region: str) -> "STSClient":
    """The STS client of a region, as the function itself."""
    return boto3.client("sts", region_name=region, config=_AWS)


def _ecr_as(session: "CredentialsTypeDef", region: str) -> "ECRClient":
    """An ECR client that acts as an assumed role."""
    return boto3.client(
        "ecr",
        region_name=region,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
        config=_AWS,
    )


def _sts_as(values: CredentialValues, region: str) -> "STSClient":
    """An STS client that signs with the credential that is to be tried."""
    key_id, key = values.access_key_id, values.secret_access_key
    return boto3.client(
        "sts",
        region_name=region,
        aws_access_key_id=key_id.get_secret_value() if key_id else "",
        aws_secret_access_key=key.get_secret_value() if key else "",
        aws_session_token=None,
        config=_PROOF,
    )


def _console_link(settings: _Governed) -> Callable[[str], str | None]:
    """A link to a registry's items in the DynamoDB console of the stack's partition."""
    hosts = {"aws": "console.aws.amazon.com", "aws-us-gov": "console.amazonaws-us-gov.com"}
    hosts |= {"aws-cn": "console.amazonaws.cn"}
    host = hosts.get(settings.stack_partition)

    def link(key: str) -> str | None:
        base = f"https://{host}/dynamodbv2/home?region={settings.aws_region}"
        return f"{base}#edit-item?table={settings.ledger_table}&pk=REG%23{key}&sk=STATE" if host else None

    return link


def _no_vertex() -> Any:
    raise RuntimeError("route_events does not talk to VerteX")


class _VertexBuilder:
    """Builds the client when it is first needed, so that an unchanged registry costs neither TLS nor a login."""

    def __init__(self, settings: ConvergeSettings) -> None:
        self._settings = settings
        self._client: VertexClient | None = None
        self._deadline: float | None = None

    def client(self) -> Vertex:
        """The VerteX client of this execution environment."""
        if self._client is None:
            self._client = self._build()
        self._client.deadline = self._deadline
        return self._client

    def deadline(self, seconds: float) -> None:
        """The function ends in so many seconds; requests end before."""
        self._deadline = time.monotonic() + max(1.0, seconds - 10)

    def _build(self) -> VertexClient:
        settings = self._settings
        secrets = SecretsManager(boto3.client("secretsmanager", config=_AWS))
        claims = DynamoLoginClaims(boto3.client("dynamodb", config=_AWS), settings.ledger_table, time.time)
        http = open_http(settings.vertex_url, verify=_trust(settings, secrets))
        session = Session(
            http,
            secret=SecretAdmin(secrets, settings.vertex_admin_secret_arn),
            claims=claims,
            vertex_url=settings.vertex_url,
            login_field=settings.vertex_login_field,
        )
        limiter = RateLimiter(share(settings.vertex_requests_per_second, settings.converge_workers), BURST)
        return VertexClient(http, session, limiter)


def _trust(settings: ConvergeSettings, secrets: SecretsManager) -> ssl.SSLContext:
    """The system's CAs, and the private one of the stack's VertexCaBundleSecretArn."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.vertex_ca_bundle_secret_arn:
        bundle = secrets.read(settings.vertex_ca_bundle_secret_arn)
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
