"""How a registry is shown: in each answer of the API, and to tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.vertex.specs import masked
from sandbox.vertex.store import StoredRegistry, timestamp

# The API returns a TLS block that nobody set (changelog of Terraform's provider, PLT-2300).
_DEFAULT_TLS = {"enabled": True, "insecureSkipVerify": False, "certificate": "", "ca": "", "key": ""}
_SUMMARISED = ("endpoint", "providerType", "isPrivate", "defaultRegion", "containsSpectroManifest")
# Registries of every scope have been seen with this one: it tells nothing.
_SPEC_SCOPE = "cluster"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A registry as tests see it: no secret, but a digest that tells whether it changed.

    Attributes:
        credential_type: `secret`, `sts`, `pod-identity`, `noAuth`, `basic` or `token`.
        credential_digest: of the credentials object without its TLS part; salted per run.
        has_ca: whether a certificate authority of its own is set.
    """

    uid: str
    name: str
    type: str
    provider: str
    endpoint: str
    base_content_path: str
    synchronize: bool
    scope: str
    is_default: bool
    created_by: str
    modified_at: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    credential_type: str
    credential_digest: str
    has_ca: bool
    insecure_skip_verify: bool


def typed(registry: StoredRegistry, sync_status: Mapping[str, Any]) -> dict[str, Any]:
    """`v1EcrRegistry`, `v1BasicOciRegistry`."""
    spec = masked(registry.spec) | {"registryUid": registry.uid, "scope": _SPEC_SCOPE}
    if registry.type == "ecr":
        spec["tls"] = _DEFAULT_TLS | (spec.get("tls") or {})
    else:
        auth = spec["auth"]
        spec["auth"] = auth | {"tls": _DEFAULT_TLS | (auth.get("tls") or {})}
    return {"kind": "oci", "metadata": _metadata(registry), "spec": spec, "status": {"syncStatus": sync_status}}


def summary(registry: StoredRegistry, sync_status: Mapping[str, Any]) -> dict[str, Any]:
    """`v1OciRegistry`: no base content path, no credentials; the status lies under `sync` here."""
    spec = {key: registry.spec[key] for key in _SUMMARISED if key in registry.spec}
    spec |= {"registryType": registry.type, "providerType": registry.provider, "scope": _SPEC_SCOPE}
    return {"metadata": _metadata(registry), "spec": spec, "status": {"sync": sync_status}}


def listed(registry: StoredRegistry) -> dict[str, Any]:
    """`v1RegistryMetadata`."""
    return {
        "kind": "oci",
        "name": registry.name,
        "uid": registry.uid,
        "scope": registry.scope,
        "isDefault": registry.is_default,
        "isPrivate": bool(registry.spec.get("isPrivate", True)),
    }


def flat(registry: StoredRegistry) -> dict[str, Any]:
    """`v1OciRegistryEntity`: no metadata, no status."""
    shown = masked(registry.spec)
    entity = {"type": registry.type, "providerType": registry.provider, "scope": _SPEC_SCOPE}
    return entity | {key: shown[key] for key in ("endpoint", "auth", "defaultRegion") if key in shown}


def snapshot(registry: StoredRegistry, digest: Callable[[object], str]) -> Snapshot:
    """What tests see."""
    credentials = credentials_of(registry.spec)
    tls = tls_of(registry)
    return Snapshot(
        uid=registry.uid,
        name=registry.name,
        type=registry.type,
        provider=registry.provider,
        endpoint=str(registry.spec["endpoint"]),
        base_content_path=str(registry.spec.get("baseContentPath", "")),
        synchronize=registry.synchronize,
        scope=registry.scope,
        is_default=registry.is_default,
        created_by=registry.created_by,
        modified_at=registry.modified_at,
        labels=dict(registry.labels),
        annotations=dict(registry.annotations),
        credential_type=str(credentials.get("credentialType") or credentials.get("type") or "noAuth"),
        credential_digest=digest(credentials),
        has_ca=bool(tls.get("certificate")),
        insecure_skip_verify=bool(tls.get("insecureSkipVerify")),
    )


def credentials_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The credentials object of a spec of either type, without TLS."""
    credentials = spec.get("credentials") or spec.get("auth") or {}
    return {key: value for key, value in credentials.items() if key != "tls"}


def tls_of(registry: StoredRegistry) -> Mapping[str, Any]:
    """The TLS block, wherever it lies."""
    holder = registry.spec if registry.type == "ecr" else registry.spec.get("auth") or {}
    return holder.get("tls") or {}


def _metadata(registry: StoredRegistry) -> dict[str, Any]:
    return {
        "name": registry.name,
        "uid": registry.uid,
        "creationTimestamp": timestamp(registry.created_at),
        "lastModifiedTimestamp": timestamp(registry.modified_at),
        "labels": dict(registry.labels),
        "annotations": dict(registry.annotations),
    }
