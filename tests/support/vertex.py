"""A small VerteX behind the real client, without sockets: enough to drive the use cases in virtual time.

The strict stand-in of the sandbox is the reference; this one is for speed, and keeps the same rules where they matter:
names are unique, the sync flag is fixed, credentials are masked on GET, syncs take time.
"""

import copy
import itertools
import json
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from registry_autopilot.registry import digest
from registry_autopilot.vertex.client import VertexClient
from registry_autopilot.vertex.rate import RateLimiter

_MASK = "********"
_TYPED = re.compile(r"/v1/registries/oci/(?P<uid>[^/]+)/(?P<type>ecr|basic)(?P<rest>/sync(?:/status)?)?")


class FakeVertex:
    """Registries at system scope, a journal, and trouble on demand."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._uids = itertools.count(1)
        self.registries: dict[str, dict[str, Any]] = {}
        self.types: dict[str, str] = {}
        self.defaults: set[str] = set()
        self.journal: list[dict[str, Any]] = []
        self.syncs: list[tuple[str, float]] = []
        self.sync_seconds = 30.0
        self.sync_word: str | None = None
        self.last_run: float | None = None
        self.is_away = False
        self.lose_answer_of: str | None = None
        self.fail_once: tuple[str, str, int] | None = None
        self.scope = "system"
        self.on_validate: Callable[[], object] | None = None
        self.rejects: Callable[[dict[str, Any]], str | None] = lambda spec: None
        transport = httpx.MockTransport(self.handle)
        http = httpx.Client(base_url="https://vertex.example.gov", transport=transport)
        limiter = RateLimiter(1000, 1000, clock=lambda: 0.0, sleep=lambda _: None)
        self.client = VertexClient(http, _Token(), limiter, sleep=lambda _: None)

    def seed(self, name: str, base: str, *, type_: str = "ecr", **spec: Any) -> str:
        """A registry made by somebody else."""
        uid = f"uid-{next(self._uids)}"
        content = {
            "endpoint": "123456789012.dkr.ecr.us-east-1.amazonaws.com",
            "providerType": "pack",
            "baseContentPath": base,
            "isSyncSupported": True,
            "isPrivate": True,
            "credentials": {"credentialType": "secret", "accessKey": "theirs", "secretKey": "theirs"},
        }
        self._store(uid, type_, {"metadata": {"name": name, "labels": {"by": "hand"}}, "spec": content | spec})
        return uid

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; an away server resets connections."""
        if self.is_away:
            raise httpx.ConnectError("connection refused")
        with self._lock:
            return self._handle(request)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        if self._fails(request):
            return httpx.Response(503, text="<html>no JSON</html>")
        body = json.loads(request.content) if request.content else {}
        response = self._answer(request.method, request.url.path, body)
        path = request.url.path
        spec = body if path.endswith("/validate") else body.get("spec")
        entry = {"method": request.method, "path": path, "status": response.status_code, "at": self._clock()}
        self.journal.append(entry | {"spec": digest(spec) if spec else None, "uid": self._uid_of(path, response)})
        if self.lose_answer_of == f"{request.method} {path}":
            self.lose_answer_of = None
            raise httpx.ReadError("connection reset")
        response.headers["AuditUid"] = f"audit-{len(self.journal)}"
        return response

    def _fails(self, request: httpx.Request) -> bool:
        """A gateway error for so many requests of one kind."""
        if self.fail_once is None or (request.method, request.url.path) != self.fail_once[:2]:
            return False
        method, path, left = self.fail_once
        self.fail_once = (method, path, left - 1) if left > 1 else None
        return True

    def _answer(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        match method, path.removeprefix("/v1/registries"):
            case "GET", "/metadata":
                return httpx.Response(200, json={"items": [self._metadata(uid) for uid in self.registries]})
            case "GET", "/oci/summary":
                return httpx.Response(200, json={"items": [self._summary(uid) for uid in self.registries]})
            case "POST", "/oci/ecr/validate" | "/oci/basic/validate":
                hook, self.on_validate = self.on_validate, None
                if hook is not None:
                    hook()
                code = self.rejects(body)
                return _error(500, code) if code else httpx.Response(204)
            case "POST", "/oci/ecr" | "/oci/basic":
                return self._create(path.rpartition("/")[2], body)
            case "GET", _ if path.endswith("/version/installed"):
                return httpx.Response(200, json={"version": "4.10.1"})
        found = _TYPED.fullmatch(path)
        if found is None or found["uid"] not in self.registries:
            return _error(404, "ResourceNotFound")
        return self._typed(method, found["uid"], found["rest"] or "", body)

    def _create(self, type_: str, body: dict[str, Any]) -> httpx.Response:
        if body["metadata"]["name"] in {r["metadata"]["name"] for r in self.registries.values()}:
            return _error(500, "RegistryAlreadyExists")
        uid = f"uid-{next(self._uids)}"
        self._store(uid, type_, body)
        if body["spec"].get("isSyncSupported"):
            self.syncs.append((uid, self._clock()))
        return httpx.Response(201, json={"uid": uid})

    def _typed(self, method: str, uid: str, rest: str, body: dict[str, Any]) -> httpx.Response:
        if rest == "/sync/status":
            return httpx.Response(200, json=self._sync_status(uid))
        if rest == "/sync":
            self.syncs.append((uid, self._clock()))
            return httpx.Response(202)
        if method == "GET":
            return httpx.Response(200, json=self._masked(uid))
        if _MASK in json.dumps(body):
            return _error(400, "MaskedValue")
        self._store(uid, self.types[uid], body)
        return httpx.Response(204)

    def _store(self, uid: str, type_: str, body: dict[str, Any]) -> None:
        stored = copy.deepcopy(body)
        stored["metadata"] |= {
            "uid": uid,
            "lastModifiedTimestamp": datetime.fromtimestamp(self._clock(), UTC).isoformat(),
        }
        self.registries[uid] = stored
        self.types[uid] = type_

    def _metadata(self, uid: str) -> dict[str, Any]:
        name = self.registries[uid]["metadata"]["name"]
        return {"uid": uid, "name": name, "scope": self.scope, "isDefault": uid in self.defaults, "kind": "oci"}

    def _summary(self, uid: str) -> dict[str, Any]:
        stored = self.registries[uid]
        spec = {k: v for k, v in stored["spec"].items() if k in {"endpoint", "providerType", "defaultRegion"}}
        status = {"syncStatus": self._sync_status(uid)}
        return {"metadata": stored["metadata"], "spec": spec | {"registryType": self.types[uid]}, "status": status}

    def _masked(self, uid: str) -> dict[str, Any]:
        stored = copy.deepcopy(self.registries[uid])
        for part in ("credentials", "auth"):
            for key in stored["spec"].get(part, {}):
                if key in {"secretKey", "password", "token"}:
                    stored["spec"][part][key] = _MASK
        return stored | {"kind": "oci", "status": {"syncStatus": self._sync_status(uid)}}

    def _sync_status(self, uid: str) -> dict[str, Any]:
        supported = bool(self.registries[uid]["spec"].get("isSyncSupported"))
        started = max((at for one, at in self.syncs if one == uid), default=None)
        running = started is not None and self._clock() < started + self.sync_seconds
        ran = self.last_run if self.last_run is not None else started
        when = datetime.fromtimestamp(ran, UTC).isoformat() if ran is not None else None
        word = self.sync_word or ("InProgress" if running else "Completed")
        return {"isSyncSupported": supported, "status": word, "lastRunTime": when}

    def _uid_of(self, path: str, response: httpx.Response) -> str | None:
        found = _TYPED.fullmatch(path)
        if found is not None:
            return found["uid"]
        return str(response.json()["uid"]) if response.status_code == 201 else None


class _Token:
    def token(self) -> str:
        return "a-token"

    def drop(self) -> None:
        return


def _error(status: int, code: str | None) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": f"{code} with some text", "ref": "r"})
