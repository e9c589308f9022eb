"""The session: one claimed login, a token that is used while it lasts, and no secret in any error."""

import base64
import json
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError, Cause
from registry_autopilot.redaction import redact
from registry_autopilot.vertex.errors import VertexError
from registry_autopilot.vertex.login_policy import Failure
from registry_autopilot.vertex.session import (
    KNOCK_PATH,
    LOGIN_PATH,
    AdminCredentials,
    LoginBusyError,
    Session,
    lifetime,
)
from tests.support.scripted import Answer, ScriptedServer, VirtualTime

_URL = "https://vertex.example.gov"
_PASSWORD = "c4nary passw0rd"


class _Secret:
    """Implements `AdminSecret`."""

    def __init__(self, url: str = _URL) -> None:
        self.url = url
        self.reads = 0

    def read(self) -> AdminCredentials:
        self.reads += 1
        return AdminCredentials("ops@example.gov", SecretStr(_PASSWORD), self.url, f"v{self.reads}")


class _Claims:
    """Implements `LoginClaims`; busy so many times first."""

    def __init__(self, busy: int = 0, refusal: AutopilotError | None = None) -> None:
        self.busy = busy
        self.refusal = refusal
        self.told: list[str] = []

    def claim(self, version_id: str) -> None:
        if self.busy:
            self.busy -= 1
            raise LoginBusyError
        if self.refusal:
            raise self.refusal
        self.told.append(f"claim {version_id}")

    def succeeded(self, version_id: str) -> None:
        self.told.append(f"succeeded {version_id}")

    def failed(self, version_id: str, how: Failure) -> None:
        self.told.append(f"{how} {version_id}")


class _Site:
    """A session in virtual time, against a scripted server."""

    def __init__(
        self,
        *answers: Answer,
        claims: _Claims | None = None,
        url: str = _URL,
        knock: Answer = httpx.Response(401, json={"code": "Unauthorized"}),  # noqa: B008 - is copied
        **more: Any,
    ) -> None:
        self.server = ScriptedServer(*answers, by_path={KNOCK_PATH: knock})
        self.secret = _Secret(url)
        self.claims = claims or _Claims()
        self.time = VirtualTime()
        self.session = Session(
            self.server.http(),
            secret=self.secret,
            claims=self.claims,
            vertex_url=_URL,
            clock=self.time.clock,
            sleep=self.time.sleep,
            **more,
        )

    @property
    def logins(self) -> list[httpx.Request]:
        """The login requests."""
        return [request for request in self.server.requests if request.url.path == LOGIN_PATH]


def _jwt(**claims: object) -> str:
    parts = [{"alg": "HS256"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "sig"])


def _welcome(token: str = "", **more: object) -> httpx.Response:
    return httpx.Response(200, json={"Authorization": token or _jwt(), **more})


def test_login_is_claimed_first_when_a_token_is_needed() -> None:
    """The claim comes before the request, and the raw JWT out of it."""
    site = _Site(_welcome("a.jwt.here", IsEmailSet=True, IsMfa=False))
    assert site.session.token() == "a.jwt.here"
    assert site.claims.told == ["claim v1", "succeeded v1"]
    assert site.server.asked == ["GET /v1/system/version/installed", "POST /v1/auth/syslogin"]
    assert site.server.body() == {"username": "ops@example.gov", "password": _PASSWORD}


def test_field_of_the_login_is_another_when_set() -> None:
    """Some admins are known by their e-mail address only."""
    site = _Site(_welcome(), login_field="emailId")
    site.session.token()
    assert site.server.body()["emailId"] == "ops@example.gov"


@pytest.mark.parametrize(("claims", "seconds"), [({"iat": 5000, "exp": 6000}, 1000), ({}, 900)])
def test_token_is_renewed_a_minute_early_when_it_ends(claims: dict[str, float], seconds: float) -> None:
    """`exp` is honoured, whatever VerteX's clock says; without it a token lasts 15 minutes."""
    site = _Site(_welcome(_jwt(**claims)))
    site.session.token()
    site.time.now += seconds - 61
    site.session.token()
    assert len(site.logins) == 1
    site.time.now += 2
    site.session.token()
    assert len(site.logins) == 2


def test_secret_is_read_anew_when_the_token_was_refused() -> None:
    """After a 401 the password may be another one."""
    site = _Site(_welcome(_jwt(n=1)), _welcome(_jwt(n=2)))
    first = site.session.token()
    site.session.drop()
    assert site.session.token() != first
    assert site.claims.told == ["claim v1", "succeeded v1", "claim v2", "succeeded v2"]


_REFUSALS: dict[str, tuple[Answer, str, Cause]] = {
    "wrong-password": (httpx.Response(401, json={"code": "InvalidLogin"}), "rejected", causes.LOGIN_REJECTED),
    "suspended": (httpx.Response(403, json={}), "rejected", causes.LOGIN_REJECTED),
    "business-error": (httpx.Response(500, json={"code": "UserSuspended"}), "rejected", causes.LOGIN_REJECTED),
    "server-error": (httpx.Response(500, text="oops"), "unknown", causes.VERTEX_UNAVAILABLE),
    "gateway": (httpx.Response(502, json={"code": "Bad"}), "unknown", causes.VERTEX_UNAVAILABLE),
    "no-route": (httpx.Response(404, text="404 page not found"), "unknown", causes.VERTEX_UNAVAILABLE),
    "redirect": (httpx.Response(302, headers={"Location": "https://else"}), "unknown", causes.VERTEX_UNAVAILABLE),
    "page": (httpx.Response(200, text="<html>welcome"), "unknown", causes.VERTEX_UNAVAILABLE),
    "no-token": (httpx.Response(200, json={"IsMfa": False}), "unknown", causes.VERTEX_UNAVAILABLE),
    "unusable-token": (_welcome("line\nbreak"), "unknown", causes.VERTEX_UNAVAILABLE),
    "list": (httpx.Response(200, json=[1]), "unknown", causes.VERTEX_UNAVAILABLE),
    "too-many": (httpx.Response(429, json={}), "unsent", causes.RATE_LIMITED),
    "refused-connection": (httpx.ConnectError("refused"), "unsent", causes.VERTEX_UNAVAILABLE),
    "connect-timeout": (httpx.ConnectTimeout("slow"), "unsent", causes.VERTEX_UNAVAILABLE),
    "reset": (httpx.ReadError(f"reset {_PASSWORD}"), "unknown", causes.VERTEX_UNAVAILABLE),
    "answer-timeout": (httpx.ReadTimeout("slow"), "unknown", causes.VERTEX_UNAVAILABLE),
    "passkey": (_welcome(IsMfa=True), "passkey", causes.LOGIN_NEEDS_PASSKEY),
}


@pytest.mark.parametrize(("answer", "told", "cause"), _REFUSALS.values(), ids=_REFUSALS)
def test_failure_is_told_to_the_claims_when_a_login_gives_no_token(answer: Answer, told: str, cause: Cause) -> None:
    """Only what VerteX itself says counts against the password; a failure is never retried here."""
    site = _Site(answer)
    with pytest.raises(AutopilotError) as caught:
        site.session.token()
    assert caught.value.cause is cause
    assert site.claims.told == ["claim v1", f"{told} v1"]
    assert len(site.logins) == 1
    assert _PASSWORD not in f"{caught.value!r} {caught.value.detail} {caught.value.facts}"


@pytest.mark.parametrize("knock", [httpx.ConnectError("refused"), httpx.ReadError("reset"), httpx.Response(503)])
def test_no_attempt_is_claimed_when_vertex_does_not_answer_a_knock(knock: Answer) -> None:
    """A VerteX that is away must not cost login attempts."""
    site = _Site(_welcome(), knock=knock)
    with pytest.raises(VertexError) as caught:
        site.session.token()
    assert caught.value.cause is causes.VERTEX_UNAVAILABLE
    assert (site.claims.told, site.logins) == ([], [])


def test_wait_becomes_a_due_time_when_vertex_asks_for_a_long_one() -> None:
    """A long `Retry-After` is handed on."""
    site = _Site(httpx.Response(429, headers={"Retry-After": "120"}))
    with pytest.raises(VertexError) as caught:
        site.session.token()
    assert caught.value.retry_after == 120


def test_nothing_is_sent_when_the_claim_is_refused() -> None:
    """The policy's word is the last one."""
    site = _Site(_welcome(), claims=_Claims(refusal=AutopilotError(causes.LOGIN_LOCKED, "paused")))
    with pytest.raises(AutopilotError, match="paused"):
        site.session.token()
    assert site.logins == []


def test_login_waits_when_another_function_is_at_it() -> None:
    """A busy claim is tried again each second."""
    site = _Site(_welcome(), claims=_Claims(busy=3))
    site.session.token()
    assert site.time.slept == [1.0, 1.0, 1.0]


def test_waiting_ends_when_another_function_takes_too_long() -> None:
    """After 20 seconds the work is put off instead; nothing was sent."""
    site = _Site(_welcome(), claims=_Claims(busy=1000))
    with pytest.raises(AutopilotError) as caught:
        site.session.token()
    assert caught.value.cause is causes.RATE_LIMITED
    assert sum(site.time.slept) == 20
    assert site.logins == []


@pytest.mark.parametrize("url", ["https://VERTEX.example.gov/", "https://vertex.example.gov:443", f"{_URL}/system "])
def test_login_is_made_when_the_addresses_mean_the_same(url: str) -> None:
    """Case, default port and path do not make another VerteX."""
    assert _Site(_welcome(), url=url).session.token()


@pytest.mark.parametrize(
    "url", ["https://other.example.gov", "http://vertex.example.gov", "vertex", f"{_URL}:port", ""]
)
def test_login_is_refused_when_the_secret_names_another_address(url: str) -> None:
    """A password goes only where its secret says; nothing is claimed or sent."""
    site = _Site(_welcome(), url=url)
    with pytest.raises(AutopilotError) as caught:
        site.session.token()
    assert (caught.value.cause, caught.value.subject) == (causes.SECRET_MALFORMED, "vertex")
    assert "VERTEX_URL" in caught.value.detail
    assert (site.claims.told, site.server.requests) == ([], [])


def test_password_and_token_are_known_to_redaction_when_a_login_was_made() -> None:
    """Neither can leave the process in any text."""
    token = "opaque-canary-token"
    _Site(_welcome(token)).session.token()
    assert redact(f"x {_PASSWORD} {token}") == "x [redacted] [redacted]"


def test_password_is_hidden_when_credentials_are_printed() -> None:
    """A stray log line of the object shows no secret."""
    assert _PASSWORD not in repr(_Secret().read())


@pytest.mark.parametrize(
    ("token", "seconds"),
    [
        (_jwt(exp=1500), 500),
        (_jwt(iat=2000, exp=2600), 600),
        (_jwt(exp=1), 61),
        (_jwt(exp=10**400), 900),
        (_jwt(exp="soon"), 900),
        (_jwt(exp=None), 900),
        ("opaque", 900),
        ("a.!!!.c", 900),
        ("a." + base64.urlsafe_b64encode(b"[1]").decode() + ".c", 900),
        ("a." + base64.urlsafe_b64encode(b"[" * 100_000).decode() + ".c", 900),
        ("a." + base64.urlsafe_b64encode(b"\xff\xfe").decode() + ".c", 900),
    ],
    ids=range(11),
)
def test_lifetime_is_read_or_assumed_when_a_token_is_anything(token: str, seconds: float) -> None:
    """A token without a readable `exp` lasts 15 minutes; one already over is used just once."""
    assert lifetime(token, 1000) == seconds
