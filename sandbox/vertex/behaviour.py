"""What the stand-in can be told to be: its version, its limits, and answers that the vendor does not publish."""

from collections.abc import Collection
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AwsIdentity:
    """The AWS identity of this VerteX: it assumes the roles of `sts` credentials.

    Attributes:
        account_id: what `GET /v1/clouds/aws/account/sts` tells admins to trust.
        external_id: the external id that goes with it (VerteX makes one per tenant).
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    account_id: str = "123456789012"
    external_id: str = "sandbox"


@dataclass(frozen=True, slots=True)
class ErrorCodes:
    """Body codes that the vendor does not publish; a client must cope with others of the same kind."""

    duplicate_name: str = "RegistryAlreadyExists"
    rejected_login: str = "InvalidUserCredentials"
    suspended_login: str = "UserAccountSuspended"
    timeout: str = "RegistryValidationTimeout"
    unreachable: str = "RegistryEndpointUnreachable"


@dataclass(slots=True)
class Behaviour:
    """Settings that may change while the stand-in runs.

    Attributes:
        version: what it claims to be, and behaves like (release notes up to 4.10.0).
        validation_timeout_seconds: how long validate waits for a registry or for AWS, in real seconds.
        latency_seconds: real time that every request takes at least.
        reject_unvalidated: refuse a create or PUT of a spec that was not validated before. The real one is not
            known to; it is a test's way to see promises kept.
        pod_identity_roles: role ARNs that pod identity works for in this installation.
    """

    version: str = "4.10.1"
    validation_timeout_seconds: float = 10.0
    latency_seconds: float = 0.0
    reject_unvalidated: bool = False
    pod_identity_roles: Collection[str] = ()
    codes: ErrorCodes = field(default_factory=ErrorCodes)

    def is_from(self, version: str) -> bool:
        """Whether the stand-in's version is this one or later."""
        return _parts(self.version) >= _parts(version)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
