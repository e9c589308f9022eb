"""The sandbox as a whole: the project's own template, functions, stand-in and Slack receiver work together."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from registry_autopilot.definitions import parse_definition
from sandbox.stack import DEFINITIONS, Sandbox, VertexLogin

EVENT_FUNCTIONS = {"RouteEventsFunction", "ConvergeRegistryFunction", "NotifyAdminsFunction", "NotifySlackFunction"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for the module; each test uses registries of its own."""
    with Sandbox() as running:
        yield running


def registry_named(sandbox: Sandbox, name: str) -> Any:
    assert sandbox.vertex is not None
    found = [registry for registry in sandbox.vertex.registries() if registry.name == name]
    return found[0] if found else None


def test_the_template_runs_when_it_is_deployed_into_the_sandbox(sandbox: Sandbox) -> None:
    """Every function that events reach is deployed with its sources, and its settings were resolved."""
    deployed = sandbox.deployment
    assert deployed.functions.keys() >= EVENT_FUNCTIONS
    fed = {source.function for source in deployed.sources}
    assert {deployed.functions[name].name for name in EVENT_FUNCTIONS} <= fed
    environment = deployed.functions["ConvergeRegistryFunction"].environment
    assert environment["VERTEX_URL"] == sandbox.vertex_url
    assert environment["LEDGER_TABLE"] == deployed["LedgerTable"]


def test_the_sandbox_s_definitions_are_valid() -> None:
    """The file that newcomers read first can be used as it is."""
    documents = yaml.safe_load(DEFINITIONS.read_text())["registries"]
    kinds = [parse_definition(document, definition_id=document["id"]).provider for document in documents]
    assert kinds == ["pack", "helm", "pack"]


def test_a_repository_becomes_a_registry_when_it_is_created(sandbox: Sandbox) -> None:
    """The event goes through the rules, queues and functions to VerteX; nothing is left over."""
    sandbox.activity.create_repository("team-red/spectro-packs/archive")
    sandbox.settle()
    made = registry_named(sandbox, "ecr-123456789012-us-east-1-team-red")
    assert made is not None
    assert sandbox.runner.dead_letters() == {}
    assert {outcome.kind for outcome in sandbox.runner.outcomes} == {"ok"}


def test_a_registry_is_read_through_the_role_when_the_definition_says_sts(sandbox: Sandbox) -> None:
    """Only the stand-in's own identity may assume the seeded role, and it can."""
    sandbox.activity.create_repository("charts/web")
    sandbox.settle()
    assert registry_named(sandbox, "platform-charts") is not None


def test_an_incident_reaches_the_topic_and_slack_when_a_credential_is_bad(sandbox: Sandbox) -> None:
    """A refusal is told on both channels, and nothing is created."""
    sandbox.activity.put_secret("broken/pull", {"accessKeyId": "AKIA" + "Z" * 16, "secretAccessKey": "wrong"})
    document = {
        "id": "broken",
        "name": "broken",
        "base_content_path": "broken",
        "credentials": {"kind": "access-key", "secret": "broken/pull"},
    }
    sandbox.put_definitions([document])
    sandbox.activity.create_repository("broken/spectro-packs/archive")
    sandbox.settle()
    for _ in range(4):  # a fresh key is given time to become known
        sandbox.pass_time(60)
    assert registry_named(sandbox, "broken") is None
    about = [notice for notice in sandbox.notices() if notice.attributes["cause"] == "credentials-rejected"]
    assert len(about) == 1
    assert len([message for message in sandbox.slack.messages if "broken" in json.dumps(message)]) == 1


def test_rules_are_named_as_in_the_template_when_an_event_is_put(sandbox: Sandbox) -> None:
    """A foreign event matches nothing; a tick is sent by its rule."""
    assert sandbox.put_event({"source": "aws.s3", "detail-type": "Object Created", "detail": {}}) == []
    assert sandbox.tick() == ["TickRule"]
    sandbox.settle()


def test_the_mode_parameter_is_what_was_asked_for(sandbox: Sandbox) -> None:
    """A sandbox acts, unless it is told to observe."""
    parameter = sandbox.aws.client("ssm").get_parameter(Name=sandbox.deployment["ModeParameter"])
    assert parameter["Parameter"]["Value"] == "act"


def test_the_address_for_people_speaks_to_the_same_aws(sandbox: Sandbox) -> None:
    """The variables for the AWS CLI name the endpoint and a key that may do everything."""
    environment = sandbox.aws_environment
    assert environment["AWS_ENDPOINT_URL"] == sandbox.aws.endpoint_url
    assert environment["AWS_ACCESS_KEY_ID"] == sandbox.aws.root.access_key_id


def test_a_vertex_of_yours_needs_a_login() -> None:
    """An address without a login is refused before anything starts."""
    with pytest.raises(ValueError, match="vertex_login"):
        Sandbox(vertex_url="https://vertex.example.gov")


def test_a_login_does_not_show_its_password() -> None:
    """A login that is printed by mistake gives nothing away."""
    assert "swordfish" not in repr(VertexLogin("admin", "swordfish"))
