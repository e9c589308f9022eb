"""Faults at odd moments, through the deployed template: one registry, one incident with its end, nothing lost."""

from collections.abc import Iterator

import pytest

from cli.report import Ledger
from sandbox.stack import Sandbox
from sandbox.vertex import Fault

FAULTS = {
    "create-answer-lost": Fault("POST /v1/registries/oci/ecr", "reset", effect="after"),
    "create-answered-by-a-proxy-after-it-worked": Fault(
        "POST /v1/registries/oci/ecr", "html", status=502, effect="after"
    ),
    "read-back-empty": Fault("GET /v1/registries/metadata", "empty", times=4),
    "validate-answered-with-garbage": Fault("POST /v1/registries/oci/ecr/validate", "garbage", times=3),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One stack for all faults; each has a team of its own."""
    with Sandbox() as running:
        yield running


@pytest.mark.parametrize("name", FAULTS)
def test_registry_is_right_in_the_end_when_vertex_stumbles(sandbox: Sandbox, name: str) -> None:
    """Never doubled, never taken for somebody else's, told once and ended once."""
    assert sandbox.vertex is not None
    sandbox.pass_time(2 * 3600, step=1800)  # one fault in two hours: VerteX does not come and go
    before = len(sandbox.notices())
    sandbox.vertex.faults.add(FAULTS[name])
    sandbox.activity.create_repository(f"team-{name}/spectro-packs/archive/nginx")
    sandbox.settle()
    sandbox.pass_time(900, step=150)
    state = next(s for s in Ledger(sandbox.ledger_items()).states.values() if s.base_content_path == f"team-{name}")
    assert state.ours
    assert state.confirmed
    assert [r.base_content_path for r in sandbox.vertex.registries()].count(f"team-{name}") == 1
    told = [(n.attributes["state"], n.attributes["cause"]) for n in sandbox.notices()[before:]]
    assert told == [("open", "vertex-unavailable"), ("resolved", "vertex-unavailable")]
    assert not sum(sandbox.runner.dead_letters().values())
