"""Wiring: builds the collaborators of each function from its settings, once per execution environment."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies, proxy_bypass

import boto3
import httpx
from botocore.exceptions import BotoCoreError, ClientError

from registry_autopilot.aws.announcements import DynamoAnnouncements
from registry_autopilot.aws.clients import AWS_CONFIG, EVIDENCE_CONFIG, ecr_as, ecr_in, sts_as, sts_in
from registry_autopilot.aws.counted_ledger import CountedLedger
from registry_autopilot.aws.definitions_store import ParameterStore
from registry_autopilot.aws.ecr_tokens import RoleTokens
from registry_autopilot.aws.event_path import RulesAndQueue
from registry_autopilot.aws.ledger import DynamoLedger
from registry_autopilot.aws.proof import AccessKeyProver
from registry_autopilot.aws.repositories import EcrRepositories
from registry_autopilot.aws.secret_versions import DescribedSecrets
from registry_autopilot.aws.secrets import SecretsManager
from registry_autopilot.aws.system_view import AwsSystemView
from registry_autopilot.aws.topic import TopicChannel
from registry_autopilot.aws.work_queue import SqsWorkQueue
from registry_autopilot.hosts import parse_ecr_host
from registry_autopilot.network import Network
from registry_autopilot.notify import Desk
from registry_autopilot.observability import EmfMetrics
from registry_autopilot.own_view import OwnView
from registry_autopilot.ports import Channel, ChannelError, Diagnosis, Unit, Vertex, WorkQueue
from registry_autopilot.settings import ConvergeSettings, NotifySettings, RouteSettings, SweepSettings, _Governed
from registry_autopilot.slack import SlackChannel
from registry_autopilot.steps.attempt import World
from registry_autopilot.sweep import Limits, Tools
from registry_autopilot.system_checks import check_system, note_vertex_ca
from registry_autopilot.vertex.transport import RequestRecord
from registry_autopilot.vertex_wiring import VertexBuilder

if TYPE_CHECKING:
    from aws_lambda_powertools import Metrics


@dataclass(frozen=True, slots=True)
class Router:
    """What route_events works with."""

    world: World
    queue: WorkQueue
    mode_parameter: str
    check: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Converger:
    """What converge_registry works with; `deadline` bounds the requests by the time the function has left."""

    collaborators: World
    deadline: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Sweeper:
    """What sweep works with; `deadline` bounds the requests by the time the function has left."""

    collaborators: Tools
    deadline: Callable[[float], None]


def router(metrics: "Metrics") -> Router:
    """Collaborators of route_events; it has no way to VerteX."""
    settings = RouteSettings.read(os.environ)
    queue = SqsWorkQueue(boto3.client("sqs", config=AWS_CONFIG), settings.work_queue_url)
    sqs, secrets = boto3.client("sqs", config=EVIDENCE_CONFIG), boto3.client("secretsmanager", config=EVIDENCE_CONFIG)
    view = AwsSystemView(sqs, secrets, settings.queues)
    world = replace(_world(settings, metrics, _no_vertex), versions=DescribedSecrets(secrets))
    return Router(world, queue, settings.mode_parameter, partial(check_system, world, view, settings.check_limits))


def converger(metrics: "Metrics") -> Converger:
    """Collaborators of converge_registry; the VerteX client is built at its first use."""
    settings = ConvergeSettings.read(os.environ)
    secrets = SecretsManager(boto3.client("secretsmanager", config=AWS_CONFIG))
    dynamodb = boto3.client("dynamodb", config=AWS_CONFIG)
    ledger = DynamoLedger(dynamodb, settings.ledger_table)
    built = VertexBuilder(
        settings, secrets, dynamodb, _watch(metrics), lambda pem: note_vertex_ca(ledger, pem, time.time())
    )
    diagnosis = OwnView(Network(), EcrRepositories(ecr_in), skip=_why_not_connected)
    return Converger(_world(settings, metrics, built.client, diagnosis), built.deadline)


def sweeper(metrics: "Metrics") -> Sweeper:
    """Collaborators of sweep; it describes secrets, and reads none but its own login to VerteX."""
    settings = SweepSettings.read(os.environ)
    secretsmanager, sqs = boto3.client("secretsmanager", config=AWS_CONFIG), boto3.client("sqs", config=AWS_CONFIG)
    dynamodb, events = boto3.client("dynamodb", config=AWS_CONFIG), boto3.client("events", config=AWS_CONFIG)
    built = VertexBuilder(settings, SecretsManager(secretsmanager), dynamodb, _watch(metrics))
    tools = Tools(
        world=_world(settings, metrics, built.client),
        versions=DescribedSecrets(secretsmanager),
        queue=SqsWorkQueue(sqs, settings.work_queue_url),
        path=RulesAndQueue(
            events,
            sqs,
            boto3.client("cloudtrail", config=AWS_CONFIG),
            rules=settings.rule_names,
            dead_letters_url=settings.rules_dead_letter_url,
        ),
        limits=Limits(
            writes=settings.sweep_max_writes,
            percent=settings.sweep_max_writes_percent,
            health_period=settings.health_sweep_minutes * 60,
            inventory_period=settings.inventory_sweep_hours * 3600,
        ),
    )
    return Sweeper(tools, built.deadline)


def notifier(metrics: "Metrics") -> Desk:
    """Collaborators of notify_admins."""
    settings = NotifySettings.read(os.environ)
    dynamodb, counted = boto3.client("dynamodb", config=AWS_CONFIG), EmfMetrics(metrics)
    return Desk(
        marks=DynamoAnnouncements(dynamodb, settings.ledger_table),
        ledger=CountedLedger(dynamodb, settings.ledger_table, counted),
        channels=[_channel(settings)],
        metrics=counted,
        clock=time.time,
        audience=settings.audience,
        remind_after=settings.remind_after,
        elsewhere=frozenset(settings.notice_channels) - {settings.notice_channel},
    )


def _channel(settings: NotifySettings) -> Channel:
    """The one that this function tells."""
    if settings.notice_channel == "slack":
        return _slack(settings)
    sns = boto3.client("sns", config=AWS_CONFIG)
    return TopicChannel(sns, settings.notice_topic_arn, detail=settings.detail, vertex_url=settings.vertex_url)


def _slack(settings: NotifySettings) -> SlackChannel:
    secrets = SecretsManager(boto3.client("secretsmanager", config=AWS_CONFIG))

    def webhook() -> str:
        try:
            return secrets.read(settings.slack_webhook_secret_arn).value.get_secret_value()
        except (ClientError, BotoCoreError) as error:
            raise ChannelError(f"its webhook could not be read ({type(error).__name__})") from None

    return SlackChannel(
        httpx.Client(),
        webhook,
        hosts=settings.slack_hosts,
        detail=settings.detail,
        sleep=time.sleep,
        vertex_url=settings.vertex_url,
    )


def _world(
    settings: _Governed, metrics: "Metrics", vertex: Callable[[], Vertex], diagnosis: Diagnosis | None = None
) -> World:
    ssm = boto3.client("ssm", config=AWS_CONFIG)
    return World(
        definitions=ParameterStore(ssm, settings.definitions_path, settings.mode_parameter),
        secrets=SecretsManager(boto3.client("secretsmanager", config=AWS_CONFIG)),
        repositories=EcrRepositories(ecr_in),
        prover=AccessKeyProver(sts_as),
        tokens=RoleTokens(sts_in, ecr_as),
        vertex=vertex,
        ledger=CountedLedger(boto3.client("dynamodb", config=AWS_CONFIG), settings.ledger_table, EmfMetrics(metrics)),
        metrics=EmfMetrics(metrics),
        clock=time.time,
        rules=settings.rules,
        home=settings.home,
        console_link=_console_link(settings),
        diagnosis=diagnosis,
    )


def _watch(metrics: "Metrics") -> Callable[[RequestRecord], None]:
    """Measures every request to VerteX by its operation; a request without an answer counts as lost, too."""
    emf = EmfMetrics(metrics)

    def watch(record: RequestRecord) -> None:
        emf.observe("VertexLatency", record.seconds * 1000, Unit.MILLISECONDS, operation=record.operation)
        if record.status is None:
            emf.count("VertexRequestsLost")

    return watch


def _why_not_connected(host: str) -> str | None:
    """Hosts that the function itself would not reach directly, so that a look at them would mislead."""
    if os.environ.get("AWS_ENDPOINT_URL") and parse_ecr_host(host) is not None:
        return "the function uses another endpoint for AWS"
    if "https" in getproxies() and not proxy_bypass(host):
        return "the function would go through its proxy"
    return None


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
