"""The sandbox's time: real time plus an offset that only grows, so that hours pass when a test or demo says so."""

import threading
import time


class SandboxClock:
    """Time as everything in the sandbox sees it: its AWS, the stand-in for VerteX and the functions. Thread-safe."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._lock = threading.Lock()

    @property
    def offset(self) -> float:
        """Seconds by which the sandbox is ahead of real time."""
        return self._offset

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._offset

    def advance(self, seconds: float) -> float:
        """Let time pass at once; gives the new time.

        Raises:
            ValueError: `seconds` is negative; a clock that goes back would lose messages.
        """
        if seconds < 0:
            raise ValueError(f"seconds: {seconds} is negative; the sandbox's time only goes forward")
        with self._lock:
            self._offset += seconds
        return self.now()
