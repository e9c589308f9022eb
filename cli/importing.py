"""`autopilot import`: writes definitions from the system-level registries that exist. Reads VerteX, never writes it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import yaml
from pydantic import SecretStr

from cli.trust import trusting
from registry_autopilot.causes import AutopilotError
from registry_autopilot.definitions import parse_definition
from registry_autopilot.hosts import parse_ecr_host
from registry_autopilot.registry import Identity, RegistryType
from registry_autopilot.steps.find import identity_of
from registry_autopilot.vertex.client import VertexClient
from registry_autopilot.vertex.login_policy import Failure
from registry_autopilot.vertex.models import RegistryMetadata, StoredRegistry
from registry_autopilot.vertex.rate import RateLimiter
from registry_autopilot.vertex.session import AdminCredentials, Session
from sandbox.stack import VertexLogin

_PER_SECOND, _BURST = 4.0, 3
_TIMEOUT = httpx.Timeout(65, connect=10)
_LONGEST_CA = 4000  # bytes of a PEM that still fits into a parameter of the standard tier
_HEADER = """# Definitions of the system-level registries that exist, written by `autopilot import`.
# Credentials cannot be read back from VerteX: every secret named here has to be made by you, with the credential
# that the registry uses. Then: autopilot check, autopilot push.
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """What was found: definitions, and what could not become one, with why."""

    definitions: tuple[Mapping[str, Any], ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The definitions file."""
        return _HEADER + yaml.safe_dump({"registries": list(self.definitions)}, sort_keys=False, width=110)


def read_vertex(url: str, login: VertexLogin, *, ca: Any, protected: Sequence[str] = ()) -> Imported:
    """Read every OCI registry at system scope, one typed GET each.

    Raises:
        AutopilotError: VerteX refuses the login, or cannot be asked.
    """
    with httpx.Client(base_url=url, verify=trusting(ca), timeout=_TIMEOUT) as http:
        session = Session(http, secret=_Person(url, login), claims=_OneAttempt(), vertex_url=url)
        client = VertexClient(http, session, RateLimiter(_PER_SECOND, _BURST))
        listed = {entry.uid: entry for entry in client.registries_metadata()}
        found: list[tuple[RegistryMetadata, StoredRegistry | None]] = []
        known: set[str] = set()
        for summary in client.oci_summary():
            entry = listed.get(summary.uid)
            if entry is not None and summary.type is not None:
                known.add(summary.uid)
                found.append((entry, client.get_registry(summary.type, summary.uid)))
        others = [entry for uid, entry in listed.items() if uid not in known]
    return definitions_of(found, others, protected)


def definitions_of(
    found: Sequence[tuple[RegistryMetadata, StoredRegistry | None]],
    others: Sequence[RegistryMetadata],
    protected: Sequence[str],
) -> Imported:
    """A definition for each registry that one can express; of several of one identity the first. Pure."""
    kept: list[Mapping[str, Any]] = []
    left_out = [(entry.name, f"is no OCI registry ({entry.kind or 'kind not told'})") for entry in others]
    seen: set[Identity] = set()
    ids: set[str] = set()
    names = {name.casefold() for name in protected}
    for entry, stored in found:
        identity = identity_of(stored) if stored is not None else None
        if stored is None or identity is None:
            left_out.append((entry.name, "its endpoint cannot be read"))
        elif identity in seen:
            left_out.append((entry.name, "another registry has the same identity; remove one of them in VerteX"))
        else:
            document = _document(
                stored, _free_id(stored.name, ids), only_sync=entry.is_default or entry.name.casefold() in names
            )
            problem = _problem(document)
            if problem is None:
                seen.add(identity)
                ids.add(document["id"])
                kept.append(document)
            else:
                left_out.append((entry.name, problem))
    return Imported(tuple(kept), tuple(left_out))


def _document(stored: StoredRegistry, definition_id: str, *, only_sync: bool) -> dict[str, Any]:
    host = parse_ecr_host(stored.endpoint, default_region=stored.default_region)
    document: dict[str, Any] = {"id": definition_id, "name": stored.name, "type": stored.type.value}
    document |= {"provider": stored.provider.value, "base_content_path": stored.base_content_path}
    if stored.synchronize is False:
        document["synchronize"] = False
    if stored.type is RegistryType.BASIC:
        document["endpoint"] = stored.endpoint
    elif host is not None:
        document["match"] = {"accounts": [host.account], "regions": [host.region]}
    if only_sync:
        return document | {"manage": "sync-only"}
    document["credentials"] = _credentials(stored, definition_id)
    return document | _tls(stored)


def _credentials(stored: StoredRegistry, definition_id: str) -> dict[str, Any]:
    """What a GET shows of them; secrets are masked, so a secret of yours is named in their place."""
    spec = _mapping(stored.raw.get("spec"))
    secret = f"vertex/{definition_id}"
    if stored.type is RegistryType.BASIC:
        kind = _mapping(spec.get("auth")).get("type")
        if kind == "token":
            return {"kind": "token", "secret": secret}
        return {"kind": "username-password", "secret": secret} if kind == "basic" else {"kind": "none"}
    given = _mapping(spec.get("credentials"))
    role = _mapping(given.get("sts")).get("arn") or _mapping(given.get("podIdentity")).get("roleArn")
    match given.get("credentialType"):
        case "sts" if role:
            return {"kind": "sts", "role": role, "external_id": {"secret": f"{secret}-external-id"}}
        case "pod-identity" if role:
            return {"kind": "pod-identity", "role": role}
    return {"kind": "access-key", "secret": secret} if spec.get("isPrivate", True) else {"kind": "none"}


def _tls(stored: StoredRegistry) -> dict[str, Any]:
    spec = _mapping(stored.raw.get("spec"))
    given = _mapping(spec.get("tls")) or _mapping(_mapping(spec.get("auth")).get("tls"))
    tls: dict[str, Any] = {}
    pem = given.get("certificate")
    if isinstance(pem, str) and pem.lstrip().startswith("-----BEGIN") and len(pem) <= _LONGEST_CA:
        tls["ca"] = pem
    elif pem:
        tls["ca"] = f"vertex/{_slug(stored.name)}-ca"
    if given.get("insecureSkipVerify") is True:
        tls["insecure_skip_verify"] = True
    return {"tls": tls} if tls else {}


def _problem(document: Mapping[str, Any]) -> str | None:
    """What keeps the document from being a definition."""
    try:
        parse_definition(document, definition_id=str(document["id"]))
    except AutopilotError as error:
        return error.detail
    return None


def _free_id(name: str, taken: set[str]) -> str:
    slug = _slug(name)
    candidates: Iterator[str] = (slug if number == 1 else f"{slug}-{number}" for number in range(1, len(taken) + 2))
    return next(one for one in candidates if one not in taken)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:100] or "registry"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


@dataclass(frozen=True, slots=True)
class _Person:
    """The login that somebody typed."""

    url: str
    login: VertexLogin

    def read(self) -> AdminCredentials:
        return AdminCredentials(self.login.username, SecretStr(self.login.password), self.url, "typed")


@dataclass(slots=True)
class _OneAttempt:
    """One login, whatever comes of it: a person can start the command again."""

    tried: bool = False

    def claim(self, version_id: str) -> None:
        if self.tried:
            raise AssertionError("one login is made")
        self.tried = True

    def succeeded(self, version_id: str) -> None:
        """Nothing is kept."""

    def failed(self, version_id: str, how: Failure) -> None:
        """Nothing is kept."""
