"""Synchronization: it is started, runs for a while by the stand-in's clock, and ends well or as a test wants."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.vertex.errors import OPERATIONAL, ApiError
from sandbox.vertex.store import StoredRegistry, timestamp

FORCE_AFTER_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class SyncStart:
    """A synchronization that began.

    Attributes:
        started_at: seconds since the epoch, by the stand-in's clock.
        cause: `create` for a registry's own first one, `request` for a POST, `seed` for one before the story began.
    """

    uid: str
    started_at: float
    cause: Literal["create", "request", "seed"]


@dataclass(frozen=True, slots=True)
class _Run:
    start: SyncStart
    ends_at: float
    failure: str | None = None


class Syncs:
    """Every synchronization so far. Thread-safe.

    Attributes:
        seconds: how long one takes that begins from now on.
    """

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self.seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._runs: list[_Run] = []
        self._to_fail: dict[str, str] = {}

    def fail_next(self, uid: str, message: str) -> None:
        """Let the next synchronization of a registry end as failed."""
        self._to_fail[uid] = message

    def begin(self, uid: str, cause: Literal["create", "request", "seed"]) -> None:
        """Start one, whatever else runs; one that was there before the story began is over already."""
        with self._lock:
            self._begin(uid, cause)

    def request(self, registry: StoredRegistry, *, force: bool) -> None:
        """Start one as `POST …/sync` does; `force` interrupts one that has been running for an hour.

        Raises:
            ApiError: 500; the registry does not synchronize, or one is running.
        """
        if not registry.synchronize:
            words = f"registry '{registry.name}' does not support synchronization"
            raise ApiError(OPERATIONAL, "RegistrySyncNotSupported", words)
        with self._lock:
            last = self._last(registry.uid)
            now = self._clock()
            if last and now < last.ends_at and not (force and now - last.start.started_at >= FORCE_AFTER_SECONDS):
                words = f"synchronization of registry '{registry.name}' is in progress"
                raise ApiError(OPERATIONAL, "RegistrySyncInProgress", words)
            self._begin(registry.uid, "request")

    def starts(self) -> list[SyncStart]:
        """Those that began in the story, in order."""
        with self._lock:
            return [run.start for run in self._runs if run.start.cause != "seed"]

    def status(self, registry: StoredRegistry) -> dict[str, Any]:
        """`v1RegistrySyncStatus`; its words are those seen on living servers, where nothing lists them."""
        status: dict[str, Any] = {"isSyncSupported": registry.synchronize, "status": "", "message": ""}
        with self._lock:
            runs = [run for run in self._runs if run.start.uid == registry.uid]
        if not runs:
            return status
        now = self._clock()
        last = runs[-1]
        ended = [run.ends_at for run in runs if run.ends_at <= now and run.failure is None]
        status["lastRunTime"] = timestamp(last.start.started_at)
        if ended:
            status["lastSyncedTime"] = timestamp(max(ended))
        status["status"] = "InProgress" if now < last.ends_at else "Failed" if last.failure else "Completed"
        if status["status"] == "Failed":
            status["message"] = last.failure
        return status

    def _begin(self, uid: str, cause: Literal["create", "request", "seed"]) -> None:
        now = self._clock()
        ends_at = now if cause == "seed" else now + self.seconds
        self._runs.append(_Run(SyncStart(uid, now, cause), ends_at, self._to_fail.pop(uid, None)))

    def _last(self, uid: str) -> _Run | None:
        return next((run for run in reversed(self._runs) if run.start.uid == uid), None)
