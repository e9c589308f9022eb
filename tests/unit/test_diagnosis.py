"""On news of a refusal our own side looks once, and only where a credential may go."""

from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from registry_autopilot.causes import ACCESS_DENIED, AutopilotError
from registry_autopilot.diagnosis import Target, answer_words, repositories_words, server_of
from registry_autopilot.network import Network
from registry_autopilot.own_view import OwnView
from registry_autopilot.ports import Rules
from registry_autopilot.registry import Identity, Provider, RegistryType
from registry_autopilot.steps.attempt import Attempt
from registry_autopilot.steps.diagnose import NOT_A_DESTINATION, seen_from_here
from registry_autopilot.work import WorkItem
from tests.support import events
from tests.support.installation import FAMILY, Installation, access_key
from tests.support.world import ACCOUNT, FakeRepositories, host

_REPOSITORY = "team-a/spectro-packs/archive/nginx"
_BASIC: dict[str, Any] = {
    "id": "harbor",
    "name": "harbor",
    "type": "basic",
    "provider": "helm",
    "endpoint": "https://harbor.example.gov",
    "base_content_path": "platform",
}
_USER = {"kind": "username-password", "secret": "vertex/harbor"}
_LOGIN = {"username": "robot", "password": "not-a-real-password"}


def _refused(site: Installation) -> str:
    site.vertex.rejects = lambda spec: "InvalidRegistryCredentials"
    site.create(_REPOSITORY)
    (incident,) = site.pipeline.ledger.open_incidents()
    return incident.changes[-1].what


def _harbor(**changes: Any) -> tuple[Installation, str]:
    """A basic registry that VerteX refuses, and what admins were told of it."""
    rules = Rules(allowed_hosts=changes.pop("allowed", ()))
    site = Installation([_BASIC | changes], rules=rules)
    site.vertex.rejects = lambda spec: "InvalidRegistryCredentials"
    site.pipeline.secrets.put("vertex/harbor", _LOGIN | {"host": "harbor.example.gov"})
    site.pipeline.deliver(events.parameter_changed("/registry-autopilot/registries/harbor"))
    (incident,) = site.pipeline.ledger.open_incidents()
    return site, incident.changes[-1].what


def test_refusal_carries_what_was_seen_when_it_is_news() -> None:
    """One line of evidence, marked as ours, with what AWS says of the static key; also among the facts."""
    with Installation([FAMILY]) as site:
        what = _refused(site)
        (target,) = site.pipeline.diagnosis.looked_at
        (incident,) = site.pipeline.ledger.open_incidents()
    seen = "AWS knows the access key; a connection to port 443 opens."
    assert what.endswith(f" Seen from the function's network: {seen}")
    assert incident.changes[-1].facts["seen"] == "a connection to port 443 opens"
    assert (target.endpoint, target.identity.base_content_path) == (host(), "team-a")


def test_look_is_not_repeated_when_a_retry_ends_alike() -> None:
    """Once per incident; again when its cause changes."""
    with Installation([FAMILY]) as site:
        _refused(site)
        site.run(3 * 3600, step=600)
        assert len(site.pipeline.diagnosis.looked_at) == 1
        site.vertex.rejects = lambda spec: "InvalidRegistryCertificate"
        site.run(2 * 3600, step=600)
        (incident,) = site.pipeline.ledger.open_incidents()
        assert len(incident.changes) == len(site.pipeline.diagnosis.looked_at) == 2


def test_nobody_looks_when_the_refusal_is_not_about_the_registry() -> None:
    """VerteX away, a key that AWS does not know, a secret that is missing: no look at the registry could help."""
    with Installation([FAMILY]) as site:
        site.away()
        site.create(_REPOSITORY)
        site.back()
        site.pipeline.prover.unknown.add("KEY-TWO")
        site.pipeline.secrets.put("vertex/ecr-pull", access_key("two"))
        site.run(1800)
        site.pipeline.secrets.versions.clear()
        site.run(7200, step=600)
        assert {i.cause for i in site.pipeline.ledger.incidents.values()} >= {"vertex-unavailable", "secret-unreadable"}
        assert site.pipeline.diagnosis.looked_at == []


def test_host_is_looked_at_when_the_secret_names_it() -> None:
    """Where the credential goes, a look may go."""
    site, what = _harbor(credentials=_USER)
    assert len(site.pipeline.diagnosis.looked_at) == 1
    assert "Seen from the function's network: a connection to port 443 opens." in what


@pytest.mark.parametrize(("allowed", "looks"), [((), 0), (("harbor.example.gov",), 1)])
def test_host_is_left_alone_when_no_credential_may_go_there(allowed: tuple[str, ...], looks: int) -> None:
    """Without a credential a definition could name any host: our own connections keep to the rule, too."""
    site, what = _harbor(credentials={"kind": "none"}, allowed=allowed)
    assert len(site.pipeline.diagnosis.looked_at) == looks
    assert (NOT_A_DESTINATION in what) == (not looks)


def test_host_is_looked_at_when_a_role_is_for_a_matched_account() -> None:
    """An STS role sends no secret of ours; its host is one of a matched account."""
    role = f"arn:aws:iam::{ACCOUNT}:role/pull"
    sts = FAMILY | {"credentials": {"kind": "sts", "role": role, "external_id": "not-a-secret"}}
    with Installation([sts]) as site:
        assert "a connection to port 443 opens" in _refused(site)


def test_words_are_redacted_when_a_server_names_itself_like_a_secret() -> None:
    """A certificate's subject is foreign text."""
    with Installation([FAMILY]) as site:
        shaped = "AKI" + "AQWERTYUIOPASDFG"
        site.pipeline.diagnosis.seen = (f"TLS is trusted: certificate of {shaped}",)
        assert shaped not in _refused(site)


def _look(repositories: FakeRepositories, *, is_elsewhere: bool = False) -> tuple[str, ...]:
    """A look that connects to nothing: at ECR alone."""
    identity = Identity(RegistryType.ECR, Provider.PACK, f"aws:{ACCOUNT}:us-east-1", "team-a")
    view = OwnView(Network(), repositories, skip=lambda _: "the test says so")
    return tuple(view.look(Target(host(), identity, is_elsewhere=is_elsewhere)))


def test_base_path_is_looked_up_when_the_registry_is_of_ecr() -> None:
    """Asked as the function itself; another account's ECR answers to a role that converge may not assume."""
    repositories = FakeRepositories()
    assert _look(repositories)[1:] == ("ECR has no repository under the base path team-a",)
    repositories.add(_REPOSITORY)
    assert _look(repositories) == (
        "no connection was tried: the test says so",
        "ECR has repositories under the base path team-a",
    )
    assert len(_look(repositories, is_elsewhere=True)) == 1


def test_refusal_is_said_when_ecr_may_not_be_asked() -> None:
    """Missing evidence is evidence, too."""
    repositories = Mock()
    repositories.listed.side_effect = AutopilotError(ACCESS_DENIED, "ECR refused")
    assert _look(repositories)[-1] == "ECR does not let the function list repositories"


def test_look_adds_nothing_when_there_is_nobody_to_look() -> None:
    """Routing and the sweep have no diagnosis; what they tell is told without one."""
    with Installation([FAMILY]) as site:
        attempt = Attempt.begin(_item(site), replace(site.pipeline.world, diagnosis=None))
        assert seen_from_here(attempt, AutopilotError(ACCESS_DENIED, "refused"), None) == ()


def _item(site: Installation) -> WorkItem:
    site.create(_REPOSITORY)
    (state,) = site.pipeline.ledger.states.values()
    return state.work()


@pytest.mark.parametrize(
    ("endpoint", "server"),
    [
        ("https://harbor.example.gov", ("harbor.example.gov", 443, True)),
        ("harbor.example.gov:8443/team", ("harbor.example.gov", 8443, True)),
        ("http://10.0.0.7/x", ("10.0.0.7", 80, False)),
        ("https://[fd12::7]:5000", ("fd12::7", 5000, True)),
        ("oci://harbor.example.gov", ("harbor.example.gov", 443, True)),
    ],
)
def test_server_is_read_when_the_endpoint_has_any_form(endpoint: str, server: tuple[str, int, bool]) -> None:
    """Scheme, port and path are optional."""
    found = server_of(endpoint)
    assert found is not None
    assert (found.host, found.port, found.is_tls) == server


def test_authority_names_the_port_when_it_is_an_unusual_one() -> None:
    """As a client's `Host` header does."""
    shown = [
        getattr(server_of(e), "authority", None) for e in ("https://a.example", "http://a.example:5000", "[::1]:7")
    ]
    assert shown == ["a.example", "a.example:5000", "[::1]:7"]
    assert server_of("https://:0") is server_of("https://a:b") is None


def test_repositories_are_judged_by_the_base_path() -> None:
    """A path that only begins alike is another one; a long list is said to be cut."""
    assert repositories_words(["team-a/x"], "team-a", 1000) == "ECR has repositories under the base path team-a"
    assert repositories_words(["team-ab/x"], "team-a", 1000) == "ECR has no repository under the base path team-a"
    assert repositories_words(["x", "y"], "a", 2).endswith("among the first 2 it lists")
    assert "has repositories" in repositories_words(["x"], "/", 10)


def test_answer_names_known_schemes_only() -> None:
    """A scheme is text of the server, too."""
    assert answer_words(b"HTTP/1.1 401 x\r\nWWW-Authenticate: PagesEverybody x\r\n").endswith("anonymous request")
