"""Registries that are there without the API: what the installer seeded, and what admins make and change by hand."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.vertex.schema import SPECS, read
from sandbox.vertex.store import StoredRegistry

_IN_SPEC = {
    "endpoint": "endpoint",
    "base_content_path": "baseContentPath",
    "credentials": "credentials",
    "auth": "auth",
    "tls": "tls",
    "default_region": "defaultRegion",
}
_ITSELF = {"name", "labels", "annotations", "is_default", "scope"}


def with_credentials(registry: StoredRegistry, credentials: Mapping[str, Any] | None) -> StoredRegistry:
    """The registry with these credentials; None: for ECR a key pair that nobody knows, else no authentication.

    Raises:
        ApiError: a field that the API would not take.
    """
    if registry.type == "basic":
        added: dict[str, Any] = {"auth": dict(credentials or {"type": "noAuth"})}
    else:
        unknown = {"credentialType": "secret", "accessKey": secrets.token_hex(10), "secretKey": secrets.token_hex(20)}
        added = {"isPrivate": True, "credentials": dict(credentials or unknown)}
    spec = registry.spec | added
    read(SPECS[registry.type], spec)
    return replace(registry, spec=spec)


def changes_of(registry: StoredRegistry, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the stored registry that change when an admin edits these.

    Raises:
        ValueError: a field that a registry does not have.
        ApiError: a value that the API would not take.
    """
    if unknown := set(fields) - set(_IN_SPEC) - _ITSELF:
        raise ValueError(f"{sorted(unknown)}: unknown; a registry has {sorted(_ITSELF | set(_IN_SPEC))}")
    spec = registry.spec | {_IN_SPEC[key]: value for key, value in fields.items() if key in _IN_SPEC}
    read(SPECS[registry.type], spec)
    return {"spec": spec} | {key: value for key, value in fields.items() if key in _ITSELF}
