"""Cuts a use case before or after its n-th call to any collaborator, as a killed function would be."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class CrashError(BaseException):
    """Not an Exception: nothing in the code under test may catch it."""


@dataclass(slots=True)
class Knife:
    """Counts calls over all wrapped collaborators; `cut_at` 0 never cuts."""

    cut_at: int = 0
    before: bool = True
    calls: int = 0
    names: list[str] = field(default_factory=list)

    def wrap[T](self, collaborator: T) -> T:
        """The collaborator, cut where the test says."""
        return _Wrapped(collaborator, self)  # type: ignore[return-value] # a proxy with the same methods

    def call(self, name: str, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        self.names.append(name)
        hit = self.calls == self.cut_at
        if hit and self.before:
            raise CrashError
        result = method(*args, **kwargs)
        if hit:
            raise CrashError
        return result


class _Wrapped:
    def __init__(self, inner: Any, knife: Knife) -> None:
        self._inner = inner
        self._knife = knife

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value) or name in {"recording"}:
            return value
        return lambda *args, **kwargs: self._knife.call(name, value, *args, **kwargs)
