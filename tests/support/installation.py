"""A pipeline with a VerteX behind it, and the words tests speak."""

import re
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from registry_autopilot.ports import Rules
from registry_autopilot.records import Outcome
from registry_autopilot.registry import digest
from registry_autopilot.sweep import Order, Report, sweep
from tests.support import events
from tests.support.pipeline import Pipeline
from tests.support.vertex import FakeVertex
from tests.support.world import ACCOUNT, REGION, VirtualClock

FAMILY: dict[str, Any] = {
    "id": "packs",
    "name": "ecr-{account}-{region}-{base}",
    "provider": "pack",
    "match": {"repositories": ["team-*"], "accounts": [ACCOUNT], "regions": [REGION]},
    "credentials": {"kind": "access-key", "secret": "vertex/ecr-pull"},
}
_NAMES = (
    (r"GET /v1/registries/metadata", "GET metadata"),
    (r"GET /v1/registries/oci/summary", "GET summary"),
    (r"POST .*/validate", "POST validate"),
    (r"POST /v1/registries/oci/(ecr|basic)", "POST create"),
    (r"POST .*/sync", "POST sync"),
    (r"GET .*/sync/status", "GET status"),
    (r"GET .*/(ecr|basic)", "GET typed"),
    (r"PUT .*", "PUT update"),
)


# At most so many requests to /v1/registries; a typed GET of a registry not looked into before is not counted.
_TABLE = {
    Outcome.UNCHANGED: 2,  # an incident that ends without a write: GET, validate
    Outcome.REFRESHED: 4,
    Outcome.REGISTERED: 4,
    Outcome.ADOPTED: 5,
    Outcome.SYNCED: 2,
    Outcome.DEFERRED: 3,  # written down in the middle of an adoption, before its first PUT
}


class Installation:
    """AWS, the functions' use cases and VerteX, in one process and in virtual time."""

    def __init__(self, definitions: Sequence[dict[str, Any]], *, rules: Rules | None = None) -> None:
        self._clock = VirtualClock()
        self.beyond_the_table = False
        self.vertex = FakeVertex(self._clock)
        self.vertex.rejects = _reject_bad
        self.pipeline = Pipeline(definitions, lambda: self.vertex.client, clock=self._clock, rules=rules)
        self.pipeline.secrets.put("vertex/ecr-pull", access_key("one"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.check_promise_one()
            self.check_request_table()

    @property
    def now(self) -> float:
        return self._clock()

    def create(self, *names: str) -> list[Outcome]:
        """Repositories appear."""
        self.pipeline.repositories.add(*names)
        return self.pipeline.deliver(*(events.created(name, at=self.now) for name in names))

    def push(self, *names: str) -> list[Outcome]:
        """Images are pushed."""
        return self.pipeline.deliver(*(events.pushed(name, at=self.now) for name in names))

    def run(self, seconds: float, *, step: float = 60) -> list[Outcome]:
        return self.pipeline.run(seconds, step=step)

    def sweep(
        self, rhythm: str = "inventory", *, apply: bool = True, yes: bool = False, reprove: bool = False
    ) -> Report:
        """A sweep, and what comes of it."""
        order = Order(apply=apply, rhythm=rhythm, yes=yes, reprove=reprove)
        report = sweep(self.pipeline.tools, order)
        self.pipeline.drain()
        return report

    def seed(self, name: str, base: str, **spec: Any) -> str:
        return self.vertex.seed(name, base, **spec)

    def away(self) -> None:
        self.vertex.is_away = True

    def back(self) -> None:
        self.vertex.is_away = False

    def sync_lasts(self, seconds: float) -> None:
        self.vertex.sync_seconds = seconds

    def calls(self) -> list[str]:
        """Requests to /v1/registries, in words."""
        return [_word(e) for e in self.vertex.journal if e["path"].startswith("/v1/registries")]

    def forget_calls(self) -> None:
        self.vertex.journal.clear()

    def writes(self) -> list[str]:
        """Everything that changes VerteX."""
        return [call for call in self.calls() if call in {"POST create", "PUT update", "POST sync"}]

    def syncs(self) -> list[float]:
        """When syncs began, those of creates included."""
        return [at for _, at in self.vertex.syncs]

    def registries(self) -> list[dict[str, Any]]:
        """What VerteX holds, credentials as a digest."""
        return [
            {
                "uid": uid,
                "name": stored["metadata"]["name"],
                "base_content_path": stored["spec"]["baseContentPath"],
                "endpoint": stored["spec"]["endpoint"],
                "labels": stored["metadata"].get("labels"),
                "credential_digest": digest(stored["spec"].get("credentials") or stored["spec"].get("auth")),
            }
            for uid, stored in self.vertex.registries.items()
        ]

    def check_request_table(self) -> None:
        """Each attempt kept to the request table, counted from what the ledger wrote down of it.

        `beyond_the_table` takes a story out in which something went wrong in the middle of an attempt.
        """
        for entry in [] if self.beyond_the_table else self.pipeline.ledger.history:
            lines = [line for line in entry.requests if " /v1/registries" in line]
            looked_into = sum(bool(re.match(r"GET .*/(ecr|basic) ", line)) for line in lines)
            limit = _TABLE.get(entry.outcome)
            free = looked_into if any("/summary" in line for line in lines) else 0
            assert limit is None or len(lines) <= limit + free, (entry.outcome, lines)

    def check_promise_one(self) -> None:
        """Every create and PUT follows a successful validate of the same spec, no other write in between."""
        validated: set[str] = set()
        for entry in self.vertex.journal:
            word = _word(entry)
            if word == "POST validate" and entry["status"] == 204:
                validated.add(entry["spec"])
            if word in {"POST create", "PUT update"} and entry["status"] < 300:
                assert entry["spec"] in validated, f"{word} of a spec that was not validated before"
                validated.discard(entry["spec"])
            assert entry["method"] != "DELETE"


def access_key(word: str) -> dict[str, str]:
    """A key pair that is no credential: its id says what the fake VerteX makes of it."""
    return {"access_key_id": f"KEY-{word.upper()}", "secret_access_key": f"not-a-real-secret-{word}"}


def _word(entry: dict[str, Any]) -> str:
    line = f"{entry['method']} {entry['path']}"
    return next((word for pattern, word in _NAMES if re.fullmatch(pattern, line)), line)


def _reject_bad(spec: dict[str, Any]) -> str | None:
    return "InvalidRegistryCredentials" if spec.get("credentials", {}).get("accessKey") == "KEY-BAD" else None
