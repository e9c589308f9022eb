"""The journal of requests: what was asked and answered, never a secret. Bodies are kept as salted digests only."""

import hashlib
import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

LOGIN_PATH = "/v1/auth/syslogin"
_REGISTRIES = "/v1/registries"


@dataclass(frozen=True, slots=True)
class Entry:
    """One request.

    Attributes:
        path: without the query.
        query: the documented query parameters; others are left out.
        status: the answer that was sent; None when the connection was cut instead.
        spec: digest of the registry spec in a validate, create or PUT body.
        at: seconds since the epoch, by the stand-in's clock, when the answer was ready.
        uid: of the registry asked for or made.
        name: of that registry.
        error_code: `code` of an error body.
        took_effect: whether the request changed or proved something, even if its answer was lost.
    """

    method: str
    path: str
    status: int | None
    spec: str | None
    at: float
    uid: str | None = None
    name: str | None = None
    error_code: str | None = None
    audit_uid: str | None = None
    took_effect: bool = False
    query: Mapping[str, str] = field(default_factory=dict)


class Journal:
    """Entries in the order in which they were answered. Thread-safe."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._lock = threading.Lock()
        self._salt = secrets.token_bytes(16)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries())

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Entry:
        return self._entries[index]

    def add(self, entry: Entry) -> None:
        """Write one down."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Forget all of them; digests stay comparable."""
        with self._lock:
            self._entries.clear()

    def entries(self) -> list[Entry]:
        """All of them, as they are now."""
        with self._lock:
            return list(self._entries)

    def registry_requests(self) -> list[Entry]:
        """Those under `/v1/registries`: the currency of the rate limit."""
        return [e for e in self.entries() if e.path == _REGISTRIES or e.path.startswith(f"{_REGISTRIES}/")]

    def logins(self) -> list[Entry]:
        """Those that tried to log in."""
        return [e for e in self.entries() if e.path == LOGIN_PATH]

    def digest(self, value: object) -> str:
        """SHA-256 in hex over the canonical JSON of a value, salted per run: no secret can be guessed from it."""
        canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(self._salt + canonical.encode()).hexdigest()
