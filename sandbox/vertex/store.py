"""What the stand-in holds: registries, their unique names, and when they were changed."""

import copy
import datetime as dt
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.vertex.behaviour import Behaviour
from sandbox.vertex.errors import OPERATIONAL, ApiError, not_found


@dataclass(frozen=True, slots=True)
class StoredRegistry:
    """One registry as it is stored, secrets included; it never leaves the process like this.

    Attributes:
        spec: as it was sent.
        synchronize: what counts, as it was at creation; the spec may say otherwise.
        created_at: seconds since the epoch; so is `modified_at`.
    """

    uid: str
    type: str
    name: str
    spec: dict[str, Any] = field(repr=False)
    synchronize: bool
    scope: str = "system"
    is_default: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    created_by: str = "api"
    created_at: float = 0.0
    modified_at: float = 0.0

    @property
    def provider(self) -> str:
        """`providerType`, with the API's default."""
        return str(self.spec.get("providerType", "helm"))


class RegistryStore:
    """Registries by uid. Thread-safe."""

    def __init__(self, clock: Callable[[], float], behaviour: Behaviour) -> None:
        self._clock = clock
        self._behaviour = behaviour
        self._lock = threading.Lock()
        self._registries: dict[str, StoredRegistry] = {}
        self._last_change = 0.0

    def add(self, registry: StoredRegistry) -> StoredRegistry:
        """Store a new registry under a new uid.

        Raises:
            ApiError: the name is taken in its scope, by a registry of any kind.
        """
        with self._lock:
            if any((r.scope, r.name) == (registry.scope, registry.name) for r in self._registries.values()):
                words = f"registry with name '{registry.name}' already exists"
                raise ApiError(OPERATIONAL, self._behaviour.codes.duplicate_name, words)
            now = self._tick()
            registry = replace(copy.deepcopy(registry), uid=secrets.token_hex(12), created_at=now, modified_at=now)
            self._registries[registry.uid] = registry
            return registry

    def get(self, uid: str, type_: str | None = None) -> StoredRegistry:
        """One registry.

        Raises:
            ApiError: 404; there is none, or it is of another type.
        """
        found = self._registries.get(uid)
        if found is None or type_ not in {None, found.type}:
            raise not_found(uid)
        return found

    def change(self, uid: str, **fields: Any) -> StoredRegistry:
        """Replace fields of a registry.

        Raises:
            ApiError: 404.
        """
        with self._lock:
            changed = replace(self.get(uid), modified_at=self._tick(), **copy.deepcopy(fields))
            self._registries[uid] = changed
            return changed

    def remove(self, uid: str) -> None:
        """Delete a registry.

        Raises:
            ApiError: 404.
        """
        with self._lock:
            self._registries.pop(self.get(uid).uid)

    def all(self) -> list[StoredRegistry]:
        """All of them, in the order of their creation."""
        return list(self._registries.values())

    def name_of(self, uid: str) -> str | None:
        """The name of a registry; None: there is no such."""
        found = self._registries.get(uid)
        return found.name if found else None

    def _tick(self) -> float:
        """The time, but later than that of any change before: timestamps tell changes apart by the millisecond."""
        self._last_change = max(self._clock(), self._last_change + 0.001)
        return self._last_change


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
