"""What a system-level OCI registry is: its identity, what is wanted of it, and its fingerprint. Pure."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from pydantic import SecretStr


class RegistryType(StrEnum):
    """How VerteX speaks to the registry; fixed at creation (the two types have different API paths)."""

    ECR = "ecr"
    BASIC = "basic"


class Provider(StrEnum):
    """What kind of content VerteX reads from the registry (`providerType` of the API)."""

    HELM = "helm"
    PACK = "pack"
    ZARF = "zarf"


class CredentialKind(StrEnum):
    """How VerteX proves itself to the registry."""

    NONE = "none"
    ACCESS_KEY = "access-key"
    STS = "sts"
    POD_IDENTITY = "pod-identity"
    USERNAME_PASSWORD = "username-password"  # noqa: S105 - the name of a kind, not a password
    TOKEN = "token"  # noqa: S105 - the name of a kind, not a token
    ECR_TOKEN = "ecr-token"  # noqa: S105 - the name of a kind, not a token


@dataclass(frozen=True, slots=True)
class CredentialValues:
    """The values of a credential, in memory only, between the read of the secret and the request to VerteX.

    Which fields are filled follows from `kind`: `access-key` has an access key id and a secret access key;
    `username-password` and `ecr-token` a username and a password; `token` a token; `sts` a role ARN and an
    external id; `pod-identity` a role ARN; `none` nothing.
    """

    kind: CredentialKind
    access_key_id: SecretStr | None = None
    secret_access_key: SecretStr | None = None
    username: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    role_arn: str | None = None
    external_id: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class RegistrySpec:
    """Everything that a validate, create or PUT body says of a registry, secret values included.

    Attributes:
        partition: AWS partition of an ECR registry, sent in every ECR body (the API's default is `aws`).
        ca: PEM of a private certificate authority, or None.
    """

    type: RegistryType
    provider: Provider
    endpoint: str
    base_content_path: str
    synchronize: bool
    credentials: CredentialValues
    partition: str | None = None
    ca: str | None = None
    insecure_skip_verify: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """What makes two registries the same one.

    Attributes:
        location: for ECR `partition:account:region`, else the normalised endpoint (host, port, path; no scheme).
        base_content_path: without outer slashes; the root is `/`.
    """

    type: RegistryType
    provider: Provider
    location: str
    base_content_path: str

    @property
    def key(self) -> str:
        """SHA-256 of the identity in hex: ledger key and FIFO message group (64 legal characters)."""
        return digest([self.type, self.provider, self.location, self.base_content_path])


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Which version of which secret was used for what: never its value."""

    use: str
    arn: str
    version_id: str


@dataclass(frozen=True, slots=True)
class DesiredRegistry:
    """A definition resolved for one identity. Holds ARNs and version ids of secrets, never values."""

    identity: Identity
    name: str
    endpoint: str
    synchronize: bool
    credential_kind: CredentialKind
    role: str | None = None
    external_id_digest: str | None = None
    ca_digest: str | None = None
    insecure_skip_verify: bool = False
    secrets: tuple[SecretRef, ...] = field(default=())

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON. An endpoint's host form does not count: the identity stands for it."""
        content = asdict(self) | {"secrets": sorted(asdict(s).items() for s in self.secrets)}
        return digest({key: value for key, value in content.items() if key not in {"endpoint"}})


def digest(value: object) -> str:
    """SHA-256 in hex over the canonical JSON of a value (sorted keys, no spaces)."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def normalise_base_path(path: str) -> str:
    """The base content path without outer or doubled slashes; the root is `/`."""
    return "/".join(part for part in path.split("/") if part) or "/"
