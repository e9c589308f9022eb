"""Resolve: a definition becomes a desired registry, with the secret versions that are current at this moment."""

from pydantic import SecretStr

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.certificates import next_expiry
from registry_autopilot.definitions import (
    Definition,
    RoleCredentials,
    SecretCredentials,
    SecretPointer,
    StsCredentials,
    invalid,
)
from registry_autopilot.desired import desired_registry
from registry_autopilot.destinations import check_destination
from registry_autopilot.matching import Lead, Place, wanted_endpoint
from registry_autopilot.registry import (
    CredentialKind,
    CredentialValues,
    Identity,
    SecretRef,
)
from registry_autopilot.secret_values import SecretValue, malformed, read_credential
from registry_autopilot.steps.attempt import Attempt, Wanted, World


def resolve(attempt: Attempt, lead: Lead) -> Wanted:
    """Read the secrets and build the desired registry.

    Raises:
        AutopilotError: definition-invalid, secret-unreadable, secret-malformed, endpoint-not-allowed.
    """
    definition, world = lead.definition, attempt.world
    if definition.tls.insecure_skip_verify and not world.rules.allow_insecure_tls:
        raise invalid(definition.id, "tls.insecure_skip_verify: the stack's AllowInsecureTls is false")
    endpoint = wanted_endpoint(definition, Place(attempt.item.endpoint, attempt.item.repository))
    reader = _Reader(world, lead.identity, endpoint)
    values = reader.credentials(definition)
    ca = reader.ca(definition)
    attempt.change(ca_expires_at=next_expiry(ca, attempt.at) if ca else None)
    desired = desired_registry(definition, lead.identity, endpoint, reader.refs)
    return Wanted(desired, definition, values, ca, reader.credential_created_at)


def stale(attempt: Attempt) -> bool:
    """Whether a secret's AWSCURRENT moved since it was read, or the mode forbids the write that comes next."""
    wanted = attempt.need()
    return any(attempt.world.secrets.read(s.arn).version_id != s.version_id for s in wanted.desired.secrets)


class _Reader:
    """Reads the secrets of one definition and remembers which versions were read."""

    def __init__(self, world: World, identity: Identity, endpoint: str) -> None:
        self._world = world
        self._identity = identity
        self._endpoint = endpoint
        self.refs: list[SecretRef] = []
        self.credential_created_at: float | None = None

    def credentials(self, definition: Definition) -> CredentialValues:
        """The credential's values, allowed to go to the endpoint."""
        match definition.credentials:
            case SecretCredentials() as given:
                return self._secret(definition, given)
            case StsCredentials() as given:
                return CredentialValues(given.kind, role_arn=given.role, external_id=self._external_id(given))
            case RoleCredentials() as given:
                return self._role(definition, given)
            case _:
                return CredentialValues(CredentialKind.NONE)

    def ca(self, definition: Definition) -> str | None:
        """The PEM of the private CA, from the document or its secret."""
        if definition.tls.ca_secret is None:
            return definition.tls.ca_pem
        secret = self._read("ca", definition.tls.ca_secret)
        pem = secret.value.get_secret_value().strip()
        if not pem.startswith("-----BEGIN CERTIFICATE-----"):
            raise malformed(secret.name, "is used as `tls.ca` and must hold a PEM certificate")
        return pem + "\n"

    def _secret(self, definition: Definition, given: SecretCredentials) -> CredentialValues:
        secret = self._read("credentials", given.secret)
        self.credential_created_at = secret.created_at
        credential = read_credential(given.kind, secret)
        check_destination(
            credential.hosts,
            self._endpoint,
            ecr_accounts=definition.match.accounts or (self._world.home.account,),
            allowed_hosts=self._world.rules.allowed_hosts,
        )
        return credential.values

    def _role(self, definition: Definition, given: RoleCredentials) -> CredentialValues:
        """A role. The token that `ecr-token` stands for is obtained when it is needed, for ECR hosts only."""
        values = CredentialValues(given.kind, role_arn=given.role)
        if given.kind is CredentialKind.ECR_TOKEN:
            accounts = definition.match.accounts or (self._world.home.account,)
            check_destination((), self._endpoint, ecr_accounts=accounts, allowed_hosts=())
        return values

    def _external_id(self, given: StsCredentials) -> SecretStr:
        if isinstance(given.external_id, SecretPointer):
            return SecretStr(self._read("external-id", given.external_id.secret).value.get_secret_value().strip())
        return SecretStr(given.external_id)

    def _read(self, use: str, secret_id: str) -> SecretValue:
        secret = self._world.secrets.read(secret_id)
        if secret.arn in self._world.rules.own_secrets:
            raise AutopilotError(
                causes.SECRET_UNREADABLE,
                f"secret {secret.name} is one of the stack's own and is refused as a registry's {use}",
                subject=secret.subject,
            )
        self.refs.append(SecretRef(use, secret.arn, secret.version_id))
        return secret
