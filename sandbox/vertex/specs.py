"""What a spec may say beyond its schema: the rules of the documentation and of Terraform's provider."""

import re
import ssl
from collections.abc import Mapping
from typing import Any

from sandbox.vertex.behaviour import Behaviour
from sandbox.vertex.errors import OPERATIONAL, ApiError, bad_request
from sandbox.vertex.schema import BODIES, SPECS, AwsCredentials, BasicBody, BasicSpec, EcrBody, EcrSpec, Spec, read

_MASK = re.compile(r"\*{4,}")
_SECRETS = ("accessKey", "secretKey", "secretToken", "password", "token")
_SYNC_FIXED = "Registry synchronization setting cannot be changed after the registry is created"


def read_spec(type_: str, raw: object, behaviour: Behaviour) -> Spec:
    """Read the body of a validate, which is the spec alone.

    Raises:
        ApiError: 400 that names the field.
    """
    spec = read(SPECS[type_], raw)
    _check(spec, raw, behaviour)
    return spec


def read_body(type_: str, raw: object, behaviour: Behaviour) -> EcrBody | BasicBody:
    """Read the body of a create or update.

    Raises:
        ApiError: 400 that names the field; before 4.10 a missing name is answered as a duplicate one
            (release notes 4.10.0, PEM-11633).
    """
    body = read(BODIES[type_], raw)
    if not body.metadata.name:
        if behaviour.is_from("4.10"):
            raise bad_request("metadata.name in body is required")
        words = "registry with name '' already exists"
        raise ApiError(OPERATIONAL, behaviour.codes.duplicate_name, words)
    _check(body.spec, raw["spec"] if isinstance(raw, dict) else {}, behaviour)
    return body


def check_update(
    *, name: str, spec: Spec, body: EcrBody | BasicBody, provider: str, synchronize: bool, is_from_4_10: bool
) -> None:
    """Refuse what cannot be changed after creation; `name`, `provider` and `synchronize` are the stored values.

    A flag that is left out counts as false: what the real one makes of it is not documented.

    Raises:
        ApiError: 400.
    """
    if body.metadata.name != name:
        raise bad_request(f"metadata.name cannot be updated: it is '{name}'")
    if spec.provider_type != provider:
        raise bad_request(f"spec.providerType cannot be updated: it is '{provider}'")
    if is_from_4_10 and spec.is_sync_supported is not synchronize:
        raise bad_request(_SYNC_FIXED)


def _check(spec: Spec, raw: object, behaviour: Behaviour) -> None:
    if not spec.endpoint.strip():
        raise bad_request("spec.endpoint in body is required")
    if spec.is_sync_supported and not spec.base_content_path:
        raise bad_request("spec.baseContentPath is required when synchronization is enabled")
    if spec.provider_type == "pack" and not spec.is_sync_supported:
        raise bad_request("spec.isSyncSupported must be true for the provider type pack")
    _refuse_masks(raw)
    _check_certificate(spec)
    if isinstance(spec, EcrSpec):
        _check_ecr(spec, behaviour)
    else:
        _check_basic(spec)


def _check_ecr(spec: EcrSpec, behaviour: Behaviour) -> None:
    if "://" in spec.endpoint:
        raise bad_request(f"spec.endpoint '{spec.endpoint}' is invalid: exclude the https:// prefix")
    if spec.provider_type == "zarf":
        raise bad_request("spec.providerType zarf is not supported for ECR registries")
    if not spec.is_private:
        return
    if spec.credentials is None:
        raise bad_request("spec.credentials in body is required for a private registry")
    if spec.credentials.credential_type == "pod-identity" and not behaviour.is_from("4.9.5"):
        raise bad_request("spec.credentials.credentialType in body should be one of [secret sts]")
    _check_aws(spec.credentials)


def _check_aws(credentials: AwsCredentials) -> None:
    match credentials.credential_type:
        case "secret":
            needed = {"accessKey": credentials.access_key, "secretKey": credentials.secret_key}
        case "sts":
            needed = {"sts.arn": credentials.sts.arn if credentials.sts else None}
        case _:
            pod_identity = credentials.pod_identity
            needed = {"podIdentity.roleArn": pod_identity.role_arn if pod_identity else None}
    for field, value in needed.items():
        if not value:
            words = f"is required for the credential type {credentials.credential_type}"
            raise bad_request(f"spec.credentials.{field} in body {words}")


def _check_basic(spec: BasicSpec) -> None:
    auth = spec.auth
    if auth.type == "token" and not auth.token:
        raise bad_request("spec.auth.token in body is required for the type token")
    if auth.type == "basic" and bool(auth.username) is not bool(auth.password):  # an empty pair means: no auth
        raise bad_request("spec.auth.username and spec.auth.password in body are required together")


def _check_certificate(spec: Spec) -> None:
    if not (spec.tls and spec.tls.certificate):
        return
    try:
        ssl.create_default_context(cadata=spec.tls.certificate)
    except (ssl.SSLError, ValueError):
        raise bad_request("spec tls.certificate in body is not a PEM certificate") from None


def _refuse_masks(raw: object) -> None:
    """The real one would store the mask as the secret; the stand-in is loud about it."""
    if not isinstance(raw, Mapping):
        return
    for key, value in raw.items():
        if key in _SECRETS and isinstance(value, str) and _MASK.search(value):
            raise bad_request(f"spec {key} in body is the mask of a GET; it would be stored as the secret")
        _refuse_masks(value)


def masked(value: Any) -> Any:
    """A spec as GET shows it: every secret replaced by the mask, whatever its length."""
    if isinstance(value, Mapping):
        return {k: "********" if k in _SECRETS[1:] and v else masked(v) for k, v in value.items()}
    return value
