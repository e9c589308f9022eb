"""The HTTP client for one VerteX, and how to read an answer or its absence without trusting either."""

import re
from ipaddress import ip_address
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit

import httpx

UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)  # nothing reached VerteX
LONGEST_PAUSE = 20.0  # seconds to wait within a function; a longer wait becomes a due time in the ledger
_LONGEST_ASKED = 3600


def open_http(vertex_url: str, *, verify: SSLContext | bool = True) -> httpx.Client:
    """A client for https (http on loopback only), without redirects, through the environment's proxy.

    On loopback the environment's proxy is not asked: it could not reach it.

    Raises:
        ValueError: the address is not one that a password may be sent to; names VERTEX_URL and the remedy.
    """
    parts = urlsplit(vertex_url)
    is_local = _is_loopback(parts.hostname or "")
    if not parts.hostname or parts.scheme not in ({"https", "http"} if is_local else {"https"}):
        raise ValueError("VERTEX_URL must be like https://vertex.example.gov (http for a loopback host only)")
    return httpx.Client(base_url=vertex_url, verify=verify, follow_redirects=False, trust_env=not is_local)


def json_object(response: httpx.Response) -> dict[str, Any] | None:
    """The JSON object that an answer holds; None for anything else."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def seconds_asked(response: httpx.Response) -> int | None:
    """`Retry-After` in seconds, an hour at most; None where there is none (a date counts as none)."""
    asked = response.headers.get("Retry-After", "").strip()
    return min(int(asked), _LONGEST_ASKED) if re.fullmatch(r"[0-9]{1,9}", asked) else None


def due_after(response: httpx.Response) -> int | None:
    """The wait asked for, where it is too long to be waited for within a function."""
    asked = seconds_asked(response)
    return asked if asked is not None and asked > LONGEST_PAUSE else None


def unreachable_words(error: httpx.HTTPError) -> str:
    """What to tell of a request without an answer; never the error's own text, which can hold what was sent."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "VerteX's own certificate is not trusted; give its CA in the secret of VertexCaBundleSecretArn"
    return f"VerteX could not be reached ({type(error).__name__})"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
