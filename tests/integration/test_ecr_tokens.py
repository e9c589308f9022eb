"""ECR tokens through the deployed template: the role is assumed, the token opens the registry, others do not."""

import json
from typing import Any

import pytest

from sandbox.aws.seeds import PULL_ROLE, TOKEN_ROLE
from sandbox.stack import Sandbox

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
HOUR = 3600


def _definition(role: str) -> dict[str, Any]:
    return {
        "id": "zarf",
        "name": "zarf-packages",
        "type": "basic",
        "provider": "zarf",
        "endpoint": f"https://{HOST}",
        "base_content_path": "zarf",
        "credentials": {"kind": "ecr-token", "role": f"arn:aws:iam::123456789012:role/{role}"},
    }


def _define(sandbox: Sandbox, role: str) -> None:
    document = {k: v for k, v in _definition(role).items() if k != "id"}
    sandbox.activity.put_parameter("/registry-autopilot/registries/zarf", json.dumps(document))
    sandbox.settle()


def test_token_is_issued_applied_and_renewed_when_the_role_trusts_the_stack() -> None:
    """Applied first, another one before the first is twelve hours old, and no token in the ledger or in a log."""
    with Sandbox([]) as sandbox:
        assert sandbox.vertex is not None
        _define(sandbox, TOKEN_ROLE)
        (first,) = sandbox.vertex.registries()
        sandbox.clock.advance(7 * HOUR)
        sandbox.tick()
        sandbox.settle()
        (second,) = sandbox.vertex.registries()
        assert first.uid == second.uid
        assert first.credential_digest != second.credential_digest
        assert sandbox.vertex.journal.registry_requests()[-1].method == "PUT"
        assert len(sandbox.aws.requests.calls("ecr", "GetAuthorizationToken")) == 2
        ledger = json.dumps(sandbox.ledger_items(), default=str)
        tokens = sandbox.aws.logins.expiries
        assert len(tokens) == 2
        assert not [token for token in tokens if token in ledger]


@pytest.mark.parametrize("role", [PULL_ROLE, "no-such-role"])
def test_nothing_is_made_when_the_role_may_not_be_assumed(role: str) -> None:
    """A role that trusts somebody else, and one that does not exist: told as what it is."""
    with Sandbox([]) as sandbox:
        assert sandbox.vertex is not None
        _define(sandbox, role)
        assert sandbox.vertex.registries() == []
        assert {notice.attributes["cause"] for notice in sandbox.notices()} == {"role-not-assumable"}
