"""Secrets as Secrets Manager hands them out, binary ones too; and what AWS says of a key when nobody can read it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from pydantic import SecretStr
from werkzeug.wrappers import Response

from registry_autopilot.aws.proof import AccessKeyProver
from registry_autopilot.aws.secrets import SecretsManager
from registry_autopilot.causes import AutopilotError
from registry_autopilot.ports import Verdict
from registry_autopilot.registry import CredentialKind, CredentialValues
from sandbox.aws import LocalAws
from sandbox.clock import SandboxClock
from sandbox.serving import LocalServer

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@pytest.fixture
def client() -> Iterator["SecretsManagerClient"]:
    """Secrets Manager of the sandbox."""
    with LocalAws(SandboxClock()) as aws:
        yield aws.client("secretsmanager")


def test_binary_secret_is_read_when_it_is_text(client: "SecretsManagerClient") -> None:
    """Terraform and the CLI store files so."""
    client.create_secret(Name="one", SecretBinary=b"plain")
    assert SecretsManager(client).read("one").value.get_secret_value() == "plain"


def test_binary_secret_is_malformed_when_it_is_no_text(client: "SecretsManagerClient") -> None:
    """What cannot be read must not be sent with signs in it that nobody meant."""
    client.create_secret(Name="two", SecretBinary=b"\xff\xfe\x00")
    with pytest.raises(AutopilotError) as caught:
        SecretsManager(client).read("two")
    assert (caught.value.cause.slug, caught.value.subject) == ("secret-malformed", "secret:two")


def test_answer_that_cannot_be_read_says_nothing_about_the_key() -> None:
    """A proxy between the function and AWS may answer with a page of its own."""
    with LocalServer(Response("<html><body>blocked", 200)) as server:
        sts = boto3.client(
            "sts",
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="key",
            aws_secret_access_key="none",
            config=Config(retries={"total_max_attempts": 1}),
        )
        values = CredentialValues(
            CredentialKind.ACCESS_KEY, access_key_id=SecretStr("key"), secret_access_key=SecretStr("none")
        )
        assert AccessKeyProver(lambda *_: sts).try_access_key(values, "us-east-1").verdict is Verdict.EVIDENCE
