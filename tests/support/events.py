"""Events as EventBridge delivers them, built from few words."""

import itertools
import json
from datetime import UTC, datetime
from typing import Any

from registry_autopilot.hosts import partition_of_region
from tests.support.world import ACCOUNT, REGION, START, host

_ids = itertools.count(1)


def _envelope(source: str, detail_type: str, detail: dict[str, Any], **extra: Any) -> dict[str, Any]:
    at = datetime.fromtimestamp(extra.get("at", START), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "version": "0",
        "id": f"00000000-0000-4000-9000-{next(_ids):012d}",
        "detail-type": detail_type,
        "source": source,
        "account": extra.get("account", ACCOUNT),
        "time": at,
        "region": extra.get("region", REGION),
        "resources": extra.get("resources", []),
        "detail": detail,
    }


def created(
    name: str, *, at: float = START, fips: bool = False, account: str = ACCOUNT, region: str = REGION
) -> dict[str, Any]:
    """CreateRepository, as an API call by CloudTrail."""
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    arn = f"arn:{partition_of_region(region)}:ecr:{region}:{account}:repository/{name}"
    detail = {
        "eventVersion": "1.11",
        "userIdentity": {"type": "AssumedRole", "arn": f"arn:aws:sts::{account}:assumed-role/ci/run"},
        "eventTime": when,
        "eventSource": "ecr.amazonaws.com",
        "eventName": "CreateRepository",
        "awsRegion": region,
        "requestParameters": {"repositoryName": name},
        "responseElements": {
            "repository": {
                "repositoryArn": arn,
                "repositoryName": name,
                "repositoryUri": f"{host(account, region, fips=fips)}/{name}",
                "registryId": account,
            }
        },
        "eventID": f"00000000-0000-4000-a000-{next(_ids):012d}",
        "eventType": "AwsApiCall",
        "recipientAccountId": account,
    }
    return _envelope("aws.ecr", "AWS API Call via CloudTrail", detail, at=at, account=account, region=region)


def pushed(name: str, *, at: float = START, tag: str = "1.0.0") -> dict[str, Any]:
    """A native push event."""
    detail = {
        "result": "SUCCESS",
        "repository-name": name,
        "image-digest": "sha256:" + "7f" * 32,
        "action-type": "PUSH",
        "image-tag": tag,
    }
    return _envelope("aws.ecr", "ECR Image Action", detail, at=at)


def secret_changed(name: str, version: str, *, at: float = START) -> dict[str, Any]:
    """A native label event."""
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf"
    detail = {"name": name, "labelUpdated": "AWSCURRENT", "versionId": version}
    return _envelope("aws.secretsmanager", "Secret Label Updated", detail, at=at, resources=[arn])


def rotation_failed(name: str, *, at: float = START) -> dict[str, Any]:
    """Secrets Manager tells, by CloudTrail, that a rotation failed."""
    detail = {
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "RotationFailed",
        "eventTime": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventID": f"00000000-0000-4000-b000-{next(_ids):012d}",
        "awsRegion": REGION,
        "recipientAccountId": ACCOUNT,
        "eventType": "AwsServiceEvent",
        "errorMessage": "Error when executing lambda during createSecret step",
        "additionalEventData": {"SecretId": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf"},
    }
    return _envelope("aws.secretsmanager", "AWS Service Event via CloudTrail", detail, at=at)


_SERVICE_EVENTS = ("Rotation", "TestRotation", "Replication")


def secret_call(
    event: str, name: str, arn: str, *, at: float = START, request: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What CloudTrail tells of a secret: an API call by somebody, or what Secrets Manager did by itself."""
    is_service = event.startswith(_SERVICE_EVENTS)
    detail: dict[str, Any] = {
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": event,
        "eventTime": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventID": f"00000000-0000-4000-b100-{next(_ids):012d}",
        "awsRegion": REGION,
        "recipientAccountId": ACCOUNT,
        "eventType": "AwsServiceEvent" if is_service else "AwsApiCall",
    }
    if is_service:
        detail |= {"additionalEventData": {"SecretId": arn}, "requestParameters": None, "responseElements": None}
    else:
        key = "name" if event == "CreateSecret" else "secretId"
        detail |= {"requestParameters": {key: name} | (request or {}), "responseElements": {"arn": arn, "name": name}}
    kind = "AWS Service Event via CloudTrail" if is_service else "AWS API Call via CloudTrail"
    return _envelope("aws.secretsmanager", kind, detail, at=at)


def parameter_changed(parameter: str, *, at: float = START, operation: str = "Update") -> dict[str, Any]:
    """Parameter Store tells of a change."""
    detail = {"name": parameter, "type": "String", "operation": operation}
    return _envelope("aws.ssm", "Parameter Store Change", detail, at=at)


def tick(at: float = START) -> dict[str, Any]:
    """The schedule, each minute."""
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/tick"
    return _envelope("aws.events", "Scheduled Event", {}, at=at, resources=[rule])


def body(event: dict[str, Any]) -> str:
    """As it lies on the events queue."""
    return json.dumps(event)
