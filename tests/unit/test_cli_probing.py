"""The probe tells proven, refuted and unknown apart, logs in once, and cleans up whatever happens."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from cli.probe_checks import AFTER_LOGIN, Findings, Seen, read_checks
from cli.probe_writes import NAME_PREFIX, write_checks
from sandbox.stack import VertexLogin

LOGIN = VertexLogin("admin@example.gov", "canary-password")
SUMMARY_ITEM = {
    "metadata": {"uid": "u1", "name": "one"},
    "spec": {"registryType": "ecr", "providerType": "pack", "endpoint": "e"},
}
TYPED = {"metadata": {"uid": "u1"}, "spec": {"baseContentPath": "a", "credentials": {"secretKey": "****"}}}
TOKEN = "canary.e30.token"  # its claims are {}


class Vertex:
    """Answers by method and path; what is not scripted is 404."""

    def __init__(self, **answers: Any) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: dict[str, Any] = {
            "POST /v1/auth/syslogin": (200, {"Authorization": TOKEN}),
            "GET /v1/registries/metadata": (200, {"items": [{"uid": "u1", "scope": "system", "kind": "oci"}]}),
            "GET /v1/system/version/installed": (200, {"systemVersion": "4.9.3"}),
            "GET /v1/registries/oci/summary": (200, {"items": [SUMMARY_ITEM]}),
            "GET /v1/registries/oci/u1/ecr": (200, TYPED),
        }
        self.answers |= {key.replace("_", " ", 1).replace("__", "/"): value for key, value in answers.items()}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.get(f"{request.method} {request.url.path}", (404, {"code": "ResourceNotFound"}))
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return httpx.Response(status, json=body, headers={"AuditUid": "a1"})

    def count(self, method: str, path: str) -> int:
        return sum(1 for r in self.requests if (r.method, r.url.path) == (method, path))


def read(vertex: Callable[[httpx.Request], httpx.Response]) -> tuple[Seen, dict[str, Mapping[str, str]]]:
    findings = Findings()
    with httpx.Client(base_url="https://vertex.example.gov", transport=httpx.MockTransport(vertex)) as http:
        seen = read_checks(http, LOGIN, findings)
    return seen, {row["assumption"]: row for row in findings.rows}


def write(vertex: Callable[[httpx.Request], httpx.Response], *, logged_in: bool = True) -> list[Mapping[str, str]]:
    findings, token = Findings(), TOKEN if logged_in else None
    with httpx.Client(base_url="https://vertex.example.gov", transport=httpx.MockTransport(vertex)) as http:
        write_checks(http, Seen(token=token), findings, "https://registry.invalid")
    return findings.rows


def verdict(rows: Mapping[str, Mapping[str, str]], words: str) -> str:
    """The verdict on the one assumption that holds these words."""
    (found,) = [row["verdict"] for assumption, row in rows.items() if words in assumption]
    return found


def test_what_is_assumed_is_proven_when_vertex_does_it() -> None:
    """All but the token's lifetime, which this VerteX does not tell."""
    seen, rows = read(Vertex())
    assert seen.version == "4.9.3"
    assert verdict(rows, "`exp`") == "refuted"
    assert {row["verdict"] for words, row in rows.items() if "`exp`" not in words} == {"proven"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((401, {"code": "InvalidUserCredentials"}), "refuted"),
        ((200, {}), "refuted"),
        (httpx.ConnectError("no"), "unknown"),
    ],
)
def test_nothing_more_is_asked_when_the_login_fails(answer: Any, expected: str) -> None:
    """One attempt, since five failed ones lock the account; the rest stays unknown."""
    vertex = Vertex(**{"POST /v1/auth/syslogin": answer})
    seen, rows = read(vertex)
    assert seen.token is None
    assert len(vertex.requests) == 1
    assert {rows[words]["verdict"] for words in AFTER_LOGIN} == {"unknown"}
    assert verdict(rows, "answers with a token") == expected


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        ("POST /v1/auth/syslogin", (200, {"Authorization": TOKEN, "IsMfa": True}), "no passkey"),
        ("GET /v1/registries/metadata", (403, {"code": "ResourceAccessDenied"}), "may list registries"),
        ("GET /v1/registries/metadata", (200, {"items": [{"uid": "u1", "scope": "tenant"}]}), "system scope only"),
        ("GET /v1/registries/metadata", (200, {"items": [{"uid": "u2", "kind": "oci"}]}), "every OCI registry"),
        (
            "GET /v1/registries/oci/summary",
            (200, {"items": [SUMMARY_ITEM], "listmeta": {"continue": "x"}}),
            "every OCI registry",
        ),
        (
            "GET /v1/registries/oci/summary",
            (200, {"items": [SUMMARY_ITEM, {"metadata": {"uid": "u2"}}]}),
            "tells type, provider",
        ),
        ("GET /v1/registries/oci/u1/ecr", (200, {"spec": {"secretKey": "in the clear"}}), "masks secrets"),
        ("GET /v1/registries/oci/u1/ecr", (200, {"spec": {"endpoint": "e"}}), "base content path"),
        ("GET /v1/system/version/installed", (200, {}), "tells the version"),
    ],
)
def test_an_assumption_is_refuted_when_vertex_does_otherwise(path: str, answer: Any, words: str) -> None:
    """Each assumption can fail by itself."""
    _, rows = read(Vertex(**{path: answer}))
    assert verdict(rows, words) == "refuted"


def test_an_assumption_stays_unknown_when_there_is_nothing_to_see() -> None:
    """An empty installation proves nothing about lists."""
    vertex = Vertex(
        **{"GET /v1/registries/metadata": (200, {"items": []}), "GET /v1/registries/oci/summary": (200, {"items": []})}
    )
    _, rows = read(vertex)
    assert verdict(rows, "system scope only") == verdict(rows, "masks secrets") == "unknown"


def test_nothing_secret_is_shown_when_vertex_echoes_what_it_was_sent() -> None:
    """Neither the token nor a server's own text is in a finding."""
    echo = (500, {"code": "Oops", "message": f"canary-password {TOKEN}"})
    _, rows = read(Vertex(**{"GET /v1/registries/metadata": echo, "GET /v1/registries/oci/summary": echo}))
    assert "canary" not in json.dumps(list(rows.values()))


class WritableVertex(Vertex):
    """Keeps registries as the real one does; `lost` answers of creates never arrive."""

    def __init__(self, *, unique: bool = True, lost: bool = False, is_system: bool = True) -> None:
        super().__init__()
        self.names: dict[str, str] = {}
        self._unique, self._lost, self._is_system = unique, lost, is_system
        self.answers["POST /v1/registries/oci/basic"] = self._create
        self.answers["GET /v1/registries/metadata"] = self._list

    def _list(self, _request: httpx.Request) -> Any:
        visible = self.names.items() if self._is_system else ()
        return 200, {"items": [{"uid": uid, "name": name, "scope": "system"} for uid, name in visible]}

    def _create(self, request: httpx.Request) -> Any:
        name = json.loads(request.content)["metadata"]["name"]
        if self._unique and name in self.names.values():
            return 500, {"code": "RegistryAlreadyExists"}
        uid = f"made-{len(self.names)}"
        self.names[uid] = name
        self.answers[f"DELETE /v1/registries/oci/{uid}/basic"] = lambda _: (204, self.names.pop(uid) and {})
        self.answers[f"GET /v1/registries/oci/{uid}/basic"] = lambda _: (200 if uid in self.names else 404, {})
        return httpx.ReadError("lost") if self._lost else (201, {"uid": uid})


def test_one_registry_is_made_and_removed_when_writing_is_allowed() -> None:
    """It bears the probe's name, and nothing is left."""
    vertex = WritableVertex()
    rows = write(vertex)
    assert {row["verdict"] for row in rows} == {"proven"}
    assert vertex.names == {}
    sent = next(r for r in vertex.requests if r.method == "POST")
    assert json.loads(sent.content)["metadata"]["name"].startswith(NAME_PREFIX)


def test_both_are_removed_when_names_are_not_unique() -> None:
    """The assumption is refuted, and the second one is cleaned up as well."""
    vertex = WritableVertex(unique=False)
    rows = write(vertex)
    assert [row["verdict"] for row in rows if "same name" in row["assumption"]] == ["refuted"]
    assert vertex.names == {}


def test_it_is_removed_when_the_answer_to_the_create_is_lost() -> None:
    """It is found by its name."""
    vertex = WritableVertex(lost=True)
    rows = write(vertex)
    assert rows[0]["verdict"] == "unknown"
    assert vertex.names == {}


def test_the_scope_is_refuted_when_what_was_created_is_not_of_the_system() -> None:
    """A tenant's registry is removed all the same, by the uid of the create."""
    vertex = WritableVertex(is_system=False)
    rows = write(vertex)
    assert [row["verdict"] for row in rows if "system scope" in row["assumption"]] == ["refuted"]
    assert vertex.names == {}


def test_what_is_left_is_named_when_it_cannot_be_removed() -> None:
    """A person can remove it by its uid."""
    vertex = WritableVertex()
    vertex.answers |= {"GET /v1/registries/oci/made-0/basic": (200, {})}
    original = vertex.answers["POST /v1/registries/oci/basic"]

    def create(request: httpx.Request) -> Any:
        answer = original(request)
        vertex.answers["DELETE /v1/registries/oci/made-0/basic"] = (500, {"code": "InUse"})
        return answer

    vertex.answers["POST /v1/registries/oci/basic"] = create
    last = write(vertex)[-1]
    assert last["verdict"] == "refuted"
    assert "made-0" in last["seen"]
    assert "InUse" in last["seen"]


def test_nothing_is_sent_when_there_was_no_login() -> None:
    """Without a token every question about writes stays open."""
    vertex = WritableVertex()
    assert {row["verdict"] for row in write(vertex, logged_in=False)} == {"unknown"}
    assert vertex.requests == []
