"""Secrets Manager. Values are read at AWSCURRENT, never from a cache, and are known to the redaction from then on."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import SecretStr

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.redaction import register_secret
from registry_autopilot.secret_names import reference_names
from registry_autopilot.secret_values import SecretValue, malformed

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_REFUSALS = {
    "ResourceNotFoundException": "does not exist, or has no AWSCURRENT version",
    "AccessDeniedException": "may not be read; add its ARN to the stack's RegistrySecretArns",
    "InvalidRequestException": "is scheduled for deletion",
    "DecryptionFailure": "cannot be decrypted; the function's role needs kms:Decrypt on its key",
    "InvalidParameterException": "has an id that Secrets Manager refuses",
    "ValidationException": "has an id that Secrets Manager refuses",
}


class SecretsManager:
    """Implements `Secrets`."""

    def __init__(self, client: "SecretsManagerClient") -> None:
        self._client = client

    def read(self, secret_id: str) -> SecretValue:
        """The version at AWSCURRENT.

        Raises:
            AutopilotError: secret-unreadable, about the secret.
        """
        try:
            answer = self._client.get_secret_value(SecretId=secret_id, VersionStage="AWSCURRENT")
        except ClientError as error:
            raise _unreadable(secret_id, error) from None
        text = answer.get("SecretString") or _text(answer.get("SecretBinary", b""), answer["Name"])
        register_secret(text)
        created = answer.get("CreatedDate")
        return SecretValue(
            arn=answer["ARN"],
            name=answer["Name"],
            version_id=answer["VersionId"],
            value=SecretStr(text),
            created_at=created.timestamp() if created else None,
        )


def _text(binary: bytes, name: str) -> str:
    try:
        return binary.decode()
    except UnicodeDecodeError:
        raise malformed(name, "holds binary that is no text (UTF-8)") from None


def _unreadable(secret_id: str, error: ClientError) -> AutopilotError:
    code = error.response["Error"]["Code"]
    if code not in _REFUSALS:
        raise error
    name = reference_names(secret_id)[0]
    return AutopilotError(
        causes.SECRET_UNREADABLE,
        f"the secret {secret_id} {_REFUSALS[code]}",
        facts={"code": code},
        subject=f"secret:{name}",
    )
