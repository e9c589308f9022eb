"""The VerteX API. Method names follow the operation ids of the published API description."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import quote

import httpx

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError, Cause
from registry_autopilot.registry import RegistryType
from registry_autopilot.vertex.errors import VertexError, classify, error_code, identifier
from registry_autopilot.vertex.http_client import due_after, json_object
from registry_autopilot.vertex.models import (
    RegistryMetadata,
    RegistrySummary,
    StoredRegistry,
    SyncStatus,
    parse_metadata,
    parse_stored,
    parse_summary,
)
from registry_autopilot.vertex.rate import RateLimiter
from registry_autopilot.vertex.transport import (
    Call,
    Repeat,
    RequestRecord,
    Timeouts,
    Tokens,
    Transport,
)

_NO_CONTENT, _SERVER, _GATEWAY_TIMEOUT = 204, 500, 504
_MAX_PAGES = 200
_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?")
# What a write may have done nevertheless, when VerteX answers it with a server error.
_DOUBTFUL = {causes.VERTEX_UNAVAILABLE, causes.TIMED_OUT, causes.UNKNOWN}


class VertexClient:
    """Talks to one VerteX at system scope; no ProjectUid is ever sent.

    Every method raises AutopilotError (most often VertexError) with its cause. An answer that is not what the API
    describes, such as the page of a proxy, is `vertex-unavailable` and never taken for an empty one.
    """

    def __init__(
        self,
        http: httpx.Client,
        session: Tokens,
        limiter: RateLimiter,
        *,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - immutable
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        watch: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        self._transport = Transport(
            http, session, limiter, connect=timeouts.connect, clock=clock, sleep=sleep, watch=watch
        )
        self._timeouts = timeouts
        self._version: tuple[int, ...] = ()

    @property
    def deadline(self) -> float | None:
        """When the last answer must be there, on the clock given (monotonic seconds); None: no bound."""
        return self._transport.deadline

    @deadline.setter
    def deadline(self, at: float | None) -> None:
        self._transport.deadline = at

    def recording(self) -> AbstractContextManager[list[RequestRecord]]:
        """Collects the requests made inside, for history and counts."""
        return self._transport.recording()

    def registries_metadata(self) -> list[RegistryMetadata]:
        """`v1RegistriesMetadata`, at system scope."""
        found = map(parse_metadata, self._items("registries_metadata", "/v1/registries/metadata", {"scope": "system"}))
        return [item for item in found if item.uid]

    def oci_summary(self) -> list[RegistrySummary]:
        """`v1OciRegistriesSummary`."""
        found = map(parse_summary, self._items("oci_summary", "/v1/registries/oci/summary", {}))
        return [item for item in found if item.uid]

    def get_registry(self, type_: RegistryType, uid: str) -> StoredRegistry | None:
        """`v1EcrRegistriesUidGet`, `v1BasicOciRegistriesUidGet`; None when it is gone."""
        call = self._read("get_registry", _path(type_, uid))
        try:
            body = self._send(call)
        except VertexError as error:
            if error.is_not_found:
                return None
            raise
        stored = parse_stored(type_, body)
        if stored.uid != uid or not stored.endpoint:
            raise _unreadable(call, "a registry without its uid and endpoint")
        return stored

    def validate_registry(self, type_: RegistryType, spec: dict[str, Any]) -> None:
        """`v1EcrRegistriesValidate`, `v1BasicOciRegistriesValidate`: VerteX tries the spec itself."""
        path, answer = f"/v1/registries/oci/{type_}/validate", self._timeouts.validate
        call = Call("validate_registry", "POST", path, answer, json=spec, repeat=Repeat.ALWAYS)
        response = self._answer(call)
        if response.status_code != _NO_CONTENT:
            # The one documented success. This is the proof before every write, so nothing else counts as one.
            raise _unreadable(call, f"{response.status_code} to a validate")

    def create_registry(self, type_: RegistryType, name: str, spec: dict[str, Any]) -> str:
        """`v1EcrRegistriesCreate`, `v1BasicOciRegistriesCreate`: the uid. Never repeated."""
        body = {"metadata": {"name": name}, "spec": spec}
        call = Call("create_registry", "POST", f"/v1/registries/oci/{type_}", self._timeouts.answer, json=body)
        uid = self._send(call).get("uid")
        if not isinstance(uid, str) or not uid:
            raise _unreadable(call, "a create without a uid")
        return uid

    def update_registry(self, type_: RegistryType, uid: str, body: dict[str, Any]) -> None:
        """`v1EcrRegistriesUidUpdate`, `v1BasicOciRegistriesUidUpdate`: replaces the whole object."""
        self._send(self._write("update_registry", "PUT", _path(type_, uid), body))

    def sync_registry(self, type_: RegistryType, uid: str) -> None:
        """`v1EcrRegistriesUidSync`, `v1BasicOciRegistriesUidSync`."""
        self._send(self._write("sync_registry", "POST", f"{_path(type_, uid)}/sync"))

    def sync_status(self, type_: RegistryType, uid: str) -> SyncStatus:
        """`v1EcrRegistriesUidSyncStatus`, `v1BasicOciRegistriesUidSyncStatus`."""
        return SyncStatus.parse(self._send(self._read("sync_status", f"{_path(type_, uid)}/sync/status")))

    def installed_version(self) -> tuple[int, ...]:
        """`V1SystemVersionInstalled`, such as (4, 10, 1); empty when it cannot be told. Asked until it is known."""
        if not self._version:
            try:
                self._version = parse_version(
                    self._send(self._read("installed_version", "/v1/system/version/installed"))
                )
            except AutopilotError:
                return ()
        return self._version

    def _read(self, operation: str, path: str, params: dict[str, str] | None = None) -> Call:
        return Call(operation, "GET", path, self._timeouts.answer, params=params, repeat=Repeat.ALWAYS)

    def _write(self, operation: str, method: str, path: str, body: dict[str, Any] | None = None) -> Call:
        return Call(operation, method, path, self._timeouts.answer, json=body, repeat=Repeat.UNSENT)

    def _items(self, operation: str, path: str, params: dict[str, str]) -> Iterator[object]:
        """Every item, page by page should the answer ever be paged (`listmeta.continue`)."""
        for _ in range(_MAX_PAGES):
            call = self._read(operation, path, params)
            answer = self._send(call)
            items = answer.get("items")
            if not isinstance(items, list) and (items is not None or "items" not in answer):
                raise _unreadable(call, "a list without items")
            yield from items or []
            listmeta = answer.get("listmeta")
            following = listmeta.get("continue") if isinstance(listmeta, Mapping) else None
            if not isinstance(following, str) or not following or following == params.get("continue"):
                return
            params = {**params, "continue": following}
        raise _unreadable(call, "a list that does not end")

    def _send(self, call: Call) -> dict[str, Any]:
        """The object answered, empty where the answer is."""
        response = self._answer(call)
        body = json_object(response) if response.content.strip() else {}
        if body is None:
            raise _unreadable(call, f"{response.status_code} with something that is not JSON")
        return body

    def _answer(self, call: Call) -> httpx.Response:
        """An answer of success, or the refusal as an error."""
        response = self._transport.send(call)
        if not response.is_success:
            raise self._refusal(call, response)
        return response

    def _refusal(self, call: Call, response: httpx.Response) -> VertexError:
        body = json_object(response) or {}
        status, code = response.status_code, error_code(body)
        cause, words = self._classify(call, status, code, str(body.get("message") or ""))
        return VertexError(
            cause,
            words,
            operation=call.operation,
            status=status,
            code=code,
            audit_uid=identifier(response.headers.get("AuditUid")),
            outcome_unknown=call.writes and status >= _SERVER and cause in _DOUBTFUL,
            retry_after=due_after(response),
        )

    def _classify(self, call: Call, status: int, code: str | None, message: str) -> tuple[Cause, str]:
        if call.operation == "validate_registry" and status == _GATEWAY_TIMEOUT and code is None:
            # VerteX was there, and trying the registry took longer than its ingress waits.
            return causes.TIMED_OUT, "VerteX did not finish its own try of the registry in time (504)"
        return classify(status, code, message, before_4_10=code == "InvalidRegistryCredentials" and self._is_old())

    def _is_old(self) -> bool:
        version = self.installed_version()
        return not version or version < (4, 10)


def parse_version(raw: Mapping[str, Any]) -> tuple[int, ...]:
    """The version in an answer: of a key that says so, else the first thing that looks like one; empty: none."""
    by_name = sorted(raw.items(), key=lambda item: "version" not in str(item[0]).lower())
    for _, value in by_name:
        if isinstance(value, str) and (found := _VERSION.match(value)):
            return tuple(int(part) for part in found.groups() if part)
    return ()


def _path(type_: RegistryType, uid: str) -> str:
    return f"/v1/registries/oci/{quote(uid, safe='')}/{type_}"


def _unreadable(call: Call, what: str) -> VertexError:
    words = f"VerteX answered {what}; a proxy or ingress may stand in its place"
    return VertexError(causes.VERTEX_UNAVAILABLE, words, operation=call.operation, outcome_unknown=call.writes)
