"""The stack's parameters: safe by default, explained, and refused before anything is deployed when they are wrong."""

import re
from typing import Any

import pytest

from tests.template import support

PARAMETERS: dict[str, Any] = support.source()["Parameters"]
SECRET_ARNS = ["VertexAdminSecretArn", "VertexCaBundleSecretArn", "SlackWebhookSecretArn"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("InitialMode", "observe"),
        ("RegistrySecretArns", ""),
        ("AllowedRegistryHosts", ""),
        ("AllowInsecureTls", "false"),
        ("Architecture", "arm64"),
        ("NoticeDetail", "auto"),
    ],
)
def test_default_is_the_careful_one(name: str, value: str) -> None:
    """A stack that nobody thought about writes nothing, reads no registry secret and sends no credential elsewhere."""
    assert PARAMETERS[name]["Default"] == value


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_parameter_explains_itself(name: str) -> None:
    """What it means, and in words what its pattern wants."""
    parameter = PARAMETERS[name]
    assert parameter["Description"]
    assert ("AllowedPattern" in parameter) == ("ConstraintDescription" in parameter)
    assert "NoEcho" not in parameter, "a parameter that needs hiding should be a secret's ARN"


@pytest.mark.parametrize("name", sorted(name for name, p in PARAMETERS.items() if "AllowedPattern" in p))
def test_default_passes_its_own_pattern(name: str) -> None:
    """A default that CloudFormation would refuse makes the parameter required by accident."""
    parameter = PARAMETERS[name]
    assert "Default" not in parameter or re.fullmatch(parameter["AllowedPattern"], parameter["Default"])


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-eusc"])
@pytest.mark.parametrize("name", [*SECRET_ARNS, "KmsKeyArn"])
def test_arn_of_every_partition_is_accepted(name: str, partition: str) -> None:
    """Promise 9: no pattern knows only one partition."""
    resource = "kms:xx-place-1:123456789012:key/1" if name == "KmsKeyArn" else _SECRET
    assert re.fullmatch(PARAMETERS[name]["AllowedPattern"], f"arn:{partition}:{resource}")


_SECRET = "secretsmanager:xx-place-1:123456789012:secret:a/b-AbCdEf"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VertexUrl", "https://vertex.example.gov"),
        ("VertexUrl", "https://vertex.example.gov:8443/"),
        ("VertexUrl", "http://127.0.0.1:8080"),
        ("VertexUrl", "http://localhost:8080"),
        ("HttpsProxy", "http://proxy.example.gov:3128"),
        ("NoticeEmail", "admins@example.gov"),
        ("FirstDefinitionRepositories", "team-*"),
        ("FirstDefinitionCredentialsSecret", "vertex/ecr-pull"),
        ("FirstDefinitionCredentialsSecret", f"arn:aws-us-gov:{_SECRET}"),
    ],
)
def test_value_is_accepted_when_it_is_of_use(name: str, value: str) -> None:
    """What people will write."""
    assert re.fullmatch(PARAMETERS[name]["AllowedPattern"], value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VertexUrl", ""),
        ("VertexUrl", "vertex.example.gov"),
        ("VertexUrl", "http://vertex.example.gov"),
        ("VertexUrl", "http://127.0.0.1.example.gov"),
        ("VertexUrl", "http://localhost.example.gov"),
        ("VertexUrl", "https://admin:word@vertex.example.gov"),
        ("VertexUrl", "https://vertex.example.gov/v1?scope=system"),
        ("VertexAdminSecretArn", ""),
        ("VertexAdminSecretArn", "vertex/admin"),
        ("SlackWebhookSecretArn", "https://hooks.slack.com/services/x"),
        ("KmsKeyArn", "alias/vertex"),
        ("HttpsProxy", "proxy.example.gov:3128"),
        ("NoticeEmail", "admins"),
        ("FirstDefinitionId", "team/packs"),
        ("FirstDefinitionName", 'a", "type": "basic'),
        ("FirstDefinitionRepositories", 'team-*"], "accounts": ["*'),
        ("FirstDefinitionRepositories", "team-\\*"),
        ("FirstDefinitionCredentialsSecret", 'a"}, "x": {"y": "z'),
    ],
)
def test_value_is_refused_when_it_cannot_work(name: str, value: str) -> None:
    """A typing mistake is refused by CloudFormation; nothing leaves the JSON of the first definition."""
    assert not re.fullmatch(PARAMETERS[name]["AllowedPattern"], value)


def test_every_parameter_stands_in_a_group() -> None:
    """The console shows them in an order that a person understands."""
    groups = support.source()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(PARAMETERS)


def test_every_parameter_is_used() -> None:
    """A parameter that changes nothing misleads whoever sets it."""
    text = str({part: support.source()[part] for part in ("Conditions", "Globals", "Resources")})
    unused = [n for n in PARAMETERS if not re.search(rf"'Ref': '{n}'|\$\{{{n}\}}", text)]
    assert unused == []
