"""Dead-letter queues and the age of secrets, for the checks of the system."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from registry_autopilot.findings import SecretAge

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

_ABSENT = {"ResourceNotFoundException", "AccessDeniedException", "InvalidRequestException", "ValidationException"}


class AwsSystemView:
    """Implements `SystemView`. `queues` are the addresses of the dead-letter queues by their role."""

    def __init__(self, sqs: "SQSClient", secrets: "SecretsManagerClient", queues: Mapping[str, str]) -> None:
        self._sqs = sqs
        self._secrets = secrets
        self._queues = queues

    def dead_letters(self) -> dict[str, int]:
        """How many messages lie in each queue, by its role."""
        return {role: self._count(url) for role, url in self._queues.items()}

    def secret_age(self, secret_id: str) -> SecretAge | None:
        """How old a secret is, by DescribeSecret. Where no schedule rotates it, any change of it counts."""
        try:
            known = self._secrets.describe_secret(SecretId=secret_id)
        except ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return None
            raise
        if known.get("DeletedDate") is not None:
            return None
        rotates = known.get("RotationEnabled", False)
        changed = (known.get("LastRotatedDate") if rotates else None) or known.get("LastChangedDate")
        return SecretAge(known["Name"], rotates, _seconds(known.get("NextRotationDate")), _seconds(changed))

    def _count(self, url: str) -> int:
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def _seconds(date: "datetime | None") -> float | None:
    return date.timestamp() if date is not None else None
