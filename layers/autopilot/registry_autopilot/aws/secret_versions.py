"""Which version of a secret is current, for a function that may describe secrets and not read them."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from registry_autopilot.ports import SecretVersion

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_ABSENT = {"ResourceNotFoundException", "AccessDeniedException", "InvalidRequestException", "ValidationException"}


class DescribedSecrets:
    """Implements `SecretVersions` with DescribeSecret."""

    def __init__(self, client: "SecretsManagerClient") -> None:
        self._client = client

    def current(self, secret_id: str) -> SecretVersion | None:
        """The version at AWSCURRENT; None where there is none, or the secret may not be described."""
        try:
            known = self._client.describe_secret(SecretId=secret_id)
        except ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return None
            raise
        versions = known.get("VersionIdsToStages", {})
        current = next((version for version, stages in versions.items() if "AWSCURRENT" in stages), None)
        if current is None or known.get("DeletedDate") is not None:
            return None
        changed = known.get("LastChangedDate")
        return SecretVersion(known["ARN"], current, changed.timestamp() if changed else None)
