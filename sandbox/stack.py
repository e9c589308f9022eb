"""The whole sandbox: local AWS, VerteX (the stand-in, or one of yours), a Slack receiver, the deployed template."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import yaml

from sandbox.aws import Activity, LocalAws, Seeds
from sandbox.aws.seeds import ADMIN_SECRET, PULL_SECRET, SLACK_SECRET, seed_identities, seed_secret
from sandbox.clock import SandboxClock
from sandbox.deploy import STACK_NAME, Deployment, deploy
from sandbox.reading import Notice, NoticeBox, scan_table
from sandbox.runner import SANDBOX, Pacing, Runner
from sandbox.slack import SlackReceiver
from sandbox.vertex import AwsIdentity, VertexStandIn

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
DEFINITIONS = Path(__file__).with_name("definitions.yaml")
DEFINITIONS_PATH = "/registry-autopilot/registries"
_USERNAME = "autopilot@sandbox.example"
# Satisfies VerteX's password rules; it opens nothing but a stand-in on this machine.
_PASSWORD = "Sandbox-only-1-password!"

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VertexLogin:
    """Username and password of a VerteX admin."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"VertexLogin(username={self.username!r}, password=…)"


class Sandbox:
    """Everything, started together. A context manager.

    Args:
        definitions: a definitions file, or the documents themselves; default: the sandbox's own file.
        secrets: values of further secrets by name; mappings are stored as JSON.
        mode: `act`, or `observe`.
        parameters: further parameters of the template.
        vertex_url: a VerteX of yours; None: the stand-in.
        vertex_login: its login; needed with `vertex_url`.
        vertex_version: what the stand-in claims to be.
        template: what is deployed.
        pacing: which waits of the runner are shortened; failed messages come back after a second by default.
        auto_tick: send the minute's tick by the clock; without it, only `tick` does.
        vertex_options: further arguments of the stand-in.

    Attributes:
        activity: what people do in AWS: create repositories, push images, change secrets.
        vertex: the stand-in; None with a VerteX of yours.
    """

    def __init__(
        self,
        definitions: Path | Sequence[Document] | None = None,
        *,
        secrets: Mapping[str, str | Document] | None = None,
        mode: Literal["act", "observe"] = "act",
        parameters: Mapping[str, str] | None = None,
        vertex_url: str | None = None,
        vertex_login: VertexLogin | None = None,
        vertex_version: str = "4.10.1",
        template: Path = TEMPLATE,
        pacing: Pacing | None = None,
        auto_tick: bool = False,
        vertex_options: Mapping[str, Any] | None = None,
    ) -> None:
        if vertex_url and not vertex_login:
            raise ValueError("vertex_login: missing; a VerteX of yours needs a username and a password")
        self._definitions = definitions if definitions is not None else DEFINITIONS
        self._secrets = secrets or {}
        self._mode = mode
        self._parameters = parameters or {}
        self._vertex_url = vertex_url
        self._login = vertex_login or VertexLogin(_USERNAME, _PASSWORD)
        self._vertex_options = {"version": vertex_version, **(vertex_options or {})}
        self._template = template
        self._pacing = pacing or SANDBOX
        self._auto_tick = auto_tick
        self._stack = ExitStack()
        self.clock = SandboxClock()
        self.aws = LocalAws(self.clock)
        self.activity = Activity(self.aws)
        self.slack = SlackReceiver()
        self.vertex: VertexStandIn | None = None
        self.seeds: Seeds
        self.deployment: Deployment
        self.runner: Runner
        self._notices: NoticeBox

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    @property
    def vertex_url(self) -> str:
        """Address of the VerteX that the functions talk to."""
        return self.vertex.url if self.vertex else str(self._vertex_url)

    @property
    def aws_environment(self) -> dict[str, str]:
        """Variables with which the AWS CLI and `autopilot` speak to the sandbox."""
        return {
            "AWS_ENDPOINT_URL": self.aws.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.aws.root.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.aws.root.secret_access_key,
            "AWS_DEFAULT_REGION": self.aws.region,
            "AUTOPILOT_STACK": STACK_NAME,
        }

    def start(self) -> None:
        """Start all of it; what was started is stopped again if a later part fails."""
        with ExitStack() as starting:
            starting.enter_context(self.slack)
            starting.enter_context(self.aws)
            self.seeds = seed_identities(self.aws)
            if not self._vertex_url:
                self.vertex = starting.enter_context(self._stand_in())
            self.deployment = deploy(self.aws, self._template, self._all_parameters())
            self.put_definitions(_read_definitions(self._definitions))
            self._notices = NoticeBox(self.aws, self.deployment["NoticeTopic"])
            path = [ROOT / "layers" / "autopilot"]
            self.runner = Runner(self.aws, self.deployment, path=path, pacing=self._pacing, auto_tick=self._auto_tick)
            starting.callback(self.runner.stop)
            self.aws.invoker = self.runner.invoke_named
            self.runner.start(warm=True)
            self._stack = starting.pop_all()

    def stop(self) -> None:
        """Stop all of it and forget everything. Stopping twice is fine."""
        self._stack.close()

    def put_definitions(self, documents: Sequence[Document]) -> None:
        """Write definitions to Parameter Store, without events; `id` is the parameter's leaf name."""
        ssm = self.aws.client("ssm")
        for document in documents:
            text = json.dumps(document)
            ssm.put_parameter(Name=f"{DEFINITIONS_PATH}/{document['id']}", Value=text, Type="String", Overwrite=True)

    def set_mode(self, mode: Literal["act", "observe"]) -> None:
        """Change the mode parameter, with its event."""
        self.activity.put_parameter(self.deployment["ModeParameter"], mode)

    def put_event(self, envelope: Document) -> list[str]:
        """Put an event on the bus as AWS does; gives the logical ids of the template's rules that matched."""
        logical = {name: logical_id for logical_id, name in self.deployment.resources.items()}
        return [logical.get(name, name) for name in self.aws.put_event(envelope)]

    def ensure_claims(self, event: Document) -> None:
        """Make AWS agree with what an event claims: a repository that it says was created exists."""
        self.activity.ensure_claims(event)

    def tick(self) -> list[str]:
        """Send the minute's tick now; gives the logical ids of the rules."""
        logical = {name: logical_id for logical_id, name in self.deployment.resources.items()}
        return [logical.get(name, name) for name in self.runner.tick()]

    def sweep(self, action: str = "sweep", **order: Any) -> dict[str, Any]:
        """Invoke the sweep function, as its schedule and people do; gives its answer.

        Raises:
            RuntimeError: it failed; says how.
        """
        outcome = self.runner.invoke("SweepFunction", {"action": action, **order})
        if outcome.kind != "ok":
            raise RuntimeError(f"the sweep failed ({outcome.kind}): {outcome.error}")
        if "failed" in outcome.result:
            raise RuntimeError(f"the sweep failed ({outcome.result['failed']}): {outcome.result['detail']}")
        return dict(outcome.result)

    def settle(self, timeout: float = 60) -> None:
        """Wait (in real time) until every queue and stream is drained and nothing runs.

        Raises:
            NotIdleError: it did not come to rest.
        """
        self.runner.run_until_idle(timeout)

    def pass_time(self, seconds: float, *, step: float = 60, timeout: float = 60) -> None:
        """Let the sandbox's time pass, with a tick and what comes of it after each step."""
        left = seconds
        while left > 0:
            self.clock.advance(min(step, left))
            left -= step
            self.tick()
            self.settle(timeout)

    def ledger_items(self) -> list[dict[str, Any]]:
        """Everything in the ledger, as plain values."""
        return scan_table(self.aws, self.deployment["LedgerTable"])

    def notices(self) -> list[Notice]:
        """Every notice that was published to the topic, in order."""
        return self._notices.read()

    def sns_messages(self) -> list[Notice]:
        """The same as `notices`."""
        return self.notices()

    def _stand_in(self) -> VertexStandIn:
        identity = AwsIdentity(self.seeds.vertex.access_key_id, self.seeds.vertex.secret_access_key)
        return VertexStandIn(
            username=self._login.username,
            password=self._login.password,
            clock=self.clock.now,
            aws_endpoint=self.aws.endpoint_url,
            aws_identity=identity,
            **self._vertex_options,
        )

    def _all_parameters(self) -> dict[str, str]:
        login = {"username": self._login.username, "password": self._login.password, "url": self.vertex_url}
        for name, value in self._secrets.items():
            self._seed(name, value)
        slack_host = urlsplit(self.slack.webhook_url).hostname or ""
        return {
            "VertexUrl": self.vertex_url,
            "VertexAdminSecretArn": self._seed(ADMIN_SECRET, login),
            "SlackWebhookSecretArn": self._seed(SLACK_SECRET, self.slack.webhook_url),
            "SlackHosts": slack_host,
            "RegistrySecretArns": f"arn:aws:secretsmanager:{self.aws.region}:{self.aws.account}:secret:*",
            "EcrPullRoleArns": self.seeds.token_role_arn,
            "InitialMode": self._mode,
            # Without the clock's own ticks sweeps run when they are asked for: an hour's rhythm is not missed soon.
            **({} if self._auto_tick else {"HealthSweepMinutes": "60"}),
            **self._parameters,
        }

    def _seed(self, name: str, value: str | Document) -> str:
        text = value if isinstance(value, str) else json.dumps(value)
        if name == PULL_SECRET:  # a caller may replace the working key by one of their own
            return str(self.aws.client("secretsmanager").put_secret_value(SecretId=name, SecretString=text)["ARN"])
        return seed_secret(self.aws, name, text)


def _read_definitions(source: Path | Sequence[Document]) -> Sequence[Document]:
    if isinstance(source, Path):
        content = yaml.safe_load(source.read_text())
        return list(content["registries"] if isinstance(content, Mapping) else content)
    return source
