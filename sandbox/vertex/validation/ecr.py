"""Tries an ECR registry with its credentials: GetAuthorizationToken and DescribeRepositories, as VerteX needs them."""

import re
import threading
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    ReadTimeoutError,
)

from sandbox.vertex.behaviour import AwsIdentity, Behaviour
from sandbox.vertex.schema import AwsCredentials, EcrSpec
from sandbox.vertex.validation.outcomes import Failure, TryFailedError

_HOST = re.compile(r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z]+(?:-[a-z]+)+-\d+)\.[a-z0-9.-]+")
_TEMPLATE = "{{.spectro.system.aws.region}}"
# By the names of their regions; whatever is not listed is commercial.
_PARTITIONS = {"us-gov": "aws-us-gov", "us-iso": "aws-iso", "us-isob": "aws-iso-b"}
_UNSUPPORTED = ("cn-", "eu-isoe-", "us-isof-", "eu-isof-", "eusc-")
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class _Keys:
    """What requests are signed with."""

    access_key: str
    secret_key: str
    session_token: str | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """The private registry that a host names."""

    account: str
    region: str

    @property
    def partition(self) -> str:
        prefix = self.region.rsplit("-", 2)[0]
        return _PARTITIONS.get(prefix, "aws")


class EcrTrial:
    """Tries ECR specs against one AWS."""

    def __init__(self, behaviour: Behaviour, aws_endpoint: str | None, identity: AwsIdentity | None) -> None:
        self._behaviour = behaviour
        self._endpoint = aws_endpoint
        self._identity = identity
        self._session = boto3.Session()
        self._making = threading.Lock()  # a boto3 session makes one client at a time

    def run(self, spec: EcrSpec) -> None:
        """Sign in to the registry that the endpoint names.

        Raises:
            TryFailedError: rejected, timed out, or not reachable.
        """
        credentials = spec.credentials or AwsCredentials()
        place = _place_of(spec)
        if credentials.partition != place.partition:
            words = f"partition {credentials.partition} has no region {place.region}: {_echo(credentials)}"
            raise TryFailedError(Failure.CREDENTIALS, words)
        if credentials.credential_type == "pod-identity":
            self._check_pod_identity(credentials)
            return
        try:
            self._sign_in(place, credentials)
        except ClientError as error:
            raise _refused(error, credentials) from None
        except (ConnectTimeoutError, ReadTimeoutError):
            words = f"operation error ECR: https://{spec.endpoint}: context deadline exceeded"
            raise TryFailedError(Failure.TIMEOUT, words) from None
        except BotoCoreError as error:
            words = f"operation error ECR: https response error StatusCode: 0: dial tcp: connect: {error}"
            raise TryFailedError(Failure.UNREACHABLE, words) from None

    def _sign_in(self, place: _Place, credentials: AwsCredentials) -> None:
        keys = _Keys(credentials.access_key or "", credentials.secret_key or "", credentials.secret_token)
        if credentials.credential_type == "sts":
            keys = self._assume(place, credentials)
        ecr = self._client("ecr", place, keys)
        ecr.get_authorization_token()
        ecr.describe_repositories(registryId=place.account, maxResults=1)

    def _assume(self, place: _Place, credentials: AwsCredentials) -> _Keys:
        if self._identity is None:
            words = "operation error STS: AssumeRole: the AWS STS account of this installation is not configured"
            raise TryFailedError(Failure.CREDENTIALS, words)
        own = _Keys(self._identity.access_key_id, self._identity.secret_access_key)
        wanted = credentials.sts
        parameters = {"RoleArn": (wanted and wanted.arn) or "", "RoleSessionName": "vertex"}
        if wanted and wanted.external_id:
            parameters["ExternalId"] = wanted.external_id
        got = self._client("sts", place, own).assume_role(**parameters)["Credentials"]
        return _Keys(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])

    def _check_pod_identity(self, credentials: AwsCredentials) -> None:
        role = credentials.pod_identity.role_arn if credentials.pod_identity else None
        if role not in self._behaviour.pod_identity_roles:
            words = f"api error AccessDeniedException: no pod identity association leads to the role {role}"
            raise TryFailedError(Failure.CREDENTIALS, words)

    def _client(self, service: str, place: _Place, keys: _Keys) -> Any:
        if self._endpoint is None:
            words = f"operation error {service.upper()}: dial tcp: connect: no route to AWS from this installation"
            raise TryFailedError(Failure.UNREACHABLE, words)
        timeout = self._behaviour.validation_timeout_seconds
        config = Config(
            connect_timeout=timeout, read_timeout=timeout, retries={"mode": "standard", "total_max_attempts": 1}
        )
        with self._making:
            return self._session.client(
                service,  # type: ignore[call-overload] # one of two names
                region_name=place.region,
                endpoint_url=self._endpoint,
                aws_access_key_id=keys.access_key,
                aws_secret_access_key=keys.secret_key,
                aws_session_token=keys.session_token,
                config=config,
            )


def _place_of(spec: EcrSpec) -> _Place:
    endpoint = spec.endpoint.replace(_TEMPLATE, spec.default_region or "").lower().split("/")[0].removesuffix(":443")
    found = _HOST.fullmatch(endpoint)
    if found is None or found["region"].startswith(_UNSUPPORTED):
        raise TryFailedError(Failure.UNREACHABLE, f"dial tcp: lookup {endpoint}: no such host")
    return _Place(found["account"], found["region"])


def _refused(error: ClientError, credentials: AwsCredentials) -> TryFailedError:
    """AWS's answer in the words of its Go SDK, with an echo of what was sent: whoever shows it must redact."""
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    code, message = (error.response["Error"].get(key, "") for key in ("Code", "Message"))
    service = "STS" if error.operation_name == "AssumeRole" else "ECR"
    words = (
        f"operation error {service}: {error.operation_name}, https response error StatusCode: {status}, "
        f"api error {code}: {message} ({_echo(credentials)})"
    )
    failure = Failure.UNREACHABLE if status >= _SERVER_ERROR else Failure.CREDENTIALS
    return TryFailedError(failure, words)


def _echo(credentials: AwsCredentials) -> str:
    sent = credentials.model_dump(by_alias=True, exclude_none=True)
    return ", ".join(f"{key}={value}" for key, value in sent.items())
