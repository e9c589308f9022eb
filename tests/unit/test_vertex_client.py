"""The client: which requests it makes, which it repeats, and that no stranger's answer is taken for VerteX's own."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError, Cause
from registry_autopilot.registry import RegistryType
from registry_autopilot.vertex.client import VertexClient, parse_version
from registry_autopilot.vertex.errors import VertexError
from registry_autopilot.vertex.rate import RateLimiter
from tests.support.scripted import Answer, ScriptedServer, VirtualTime

_ECR = RegistryType.ECR
_VERSION_PATH = "/v1/system/version/installed"
_STORED = {"metadata": {"uid": "u1", "name": "n"}, "spec": {"endpoint": "h", "providerType": "pack"}}
_ANSWERS = {
    "GET": httpx.Response(200, json=_STORED | {"items": []}),
    "PUT": httpx.Response(204),  # and a validate
    "DELETE": httpx.Response(204),
    "POST": httpx.Response(201, json={"uid": "u9"}),
}

Operation = Callable[[VertexClient], object]
_READS: dict[str, Operation] = {
    "metadata": lambda c: c.registries_metadata(),
    "summary": lambda c: c.oci_summary(),
    "get": lambda c: c.get_registry(_ECR, "u1"),
    "validate": lambda c: c.validate_registry(_ECR, {"endpoint": "h"}),
    "status": lambda c: c.sync_status(_ECR, "u1"),
}
_CREATE: Operation = lambda c: c.create_registry(_ECR, "n", {"endpoint": "h"})  # noqa: E731 - one of the operations
_WRITES: dict[str, Operation] = {
    "update": lambda c: c.update_registry(_ECR, "u1", {"spec": {}}),
    "sync": lambda c: c.sync_registry(_ECR, "u1"),
}
_ALL = _READS | _WRITES | {"create": _CREATE}


class _Tokens:
    """Implements `Tokens`: another token after each drop."""

    def __init__(self) -> None:
        self.drops = 0

    def token(self) -> str:
        return f"token-{self.drops}"

    def drop(self) -> None:
        self.drops += 1


class _Site:
    """A client in virtual time, against a scripted server."""

    def __init__(self, *answers: Answer, version: Answer | None = None) -> None:
        by_path = {_VERSION_PATH: version} if version else {}
        self.server = ScriptedServer(*(answers or (self._good,)), by_path=by_path)
        self.tokens = _Tokens()
        self.time = VirtualTime()
        limiter = RateLimiter(1000, 1000, clock=self.time.clock, sleep=self.time.sleep)
        self.client = VertexClient(
            self.server.http(), self.tokens, limiter, clock=self.time.clock, sleep=self.time.sleep
        )

    @staticmethod
    def _good(request: httpx.Request) -> httpx.Response:
        answer = _ANSWERS["PUT" if request.url.path.endswith("/validate") else request.method]
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    def refused(self, operation: Operation) -> VertexError:
        """The error of an operation that fails."""
        with pytest.raises(VertexError) as caught:
            operation(self.client)
        return caught.value


def _good_after(*answers: Answer) -> _Site:
    return _Site(*answers, _Site._good)


_REQUESTS = {
    "metadata": "GET /v1/registries/metadata",
    "summary": "GET /v1/registries/oci/summary",
    "get": "GET /v1/registries/oci/u1/ecr",
    "validate": "POST /v1/registries/oci/ecr/validate",
    "status": "GET /v1/registries/oci/u1/ecr/sync/status",
    "create": "POST /v1/registries/oci/ecr",
    "update": "PUT /v1/registries/oci/u1/ecr",
    "sync": "POST /v1/registries/oci/u1/ecr/sync",
}


@pytest.mark.parametrize("name", _ALL)
def test_request_is_the_documented_one_when_all_is_well(name: str) -> None:
    """One request per operation, with the raw token, a name and version, and no project."""
    site = _Site()
    _ALL[name](site.client)
    request = site.server.requests[0]
    assert site.server.asked == [_REQUESTS[name]]
    assert request.headers["Authorization"] == "token-0"
    assert "ProjectUid" not in request.headers


def test_user_agent_names_the_release_when_a_request_is_made() -> None:
    """The version sent is the project's."""
    site = _Site()
    site.client.oci_summary()
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert site.server.requests[0].headers["User-Agent"] == f"registry-autopilot/{project['version']}"


def test_metadata_is_asked_at_system_scope_when_listed() -> None:
    """Registries of tenants are none of our business."""
    site = _Site()
    site.client.registries_metadata()
    assert site.server.requests[0].url.params["scope"] == "system"


def test_bodies_are_as_described_when_something_is_sent() -> None:
    """A validate sends the spec only, a create name and spec."""
    site = _Site()
    site.client.validate_registry(_ECR, {"endpoint": "h"})
    assert site.server.body() == {"endpoint": "h"}
    assert site.client.create_registry(_ECR, "n", {"endpoint": "h"}) == "u9"
    assert site.server.body() == {"metadata": {"name": "n"}, "spec": {"endpoint": "h"}}


def test_path_stays_in_place_when_a_uid_is_hostile() -> None:
    """A uid is one segment of a path, whatever it holds."""
    site = _Site()
    site.client.sync_registry(_ECR, "../../x?y")
    assert site.server.requests[0].url.raw_path == b"/v1/registries/oci/..%2F..%2Fx%3Fy/ecr/sync"


_TROUBLE: dict[str, Answer] = {
    "refused": httpx.ConnectError("refused"),
    "reset": httpx.ReadError("reset"),
    "disconnected": httpx.RemoteProtocolError("disconnected"),
    "429": httpx.Response(429),
    "502": httpx.Response(502, text="<html>"),
    "503": httpx.Response(503),
    "504": httpx.Response(504),
}


@pytest.mark.parametrize("trouble", _TROUBLE.values(), ids=_TROUBLE)
@pytest.mark.parametrize("name", _READS)
def test_read_is_repeated_twice_when_there_is_trouble_on_the_way(name: str, trouble: Answer) -> None:
    """Reads and validates change nothing: three tries in all, then the error."""
    site = _good_after(trouble, trouble)
    _READS[name](site.client)
    assert len(site.server.requests) == 3
    site = _Site(trouble)
    error = site.refused(_READS[name])
    assert len(site.server.requests) == 3
    assert not error.outcome_unknown


@pytest.mark.parametrize("name", _READS)
def test_nothing_is_repeated_when_the_answer_timed_out(name: str) -> None:
    """The time there was is used up."""
    site = _Site(httpx.ReadTimeout("slow"))
    site.refused(_READS[name])
    assert len(site.server.requests) == 1


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("slow"), httpx.Response(504, text="Gateway Timeout")])
def test_slow_validate_is_the_registrys_trouble_when_vertex_was_there(answer: Answer) -> None:
    """One registry that does not answer must not look like a VerteX that is away."""
    assert _Site(answer).refused(_READS["validate"]).cause is causes.TIMED_OUT
    assert _Site(answer).refused(_READS["summary"]).cause is causes.VERTEX_UNAVAILABLE


@pytest.mark.parametrize("error", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.ProxyError("x")])
@pytest.mark.parametrize("name", _WRITES)
def test_write_is_repeated_once_when_nothing_was_sent(name: str, error: Exception) -> None:
    """What never left can be sent again."""
    site = _good_after(error)
    _WRITES[name](site.client)
    assert len(site.server.requests) == 2
    site = _Site(error)
    assert not site.refused(_WRITES[name]).outcome_unknown
    assert len(site.server.requests) == 2


@pytest.mark.parametrize("trouble", [t for n, t in _TROUBLE.items() if n != "refused"])
@pytest.mark.parametrize("name", [*_WRITES, "create"])
def test_write_is_not_repeated_when_it_may_have_arrived(name: str, trouble: Answer) -> None:
    """A lost answer says nothing about the effect."""
    site = _Site(trouble)
    error = site.refused(_ALL[name])
    assert len(site.server.requests) == 1
    assert error.outcome_unknown is (error.status != 429)


def test_create_is_never_repeated_when_not_even_sent() -> None:
    """The next try looks first."""
    site = _Site(httpx.ConnectError("refused"))
    error = site.refused(_CREATE)
    assert (len(site.server.requests), error.outcome_unknown) == (1, False)


_OUTCOMES = {
    "name-taken": (500, {"code": "RegistryAlreadyExists"}, False),
    "rejected": (500, {"code": "InvalidRegistryCredentials"}, False),
    "bad-request": (400, {"code": "InvalidInput"}, False),
    "forbidden": (403, {}, False),
    "business-timeout": (500, {"code": "ClusterFeatureTimeoutError"}, True),
    "unknown-business-error": (500, {"code": "SomethingElse"}, True),
    "no-code": (500, {}, True),
}


@pytest.mark.parametrize(("status", "body", "unknown"), _OUTCOMES.values(), ids=_OUTCOMES)
def test_outcome_of_a_create_is_unknown_when_the_refusal_is_not_plain(
    status: int, body: dict[str, str], unknown: bool
) -> None:
    """Only a plain refusal means that nothing was created."""
    site = _Site(httpx.Response(status, json=body), version=httpx.Response(200, json={"version": "4.10.1"}))
    assert site.refused(_CREATE).outcome_unknown is unknown


@pytest.mark.parametrize("name", _ALL)
def test_request_is_sent_once_more_when_the_token_was_refused(name: str) -> None:
    """A 401 had no effect, so this holds for a create too; a second one is the end."""
    site = _good_after(httpx.Response(401))
    _ALL[name](site.client)
    assert [r.headers["Authorization"] for r in site.server.requests] == ["token-0", "token-1"]
    site = _Site(httpx.Response(401))
    error = site.refused(_ALL[name])
    assert (error.cause, error.outcome_unknown) == (causes.LOGIN_REJECTED, False)
    assert len(site.server.requests) == 2


@pytest.mark.parametrize(
    ("asked", "slept", "handed_on"),
    [("3", 3.0, None), ("20", 20.0, None), ("21", None, 21), ("999999999", None, 3600), ("²", None, None)],
)
def test_wait_is_the_servers_when_it_asks_for_one(asked: str, slept: float | None, handed_on: int | None) -> None:
    """A short wait is waited for; a long one ends the try and becomes a due time; nonsense is ignored."""
    site = _Site(httpx.Response(429, headers=[(b"Retry-After", asked.encode("latin-1"))]))
    error = site.refused(_READS["summary"])
    assert (error.cause, error.retry_after) == (causes.RATE_LIMITED, handed_on)
    if slept is not None:
        assert site.time.slept == [slept, slept]
    elif handed_on is not None:
        assert site.time.slept == []
    else:
        assert all(wait <= 2 for wait in site.time.slept)


def test_pauses_grow_and_vary_when_nobody_asks_for_one() -> None:
    """The second pause is longer than the first; both have jitter."""
    site = _Site(httpx.Response(503))
    site.refused(_READS["summary"])
    first, second = site.time.slept
    assert 0.5 <= first <= 1 <= second <= 2


def test_timeouts_are_bounded_when_there_is_a_deadline() -> None:
    """A request may not last longer than the function."""
    site = _Site()
    site.client.validate_registry(_ECR, {})
    assert site.server.requests[-1].extensions["timeout"] == {"connect": 5, "read": 65, "write": 65, "pool": 65}
    site.client.deadline = site.time.now + 4
    site.client.validate_registry(_ECR, {})
    assert site.server.requests[-1].extensions["timeout"] == {"connect": 4, "read": 4, "write": 4, "pool": 4}
    assert site.client.deadline == site.time.now + 4


def test_nothing_is_sent_when_the_deadline_is_over() -> None:
    """No request is begun that could not end; no token is fetched for it either."""
    site = _Site()
    site.client.deadline = site.time.now + 0.5
    error = site.refused(_CREATE)
    assert (error.cause, error.outcome_unknown) == (causes.VERTEX_UNAVAILABLE, False)
    assert site.server.requests == []


def test_nothing_is_repeated_when_the_deadline_is_near() -> None:
    """A pause that leaves no time for the next try is not made."""
    site = _Site(httpx.Response(503))
    site.client.deadline = site.time.now + 5
    site.refused(_READS["summary"])
    assert (len(site.server.requests), site.time.slept) == (1, [])


def test_nobody_logs_in_again_when_the_deadline_is_near() -> None:
    """A login that the function's end cuts off would count as a failed attempt."""
    site = _Site(httpx.Response(401))
    site.client.deadline = site.time.now + 59
    assert site.refused(_READS["summary"]).cause is causes.VERTEX_UNAVAILABLE
    assert len(site.server.requests) == 1


_STRANGERS: dict[str, Answer] = {
    "page": httpx.Response(200, text="<html>maintenance</html>"),
    "list": httpx.Response(200, json=[1, 2]),
    "half": httpx.Response(200, text='{"items": ['),
    "deep": httpx.Response(200, text="[" * 100_000),
    "binary": httpx.Response(200, content=b"\xff\xfe\x00garbage"),
}


@pytest.mark.parametrize("answer", _STRANGERS.values(), ids=_STRANGERS)
@pytest.mark.parametrize("name", _ALL)
def test_answer_counts_as_none_when_it_is_not_vertexs(name: str, answer: Answer) -> None:
    """A proxy's 200 is neither a proof, nor an empty list, nor a success."""
    error = _Site(answer).refused(_ALL[name])
    assert error.cause is causes.VERTEX_UNAVAILABLE
    assert error.outcome_unknown is (name not in _READS)


@pytest.mark.parametrize("answer", [httpx.Response(200), httpx.Response(200, json={}), httpx.Response(202)])
def test_spec_is_not_proven_when_a_validate_is_answered_in_any_other_way(answer: Answer) -> None:
    """A write follows from it: only the documented 204 will do."""
    assert _Site(answer).refused(_READS["validate"]).cause is causes.VERTEX_UNAVAILABLE


@pytest.mark.parametrize("name", ["metadata", "summary"])
@pytest.mark.parametrize("body", [{}, {"items": {"a": 1}}, {"items": "x"}, {"message": "hello"}])
def test_list_is_refused_when_it_holds_no_items(name: str, body: dict[str, Any]) -> None:
    """An empty list must be said, not guessed: a create could follow from it."""
    assert _Site(httpx.Response(200, json=body)).refused(_READS[name]).cause is causes.VERTEX_UNAVAILABLE


@pytest.mark.parametrize("name", ["metadata", "summary"])
def test_list_is_empty_when_its_items_are_null(name: str) -> None:
    """Go writes an empty list so; items without a uid cannot be asked for and are left out."""
    assert _READS[name](_Site(httpx.Response(200, json={"items": None})).client) == []
    assert _READS[name](_Site(httpx.Response(200, json={"items": [None, "x", {"metadata": 1}, {}]})).client) == []


@pytest.mark.parametrize(
    "body", [{}, {"metadata": {"uid": "other"}, "spec": {"endpoint": "h"}}, {"metadata": {"uid": "u1"}, "spec": None}]
)
def test_registry_is_refused_when_it_is_not_the_one_asked_for(body: dict[str, Any]) -> None:
    """A PUT would be built from it."""
    assert _Site(httpx.Response(200, json=body)).refused(_READS["get"]).cause is causes.VERTEX_UNAVAILABLE


@pytest.mark.parametrize("body", [{}, {"uid": ""}, {"uid": 7}])
def test_create_is_doubtful_when_no_uid_comes_back(body: dict[str, Any]) -> None:
    """It may have worked: the next try looks first."""
    assert _Site(httpx.Response(201, json=body)).refused(_CREATE).outcome_unknown


def test_registry_is_gone_when_vertex_says_so() -> None:
    """`ResourceNotFound` is an answer, not an error."""
    assert _Site(httpx.Response(404, json={"code": "ResourceNotFound"})).client.get_registry(_ECR, "u1") is None


@pytest.mark.parametrize("answer", [httpx.Response(404, text="404 page not found"), httpx.Response(403, json={})])
def test_registry_is_not_gone_when_somebody_else_says_so(answer: Answer) -> None:
    """An ingress without a route knows nothing of registries."""
    _Site(answer).refused(_READS["get"])


def test_list_is_read_to_its_end_when_it_comes_in_pages() -> None:
    """`listmeta.continue` is followed with the scope kept, and not in circles."""
    pages = [
        {"items": [{"uid": f"u{n}", "name": "n"}], "listmeta": {"continue": following}}
        for n, following in enumerate(["a", "b", "b", "c"])
    ]
    site = _Site(*[httpx.Response(200, json=page) for page in pages])
    assert [item.uid for item in site.client.registries_metadata()] == ["u0", "u1", "u2"]
    assert [dict(r.url.params) for r in site.server.requests] == [
        {"scope": "system"},
        {"scope": "system", "continue": "a"},
        {"scope": "system", "continue": "b"},
    ]


def test_list_is_refused_when_it_never_ends() -> None:
    """A part of a list must not be taken for all of it."""
    pages = iter(range(1000))

    def page(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"items": [], "listmeta": {"continue": f"page-{next(pages)}"}})

    assert _Site(page).refused(_READS["summary"]).cause is causes.VERTEX_UNAVAILABLE


def test_requests_are_recorded_when_asked_for() -> None:
    """Every try counts, with its AuditUid; no query, body or token is kept."""
    site = _Site(httpx.ConnectError("refused"), httpx.Response(401), httpx.Response(204, headers={"AuditUid": "a-1"}))
    with site.client.recording() as requests:
        site.client.validate_registry(_ECR, {"credentials": {"secretKey": "canary"}})
    assert [r.line for r in requests] == [
        "POST /v1/registries/oci/ecr/validate no-answer",
        "POST /v1/registries/oci/ecr/validate 401",
        "POST /v1/registries/oci/ecr/validate 204 a-1",
    ]
    site.client.validate_registry(_ECR, {})
    assert len(requests) == 3


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (httpx.Response(500, json={"code": "Odd canary", "message": "canary", "ref": "canary"}), causes.UNKNOWN),
        (httpx.Response(500, text="canary"), causes.VERTEX_UNAVAILABLE),
        (httpx.Response(500, json={"code": ["canary"], "message": {"canary": 1}}), causes.UNKNOWN),
        (httpx.Response(302, headers={"Location": "https://canary"}), causes.VERTEX_UNAVAILABLE),
        (httpx.Response(500, json={"code": "X"}, headers={"AuditUid": "not an id: canary"}), causes.UNKNOWN),
        (httpx.ReadError("canary"), causes.VERTEX_UNAVAILABLE),
        (httpx.ConnectError("canary"), causes.VERTEX_UNAVAILABLE),
    ],
    ids=range(7),
)
def test_nothing_of_the_answer_is_told_when_it_could_echo_a_secret(answer: Answer, cause: Cause) -> None:
    """The servers' words stay out of errors, their chain and the records."""
    site = _Site(answer)
    with site.client.recording() as requests:
        error = site.refused(_READS["validate"])
    assert error.cause is cause
    assert "canary" not in f"{error!r} {error.detail} {error.facts} {error.__cause__!r} {requests}"
    assert error.__suppress_context__ or error.__context__ is None


def test_remedy_is_named_when_vertexs_own_certificate_is_not_trusted() -> None:
    """The reader learns which parameter takes the CA."""
    error = _Site(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")).refused(_READS["summary"])
    assert error.cause is causes.VERTEX_UNAVAILABLE
    assert "VertexCaBundleSecretArn" in error.detail


_REJECTED = httpx.Response(500, json={"code": "InvalidRegistryCredentials", "message": "m"}, headers={"AuditUid": "a1"})


@pytest.mark.parametrize(
    ("version", "is_old"),
    [
        (httpx.Response(200, json={"version": "4.10.1"}), False),
        (httpx.Response(200, json={"version": "v5.0.0"}), False),
        (httpx.Response(200, json={"version": "4.9.51"}), True),
        (httpx.Response(200, json={"what": "ever"}), True),
        (httpx.Response(404, text="nothing here"), True),
    ],
    ids=range(5),
)
def test_words_depend_on_the_version_when_credentials_were_rejected(version: Answer, is_old: bool) -> None:
    """Where the version cannot be told, nothing more is claimed than is known; the error is still the first one."""
    error = _Site(_REJECTED, version=version).refused(_READS["validate"])
    assert (error.cause, error.code, error.audit_uid) == (
        causes.CREDENTIALS_REJECTED,
        "InvalidRegistryCredentials",
        "a1",
    )
    assert ("before 4.10" in error.detail) is is_old


def test_version_is_asked_until_it_is_known_when_it_failed_at_first() -> None:
    """A passing trouble does not make a server old for good."""
    site = _Site(httpx.Response(400), httpx.Response(200, json={"version": "4.10.1"}))
    assert site.client.installed_version() == ()
    assert site.client.installed_version() == site.client.installed_version() == (4, 10, 1)
    assert len(site.server.requests) == 2


def test_original_error_stays_when_the_session_fails_while_the_version_is_asked() -> None:
    """A login that fails meanwhile does not hide what was wrong."""
    site = _Site(_REJECTED)

    def no_more() -> str:
        raise AutopilotError(causes.LOGIN_LOCKED, "paused")

    first = site.tokens.token
    site.tokens.token = lambda: first() if not site.server.requests else no_more()  # type: ignore[method-assign] # a seam
    assert site.refused(_READS["validate"]).cause is causes.CREDENTIALS_REJECTED


@pytest.mark.parametrize(
    ("raw", "version"),
    [
        ({"version": "4.10.13"}, (4, 10, 13)),
        ({"built": "1.2.3", "installedVersion": "v4.8"}, (4, 8)),
        ({"release": "4.9.1-beta"}, (4, 9, 1)),
        ({"version": None, "n": 4.1, "x": "none"}, ()),
        ({}, ()),
    ],
)
def test_version_is_found_when_the_answer_has_one_somewhere(raw: dict[str, Any], version: tuple[int, ...]) -> None:
    """The shape of the answer is not published in full."""
    assert parse_version(raw) == version
