"""The roles cover what the functions really do: nothing in the sandbox enforces them, so here they are judged."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sandbox.aws.seeds import ADMIN_SECRET, PULL_SECRET, SLACK_SECRET
from sandbox.runner.process import environment_of
from sandbox.slack import SlackAnswer
from sandbox.stack import Sandbox
from tests.template.permissions import Iam, Keys, Need

FUNCTIONS = (
    "RouteEventsFunction",
    "ConvergeRegistryFunction",
    "NotifyAdminsFunction",
    "NotifySlackFunction",
    "SweepFunction",
)
OF_STREAMS = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")
# What Lambda itself does with a function's role: it writes the log, polls the source, leaves what failed.
OF_LAMBDA = {
    "RouteEventsFunction": {"sqs:ReceiveMessage", "sqs:DeleteMessage"},
    "ConvergeRegistryFunction": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
    "NotifyAdminsFunction": {*OF_STREAMS, "sqs:SendMessage"},
    "NotifySlackFunction": {*OF_STREAMS},
    "SweepFunction": set(),
}
LOGGING = {"logs:CreateLogStream", "logs:PutLogEvents"}
# The narrow permission of a careful admin: what definitions name, not whatever there is.
PARAMETERS = {"RegistrySecretArns": "arn:aws:secretsmanager:us-east-1:123456789012:secret:sandbox/ecr-pull-*"}
HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
TOKEN = {"kind": "ecr-token", "role": "arn:aws:iam::123456789012:role/sandbox-ecr-token"}
ZARF = {"name": "zarf", "type": "basic", "provider": "zarf", "endpoint": f"https://{HOST}", "credentials": TOKEN}
OTHER_SECRET = "sandbox/ecr-pull-other"
MOVED = {
    "name": "ecr-{account}-{region}-{base}",
    "match": {"repositories": ["team-*"]},
    "credentials": {"kind": "access-key", "secret": OTHER_SECRET},
}
ROLE = "arn:aws:iam::123456789012:role/sandbox-ecr-pull"
UNTRUSTED = {
    "name": "platform-charts",
    "provider": "helm",
    "base_content_path": "charts",
    "credentials": {"kind": "sts", "role": ROLE, "external_id": "not-the-one-of-the-role"},
}
BROKEN = {"id": "broken", "name": "broken", "base_content_path": "broken", "credentials": {"kind": "none"}, "x": 1}


@dataclass(frozen=True)
class Story:
    """What each function needed while much went well and some things did not."""

    needs: dict[str, set[Need]]
    iam: Iam


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    """Registrations, pushes, a refusal, an event nobody understands, a pause: with a key of its own per function."""
    keys = Keys(FUNCTIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sandbox.runner.runner.environment_of", keys.given_to_each(environment_of))
        sandbox = Sandbox(parameters=PARAMETERS)
        recorder = keys.record(sandbox.aws)
        with sandbox:
            _live(sandbox)
            iam = Iam(sandbox.aws, sandbox.deployment)
            needs = {name: {n for r in recorder.requests[name] for n in iam.needs(r)} for name in FUNCTIONS}
            yield Story(needs, iam)


def _live(sandbox: Sandbox) -> None:
    sandbox.activity.create_repository("team-a/spectro-packs/archive/nginx")
    sandbox.activity.create_repository("charts/web")
    sandbox.activity.create_repository("team-b/spectro-packs/archive/x", {"registry-autopilot": "ignore"})
    sandbox.settle()
    sandbox.activity.push_image("team-a/spectro-packs/archive/nginx")
    secrets = sandbox.aws.client("secretsmanager")
    sandbox.activity.put_secret(OTHER_SECRET, secrets.get_secret_value(SecretId=PULL_SECRET)["SecretString"])
    sandbox.activity.put_parameter("/registry-autopilot/registries/packs", json.dumps(MOVED))
    sandbox.settle()
    sandbox.activity.put_secret(OTHER_SECRET, {"access_key_id": "KEY-BAD", "secret_access_key": "not-a-key"})
    zarf = ZARF | {"base_content_path": "zarf"}
    sandbox.activity.put_parameter("/registry-autopilot/registries/zarf", json.dumps(zarf))
    sandbox.slack.answer(SlackAnswer(404, "no_service"))  # Slack is broken, and mended by the next notice
    sandbox.activity.put_parameter("/registry-autopilot/registries/broken", json.dumps(BROKEN))
    sandbox.activity.put_parameter("/registry-autopilot/registries/charts", json.dumps(UNTRUSTED))
    sandbox.put_event({"source": "aws.ecr", "detail-type": "ECR Image Action", "detail": _PUSH_OF_NOTHING})
    sandbox.settle()
    sandbox.pass_time(420, step=120)
    _sweep(sandbox)
    sandbox.set_mode("observe")
    sandbox.activity.create_repository("team-c/spectro-packs/archive/x")
    sandbox.settle()


def _sweep(sandbox: Sandbox) -> None:
    """A sweep finds what no event told, beside a registry of somebody else's."""
    assert sandbox.vertex is not None
    sandbox.sweep(rhythm="inventory")
    sandbox.aws.client("ecr").create_repository(repositoryName="team-lost/spectro-packs/archive/x")
    sandbox.vertex.seed_registry(name="by hand", endpoint=HOST, base_content_path="by-hand")
    sandbox.pass_time(700, step=350)
    sandbox.sweep(rhythm="inventory")
    sandbox.settle()


_PUSH_OF_NOTHING = {"action-type": "PUSH", "result": "SUCCESS"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_role_covers_every_request_when_the_function_works(story: Story, function: str) -> None:
    """Each action on each resource is allowed by the role as CloudFormation made it."""
    assert story.iam.refused(function, story.needs[function]) == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_role_grants_nothing_that_the_function_does_not_use(story: Story, function: str) -> None:
    """Least privilege, and a proof that the story shows everything the function does."""
    used = {need.action for need in story.needs[function]}
    assert story.iam.granted(function) - LOGGING - OF_LAMBDA[function] == used


@pytest.mark.parametrize(
    ("function", "action", "secret"),
    [
        ("RouteEventsFunction", "secretsmanager:GetSecretValue", ADMIN_SECRET),
        ("NotifyAdminsFunction", "secretsmanager:GetSecretValue", SLACK_SECRET),
        ("NotifySlackFunction", "secretsmanager:GetSecretValue", ADMIN_SECRET),
        ("ConvergeRegistryFunction", "secretsmanager:GetSecretValue", SLACK_SECRET),
        ("ConvergeRegistryFunction", "secretsmanager:PutSecretValue", ADMIN_SECRET),
    ],
)
def test_role_refuses_what_the_function_has_no_business_with(
    story: Story, function: str, action: str, secret: str
) -> None:
    """The judge can say no, and a secret is read by the one function that needs it."""
    arn = story.iam.aws.client("secretsmanager").describe_secret(SecretId=secret)["ARN"]
    assert story.iam.refused(function, {Need(action, arn)}) == [Need(action, arn)]
