"""What people do in AWS: each act changes moto's state and puts the event that AWS would emit."""

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from sandbox.aws import envelopes
from sandbox.aws.envelopes import Place
from sandbox.aws.local import LocalAws

_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


class Activity:
    """Acts on the sandbox's AWS. Every act that has an event gives its envelope."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._here = Place(aws.account, aws.region)

    def create_repository(
        self, name: str, tags: Mapping[str, str] | None = None, *, place: Place | None = None
    ) -> dict[str, Any]:
        """Create an ECR repository, as somebody in the console would."""
        where = place or self._here
        self._ecr(where).create_repository(repositoryName=name, tags=_tag_list(tags or {}))
        return self._put(envelopes.repository_created(where, name, tags or {}, self._aws.clock.now()))

    def delete_repository(self, name: str) -> None:
        """Delete an ECR repository with its images."""
        self._ecr(self._here).delete_repository(repositoryName=name, force=True)

    def push_image(self, name: str, tag: str | None = None, *, place: Place | None = None) -> dict[str, Any]:
        """Push an image to a repository that exists."""
        where, label = place or self._here, tag or uuid.uuid4().hex[:8]
        self._put_image(where, name, label)
        return self._put(envelopes.image_pushed(where, name, label, self._aws.clock.now()))

    def put_secret(self, name: str, value: str | Mapping[str, Any]) -> dict[str, Any]:
        """Give a secret a new current value; a new secret is made. AWS emits the event for both."""
        text = value if isinstance(value, str) else json.dumps(value)
        client = self._aws.client("secretsmanager")
        try:
            answer = client.put_secret_value(SecretId=name, SecretString=text)
        except client.exceptions.ResourceNotFoundException:
            answer = client.create_secret(Name=name, SecretString=text)
        now = self._aws.clock.now()
        envelope = envelopes.secret_label_updated(self._here, answer["ARN"], answer["Name"], answer["VersionId"], now)
        return self._put(envelope)

    def roll_back_secret(self, name: str) -> dict[str, Any]:
        """Move AWSCURRENT back to the version before, as an admin does after a bad rotation."""
        client = self._aws.client("secretsmanager")
        known = client.describe_secret(SecretId=name)
        stages = {stage: version for version, labels in known["VersionIdsToStages"].items() for stage in labels}
        before, now = stages["AWSPREVIOUS"], stages["AWSCURRENT"]
        client.update_secret_version_stage(
            SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=before, RemoveFromVersionId=now
        )
        envelope = envelopes.secret_label_updated(
            self._here, known["ARN"], known["Name"], before, self._aws.clock.now()
        )
        return self._put(envelope)

    def fail_rotation(self, name: str) -> dict[str, Any]:
        """A rotation function fails in the middle: nothing changes, Secrets Manager says so."""
        arn = self._aws.client("secretsmanager").describe_secret(SecretId=name)["ARN"]
        return self._put(envelopes.rotation_failed(self._here, arn, self._aws.clock.now()))

    def put_parameter(self, name: str, value: str) -> dict[str, Any]:
        """Create or change an SSM parameter."""
        answer = self._aws.client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
        operation = "Create" if answer["Version"] == 1 else "Update"
        return self._put(envelopes.parameter_changed(self._here, name, operation, self._aws.clock.now()))

    def ensure_claims(self, event: Mapping[str, Any]) -> None:
        """Make AWS agree with what an event claims: its repository exists where it says, its image too. No event."""
        detail = event.get("detail")
        if not isinstance(detail, Mapping):
            return
        place = _place_of(event, detail)
        if place is None:
            return
        for name, tags in _claimed_repositories(detail, event):
            _ignoring_existing(self._ecr(place).create_repository, repositoryName=name, tags=_tag_list(tags))
        if detail.get("action-type") == "PUSH" and isinstance(detail.get("repository-name"), str):
            self._put_image(place, detail["repository-name"], str(detail.get("image-tag") or "latest"))

    def _put_image(self, place: Place, name: str, tag: str) -> None:
        config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{uuid.uuid4().hex * 2}"}
        manifest = {"schemaVersion": 2, "mediaType": _MANIFEST_TYPE, "config": {**config, "size": 2}, "layers": []}
        self._ecr(place).put_image(
            repositoryName=name, imageTag=tag, imageManifest=json.dumps(manifest), imageManifestMediaType=_MANIFEST_TYPE
        )

    def _ecr(self, place: Place) -> Any:
        account = None if place.account == self._aws.account else place.account
        return self._aws.client("ecr", region=place.region, account=account)

    def _put(self, envelope: dict[str, Any]) -> dict[str, Any]:
        self._aws.put_event(envelope)
        return envelope


def _place_of(event: Mapping[str, Any], detail: Mapping[str, Any]) -> Place | None:
    """Where an ECR event happened; None: it is no event that claims a repository."""
    account = detail.get("recipientAccountId") or event.get("account")
    region = detail.get("awsRegion") or event.get("region")
    failed = detail.get("errorCode") or detail.get("result") == "FAILED" or detail.get("sync-status") == "FAILED"
    if event.get("source") != "aws.ecr" or failed or not isinstance(account, str) or not isinstance(region, str):
        return None
    return Place(account, region)


def _claimed_repositories(
    detail: Mapping[str, Any], event: Mapping[str, Any]
) -> Iterable[tuple[str, Mapping[str, str]]]:
    """Names and tags of repositories that an event says exist."""
    if detail.get("action-type") == "DELETE" or detail.get("eventName") == "DeleteRepository":
        return
    answer = detail.get("responseElements") or {}
    asked = detail.get("requestParameters") or {}
    extra = detail.get("serviceEventDetails") or {}
    created = answer.get("repository") if isinstance(answer, Mapping) else None
    candidates = (
        created.get("repositoryName") if isinstance(created, Mapping) else None,
        extra.get("repositoryName") if isinstance(extra, Mapping) else None,
        detail.get("repository-name"),
        *(str(arn).partition(":repository/")[2] for arn in event.get("resources") or []),
    )
    tags = _tags_of(asked.get("tags") if isinstance(asked, Mapping) else None)
    seen = dict.fromkeys(name for name in candidates if isinstance(name, str) and name)
    yield from ((name, tags) for name in seen)


def _tags_of(sent: object) -> dict[str, str]:
    """Tags in either letter case."""
    pairs = [{str(k).lower(): str(v) for k, v in tag.items()} for tag in sent] if isinstance(sent, list) else []
    return {pair["key"]: pair.get("value", "") for pair in pairs if "key" in pair}


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _ignoring_existing(create: Any, **arguments: Any) -> None:
    try:
        create(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"RepositoryAlreadyExistsException", "InvalidParameterException"}:
            raise
