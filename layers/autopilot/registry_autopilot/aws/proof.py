"""Tries a static access key against AWS, from where the function runs. What it sees is said in a notice."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from registry_autopilot.ports import Proof, Verdict
from registry_autopilot.registry import CredentialValues

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

# AWS does not know the key (yet): a fresh IAM key needs seconds to two minutes. IAM user guide, troubleshooting.
_UNKNOWN = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "InvalidAccessKeyId",
    "AuthFailure",
}


class AccessKeyProver:
    """Implements `Prover` with sts:GetCallerIdentity, which needs no permission."""

    def __init__(self, client_for: Callable[[CredentialValues, str], "STSClient"]) -> None:
        self._client_for = client_for

    def try_access_key(self, values: CredentialValues, region: str) -> Proof:
        """What AWS says of the key."""
        try:
            identity = self._client_for(values, region).get_caller_identity()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            verdict = Verdict.UNKNOWN_KEY if code in _UNKNOWN else Verdict.EVIDENCE
            return Proof(verdict, f"AWS answered {code} to the access key")
        except (BotoCoreError, ResponseParserError, ValueError) as error:
            return Proof(Verdict.EVIDENCE, f"AWS could not be asked about the access key ({type(error).__name__})")
        return Proof(Verdict.PROVEN, f"AWS knows the access key as {identity['Arn']}")
