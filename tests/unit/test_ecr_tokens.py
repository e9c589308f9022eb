"""`ecr-token` credentials: issued through a role, applied, renewed in time; the ledger holds the expiry alone."""

from typing import Any

import pytest

from registry_autopilot.records import Outcome
from tests.support import events
from tests.support.installation import Installation
from tests.support.world import ACCOUNT, REGION

HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pull-only"
HOUR = 3600
DEFINITION: dict[str, Any] = {
    "id": "zarf",
    "name": "zarf-packages",
    "type": "basic",
    "provider": "zarf",
    "endpoint": f"https://{HOST}",
    "base_content_path": "zarf",
    "match": {"repositories": ["zarf/*"]},
    "credentials": {"kind": "ecr-token", "role": ROLE},
}


def _define(site: Installation) -> list[Outcome]:
    return site.pipeline.deliver(events.parameter_changed("/registry-autopilot/registries/zarf", at=site.now))


def _auth(site: Installation) -> dict[str, Any]:
    (stored,) = site.vertex.registries.values()
    auth: dict[str, Any] = stored["spec"]["auth"]
    return auth


def test_token_is_applied_when_the_registry_is_made() -> None:
    """VerteX gets username AWS and the token; the ledger the expiry, and nothing of the token."""
    with Installation([DEFINITION]) as site:
        assert _define(site) == [Outcome.REGISTERED]
        assert (_auth(site)["username"], _auth(site)["password"]) == ("AWS", "token-1")
        state = site.pipeline.state("zarf-packages")
        assert state.expires_at == site.now + 12 * HOUR
        assert state.due_at == site.now + 6 * HOUR
        assert "token-1" not in state.model_dump_json()
        assert site.pipeline.tokens.issued == [(ROLE, f"aws:{ACCOUNT}:{REGION}")]


def test_token_is_never_expired_while_vertex_is_reachable() -> None:
    """Three days pass: a renewal every six hours, each with GET, validate and PUT, and no token older than that."""
    with Installation([DEFINITION]) as site:
        _define(site)
        for _ in range(72):
            site.run(HOUR, step=600)
            state = site.pipeline.state("zarf-packages")
            assert state.expires_at is not None
            assert state.expires_at - site.now > 5 * HOUR
            assert _auth(site)["password"] == f"token-{len(site.pipeline.tokens.issued)}"
        assert len(site.pipeline.tokens.issued) == 1 + 72 // 6
        assert site.pipeline.sns.told == []


def test_nothing_is_requested_when_the_token_is_young() -> None:
    """An event about a registry whose token is good costs neither a token nor a request to VerteX."""
    with Installation([DEFINITION]) as site:
        _define(site)
        site.forget_calls()
        assert _define(site) == [Outcome.UNCHANGED]
        assert site.calls() == []
        assert len(site.pipeline.tokens.issued) == 1


def test_old_token_stays_when_the_role_cannot_be_assumed() -> None:
    """The refusal is told once, what VerteX holds stays, and the renewal is made up when the role works again."""
    with Installation([DEFINITION]) as site:
        _define(site)
        site.pipeline.tokens.refused = True
        site.run(8 * HOUR, step=600)
        assert _auth(site)["password"] == "token-1"
        assert site.pipeline.sns.states == [("open", "role-not-assumable", "zarf-packages")]
        site.pipeline.tokens.refused = False
        site.run(2 * HOUR, step=600)
        assert _auth(site)["password"] == "token-2"
        assert site.pipeline.sns.states[-1][0] == "resolved"


def test_token_is_renewed_at_once_when_vertex_was_away_at_its_time() -> None:
    """A renewal that VerteX's absence delayed is done when it is back."""
    with Installation([DEFINITION]) as site:
        _define(site)
        site.run(5 * HOUR, step=600)
        site.away()
        site.run(9 * HOUR, step=600)
        site.back()
        site.run(HOUR, step=60)
        assert _auth(site)["password"] == f"token-{len(site.pipeline.tokens.issued)}"
        assert (site.pipeline.state("zarf-packages").expires_at or 0) > site.now + 10 * HOUR


def test_token_of_unknown_age_is_renewed_when_a_create_lost_its_answer() -> None:
    """Which token VerteX holds after a lost answer is not known: another one is applied by the next tick."""
    with Installation([DEFINITION]) as site:
        site.beyond_the_table = True
        site.vertex.lose_answer_of = "POST /v1/registries/oci/basic"
        _define(site)
        site.run(HOUR, step=60)
        state = site.pipeline.state("zarf-packages")
        assert state.expires_at is not None
        assert _auth(site)["password"] == f"token-{len(site.pipeline.tokens.issued)}"
        assert len(site.vertex.registries) == 1


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"endpoint": "https://harbor.example.gov"}, "definition-invalid"),
        ({"endpoint": f"https://{HOST.replace(ACCOUNT, '210987654321')}"}, "endpoint-not-allowed"),
    ],
)
def test_no_token_is_issued_when_the_host_is_not_one_it_may_go_to(change: dict[str, Any], cause: str) -> None:
    """ECR hosts of matched accounts only."""
    with Installation([DEFINITION | change]) as site:
        _define(site)
        assert site.pipeline.tokens.issued == []
        assert site.calls() == []
        assert site.pipeline.sns.states[-1][1] == cause


def test_expiry_is_forgotten_when_the_credential_is_no_longer_a_token() -> None:
    """A definition that turns to a password is renewed no more."""
    with Installation([DEFINITION]) as site:
        _define(site)
        site.pipeline.secrets.put("zarf/login", {"username": "u", "password": "p" * 8, "host": HOST})
        changed = DEFINITION | {"credentials": {"kind": "username-password", "secret": "zarf/login"}}
        site.pipeline.definitions.documents = [changed]
        assert _define(site) == [Outcome.REFRESHED]
        state = site.pipeline.state("zarf-packages")
        assert (state.expires_at, state.due_at) == (None, None)
