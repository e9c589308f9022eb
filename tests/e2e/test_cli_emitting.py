"""What people do with the AWS CLI in a long-running sandbox becomes the events that AWS would emit."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cli.emitting import Emitter
from registry_autopilot.events import DefinitionChanged, ImagePushed, RepositoryCreated, SecretChanged, parse_event
from sandbox.aws import LocalAws
from sandbox.clock import SandboxClock

OWN = "/registry-autopilot/registries/packs"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    """An AWS in which something is there already."""
    with LocalAws(SandboxClock()) as local:
        local.client("ecr").create_repository(repositoryName="team-a/old")
        local.client("secretsmanager").create_secret(Name="vertex/old", SecretString="one")
        local.client("ssm").put_parameter(Name=OWN, Value="{}", Type="String")
        yield local


def emitted(aws: LocalAws, emitter: Emitter, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the next look puts on the bus, as the stack would read it."""
    events: list[Any] = []
    monkeypatch.setattr(aws, "put_event", events.append)
    assert emitter.emit() == len(events)
    return sorted(_in_short(event) for event in events)


def _in_short(event: dict[str, Any]) -> str:
    match parse_event(event):
        case RepositoryCreated(repository=repository) | ImagePushed(repository=repository) as parsed:
            return f"{type(parsed).__name__} {repository.name}"
        case SecretChanged(secret_id=secret_id):
            return f"SecretChanged {secret_id}"
        case DefinitionChanged(parameter=parameter, operation=operation):
            return f"DefinitionChanged {operation} {parameter}"
        case other:
            raise AssertionError(f"the stack would not read this as news: {other}")


def push(aws: LocalAws, repository: str, tag: str) -> None:
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{tag * 64}", "size": 2}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": []}
    aws.client("ecr").put_image(repositoryName=repository, imageTag=tag, imageManifest=json.dumps(manifest))


def test_nothing_is_told_when_nothing_changed(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there at the start is no news."""
    assert emitted(aws, Emitter(aws), monkeypatch) == []


def test_each_change_is_told_once_when_people_work(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """New repositories, pushed images, changed secrets and definitions; a second look has nothing to add."""
    emitter = Emitter(aws)
    aws.client("ecr").create_repository(repositoryName="team-b/new")
    push(aws, "team-a/old", "1")
    arn = aws.client("secretsmanager").put_secret_value(SecretId="vertex/old", SecretString="two")["ARN"]
    aws.client("ssm").put_parameter(Name=OWN, Value='{"id": 1}', Type="String", Overwrite=True)
    aws.client("ssm").put_parameter(Name=f"{OWN}-2", Value="{}", Type="String")
    assert emitted(aws, emitter, monkeypatch) == [
        f"DefinitionChanged Create {OWN}-2",
        f"DefinitionChanged Update {OWN}",
        "ImagePushed team-a/old",
        "RepositoryCreated team-b/new",
        f"SecretChanged {arn}",
    ]
    assert emitted(aws, emitter, monkeypatch) == []


def test_a_deletion_is_told_when_a_definition_goes(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository that goes is told by nobody: it leads to nothing."""
    emitter = Emitter(aws)
    aws.client("ssm").delete_parameter(Name=OWN)
    aws.client("ecr").delete_repository(repositoryName="team-a/old", force=True)
    assert emitted(aws, emitter, monkeypatch) == [f"DefinitionChanged Delete {OWN}"]
