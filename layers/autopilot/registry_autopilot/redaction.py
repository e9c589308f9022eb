"""The one place where text leaves the process: what looks like a secret, or is a known one, is taken out."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any

from pydantic import SecretStr

MASK = "[redacted]"
_MAX_KNOWN = 256
_MIN_KNOWN = 6

# Each pattern is linear: no nested repetition, every repetition over a class that its follower cannot match.
_PATTERNS = (
    (re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"), MASK),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]*)?"), MASK),
    (re.compile(r"\b(?:AKIA|ASIA|AIDA|AROA)[A-Z0-9]{12,20}\b"), MASK),
    (
        re.compile(r"(?i)\b(authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?)(?:(?:basic|bearer)\s{1,3})?[^\s\"',;}]+"),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?i)\b(basic|bearer)\s{1,3}[A-Za-z0-9+/=._~-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"(?i)(https://hooks\.[a-z0-9.-]{1,60}/)[^\s\"'<>]+"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,20}://)[^\s/@\"']{1,256}@"), rf"\1{MASK}@"),
    (
        re.compile(
            r"(?i)([\"']?\b(?:[a-z_-]{0,20}(?:password|passwd|secret_?access_?key|secret_?key|secretkey|token|api_?key"
            r"|external_?id|access_?key(?:_?id)?))[\"']?\s{0,3}[:=]\s{0,3}[\"']?)(?!\[redacted)[^\s\"',;}&]+"
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?<![A-Za-z0-9+/=_:.-])(?![0-9a-f]{40}(?![A-Za-z0-9+/]))[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])"), MASK),
    (re.compile(r"(?<![A-Za-z0-9+/=_:.-])(?![0-9a-f]{64,}(?![A-Za-z0-9+/]))[A-Za-z0-9+/]{120,}={0,2}"), MASK),
)

_known: OrderedDict[str, None] = OrderedDict()
_lock = Lock()


def register_secret(value: SecretStr | str) -> None:
    """Take this exact value out of every text from now on; the newest few hundred are remembered, in memory only."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    with _lock:
        for part in {text, *_leaves(text)}:
            if len(part) >= _MIN_KNOWN:
                _known[part] = None
                _known.move_to_end(part)
        while len(_known) > _MAX_KNOWN:
            _known.popitem(last=False)


def redact(text: str) -> str:
    """The text without anything that is, or looks like, a secret."""
    with _lock:
        known = sorted(_known, key=len, reverse=True)
    for value in known:
        text = text.replace(value, MASK)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact_mapping(values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy whose texts are redacted, at any depth."""
    return {key: _redact_any(value) for key, value in values.items()}


def _redact_any(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return redact_mapping(value)
    if isinstance(value, list | tuple):
        return [_redact_any(item) for item in value]
    return value


def _leaves(text: str) -> set[str]:
    """The values inside a JSON secret whose keys say that they are secret."""
    import json

    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return set()
    if not isinstance(document, dict):
        return set()
    public = {"host", "endpoint", "registry", "url", "username", "user"}
    return {v for k, v in document.items() if isinstance(v, str) and k.lower() not in public}
