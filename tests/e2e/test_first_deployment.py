"""A first deployment works with nothing but the stack's own parameters."""

from collections.abc import Iterator

import pytest

from cli.report import Ledger
from sandbox.stack import Sandbox

FIRST = {
    "FirstDefinitionId": "packs",
    "FirstDefinitionName": "first-{base}",
    "FirstDefinitionRepositories": "team-*",
    "FirstDefinitionCredentialsSecret": "sandbox/ecr-pull",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A stack as a new admin deploys it: mode observe, one definition from its parameters, no other."""
    with Sandbox([], mode="observe", parameters=FIRST) as running:
        yield running


def test_first_definition_registers_once_the_mode_is_act(sandbox: Sandbox) -> None:
    """Observed first, with a notice; then done."""
    assert sandbox.vertex is not None
    sandbox.activity.create_repository("team-a/spectro-packs/archive/nginx")
    sandbox.settle()
    assert [n.attributes["cause"] for n in sandbox.notices()] == ["held-back"]
    assert not sandbox.vertex.registries()
    sandbox.set_mode("act")
    sandbox.settle()
    assert [r.name for r in sandbox.vertex.registries()] == ["first-team-a"]
    (state,) = Ledger(sandbox.ledger_items()).states.values()
    assert state.confirmed
    assert [n.attributes["state"] for n in sandbox.notices()] == ["open", "resolved"]
