"""What the probe asks without writing. The assumptions in words are what an admin reads."""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from registry_autopilot.vertex.client import parse_version
from registry_autopilot.vertex.errors import identifier
from registry_autopilot.vertex.models import parse_metadata, parse_summary
from sandbox.stack import VertexLogin

type Verdict = Literal["proven", "refuted", "unknown"]

LOGIN_PATH = "/v1/auth/syslogin"
METADATA = "/v1/registries/metadata?scope=system"
SUMMARY = "/v1/registries/oci/summary"
_SECRETS = {"secretKey", "secretToken", "password", "token"}

_LOGIN = f"POST {LOGIN_PATH} answers with a token under `Authorization`"
_PASSKEY = "the account has no passkey (`IsMfa` is not true), so that its token opens the API"
_JWT = "the token is a JWT that tells when it ends (`exp`)"
_RAW = "the token goes into the header `Authorization` as it is, and the account may list registries"
_VERSION = "GET /v1/system/version/installed tells the version"
_SCOPE = f"GET {METADATA} lists registries of system scope only"
_COMPLETE = f"GET {SUMMARY} lists every OCI registry of the system, in one page"
_TYPED = "an item of the summary tells type, provider and endpoint"
_BASE = "a typed GET tells the base content path"
_MASKED = "a typed GET masks secrets"
AFTER_LOGIN = (_PASSKEY, _JWT, _RAW, _VERSION, _SCOPE, _COMPLETE, _TYPED, _BASE, _MASKED)


@dataclass(slots=True)
class Findings:
    """Assumptions with verdicts, in the order in which they were asked."""

    rows: list[dict[str, str]] = field(default_factory=list)

    def add(self, assumption: str, verdict: Verdict, seen: str) -> None:
        """Write one down; `seen` never holds a token or a server's own text."""
        self.rows.append({"assumption": assumption, "verdict": verdict, "seen": seen})

    def judge(self, assumption: str, holds: object, seen: str) -> None:
        """Proven or refuted."""
        self.add(assumption, "proven" if holds else "refuted", seen)

    def judge_answer(self, assumption: str, answer: "Answer", holds: object, seen: str | None = None) -> None:
        """Proven or refuted by an answer; where none came, nothing is known."""
        if answer.status is None:
            self.add(assumption, "unknown", answer.words)
        else:
            self.judge(assumption, holds, seen or answer.words)


@dataclass(slots=True)
class Seen:
    """What later questions need of earlier answers.

    Attributes:
        token: for the `Authorization` header; None: there was no login.
        version: such as `4.10.1`.
    """

    token: str | None = field(default=None, repr=False)
    version: str | None = None
    system_uids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, or why there was none (status None)."""

    status: int | None
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    words: str

    @property
    def is_success(self) -> bool:
        """Whether it is of the 2xx family."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - the family's bounds

    @property
    def items(self) -> list[Mapping[str, Any]]:
        """The items of a list."""
        items = self.body.get("items")
        return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def ask(http: httpx.Client, method: str, path: str, token: str | None = None, body: Any = None) -> Answer:
    """One request, never repeated; trouble with the connection is an answer, too."""
    headers = {"Authorization": token} if token else {}
    try:
        response = http.request(method, path, headers=headers, json=body)
    except httpx.HTTPError as error:
        return Answer(None, {}, {}, f"no answer ({type(error).__name__})")
    try:
        document = response.json() if response.content else {}
    except (ValueError, RecursionError):
        document = {}
    fields = document if isinstance(document, Mapping) else {}
    code = identifier(fields.get("code"))
    words = f"HTTP {response.status_code}" + (f", code {code}" if code else "")
    return Answer(response.status_code, fields, response.headers, words)


def read_checks(http: httpx.Client, login: VertexLogin, findings: Findings) -> Seen:
    """Log in (one attempt), then read."""
    seen = Seen()
    answer = ask(http, "POST", LOGIN_PATH, body={"username": login.username, "password": login.password})
    token = answer.body.get("Authorization")
    logged_in = answer.is_success and isinstance(token, str) and token
    findings.judge_answer(_LOGIN, answer, logged_in)
    if not logged_in:
        for assumption in AFTER_LOGIN:
            findings.add(assumption, "unknown", "no login")
        return seen
    seen.token = str(token)
    findings.judge(_PASSKEY, answer.body.get("IsMfa") is not True, f"IsMfa is {answer.body.get('IsMfa')}")
    _check_token(seen.token, findings)
    _check_lists(http, seen, findings)
    return seen


def _check_token(token: str, findings: Findings) -> None:
    expires = _claims(token).get("exp")
    if isinstance(expires, int | float):
        findings.judge(_JWT, holds=True, seen=f"it lasts {round(expires - time.time())} s")
    else:
        findings.judge(_JWT, holds=False, seen="no `exp`; 15 minutes are assumed")


def _claims(token: str) -> dict[str, Any]:
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _check_lists(http: httpx.Client, seen: Seen, findings: Findings) -> None:
    metadata = ask(http, "GET", METADATA, seen.token)
    findings.judge_answer(_RAW, metadata, metadata.is_success)
    version = ask(http, "GET", "/v1/system/version/installed", seen.token)
    numbers = parse_version(version.body)
    seen.version = ".".join(str(number) for number in numbers) or None
    findings.judge_answer(_VERSION, version, numbers, seen.version)
    listed = [parse_metadata(item) for item in metadata.items]
    seen.system_uids = frozenset(item.uid for item in listed)
    scopes = sorted({str(item.scope) for item in listed})
    if listed:
        findings.judge(_SCOPE, scopes == ["system"], f"{len(listed)} registries, scope {', '.join(scopes)}")
    else:
        findings.add(_SCOPE, "unknown", f"none is listed ({metadata.words})")
    oci = {item.uid for item in listed if item.kind in {None, "oci"}}
    _check_summary(http, seen, findings, oci)


def _check_summary(http: httpx.Client, seen: Seen, findings: Findings, oci: set[str]) -> None:
    answer = ask(http, "GET", SUMMARY, seen.token)
    summaries = [parse_summary(item) for item in answer.items]
    if not answer.is_success or not summaries:
        for assumption in (_COMPLETE, _TYPED, _BASE, _MASKED):
            findings.add(assumption, "unknown", f"none is listed ({answer.words})")
        return
    missing = oci - {summary.uid for summary in summaries}
    listmeta = answer.body.get("listmeta")
    pages = isinstance(listmeta, Mapping) and bool(listmeta.get("continue"))
    told = f"{len(summaries)} listed, {len(missing)} missing" + (", and there are more pages" if pages else "")
    findings.judge(_COMPLETE, not missing and not pages, told)
    complete = [s for s in summaries if s.type and s.provider and s.endpoint]
    findings.judge(_TYPED, len(complete) == len(summaries), f"{len(complete)} of {len(summaries)} do")
    typed = [ask(http, "GET", f"/v1/registries/oci/{s.uid}/{s.type}", seen.token) for s in complete[:5]]
    _check_typed(typed, findings)


def _check_typed(answers: list[Answer], findings: Findings) -> None:
    specs = [spec for a in answers if isinstance(spec := a.body.get("spec"), Mapping)]
    if not specs:
        findings.add(_BASE, "unknown", "no typed object could be read")
        findings.add(_MASKED, "unknown", "no typed object could be read")
        return
    based = [spec for spec in specs if isinstance(spec.get("baseContentPath"), str)]
    findings.judge(_BASE, based, f"{len(based)} of {len(specs)} do")
    held = [value for spec in specs for value in _secret_values(spec)]
    if held:
        findings.judge(_MASKED, all("*" in value for value in held), f"{len(held)} secret fields were looked at")
    else:
        findings.add(_MASKED, "unknown", "no registry that was read has a secret")


def _secret_values(fields: Mapping[str, Any]) -> Iterator[str]:
    for key, value in fields.items():
        if isinstance(value, Mapping):
            yield from _secret_values(value)
        elif key in _SECRETS and isinstance(value, str) and value:
            yield value
