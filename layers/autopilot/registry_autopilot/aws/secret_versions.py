"""Which version of a secret is current, for a function that may describe secrets and not read them."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from registry_autopilot.ports import SecretStanding, SecretVersion

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import DescribeSecretResponseTypeDef

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
        if (version := _current(known)) is None or known.get("DeletedDate") is not None:
            return None
        changed = known.get("LastChangedDate")
        return SecretVersion(known["ARN"], version, changed.timestamp() if changed else None)

    def standing(self, secret_id: str) -> SecretStanding | None:
        """How a secret stands; None where it is gone for good, or cannot be described at the moment."""
        try:
            known = self._client.describe_secret(SecretId=secret_id)
        except (ClientError, BotoCoreError):
            return None  # it is asked to doubt an event; where there is no answer the event counts
        rotated = known.get("LastRotatedDate")
        is_going = known.get("DeletedDate") is not None
        return SecretStanding(is_going, _current(known), rotated.timestamp() if rotated else None)


def _current(known: "DescribeSecretResponseTypeDef") -> str | None:
    versions = known.get("VersionIdsToStages", {})
    return next((version for version, stages in versions.items() if "AWSCURRENT" in stages), None)
