"""The rate limit: per source address and path prefix (API introduction, "Rate limits"), paced by real time."""

import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Requests per second, and how many may come at once."""

    per_second: float
    burst: int


class RateLimiter:
    """Token buckets, one for each source address and prefix. Thread-safe."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def allows(self, address: str, path: str) -> bool:
        """Whether one more request may come now; if so it is counted.

        Real time counts, not the sandbox's: that is what callers are paced by.
        """
        key = (address, "/".join(path.split("/")[:3]))
        now = time.monotonic()
        with self._lock:
            tokens, since = self._buckets.get(key, (float(self._limit.burst), now))
            tokens = min(self._limit.burst, tokens + (now - since) * self._limit.per_second)
            allowed = tokens >= 1
            self._buckets[key] = (tokens - allowed, now)
        return allowed
