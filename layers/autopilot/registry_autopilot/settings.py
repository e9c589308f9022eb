"""Settings: one frozen model per function, read from its environment when it starts. Secrets come as ARNs."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from registry_autopilot.audience import Audience
from registry_autopilot.causes import Severity
from registry_autopilot.findings import CheckLimits
from registry_autopilot.matching import Home
from registry_autopilot.notices import NoticeDetail
from registry_autopilot.ports import Rules

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class SettingsError(Exception):
    """Raised when a function starts with a missing or wrong variable; names it and says what to set."""


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Days = Annotated[tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(_split)]
Filled = Annotated[str, Field(min_length=1)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read from a function's environment.

        Raises:
            SettingsError: a variable is missing or wrong; each one is named, values are not shown.
        """
        values = {name.lower(): value for name, value in environment.items() if value != ""}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = [f"{str(p['loc'][0]).upper()}: {p['msg']}" for p in error.errors(include_input=False)]
            raise SettingsError(
                "the function cannot start; set these environment variables (template.yaml does): "
                + "; ".join(problems)
            ) from None


class _Place(_Settings):
    stack_account: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    stack_partition: Filled = "aws"
    aws_region: Filled
    ledger_table: Filled

    @property
    def home(self) -> Home:
        """The stack's own account and region."""
        return Home(self.stack_account, self.aws_region)


class _Governed(_Place):
    definitions_path: Filled
    mode_parameter: Filled
    allowed_registry_hosts: Names = ()
    protected_registries: Names = ()
    allow_insecure_tls: bool = False
    vertex_admin_secret_arn: Filled
    vertex_ca_bundle_secret_arn: str | None = None
    slack_webhook_secret_arn: str | None = None
    sync_quiet_seconds: float = 300
    sync_max_wait_seconds: float = 1800
    sync_starts_per_minute: int = 6

    @property
    def rules(self) -> Rules:
        """The stack's own rules."""
        own = (self.vertex_admin_secret_arn, self.vertex_ca_bundle_secret_arn, self.slack_webhook_secret_arn)
        return Rules(
            allowed_hosts=self.allowed_registry_hosts,
            protected=self.protected_registries,
            allow_insecure_tls=self.allow_insecure_tls,
            own_secrets=tuple(arn for arn in own if arn),
            sync_quiet_seconds=self.sync_quiet_seconds,
            sync_max_wait_seconds=self.sync_max_wait_seconds,
            sync_starts_per_minute=self.sync_starts_per_minute,
        )


class RouteSettings(_Governed):
    """Of route_events. `dead_letter_queues` are `role=address`, comma-separated."""

    work_queue_url: Filled
    dead_letter_queues: Names = ()
    expiry_warning_days: Days = (30, 14, 7, 1)
    max_secret_age_days: Annotated[int, Field(ge=0)] = 0
    health_sweep_minutes: Annotated[float, Field(gt=0)] = 15
    inventory_sweep_hours: Annotated[float, Field(gt=0)] = 6

    @property
    def queues(self) -> dict[str, str]:
        """Addresses of the dead-letter queues by their role."""
        pairs = (queue.partition("=") for queue in self.dead_letter_queues)
        return {role: address for role, _, address in pairs}

    @property
    def check_limits(self) -> CheckLimits:
        """When admins hear of the system itself."""
        periods = {"health": self.health_sweep_minutes * 60, "inventory": self.inventory_sweep_hours * 3600}
        return CheckLimits(self.expiry_warning_days, self.max_secret_age_days, periods)


class _WithVertex(_Governed):
    vertex_url: Filled
    vertex_login_field: Annotated[str, Field(pattern="^(username|emailId)$")] = "username"
    vertex_requests_per_second: Annotated[float, Field(gt=0, le=10)] = 5
    converge_workers: Annotated[int, Field(ge=1)] = 2

    @field_validator("vertex_url")
    @classmethod
    def _https(cls, url: str) -> str:
        parts = urlsplit(url)
        if not parts.hostname or parts.username or parts.query:
            raise ValueError("must be like https://vertex.example.gov")
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ValueError("must be https (http for a loopback host only)")
        return url.rstrip("/")


class ConvergeSettings(_WithVertex):
    """Of converge_registry."""


class SweepSettings(_WithVertex):
    """Of sweep. `rule_names` are those whose events it counts on."""

    work_queue_url: Filled
    rule_names: Names = ()
    rules_dead_letter_url: Filled
    sweep_max_writes: Annotated[int, Field(ge=0)] = 50
    sweep_max_writes_percent: Annotated[int, Field(ge=0, le=100)] = 20
    health_sweep_minutes: Annotated[float, Field(gt=0)] = 15
    inventory_sweep_hours: Annotated[float, Field(gt=0)] = 6


class NotifySettings(_Place):
    """Of notify_admins, and of notify_slack, which is the same code for another channel."""

    notice_channel: Literal["sns", "slack"]
    notice_channels: Names
    notice_topic_arn: Annotated[str, Field(validate_default=True)] = ""
    slack_webhook_secret_arn: Annotated[str, Field(validate_default=True)] = ""
    slack_hosts: Names = ("hooks.slack.com", "hooks.slack-gov.com")
    notice_detail: Annotated[str, Field(pattern="^(auto|full|reference)$")] = "auto"
    vertex_url: str | None = None
    notice_events: Names = ("failures", "resolutions")
    sns_least_severity: Severity = Severity.INFO
    slack_least_severity: Severity = Severity.INFO
    reminder_hours: Annotated[float, Field(ge=0)] = 24

    @field_validator("notice_topic_arn", "slack_webhook_secret_arn")
    @classmethod
    def _is_there_for_its_channel(cls, arn: str, info: ValidationInfo) -> str:
        channel = "sns" if info.field_name == "notice_topic_arn" else "slack"
        if not arn and info.data.get("notice_channel") == channel:
            raise ValueError(f"missing; notices go to {channel}")
        return arn

    @property
    def audience(self) -> Audience:
        """What is told, and to whom."""
        least = {"sns": self.sns_least_severity, "slack": self.slack_least_severity}
        return Audience(frozenset(self.notice_events), least)

    @property
    def remind_after(self) -> float | None:
        """Seconds after which an incident that lasts is told again; None: never."""
        return self.reminder_hours * 3600 or None

    @property
    def detail(self) -> NoticeDetail:
        """How much notices say; `auto` is `full` in the `aws` partition and `reference` elsewhere."""
        if self.notice_detail == "auto":
            return NoticeDetail.FULL if self.stack_partition == "aws" else NoticeDetail.REFERENCE
        return NoticeDetail(self.notice_detail)
