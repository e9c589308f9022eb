"""Events as AWS's services emit them, for what people do in the sandbox; moto emits none of these."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

DEFAULT_USER = "sandbox-user"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something happens."""

    account: str
    region: str
    partition: str = "aws"

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource here."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    @property
    def registry_host(self) -> str:
        """The host of the private ECR registry here."""
        suffix = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        return f"{self.account}.dkr.ecr.{self.region}.{suffix}"


def repository_created(place: Place, name: str, tags: Mapping[str, str], now: float) -> dict[str, Any]:
    """`CreateRepository` as *AWS API Call via CloudTrail* (ECR user guide, "Logging with CloudTrail")."""
    repository = {
        "repositoryArn": place.arn("ecr", f"repository/{name}"),
        "registryId": place.account,
        "repositoryName": name,
        "repositoryUri": f"{place.registry_host}/{name}",
        "createdAt": datetime.fromtimestamp(now, UTC).strftime("%b %-d, %Y %-I:%M:%S %p"),
        "imageTagMutability": "MUTABLE",
    }
    requested: dict[str, Any] = {"repositoryName": name}
    if tags:
        requested["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
    detail = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "arn": f"arn:{place.partition}:iam::{place.account}:user/{DEFAULT_USER}",
            "accountId": place.account,
            "userName": DEFAULT_USER,
        },
        "eventTime": _iso(now),
        "eventSource": "ecr.amazonaws.com",
        "eventName": "CreateRepository",
        "awsRegion": place.region,
        "sourceIPAddress": "203.0.113.12",
        "userAgent": "sandbox",
        "requestParameters": requested,
        "responseElements": {"repository": repository},
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "resources": [{"ARN": repository["repositoryArn"], "accountId": place.account}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": place.account,
        "eventCategory": "Management",
    }
    return envelope(place, "aws.ecr", "AWS API Call via CloudTrail", detail, now)


def image_pushed(place: Place, name: str, tag: str, now: float) -> dict[str, Any]:
    """`ECR Image Action` PUSH, which needs no trail (ECR user guide, "Events and EventBridge")."""
    detail = {
        "result": "SUCCESS",
        "repository-name": name,
        "image-digest": f"sha256:{hashlib.sha256(f'{name}:{tag}'.encode()).hexdigest()}",
        "action-type": "PUSH",
        "image-tag": tag,
    }
    return envelope(place, "aws.ecr", "ECR Image Action", detail, now)


def secret_label_updated(place: Place, arn: str, name: str, version_id: str, now: float) -> dict[str, Any]:
    """`Secret Label Updated`, which needs no trail (Secrets Manager user guide, "Event notifications")."""
    detail = {"name": name, "labelUpdated": "AWSCURRENT", "versionId": version_id}
    return envelope(place, "aws.secretsmanager", "Secret Label Updated", detail, now, resources=[arn])


def rotation_failed(place: Place, arn: str, now: float) -> dict[str, Any]:
    """`RotationFailed`, which CloudTrail tells (Secrets Manager user guide, "CloudTrail entries")."""
    detail = {
        "eventVersion": "1.11",
        "userIdentity": {"accountId": place.account, "invokedBy": "secretsmanager.amazonaws.com"},
        "eventTime": _iso(now),
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "RotationFailed",
        "awsRegion": place.region,
        "requestParameters": None,
        "responseElements": None,
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsServiceEvent",
        "managementEvent": True,
        "recipientAccountId": place.account,
        "additionalEventData": {"SecretId": arn},
        "requestID": f"Rotation-{arn}-{uuid.uuid4()}",
        "errorMessage": "Error when executing the rotation function during testSecret step",
    }
    return envelope(place, "aws.secretsmanager", "AWS Service Event via CloudTrail", detail, now)


def parameter_changed(place: Place, name: str, operation: str, now: float) -> dict[str, Any]:
    """`Parameter Store Change` (Systems Manager user guide, "Parameter Store events")."""
    detail = {"operation": operation, "name": name, "type": "String"}
    arn = place.arn("ssm", f"parameter/{name.lstrip('/')}")
    return envelope(place, "aws.ssm", "Parameter Store Change", detail, now, resources=[arn])


def scheduled(place: Place, rule_arn: str, now: float) -> dict[str, Any]:
    """`Scheduled Event`, what a rule with a schedule sends."""
    return envelope(place, "aws.events", "Scheduled Event", {}, now, resources=[rule_arn])


def envelope(
    place: Place, source: str, detail_type: str, detail: Mapping[str, Any], now: float, *, resources: Sequence[str] = ()
) -> dict[str, Any]:
    """The outer form that all events share."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": place.account,
        "time": _iso(now),
        "region": place.region,
        "resources": list(resources),
        "detail": dict(detail),
    }


def _iso(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
