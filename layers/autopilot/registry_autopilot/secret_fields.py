"""What the text of a secret holds: fields under the names people use, a Docker configuration, or plain text. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from registry_autopilot.base64_text import decoded

_MAX_NAME = 60
_UNCLEAN = re.compile("[\x00-\x1f\x7f\ufffd\ud800-\udfff]")
_SIGNS = str.maketrans("", "", "_-. ")


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a secret.

    Attributes:
        names: the keys found, shortened, and which of them hold no text; fit to be shown.
        texts: the texts, without outer line ends, by the spelling of their keys.
        others: the spellings of keys that hold something else.
    """

    names: tuple[str, ...]
    texts: Mapping[str, str] = field(repr=False)
    others: frozenset[str] = frozenset()

    def first(self, spellings: Iterable[str]) -> str | None:
        """The first of some keys that holds more than white space."""
        return next((text for s in spellings if (text := self.texts.get(s, "")).strip()), None)


@dataclass(frozen=True, slots=True)
class DockerLogin:
    """The registries that a Docker configuration names, and the login where it is one."""

    hosts: tuple[str, ...]
    username: str = ""
    password: str = field(default="", repr=False)


def fields_of(text: str) -> Fields:
    """The fields of a JSON object; those of the answer of `aws iam create-access-key` lie one level deeper."""
    document = _mapping(text)
    if isinstance(inner := document.get("AccessKey"), Mapping):
        document = {key: value for key, value in document.items() if key != "AccessKey"} | dict(inner)
    texts = {_spelling(key): value.strip("\r\n") for key, value in document.items() if isinstance(value, str)}
    others = frozenset(_spelling(key) for key, value in document.items() if not isinstance(value, str | None))
    return Fields(tuple(sorted(_shown(key, value) for key, value in document.items())), texts, others)


def plain_text(text: str) -> str | None:
    """The text of a secret that is no JSON object or list, or a JSON string; None for any other."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None if text.strip().startswith(("{", "[")) else text.strip() or None
    if isinstance(value, str):
        return value.strip() or None
    return text.strip() if isinstance(value, int | float) and not isinstance(value, bool) else None


def docker_login(text: str) -> DockerLogin | None:
    """The login in a Docker configuration: as it is, or a Kubernetes secret's `.dockerconfigjson`, plain or in base64.

    None where the secret is no Docker configuration; without a login where it names no or several registries.
    """
    document = _mapping(text)
    inner = next((value for key, value in document.items() if _spelling(key) == "dockerconfigjson"), None)
    auths = (_nested(inner) if inner is not None else document).get("auths")
    if not isinstance(auths, Mapping):
        return None
    entries = {str(host): entry for host, entry in auths.items() if isinstance(entry, Mapping)}
    pair = _pair(next(iter(entries.values()))) if len(entries) == 1 else None
    return DockerLogin(tuple(entries), *(pair or ("", "")))


def is_clean(text: str) -> bool:
    """Whether a value may be sent: no control character, and nothing that is no character."""
    return _UNCLEAN.search(text) is None


def _nested(value: object) -> Mapping[str, object]:
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, str):
        return {}
    return _mapping(value) or _mapping(decoded(value) or "")


def _pair(entry: Mapping[str, object]) -> tuple[str, str] | None:
    username, password = entry.get("username"), entry.get("password")
    if isinstance(username, str) and isinstance(password, str) and username and password:
        return username, password
    user, _, secret = (decoded(str(entry.get("auth", ""))) or "").partition(":")
    return (user, secret) if user and secret else None


def _mapping(text: str) -> Mapping[str, object]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _shown(key: str, value: object) -> str:
    name = key[:_MAX_NAME].encode(errors="backslashreplace").decode()
    if isinstance(value, str):
        return name if value.strip() else f"{name} (empty)"
    return f"{name} (not text)"


def _spelling(key: str) -> str:
    return key.lower().translate(_SIGNS)
