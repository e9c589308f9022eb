"""What VerteX answers and is sent: unknown fields are tolerated, all is optional, masked secrets are never read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from registry_autopilot.redaction import redact_mapping
from registry_autopilot.registry import (
    CredentialKind,
    CredentialValues,
    Provider,
    RegistrySpec,
    RegistryType,
    normalise_base_path,
)

_RUNNING = {"inprogress", "running", "syncing"}
_DONE = {"success", "completed", "succeeded"}
_FAILED = {"failed", "error"}
_PENDING = {"pending", "unknown", ""}
_SHORTEST_MASK = 3


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """How a synchronization stands (`v1RegistrySyncStatus`; its status has no enumeration).

    Attributes:
        state: running, succeeded, failed, pending, unsupported, or unknown.
    """

    state: str
    last_run: str | None = None

    @classmethod
    def parse(cls, raw: object) -> "SyncStatus":
        """Read the API's object; any case of any of the words seen."""
        values = raw if isinstance(raw, Mapping) else {}
        if values.get("isSyncSupported") is False:
            return cls("unsupported")
        word = str(values.get("status") or "").lower()
        states = (("running", _RUNNING), ("succeeded", _DONE), ("failed", _FAILED), ("pending", _PENDING))
        return cls(next((name for name, words in states if word in words), "unknown"), _text(values, "lastRunTime"))


@dataclass(frozen=True, slots=True)
class RegistryMetadata:
    """An item of `GET /v1/registries/metadata`."""

    uid: str
    name: str
    scope: str | None
    is_default: bool
    kind: str | None


@dataclass(frozen=True, slots=True)
class RegistrySummary:
    """An item of `GET /v1/registries/oci/summary`: no base content path, no credentials."""

    uid: str
    name: str
    type: RegistryType | None
    provider: Provider | None
    endpoint: str
    default_region: str | None
    last_modified: str | None
    sync: SyncStatus


@dataclass(frozen=True, slots=True)
class StoredRegistry:
    """The typed object (`v1EcrRegistry`, `v1BasicOciRegistry`) with its raw form, masked secrets included."""

    uid: str
    name: str
    type: RegistryType
    provider: Provider
    endpoint: str
    base_content_path: str
    default_region: str | None
    synchronize: bool | None
    last_modified: str | None
    sync: SyncStatus
    raw: dict[str, Any] = field(repr=False)


def parse_metadata(raw: object) -> RegistryMetadata:
    """Read one item."""
    values = _mapping(raw)
    return RegistryMetadata(
        uid=_text(values, "uid") or "",
        name=_text(values, "name") or "",
        scope=_text(values, "scope"),
        is_default=values.get("isDefault") is True,
        kind=_text(values, "kind"),
    )


def parse_summary(raw: object) -> RegistrySummary:
    """Read one item; the type is `spec.registryType`, in any case."""
    metadata, spec, status = (_mapping(_mapping(raw).get(part)) for part in ("metadata", "spec", "status"))
    return RegistrySummary(
        uid=_text(metadata, "uid") or "",
        name=_text(metadata, "name") or "",
        type=_member(RegistryType, spec.get("registryType")),
        provider=_member(Provider, spec.get("providerType")),
        endpoint=_text(spec, "endpoint") or "",
        default_region=_text(spec, "defaultRegion"),
        last_modified=_text(metadata, "lastModifiedTimestamp"),
        # The published description calls it `sync` in the summary and `syncStatus` in the typed object.
        sync=SyncStatus.parse(status.get("sync") or status.get("syncStatus")),
    )


def parse_stored(type_: RegistryType, raw: object) -> StoredRegistry:
    """Read a typed object; the sync flag of `status` counts more than the one of `spec` (it was unreliable)."""
    values = dict(_mapping(raw))
    metadata, spec, status = (_mapping(values.get(part)) for part in ("metadata", "spec", "status"))
    sync = _mapping(status.get("syncStatus"))
    flag = sync.get("isSyncSupported", spec.get("isSyncSupported"))
    return StoredRegistry(
        uid=_text(metadata, "uid") or "",
        name=_text(metadata, "name") or "",
        type=type_,
        provider=_member(Provider, spec.get("providerType")) or Provider.HELM,
        endpoint=_text(spec, "endpoint") or "",
        base_content_path=normalise_base_path(_text(spec, "baseContentPath") or "/"),
        default_region=_text(spec, "defaultRegion"),
        synchronize=flag if isinstance(flag, bool) else None,
        last_modified=_text(metadata, "lastModifiedTimestamp"),
        sync=SyncStatus.parse(sync),
        raw=values,
    )


def spec_body(spec: RegistrySpec) -> dict[str, Any]:
    """The spec of a validate or create body (`v1EcrRegistrySpec`, `v1BasicOciRegistrySpec`)."""
    body: dict[str, Any] = {
        "endpoint": spec.endpoint,
        "providerType": spec.provider.value,
        "baseContentPath": spec.base_content_path,
        "isSyncSupported": spec.synchronize,
        "containsSpectroManifest": False,
    }
    return body | _owned(spec)


def update_body(stored: StoredRegistry, spec: RegistrySpec, *, keep_endpoint: bool) -> dict[str, Any]:
    """The whole stored object with the fields the definition owns; credentials and TLS wholly from the definition.

    A PUT overwrites everything and a GET masks secrets, so no value that could be masked is taken over.
    """
    raw_spec = dict(_mapping(stored.raw.get("spec")))
    kept = {k: v for k, v in raw_spec.items() if k not in {"credentials", "auth", "tls", "isPrivate"} and _is_kept(v)}
    owned: dict[str, Any] = {"providerType": spec.provider.value} | _owned(spec)
    if not keep_endpoint:
        owned |= {"endpoint": spec.endpoint, "baseContentPath": spec.base_content_path}
    owned["isSyncSupported"] = stored.synchronize if stored.synchronize is not None else spec.synchronize
    metadata = _mapping(stored.raw.get("metadata"))
    names = {key: metadata[key] for key in ("name", "labels", "annotations") if _is_kept(metadata.get(key))}
    return {"metadata": names, "spec": kept | owned}


def owned_fields(spec: RegistrySpec) -> dict[str, Any]:
    """What the definition owns of a stored spec, as we write it."""
    return {"providerType": spec.provider.value, "baseContentPath": spec.base_content_path} | _owned(spec)


def masked_copy(stored: StoredRegistry) -> dict[str, Any]:
    """The stored object for history, every credential taken out; a client key of its TLS block counts as one."""
    spec = {k: v for k, v in _mapping(stored.raw.get("spec")).items() if k not in {"credentials", "auth"}}
    if isinstance(spec.get("tls"), Mapping):
        spec["tls"] = {k: v for k, v in spec["tls"].items() if k != "key"}
    return redact_mapping({"metadata": dict(_mapping(stored.raw.get("metadata"))), "spec": spec})


def _owned(spec: RegistrySpec) -> dict[str, Any]:
    tls: dict[str, Any] = {"enabled": True, "insecureSkipVerify": spec.insecure_skip_verify}
    if spec.ca:
        tls["certificate"] = spec.ca
    if spec.type is RegistryType.BASIC:
        return {"auth": _auth(spec.credentials) | {"tls": tls}}
    private = spec.credentials.kind is not CredentialKind.NONE
    return {"isPrivate": private, "credentials": _aws(spec.credentials, spec.partition or "aws"), "tls": tls}


def _auth(values: CredentialValues) -> dict[str, Any]:
    if values.kind is CredentialKind.NONE:
        return {"type": "noAuth"}
    if values.kind is CredentialKind.TOKEN and values.token is not None:
        return {"type": "token", "token": values.token.get_secret_value()}
    password = values.password.get_secret_value() if values.password else ""
    return {"type": "basic", "username": values.username or "", "password": password}


def _aws(values: CredentialValues, partition: str) -> dict[str, Any]:
    """`v1AwsCloudAccount`; the partition always, since the API's default is `aws`. No `policyARNs`: none are known."""
    body: dict[str, Any] = {"partition": partition}
    if values.kind is CredentialKind.STS:
        external_id = values.external_id.get_secret_value() if values.external_id else ""
        return body | {"credentialType": "sts", "sts": {"arn": values.role_arn, "externalId": external_id}}
    if values.kind is CredentialKind.POD_IDENTITY:
        return body | {"credentialType": "pod-identity", "podIdentity": {"roleArn": values.role_arn}}
    body["credentialType"] = "secret"
    if values.access_key_id is not None and values.secret_access_key is not None:
        body["accessKey"] = values.access_key_id.get_secret_value()
        body["secretKey"] = values.secret_access_key.get_secret_value()
    return body


def _is_kept(value: object) -> bool:
    """Whether a value of a GET may be sent back: what is null was never set, and what is masked is not the value."""
    masked = isinstance(value, str) and len(value) >= _SHORTEST_MASK and set(value) == {"*"}
    return value is not None and not masked


def _mapping(raw: object) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}


def _text(values: Mapping[str, Any], key: str) -> str | None:
    value = values.get(key)
    return value if isinstance(value, str) and value else None


def _member[T: (RegistryType, Provider)](kind: type[T], value: object) -> T | None:
    try:
        return kind(str(value).lower())
    except ValueError:
        return None
