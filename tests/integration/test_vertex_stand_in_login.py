"""Login, lockout, tokens and roles of the stand-in, over HTTP."""

from collections.abc import Iterator

import httpx
import jwt
import pytest

from tests.support.stand_in import PASSWORD, START, USERNAME, Site, running

LIST = "/v1/registries/metadata"


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as site:
        yield site


def test_login_answers_a_raw_jwt_when_the_password_is_right(site: Site) -> None:
    """Capitalised keys, and a token whose own claims say how long it lasts."""
    answer = site.log_in().json()
    assert answer.keys() == {"Authorization", "IsEmailSet", "IsEmailVerified", "IsMfa", "IsPasswordReset"}
    claims = jwt.decode(answer["Authorization"], options={"verify_signature": False})
    assert (claims["iat"], claims["exp"]) == (START, START + 900)
    assert site.http.get(LIST).status_code == 200


def test_login_is_taken_when_it_names_the_email_field(site: Site) -> None:
    """`emailId` stands in the API's model beside `username`."""
    body = {"emailId": USERNAME, "password": PASSWORD}
    assert site.http.post("/v1/auth/syslogin", json=body).status_code == 200


@pytest.mark.parametrize("body", [{}, {"password": "x"}, {"username": "x", "password": "y", "org": "z"}, ["x"]])
def test_login_is_a_bad_request_when_its_body_is_not_the_api_s(site: Site, body: object) -> None:
    """A malformed login is no failed login: it never leads to a suspension."""
    for _ in range(6):
        assert site.http.post("/v1/auth/syslogin", json=body).status_code == 400
    assert site.log_in().status_code == 200


def test_account_is_suspended_when_five_logins_fail(site: Site) -> None:
    """The right password does not help before 15 minutes are over; then the count begins anew."""
    for _ in range(5):
        assert site.log_in("wrong").status_code == 401
    refused = site.log_in()
    assert (refused.status_code, refused.json()["code"]) == (401, site.vertex.behaviour.codes.suspended_login)
    site.clock.now += 15 * 60 - 1
    assert site.log_in().status_code == 401
    site.clock.now += 1
    assert site.log_in("wrong").status_code == 401
    assert site.log_in().status_code == 200


def test_account_stays_open_when_failures_are_not_in_a_row(site: Site) -> None:
    """A right login in between sets the count back; an unknown user is nobody's failure."""
    for _ in range(2):
        for _ in range(4):
            site.log_in("wrong")
        assert site.log_in().status_code == 200
    for _ in range(6):
        assert site.log_in(username="nobody").status_code == 401
    assert not site.vertex.account.is_suspended


def test_token_is_refused_when_it_is_expired(site: Site) -> None:
    """The stand-in's own clock decides."""
    site.clock.now += 899
    assert site.http.get(LIST).status_code == 200
    site.clock.now += 1
    assert site.http.get(LIST).status_code == 401


@pytest.mark.parametrize("prefix", ["Bearer ", "x"])
def test_token_is_refused_when_it_is_not_raw_and_whole(site: Site, prefix: str) -> None:
    """The header takes the bare JWT: no `Bearer`, no other signature."""
    headers = {"Authorization": prefix + site.http.headers["Authorization"]}
    assert site.http.get(LIST, headers=headers).status_code == 401


def test_request_is_refused_when_it_has_no_token(site: Site) -> None:
    """401 with the API's error body."""
    del site.http.headers["Authorization"]
    refused = site.http.get(LIST)
    assert refused.status_code == 401
    assert refused.json().keys() == {"code", "message", "details", "ref"}


@pytest.mark.parametrize(("version", "after"), [("4.9.51", 200), ("4.10.1", 401)])
def test_tokens_end_when_the_password_changes_from_4_10(site: Site, version: str, after: int) -> None:
    """Before 4.10 a token outlives the password it was made with."""
    site.vertex.version = version
    site.vertex.set_password("another")
    assert site.http.get(LIST).status_code == after
    assert site.log_in().status_code == 401
    assert site.log_in("another").status_code == 200


def test_tokens_end_when_somebody_logs_out(site: Site) -> None:
    """A new login is all that is needed."""
    site.vertex.kill_tokens()
    assert site.http.get(LIST).status_code == 401
    site.use_token()
    assert site.http.get(LIST).status_code == 200


def test_api_is_closed_when_the_account_has_a_passkey(site: Site) -> None:
    """The login still answers 200 and says so; every other call is refused."""
    site.vertex.account.has_passkey = True
    answer = site.log_in()
    assert (answer.status_code, answer.json()["IsMfa"]) == (200, True)
    headers = {"Authorization": answer.json()["Authorization"]}
    assert site.http.get(LIST, headers=headers).status_code == 401


def test_api_is_forbidden_when_the_role_may_not_manage_registries(site: Site) -> None:
    """An Account Administrator manages admins only."""
    site.vertex.account.role = "AccountAdmin"
    assert site.http.get(LIST).status_code == 403


def test_journal_keeps_logins_when_they_fail_and_never_what_was_sent(site: Site) -> None:
    """No password and no token is anywhere in it."""
    site.log_in("a-wrong-password")
    logins = site.vertex.journal.logins()
    assert [(e.status, e.took_effect) for e in logins] == [(200, True), (401, False)]
    written = repr(site.vertex.journal.entries())
    secrets = [PASSWORD, "a-wrong-password", site.http.headers["Authorization"]]
    assert not [secret for secret in secrets if secret in written]


def test_project_is_refused_when_the_version_checks_it(site: Site) -> None:
    """Since 4.9.22 an unknown `ProjectUid` is refused; before, it is ignored."""
    headers = {"ProjectUid": "0123"}
    assert site.http.get(LIST, headers=headers).json()["code"] == "ProjectNotFoundInTenant"
    site.vertex.version = "4.9.18"
    assert site.http.get(LIST, headers=headers).status_code == 200


def test_connections_are_refused_when_it_is_stopped(site: Site) -> None:
    """What it held can still be looked at."""
    site.vertex.stop()
    with pytest.raises(httpx.ConnectError):
        site.http.get(LIST)
    assert site.vertex.registries() == []
