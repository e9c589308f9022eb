"""What a definition wants of one registry, given the versions of its secrets. Pure: no value of a secret is needed."""

import hashlib
from collections.abc import Iterable

from registry_autopilot.definitions import Definition, SecretPointer
from registry_autopilot.matching import registry_name
from registry_autopilot.registry import DesiredRegistry, Identity, SecretRef


def secret_uses(definition: Definition) -> tuple[tuple[str, str], ...]:
    """Each secret that a definition names, with what it is used for: credentials, ca, external-id."""
    pointer = getattr(definition.credentials, "external_id", None)
    named = (
        ("credentials", getattr(definition.credentials, "secret", None)),
        ("ca", definition.tls.ca_secret),
        ("external-id", pointer.secret if isinstance(pointer, SecretPointer) else None),
    )
    return tuple((use, secret) for use, secret in named if secret)


def desired_registry(
    definition: Definition, identity: Identity, endpoint: str, secrets: Iterable[SecretRef]
) -> DesiredRegistry:
    """The desired registry; what the document itself holds of credentials and CA counts by its digest."""
    external_id = getattr(definition.credentials, "external_id", None)
    return DesiredRegistry(
        identity=identity,
        name=registry_name(definition, identity),
        endpoint=endpoint,
        synchronize=definition.synchronize,
        credential_kind=definition.credentials.kind,
        role=getattr(definition.credentials, "role", None),
        external_id_digest=_digest(external_id) if isinstance(external_id, str) else None,
        ca_digest=_digest(definition.tls.ca_pem) if definition.tls.ca_pem else None,
        insecure_skip_verify=definition.tls.insecure_skip_verify,
        secrets=tuple(secrets),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
