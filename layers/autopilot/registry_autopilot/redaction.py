r"""The one place where text leaves the process: what looks like a secret, or is a known one, is taken out.

Texts may be plain, JSON, or JSON inside JSON (a log line that carries a message that carries a body), so quotes may
have backslashes before them and a new line may be written as the two characters `\n`.

Every pattern takes time linear in the text, whatever the text: repetitions are bounded, possessive, or lead to a
match, so that what was read once is not read again.
"""

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from registry_autopilot.base64_text import decoded

MASK = "[redacted]"
_MAX_KNOWN = 512
_MIN_KNOWN = 6  # shorter values are parts of ordinary words
_MAX_DEPTH = 6
_AWS_SECRET_LENGTH = 40
_NESTING = (0, 1, 3, 7)  # backslashes before a quote of JSON, of JSON in JSON, ...
_LONG = 120  # ECR and STS tokens are longer, digests are shorter

# Members of a JSON secret that are no secret themselves; everything else in it is one.
_PUBLIC = frozenset(
    {"host", "endpoint", "registry", "url", "username", "user", "login", "robotname", "region", "partition", "account"}
    | {"email", "name", "description", "type", "kind", "role", "engine"}
)
_KEY = (
    r"(?:pass(?:word|wd|phrase)|(?:client|robot)[_-]?secret|secret[_-]?(?:access[_-]?)?key|access[_-]?key(?:[_-]?id)?"
    r"|api[_-]?key|private[_-]?key|secret[_-]?(?:string|binary)|external[_-]?id|token|signature|authorization|auth"
    r"|(?<![a-z])(?:pat|pass))"
)
_SECRET_KEY = re.compile(rf"(?i){_KEY}\Z")


def register_secret(value: SecretStr | str) -> None:
    """Take this exact value out of every text from now on.

    The value itself is needed for that, so the newest few hundred are kept, in memory only. Of a JSON secret the
    members count one by one; each value also counts in the forms that JSON and URLs give it.
    """
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    forms = {form for part in (text, *_members(text)) for form in _forms(part)}
    with _lock:
        for form in forms:
            if len(form) >= _MIN_KNOWN:
                _known[form] = None
                _known.move_to_end(form)
        while len(_known) > _MAX_KNOWN:
            _known.popitem(last=False)


def redact(text: str) -> str:
    """The text without anything that is, or looks like, a secret.

    ARNs, digests, version ids, host and repository names and fingerprints in hex stay as they are.
    """
    with _lock:
        known = sorted(_known, key=len, reverse=True)
    for value in known:
        text = text.replace(value, MASK)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact_mapping(values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy whose texts are redacted at any depth, those under a telling key whatever they look like."""
    return {key: _redact_any(value, secret=_SECRET_KEY.search(key) is not None) for key, value in values.items()}


def _redact_any(value: Any, *, secret: bool = False) -> Any:
    if isinstance(value, str):
        return MASK if secret and value else redact(value)
    if isinstance(value, Mapping):
        return redact_mapping(value)
    if isinstance(value, list | tuple):
        return [_redact_any(item, secret=secret) for item in value]
    return value


def _members(text: str, depth: int = 0) -> Iterator[str]:
    """The secret values inside a JSON secret, also where JSON is nested as text (`.dockerconfigjson`)."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(document, dict | list) and depth < _MAX_DEPTH:
        yield from _leaves(document, depth)


def _leaves(value: object, depth: int, key: str = "") -> Iterator[str]:
    if isinstance(value, str):
        if key.lower() not in _PUBLIC:
            yield value
            yield from _members(value, depth + 1)
            yield from _members(decoded(value) or "", depth + 1)  # as Kubernetes keeps its secrets
            yield from _password_of(value) if key.lower() == "auth" else ()
    elif depth < _MAX_DEPTH and isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, depth + 1, str(name))
    elif depth < _MAX_DEPTH and isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, depth + 1, key)


def _password_of(auth: str) -> Iterator[str]:
    """The password in the `auth` of a Docker configuration: base64 of `user:password`."""
    yield (decoded(auth) or "").partition(":")[2]


def _forms(value: str) -> set[str]:
    """The value as it is, and as JSON (once and twice) and a URL would write it."""
    once = json.dumps(value)[1:-1]
    return {
        value,
        once,
        json.dumps(once)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        quote(value, safe="", errors="replace"),
    }


def _without_jwt(found: re.Match[str]) -> str:
    run = found[0]
    start = run.find("eyJ")
    return run[:start] + MASK if start >= 0 and run.find(".", start) > 0 else run


def _without_scheme_value(found: re.Match[str]) -> str:
    """Take out what follows Basic or Bearer, unless it is a word of a sentence (`basic registry`, `Basic Auth`)."""
    value = found[2]
    is_word = value[1:].isalpha() and value[1:].islower()
    return found[0] if is_word else f"{found[1]}{MASK}"


def _without_value(found: re.Match[str]) -> str:
    """Mask a value and keep its quotes; a bare one after a quoted key gets the key's, so that JSON stays JSON."""
    quotes = (found[f"quote{before}"] for before in _NESTING)
    opening = next((q for q in quotes if q), None) or found["single"] or found["key_quote"] or ""
    return f"{found['key']}{opening}{MASK}{opening}"


def _without_random(found: re.Match[str]) -> str:
    """Take out what looks random in a run of characters; ARNs and URLs are spared."""
    escape, run = found[1] or "", found[2]
    if run.startswith("arn:") or "://" in run:
        return found[0]
    return escape + "".join(MASK if _looks_random(part) else part for part in re.split("([=:])", run))


def _looks_random(part: str) -> bool:
    """Whether it is like an AWS secret access key, or a long piece of base64: of mixed case, with digits or signs."""
    if len(part) != _AWS_SECRET_LENGTH and len(part) < _LONG:
        return False
    mixed = any(c.islower() for c in part) and any(c.isupper() for c in part)
    return mixed and re.search(r"[0-9+/]", part) is not None and re.fullmatch(r"[A-Za-z0-9+/]+", part) is not None


_Replacement = str | Callable[[re.Match[str]], str]


def _quoted(before: int) -> str:
    r"""A JSON string whose quotes have so many backslashes before them: 0 plain, 1 inside JSON, 3 inside that, 7.

    In a run of backslashes each `unit` is one that was meant, and one less than a unit is a quote that was meant.
    """
    unit = 2 * (before + 1)
    meant = rf'\\{{{unit}}}|\\{{1,{unit - 1}}}(?!["\\])|\\{{{unit - 1}}}"'
    return rf'(?P<quote{before}>\\{{{before}}}")(?:[^"\\]|{meant})*+(?:\\{{{before}}}")?'


_QUOTED = "|".join(map(_quoted, _NESTING))
_PRIVATE_KEY = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_PATTERNS: tuple[tuple[re.Pattern[str], _Replacement], ...] = (
    (re.compile(rf'-----BEGIN {_PRIVATE_KEY}[^"]*?(?:-----END {_PRIVATE_KEY}|(?=\\*")|\Z)'), MASK),
    (re.compile(r"[A-Za-z0-9_.-]{20,}+"), _without_jwt),
    (re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{12,}+"), MASK),
    (re.compile(r"(?:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|dckr_pat_)[A-Za-z0-9_-]{10,}+"), MASK),
    (re.compile(r"(?i)\b((?:basic|bearer)\s{1,3})([A-Za-z0-9+/=._~-]{8,}+)"), _without_scheme_value),
    (re.compile(r"(?i)(https:\\{0,2}/\\{0,2}/hooks\.[a-z0-9.-]{1,60}\\{0,2}/)(?:[^\s\"'<>\\]|\\+/)++"), rf"\1{MASK}"),
    (re.compile(r"(://)[^\s/\"'\\?#]{1,2048}@"), rf"\1{MASK}@"),
    (
        re.compile(
            rf"(?i)(?P<key>{_KEY}(?P<key_quote>\\{{0,6}}[\"'])?\s{{0,3}}(?:=>|[:=])\s{{0,3}})"
            rf"(?:{_QUOTED}|(?P<single>')(?:[^'\\]|\\.)*+'?"
            r"|(?!\[|\{|(?:null|true|false)\b)(?:[^\s\"',;}&\\]|[,;](?![\s\"'\\]|\Z)|\\+(?![\\\"'nrt]))++)"
        ),
        _without_value,
    ),
    (re.compile(r"(\\[nrt])?([A-Za-z0-9+/=_.:-]{40,}+)"), _without_random),
)

_known: OrderedDict[str, None] = OrderedDict()
_lock = Lock()
