"""The stack's rate towards VerteX, divided over its possible workers, so that their sum never exceeds it."""

import threading
import time
from collections.abc import Callable


class RateLimiter:
    """A token bucket: so many requests a second, so many at once."""

    def __init__(
        self,
        per_second: float,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._sleep = sleep
        self._tokens = float(burst)
        self._at = clock()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Take a token, waiting for it when there is none."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
            self._at = now
            self._tokens -= 1
            wait = -self._tokens / self._per_second if self._tokens < 0 else 0.0
        if wait > 0:
            self._sleep(wait)


def share(total_per_second: float, workers: int) -> float:
    """A worker's part of the stack's rate, in requests a second."""
    return total_per_second / max(1, workers)
