"""AWS clients as the functions need them: of a region, as the function itself, as a role, or with a given key."""

from functools import cache, partial
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.session import get_session

from registry_autopilot.aws.ecr_tokens import SESSION_NAME
from registry_autopilot.registry import CredentialValues

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import CredentialsTypeDef

AWS_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 5})
EVIDENCE_CONFIG = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})


@cache
def ecr_in(region: str, role: str | None = None) -> "ECRClient":
    """The ECR client of a region, as the function itself or as a role that it assumes and renews."""
    session = _session_as(role, region) if role else boto3.Session()
    return session.client("ecr", region_name=region, config=AWS_CONFIG)


def _session_as(role: str, region: str) -> boto3.Session:
    """A session whose credentials are those of a role, fetched when they are needed and before they end."""
    own = get_session()
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=partial(own.create_client, region_name=region, config=AWS_CONFIG),
        source_credentials=own.get_credentials(),
        role_arn=role,
        extra_args={"RoleSessionName": SESSION_NAME},
    )
    assumed = get_session()
    assumed._credentials = DeferredRefreshableCredentials(  # type: ignore[attr-defined]  # noqa: SLF001 - no public way
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    return boto3.Session(botocore_session=assumed)


@cache
def sts_in(region: str) -> "STSClient":
    """The STS client of a region, as the function itself."""
    return boto3.client("sts", region_name=region, config=AWS_CONFIG)


def ecr_as(session: "CredentialsTypeDef", region: str) -> "ECRClient":
    """An ECR client that acts as an assumed role."""
    return boto3.client(
        "ecr",
        region_name=region,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
        config=AWS_CONFIG,
    )


def sts_as(values: CredentialValues, region: str) -> "STSClient":
    """An STS client that signs with the credential that is to be tried."""
    key_id, key = values.access_key_id, values.secret_access_key
    return boto3.client(
        "sts",
        region_name=region,
        aws_access_key_id=key_id.get_secret_value() if key_id else "",
        aws_secret_access_key=key.get_secret_value() if key else "",
        aws_session_token=None,
        config=EVIDENCE_CONFIG,
    )
