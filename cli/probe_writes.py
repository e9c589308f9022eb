"""What only a write can show: one throw-away registry is made, looked at, and removed whatever happens."""

import secrets
from collections.abc import Iterable

import httpx

from cli.probe_checks import METADATA, Answer, Findings, Seen, ask
from registry_autopilot.registry import CredentialKind, CredentialValues, Provider, RegistrySpec, RegistryType
from registry_autopilot.vertex.errors import classify, identifier
from registry_autopilot.vertex.models import parse_metadata, spec_body

NAME_PREFIX = "registry-autopilot-probe-"
_CREATE = "/v1/registries/oci/basic"
_CREATED = "POST /v1/registries/oci/basic creates a registry and answers its uid"
_AUDITED = "a write answers an `AuditUid`"
_SYSTEM = "what this login creates has system scope"
_UNIQUE = "a second registry of the same name is refused, with a code that says so"
_REMOVED = "DELETE /v1/registries/oci/{uid}/basic removes it"
_GONE = 404


def write_checks(http: httpx.Client, seen: Seen, findings: Findings, endpoint: str) -> None:
    """Make one registry, ask, remove it."""
    if seen.token is None:
        for assumption in (_CREATED, _AUDITED, _SYSTEM, _UNIQUE, _REMOVED):
            findings.add(assumption, "unknown", "no login")
        return
    name = f"{NAME_PREFIX}{secrets.token_hex(4)}"
    body = {"metadata": {"name": name}, "spec": _spec(endpoint)}
    made: set[str] = set()
    try:
        _check(http, seen.token, findings, body, made)
    finally:
        _remove(http, seen.token, findings, made | set(_left_over(http, seen.token, name)))


def _check(http: httpx.Client, token: str, findings: Findings, body: dict[str, object], made: set[str]) -> None:
    created = ask(http, "POST", _CREATE, token, body)
    uid = _uid(created, made)
    findings.judge_answer(_CREATED, created, uid)
    if uid is None:
        for assumption in (_AUDITED, _SYSTEM, _UNIQUE):
            findings.add(assumption, "unknown", "nothing was created")
        return
    findings.judge(_AUDITED, created.headers.get("AuditUid"), "with the create")
    listed = {item.uid for item in map(parse_metadata, ask(http, "GET", METADATA, token).items)}
    findings.judge(_SYSTEM, uid in listed, f"it is {'' if uid in listed else 'not '}listed at scope system")
    again = ask(http, "POST", _CREATE, token, body)
    _uid(again, made)
    findings.judge_answer(_UNIQUE, again, _says_name_is_taken(again))


def _remove(http: httpx.Client, token: str, findings: Findings, uids: Iterable[str]) -> None:
    """Remove what was made; what is left is told with its uid, so that a person can."""
    for uid in sorted(uids):
        path = f"{_CREATE.removesuffix('basic')}{uid}/basic"
        removed = ask(http, "DELETE", path, token)
        gone = ask(http, "GET", path, token).status == _GONE
        findings.judge(_REMOVED, gone, removed.words if gone else f"{uid} is still there ({removed.words}); remove it")
    if not uids:
        findings.add(_REMOVED, "unknown", "nothing was created")


def _left_over(http: httpx.Client, token: str, name: str) -> list[str]:
    """Uids under the probe's name: a create whose answer was lost may have made one."""
    return [item.uid for item in map(parse_metadata, ask(http, "GET", METADATA, token).items) if item.name == name]


def _uid(answer: Answer, made: set[str]) -> str | None:
    uid = answer.body.get("uid") if answer.is_success else None
    if not isinstance(uid, str) or not uid:
        return None
    made.add(uid)
    return uid


def _says_name_is_taken(answer: Answer) -> bool:
    if answer.status is None or answer.is_success:
        return False
    cause, _ = classify(answer.status, identifier(answer.body.get("code")), "", before_4_10=False)
    return cause.slug == "name-conflict"


def _spec(endpoint: str) -> dict[str, object]:
    return spec_body(
        RegistrySpec(
            type=RegistryType.BASIC,
            provider=Provider.HELM,
            endpoint=endpoint,
            base_content_path="/",
            synchronize=False,
            credentials=CredentialValues(CredentialKind.NONE),
        )
    )
