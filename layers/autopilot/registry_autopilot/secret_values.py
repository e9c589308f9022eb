"""What a secret holds, understood by the names people really use. Pure."""

from dataclasses import dataclass

from pydantic import SecretStr

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.registry import CredentialKind, CredentialValues
from registry_autopilot.secret_fields import Fields, docker_login, fields_of, is_clean, plain_text

# The usual spellings, compared without case, spaces, `_`, `-` and `.`; IAM's CSV files have "Access key ID".
_ACCESS_KEY_ID = ("accesskeyid", "awsaccesskeyid", "accesskey", "awsaccesskey")
_SECRET_ACCESS_KEY = ("secretaccesskey", "awssecretaccesskey", "secretkey", "awssecretkey")
_USERNAME = ("username", "user", "login", "robotname")
_PASSWORD = ("password", "pass", "passwd", "pat", "robotsecret")
_TOKEN = ("token", "accesstoken", "authtoken", "apitoken", "bearertoken", "identitytoken", "registrytoken", "pat")
_HOST = ("host", "hostname", "server", "serveraddress", "endpoint", "registry", "registryhost", "registryurl")

_EXPECTED = {
    CredentialKind.ACCESS_KEY: "access_key_id and secret_access_key",
    CredentialKind.USERNAME_PASSWORD: "username and password, or a .dockerconfigjson with one registry",
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
    """A credential as read from a secret, and the hosts that the secret itself names for it, if any."""

    values: CredentialValues
    hosts: tuple[str, ...] = ()


def read_credential(kind: CredentialKind, secret: SecretValue) -> ReadCredential:
    """Read a credential of a kind out of a secret's text.

    Raises:
        AutopilotError: secret-malformed, with the names of the keys found and of those expected, never a value.
    """
    fields = fields_of(secret.value.get_secret_value())
    hosts = _hosts(kind, fields, secret)
    if kind is CredentialKind.ACCESS_KEY:
        return ReadCredential(_access_key(fields, secret), hosts)
    if kind is CredentialKind.TOKEN:
        return ReadCredential(_token(fields, secret), hosts)
    return _docker_config(hosts, secret) or ReadCredential(_username_password(fields, secret), hosts)


def malformed(secret_name: str, words: str) -> AutopilotError:
    """A secret that does not hold what it should, with words on it that quote none of its values."""
    return AutopilotError(causes.SECRET_MALFORMED, f"secret {secret_name} {words}", subject=f"secret:{secret_name}")


def _hosts(kind: CredentialKind, fields: Fields, secret: SecretValue) -> tuple[str, ...]:
    """Every host that the secret names; one that cannot be read as such must not mean that none is named."""
    if fields.others & set(_HOST):
        raise _unusable(kind, secret, _found(fields))
    return tuple(text.strip() for spelling in _HOST if (text := fields.first([spelling])))


def _access_key(fields: Fields, secret: SecretValue) -> CredentialValues:
    kind = CredentialKind.ACCESS_KEY
    key_id, key = fields.first(_ACCESS_KEY_ID), fields.first(_SECRET_ACCESS_KEY)
    if not key_id or not key:
        raise _unusable(kind, secret, _found(fields))
    id_, secret_key = (_clean(kind, secret, text.strip()) for text in (key_id, key))
    return CredentialValues(kind, access_key_id=id_, secret_access_key=secret_key)


def _username_password(fields: Fields, secret: SecretValue) -> CredentialValues:
    username, password = fields.first(_USERNAME), fields.first(_PASSWORD)
    if not username or not password:
        raise _unusable(CredentialKind.USERNAME_PASSWORD, secret, _found(fields))
    return _login(username, password, secret)


def _login(username: str, password: str, secret: SecretValue) -> CredentialValues:
    kind = CredentialKind.USERNAME_PASSWORD
    user = _clean(kind, secret, username.strip()).get_secret_value()
    return CredentialValues(kind, username=user, password=_clean(kind, secret, password))


def _token(fields: Fields, secret: SecretValue) -> CredentialValues:
    kind = CredentialKind.TOKEN
    token = fields.first(_TOKEN) or plain_text(secret.value.get_secret_value())
    if not token:
        raise _unusable(kind, secret, _found(fields))
    if any(c.isspace() for c in token.strip()):
        raise _unusable(kind, secret, "text with spaces in it, which no token has")
    return CredentialValues(kind, token=_clean(kind, secret, token.strip()))


def _docker_config(hosts: tuple[str, ...], secret: SecretValue) -> ReadCredential | None:
    """The login of a Docker configuration that names exactly one registry."""
    kind = CredentialKind.USERNAME_PASSWORD
    login = docker_login(secret.value.get_secret_value())
    if login is None:
        return None
    if len(login.hosts) != 1:
        shown = ", ".join(host[:60] for host in login.hosts)
        raise _unusable(kind, secret, f"{len(login.hosts)} registries under auths{f' ({shown})' if shown else ''}")
    if not login.username.strip() or not login.password.strip():
        raise _unusable(kind, secret, "a registry under auths with neither username and password nor a readable auth")
    return ReadCredential(_login(login.username, login.password, secret), (*login.hosts, *hosts))


def _clean(kind: CredentialKind, secret: SecretValue, text: str) -> SecretStr:
    if not is_clean(text):
        raise _unusable(kind, secret, "control characters, or what is no text, in its credential")
    return SecretStr(text)


def _found(fields: Fields) -> str:
    return ", ".join(fields.names) or "no keys (not a JSON object)"


def _unusable(kind: CredentialKind, secret: SecretValue, found: str) -> AutopilotError:
    return malformed(secret.name, f"holds {found}; credentials of kind {kind} need {_EXPECTED[kind]}")
