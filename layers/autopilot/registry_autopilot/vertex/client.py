"""The VerteX API. Method names follow the operation ids of the published API description.

Requests are paced, recorded, bounded by a deadline and repeated narrowly: reads and validates on trouble with the
connection or the gateway, a sync or PUT only where nothing was sent, a create never.
"""

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from registry_autopilot import causes
from registry_autopilot.registry import RegistryType
from registry_autopilot.vertex.errors import VertexError, classify, identifier
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

USER_AGENT = "registry-autopilot"
_CONNECT = 5.0
_READ = 30.0
_VALIDATE = 65.0  # validate may take a minute
_GATEWAY = {429, 502, 503, 504}
_UNAUTHORIZED = 401
_TRIES = 3


class Tokens(Protocol):
    """Where the token comes from."""

    def token(self) -> str:
        """A token that lasts."""
        ...

    def drop(self) -> None:
        """The token was refused."""
        ...


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request as it goes into history."""

    method: str
    path: str
    status: int | None
    audit_uid: str | None

    @property
    def line(self) -> str:
        """`METHOD path status AuditUid`."""
        parts = (self.method, self.path, str(self.status or "no-answer"), self.audit_uid or "")
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class _Call:
    """One operation: how long it may take and when it may be repeated."""

    operation: str
    method: str
    path: str
    json: dict[str, Any] | None = None
    params: dict[str, str] | None = None
    timeout: float = _READ
    repeat: str = "never"  # "always": on any trouble of transport or gateway; "unsent": if it never left


class VertexClient:
    """Talks to one VerteX at system scope; no ProjectUid is ever sent."""

    def __init__(
        self,
        http: httpx.Client,
        session: Tokens,
        limiter: RateLimiter,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = http
        self._session = session
        self._limiter = limiter
        self._clock = clock
        self._sleep = sleep
        self._records: list[RequestRecord] | None = None
        self._version: tuple[int, ...] | None = None
        self.deadline: float | None = None

    @contextmanager
    def recording(self) -> Iterator[list[RequestRecord]]:
        """Collects the requests made inside, for history and counts."""
        self._records = []
        try:
            yield self._records
        finally:
            self._records = None

    def registries_metadata(self) -> list[RegistryMetadata]:
        """`v1RegistriesMetadata`, at system scope."""
        path = "/v1/registries/metadata"
        return [parse_metadata(item) for item in self._items("registries_metadata", path, {"scope": "system"})]

    def oci_summary(self) -> list[RegistrySummary]:
        """`v1OciRegistriesSummary`."""
        return [parse_summary(item) for item in self._items("oci_summary", "/v1/registries/oci/summary", {})]

    def get_registry(self, type_: RegistryType, uid: str) -> StoredRegistry | None:
        """`v1EcrRegistriesUidGet`, `v1BasicOciRegistriesUidGet`; None when it is gone."""
        call = _Call("get_registry", "GET", f"/v1/registries/oci/{uid}/{type_}", repeat="always")
        try:
            return parse_stored(type_, _json(self._send(call)))
        except VertexError as error:
            if error.is_not_found:
                return None
            raise

    def validate_registry(self, type_: RegistryType, spec: dict[str, Any]) -> None:
        """`v1EcrRegistriesValidate`, `v1BasicOciRegistriesValidate`: VerteX tries the spec itself."""
        path = f"/v1/registries/oci/{type_}/validate"
        self._send(_Call("validate_registry", "POST", path, spec, timeout=_VALIDATE, repeat="always"))

    def create_registry(self, type_: RegistryType, name: str, spec: dict[str, Any]) -> str:
        """`v1EcrRegistriesCreate`, `v1BasicOciRegistriesCreate`: the uid. Never repeated."""
        body = {"metadata": {"name": name}, "spec": spec}
        response = self._send(_Call("create_registry", "POST", f"/v1/registries/oci/{type_}", body))
        uid = _json(response).get("uid")
        if not isinstance(uid, str) or not uid:
            raise VertexError(
                causes.VERTEX_UNAVAILABLE,
                "VerteX answered a create without a uid",
                operation="create_registry",
                status=response.status_code,
                outcome_unknown=True,
            )
        return uid

    def update_registry(self, type_: RegistryType, uid: str, body: dict[str, Any]) -> None:
        """`v1EcrRegistriesUidUpdate`, `v1BasicOciRegistriesUidUpdate`: replaces the whole object."""
        self._send(_Call("update_registry", "PUT", f"/v1/registries/oci/{uid}/{type_}", body, repeat="unsent"))

    def delete_registry(self, type_: RegistryType, uid: str) -> None:
        """`v1EcrRegistriesUidDelete`, `v1BasicOciRegistriesUidDelete`: for `autopilot probe --write` only."""
        self._send(_Call("delete_registry", "DELETE", f"/v1/registries/oci/{uid}/{type_}", repeat="unsent"))

    def sync_registry(self, type_: RegistryType, uid: str) -> None:
        """`v1EcrRegistriesUidSync`, `v1BasicOciRegistriesUidSync`."""
        self._send(_Call("sync_registry", "POST", f"/v1/registries/oci/{uid}/{type_}/sync", repeat="unsent"))

    def sync_status(self, type_: RegistryType, uid: str) -> SyncStatus:
        """`v1EcrRegistriesUidSyncStatus`, `v1BasicOciRegistriesUidSyncStatus`."""
        path = f"/v1/registries/oci/{uid}/{type_}/sync/status"
        return SyncStatus.parse(_json(self._send(_Call("sync_status", "GET", path, repeat="always"))))

    def installed_version(self) -> tuple[int, ...]:
        """`V1SystemVersionInstalled`, such as (4, 10, 1); empty when it cannot be told. Asked once."""
        if self._version is None:
            call = _Call("installed_version", "GET", "/v1/system/version/installed", repeat="always")
            try:
                self._version = parse_version(_json(self._send(call)))
            except VertexError:
                self._version = ()
        return self._version

    def _items(self, operation: str, path: str, params: dict[str, str]) -> Iterator[object]:
        """Every item, page by page should the answer ever be paged."""
        while True:
            answer = _json(self._send(_Call(operation, "GET", path, params=params, repeat="always")))
            items = answer.get("items")
            yield from items if isinstance(items, list) else []
            listmeta = answer.get("listmeta")
            following = listmeta.get("continue") if isinstance(listmeta, Mapping) else None
            if not isinstance(following, str) or not following:
                return
            params = {**params, "continue": following}

    def _send(self, call: _Call) -> httpx.Response:
        tries = _TRIES if call.repeat != "never" else 1
        for left in reversed(range(tries)):
            try:
                response = self._authorised(call)
            except httpx.HTTPError as error:
                unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                if left and (call.repeat == "always" or unsent) and self._pause(tries - left, None):
                    continue
                raise self._lost(call, error, unsent=unsent) from None
            again = call.repeat == "always" and response.status_code in _GATEWAY
            if left and again and self._pause(tries - left, response):
                continue
            return self._checked(call, response)
        raise AssertionError("unreachable")

    def _authorised(self, call: _Call) -> httpx.Response:
        """Send with a token; on 401, which had no effect, once more with a new one."""
        response = self._once(call)
        if response.status_code != _UNAUTHORIZED:
            return response
        self._session.drop()
        return self._once(call)

    def _once(self, call: _Call) -> httpx.Response:
        token = self._session.token()
        self._limiter.wait()
        timeout = httpx.Timeout(self._bounded(call.timeout), connect=min(_CONNECT, self._bounded(_CONNECT)))
        headers = {"Authorization": token, "User-Agent": USER_AGENT, "Accept": "application/json"}
        status = audit = None
        try:
            response = self._http.request(
                call.method,
                call.path,
                json=call.json,
                params=call.params,
                headers=headers,
                timeout=timeout,
                follow_redirects=False,
            )
            status, audit = response.status_code, identifier(response.headers.get("AuditUid"))
        finally:
            if self._records is not None:
                self._records.append(RequestRecord(call.method, call.path, status, audit))
        return response

    def _bounded(self, seconds: float) -> float:
        if self.deadline is None:
            return seconds
        left = self.deadline - self._clock()
        if left <= 1:
            raise VertexError(causes.VERTEX_UNAVAILABLE, "the function's time is over", operation="wait")
        return min(seconds, left)

    def _pause(self, attempt: int, response: httpx.Response | None) -> bool:
        """Wait before the next try; False when the deadline would not allow it."""
        asked = response.headers.get("Retry-After", "") if response is not None else ""
        wait = float(asked) if asked.isdigit() else (2**attempt) * random.uniform(0.25, 0.5)  # noqa: S311 - jitter
        if wait > 20 or (self.deadline is not None and self._clock() + wait > self.deadline - 5):  # noqa: PLR2004
            return False
        self._sleep(wait)
        return True

    def _lost(self, call: _Call, error: httpx.HTTPError, *, unsent: bool) -> VertexError:
        name = type(error).__name__
        trust = "CERTIFICATE_VERIFY_FAILED" in str(error)
        words = (
            "VerteX's own certificate is not trusted; give its CA in the secret of VertexCaBundleSecretArn"
            if trust
            else f"VerteX could not be reached ({name})"
        )
        unknown = not unsent and call.method != "GET"
        return VertexError(causes.VERTEX_UNAVAILABLE, words, operation=call.operation, outcome_unknown=unknown)

    def _checked(self, call: _Call, response: httpx.Response) -> httpx.Response:
        if response.is_success:
            return response
        body = _json(response)
        code = identifier(body.get("code"))
        message = body.get("message")
        before = call.operation == "validate_registry" and code == "InvalidRegistryCredentials" and self._is_old()
        cause, words = classify(response.status_code, code, str(message or ""), before_4_10=before)
        raise VertexError(
            cause,
            words,
            operation=call.operation,
            status=response.status_code,
            code=code,
            audit_uid=identifier(response.headers.get("AuditUid")),
            outcome_unknown=call.method != "GET" and cause is causes.VERTEX_UNAVAILABLE,
        )

    def _is_old(self) -> bool:
        version = self.installed_version()
        return not version or version < (4, 10)


def parse_version(raw: Mapping[str, Any]) -> tuple[int, ...]:
    """The first thing that looks like a version in the answer."""
    for value in raw.values():
        if isinstance(value, str) and (found := re.match(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?", value)):
            return tuple(int(part) for part in found.groups() if part)
    return ()


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
