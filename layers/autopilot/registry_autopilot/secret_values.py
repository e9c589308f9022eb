"""What a secret holds, understood by the names people really use, and where its credential may go. Pure."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.hosts import normalise_endpoint, parse_ecr_host
from registry_autopilot.registry import CredentialKind, CredentialValues

# The usual spellings, compared without case, `-` and `_`.
_ACCESS_KEY_ID = ("accesskeyid", "awsaccesskeyid", "accesskey", "awsaccesskey")
_SECRET_ACCESS_KEY = ("secretaccesskey", "awssecretaccesskey", "secretkey", "awssecretkey")
_USERNAME = ("username", "user", "login", "robotname")
_PASSWORD = ("password", "pass", "passwd", "pat", "robotsecret")
_TOKEN = ("token", "accesstoken", "bearertoken", "identitytoken", "registrytoken", "pat")
_HOST = ("host", "endpoint", "registry")

_EXPECTED = {
    CredentialKind.ACCESS_KEY: "access_key_id and secret_access_key",
    CredentialKind.USERNAME_PASSWORD: "username and password, or a .dockerconfigjson",
    CredentialKind.TOKEN: "token, or the token as plain text",
}


@dataclass(frozen=True, slots=True)
class SecretValue:
    """One version of a secret as read at AWSCURRENT.

    Attributes:
        arn: the full ARN, random suffix included.
        name: the secret's name.
        version_id: id of the version that was read.
        created_at: when that version was created, in seconds since the epoch, where known.
    """

    arn: str
    name: str
    version_id: str
    value: SecretStr
    created_at: float | None = None

    @property
    def subject(self) -> str:
        """What an incident about this secret is about."""
        return f"secret:{self.name}"


@dataclass(frozen=True, slots=True)
class ReadCredential:
    """A credential as read from a secret, and the host that the secret itself names for it, if any."""

    values: CredentialValues
    host: str | None = None


@dataclass(frozen=True, slots=True)
class _Fields:
    names: tuple[str, ...]
    by_spelling: Mapping[str, str] = field(repr=False)

    def first(self, spellings: Iterable[str]) -> str | None:
        return next((self.by_spelling[s] for s in spellings if self.by_spelling.get(s)), None)


def read_credential(kind: CredentialKind, secret: SecretValue) -> ReadCredential:
    """Read a credential of a kind out of a secret's text.

    Raises:
        AutopilotError: secret-malformed, with the names of the keys found and of those expected, never a value.
    """
    text = secret.value.get_secret_value()
    fields = _fields_of(text)
    host = fields.first(_HOST)
    if kind is CredentialKind.ACCESS_KEY:
        return ReadCredential(_access_key(fields, secret), host)
    if kind is CredentialKind.USERNAME_PASSWORD:
        docker = _docker_config(text, secret)
        return docker or ReadCredential(_username_password(fields, secret), host)
    plain = text.strip() if not fields.names and text.strip() else None
    token = fields.first(_TOKEN) or plain
    if not token or any(c.isspace() for c in token):
        raise _malformed(CredentialKind.TOKEN, fields, secret)
    return ReadCredential(CredentialValues(CredentialKind.TOKEN, token=SecretStr(token)), host)


def check_destination(
    credential: ReadCredential,
    endpoint: str,
    *,
    ecr_accounts: Iterable[str],
    allowed_hosts: Iterable[str],
) -> None:
    """Refuse to send a credential where it may not go.

    A secret that names its host is used for that host only; any other for ECR hosts of matched accounts, or for
    the hosts in the stack's AllowedRegistryHosts.

    Raises:
        AutopilotError: endpoint-not-allowed.
    """
    target = host_of(endpoint)
    if credential.host is not None:
        allowed = _same_host(credential.host, endpoint)
        reason = "the secret names another host"
    else:
        ecr = parse_ecr_host(endpoint)
        allowed = (ecr is not None and ecr.account in set(ecr_accounts)) or target in {
            host_of(h) for h in allowed_hosts
        }
        reason = "the secret names no host, and the host is neither an ECR host of a matched account nor allowed"
    if not allowed:
        raise AutopilotError(causes.ENDPOINT_NOT_ALLOWED, f"the credential was not sent to {target}: {reason}")


def host_of(endpoint: str) -> str:
    """Host and port of an endpoint, lower-cased, without scheme and path; empty for what cannot be read."""
    try:
        return normalise_endpoint(endpoint).partition("/")[0]
    except ValueError:
        return ""


def _same_host(one: str, other: str) -> bool:
    """The host forms of one ECR registry (plain, FIPS, dual-stack) count as the same host."""
    left, right = parse_ecr_host(one), parse_ecr_host(other)
    if left is not None and right is not None:
        return left.location == right.location
    return bool(host_of(one)) and host_of(one) == host_of(other)


def _access_key(fields: _Fields, secret: SecretValue) -> CredentialValues:
    key_id, key = fields.first(_ACCESS_KEY_ID), fields.first(_SECRET_ACCESS_KEY)
    if not key_id or not key:
        raise _malformed(CredentialKind.ACCESS_KEY, fields, secret)
    return CredentialValues(
        CredentialKind.ACCESS_KEY,
        access_key_id=SecretStr(key_id.strip()),
        secret_access_key=SecretStr(key.strip()),
    )


def _username_password(fields: _Fields, secret: SecretValue) -> CredentialValues:
    username, password = fields.first(_USERNAME), fields.first(_PASSWORD)
    if not username or not password:
        raise _malformed(CredentialKind.USERNAME_PASSWORD, fields, secret)
    return CredentialValues(CredentialKind.USERNAME_PASSWORD, username=username, password=SecretStr(password))


def _docker_config(text: str, secret: SecretValue) -> ReadCredential | None:
    """A dockerconfigjson with exactly one registry under `auths`."""
    document = _decode(text)
    inner = document.get(".dockerconfigjson")
    auths = (_decode(inner) if isinstance(inner, str) else document).get("auths")
    if not isinstance(auths, Mapping):
        return None
    entries = [(host, entry) for host, entry in auths.items() if isinstance(entry, Mapping)]
    pair = _docker_pair(entries[0][1]) if len(entries) == 1 else None
    if pair is None:
        raise _malformed(CredentialKind.USERNAME_PASSWORD, _Fields(("auths",), {}), secret)
    values = CredentialValues(CredentialKind.USERNAME_PASSWORD, username=pair[0], password=SecretStr(pair[1]))
    return ReadCredential(values, str(entries[0][0]))


def _docker_pair(entry: Mapping[str, object]) -> tuple[str, str] | None:
    username, password = entry.get("username"), entry.get("password")
    if isinstance(username, str) and isinstance(password, str) and username and password:
        return username, password
    try:
        user, _, secret = base64.b64decode(str(entry.get("auth", "")), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (user, secret) if user and secret else None


def _fields_of(text: str) -> _Fields:
    document = _decode(text)
    spelled = {_spelling(key): value for key, value in document.items() if isinstance(value, str)}
    return _Fields(tuple(sorted(str(key)[:60] for key in document)), spelled)


def _decode(text: str) -> Mapping[str, object]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _spelling(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")


def _malformed(kind: CredentialKind, fields: _Fields, secret: SecretValue) -> AutopilotError:
    found = ", ".join(fields.names) if fields.names else "no keys (not a JSON object)"
    return AutopilotError(
        causes.SECRET_MALFORMED,
        f"secret {secret.name} holds {found}; credentials of kind {kind} need {_EXPECTED[kind]}",
        subject=secret.subject,
    )
