"""What a body may hold, field by field (models of the API description). Unknown fields are refused."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from sandbox.vertex.errors import bad_request

type RegistryType = Literal["ecr", "basic"]
_IN_WORDS = {"extra_forbidden": "is a forbidden property", "missing": "is required"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)


class TlsConfiguration(_Strict):
    """`v1TlsConfiguration`."""

    enabled: bool | None = None
    insecure_skip_verify: bool = False
    certificate: str | None = None
    ca: str | None = None
    key: str | None = None


class StsCredentials(_Strict):
    """`v1AwsStsCredentials`."""

    arn: str | None = None
    external_id: str | None = None


class PodIdentityCredentials(_Strict):
    """`v1AwsPodIdentityCredentials`."""

    role_arn: str | None = None
    permission_boundary_arn: str | None = None


class AwsCredentials(_Strict):
    """`v1AwsCloudAccount`, without the inside of `secretSpec`."""

    credential_type: Literal["secret", "sts", "pod-identity"] = "secret"
    access_key: str | None = None
    secret_key: str | None = None
    secret_token: str | None = None
    policy_arns: Annotated[list[str] | None, Field(alias="policyARNs")] = None
    partition: Literal["aws", "aws-us-gov", "aws-iso", "aws-iso-b"] = "aws"
    sts: StsCredentials | None = None
    pod_identity: PodIdentityCredentials | None = None
    secret_spec: dict[str, Any] | None = None


class RegistryAuth(_Strict):
    """`v1RegistryAuth`."""

    type: Literal["noAuth", "basic", "token"] | None = None
    username: str | None = None
    password: str | None = None
    token: str | None = None
    tls: TlsConfiguration | None = None


class _CommonSpec(_Strict):
    endpoint: str
    base_content_path: str | None = None
    contains_spectro_manifest: bool | None = None
    is_sync_supported: bool = False
    provider_type: Literal["helm", "pack", "zarf"] = "helm"
    registry_uid: str | None = None
    scope: str | None = None


class EcrSpec(_CommonSpec):
    """`v1EcrRegistrySpec`."""

    is_private: bool
    credentials: AwsCredentials | None = None
    default_region: str | None = None
    tls: TlsConfiguration | None = None


class BasicSpec(_CommonSpec):
    """`v1BasicOciRegistrySpec`."""

    auth: RegistryAuth
    base_path: str | None = None

    @property
    def tls(self) -> TlsConfiguration | None:
        """It lies one level deeper than in an ECR spec."""
        return self.auth.tls


class ObjectMeta(_Strict):
    """`v1ObjectMeta`; timestamps and uid are the server's own and are not looked at."""

    name: str | None = None
    uid: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    last_modified_timestamp: str | None = None


class _Body(_Strict):
    kind: str | None = None
    metadata: ObjectMeta = ObjectMeta()
    status: dict[str, Any] | None = None


class EcrBody(_Body):
    """`v1EcrRegistry`."""

    spec: EcrSpec


class BasicBody(_Body):
    """`v1BasicOciRegistry`."""

    spec: BasicSpec


class LoginBody(_Strict):
    """`v1SysLogin`: `username`, or `emailId` in its place."""

    username: str | None = None
    email_id: str | None = None
    password: str


type Spec = EcrSpec | BasicSpec
SPECS: dict[str, type[EcrSpec | BasicSpec]] = {"ecr": EcrSpec, "basic": BasicSpec}
BODIES: dict[str, type[EcrBody | BasicBody]] = {"ecr": EcrBody, "basic": BasicBody}


def read[T: BaseModel](model: type[T], raw: object) -> T:
    """Read a body.

    Raises:
        ApiError: 400 that names the first field which is wrong.
    """
    if not isinstance(raw, dict):
        raise bad_request("body in request must be a JSON object")
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        words = _IN_WORDS.get(first["type"], f"is invalid: {first['msg']}")
        raise bad_request(f"{field} in body {words}") from None
