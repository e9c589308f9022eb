"""X.509 certificates: whose they are, who signed them, and when they end. Pure.

The standard library tells nothing of a certificate that it did not verify, and that is the one an admin asks about. So
the few fields needed are read from the DER encoding itself (RFC 5280, section 4.1), and nothing else of it.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_LONGEST_NAME: Final = 80
_COMMON_NAME, _ORGANIZATION = bytes.fromhex("550403"), bytes.fromhex("55040a")  # 2.5.4.3, 2.5.4.10
_VERSION_TAG, _UTC_TIME_TAG, _BMP_STRING_TAG = 0xA0, 0x17, 0x1E
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*+)-----END CERTIFICATE-----")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an admin needs to recognise a certificate; names are cleaned and cut, times in seconds since the epoch."""

    subject: str
    issuer: str
    not_after: float


def read_certificate(der: bytes) -> Certificate:
    """Read one certificate in DER.

    Raises:
        ValueError: it is none.
    """
    try:
        (_, certificate), *_ = _members(der)
        (_, signed), *_ = _members(certificate)
        fields = [field for field in _members(signed) if field[0] != _VERSION_TAG]
        (_, issuer), (_, validity), (_, subject) = fields[2:5]  # after serial number and signature algorithm
        _, not_after = _members(validity)
        return Certificate(_name(subject), _name(issuer), _seconds(*not_after))
    except IndexError:
        raise ValueError("not a certificate in DER") from None


def read_pem(text: str) -> tuple[Certificate, ...]:
    """Every certificate of a PEM text that can be read."""
    return tuple(_readable(text))


def next_expiry(pem: str, now: float) -> float | None:
    """When the first of a bundle's certificates that still last ends; of none lasts, when the last one ended."""
    ends = [certificate.not_after for certificate in read_pem(pem)]
    return min((end for end in ends if end > now), default=max(ends, default=None))


def _readable(text: str) -> Iterator[Certificate]:
    for block in _PEM.findall(text):
        try:
            yield read_certificate(base64.b64decode(block))
        except (ValueError, binascii.Error):
            continue


def _members(content: bytes) -> list[tuple[int, bytes]]:
    """The elements of a constructed one, as (tag, content)."""
    found, at = [], 0
    while at < len(content):
        tag, length, start = content[at], content[at + 1], at + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(content[at + 2 : start])
        at = start + length
        if at > len(content):
            raise ValueError("not a certificate in DER: an element is longer than what holds it")
        found.append((tag, content[start:at]))
    return found


def _name(content: bytes) -> str:
    """The common name of a distinguished name, else its organization."""
    parts: dict[bytes, str] = {}
    for _, relative in _members(content):
        for _, pair in _members(relative):
            (_, kind), (tag, value) = _members(pair)
            encoding = "utf-16-be" if tag == _BMP_STRING_TAG else "utf-8"
            parts.setdefault(kind, value.decode(encoding, errors="replace"))
    name = parts.get(_COMMON_NAME) or parts.get(_ORGANIZATION) or "nobody in particular"
    return "".join(c for c in name if c.isprintable())[:_LONGEST_NAME]


def _seconds(tag: int, content: bytes) -> float:
    """A time of RFC 5280: two digits for years up to 2049, four from then on, always in UTC."""
    text = content.decode("ascii", errors="replace")
    if tag == _UTC_TIME_TAG:
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()
