"""ECR authorization tokens: what a basic registry on ECR logs in with, issued through a role that may only pull."""

import base64
import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import SecretStr

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.hosts import EcrHost
from registry_autopilot.ports import IssuedToken
from registry_autopilot.redaction import register_secret

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import CredentialsTypeDef

SESSION_NAME = "registry-autopilot"
_DENIED = {"AccessDenied", "AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId"}


class RoleTokens:
    """Implements `EcrTokens`: assumes the role, then asks ECR in the registry's region.

    A token lives as long as ECR's answer says, 12 hours as a rule (ECR API reference, AuthorizationData).
    """

    def __init__(
        self, sts_in: Callable[[str], "STSClient"], ecr_as: Callable[["CredentialsTypeDef", str], "ECRClient"]
    ) -> None:
        self._sts_in = sts_in
        self._ecr_as = ecr_as

    def issue(self, role: str, host: EcrHost) -> IssuedToken:
        """A new token for the registry of a host.

        Raises:
            AutopilotError: role-not-assumable, access-denied.
        """
        try:
            session = self._sts_in(host.region).assume_role(RoleArn=role, RoleSessionName=SESSION_NAME)["Credentials"]
        except ClientError as error:
            words = f"Autopilot could not assume the role {role}: EcrPullRoleArns and its trust policy must allow it"
            raise _refused(error, causes.ROLE_NOT_ASSUMABLE, words) from None
        try:
            data = self._ecr_as(session, host.region).get_authorization_token()["authorizationData"][0]
        except ClientError as error:
            words = f"the role {role} may not call ecr:GetAuthorizationToken in {host.region}"
            raise _refused(error, causes.ACCESS_DENIED, words) from None
        username, password = _decode(data["authorizationToken"])
        return IssuedToken(username, SecretStr(password), data["expiresAt"].timestamp())


def _decode(token: str) -> tuple[str, str]:
    """`base64(AWS:<password>)`, as `docker login` wants it (ECR user guide, "Private registry authentication")."""
    try:
        username, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise AutopilotError(causes.UNKNOWN, "ECR answered a token that cannot be read") from None
    register_secret(token)
    register_secret(password)
    return username, password


def _refused(error: ClientError, cause: causes.Cause, words: str) -> Exception:
    code = error.response["Error"]["Code"]
    return AutopilotError(cause, words, facts={"code": code}) if code in _DENIED else error
