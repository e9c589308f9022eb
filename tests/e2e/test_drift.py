"""Every kind of drift, before and from 4.10, through the deployed functions and the strict stand-in."""

from collections.abc import Callable, Iterator

import pytest

from cli.report import Ledger
from registry_autopilot.aws.work_queue import SqsWorkQueue
from registry_autopilot.records import RegistryState
from registry_autopilot.work import Doubt, TriggerNote
from sandbox.stack import Sandbox
from sandbox.vertex import VertexStandIn

FAMILY = {
    "id": "packs",
    "name": "ecr-{base}",
    "provider": "pack",
    "match": {"repositories": ["team-*"]},
    "credentials": {"kind": "access-key", "secret": "sandbox/ecr-pull"},
    "max_registries": 50,
}
STS = {"credentialType": "sts", "sts": {"arn": "arn:aws:iam::123456789012:role/other", "externalId": "x"}}


def _delete(vertex: VertexStandIn, uid: str) -> None:
    vertex.remove_registry(uid)


def _rename(vertex: VertexStandIn, uid: str) -> None:
    vertex.change_registry(uid, name=f"renamed-{uid}")


def _repoint(vertex: VertexStandIn, uid: str) -> None:
    vertex.change_registry(uid, base_content_path="somewhere-else")


def _move(vertex: VertexStandIn, uid: str) -> None:
    vertex.change_registry(uid, endpoint="210987654321.dkr.ecr.us-east-1.amazonaws.com")


def _change_credentials(vertex: VertexStandIn, uid: str) -> None:
    vertex.change_registry(uid, credentials=STS | {"partition": "aws"})


def _change_tls(vertex: VertexStandIn, uid: str) -> None:
    vertex.change_registry(uid, tls={"enabled": True, "insecureSkipVerify": True})


DRIFTS: dict[str, Callable[[VertexStandIn, str], None]] = {
    "deleted": _delete,
    "renamed": _rename,
    "repointed": _repoint,
    "moved": _move,
    "credentials": _change_credentials,
    "tls": _change_tls,
}


@pytest.fixture(scope="module", params=["4.9.20", "4.10.1"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """One stack for each version, with a team for each kind of drift."""
    with Sandbox([FAMILY], vertex_version=request.param, parameters={"VertexRequestsPerSecond": "10"}) as running:
        for name in DRIFTS:
            running.activity.create_repository(f"team-{name}/spectro-packs/archive/nginx")
        running.settle()
        yield running


def _state(sandbox: Sandbox, team: str) -> RegistryState:
    states = Ledger(sandbox.ledger_items()).states.values()
    return next(state for state in states if state.base_content_path == f"team-{team}")


def _look(sandbox: Sandbox, team: str, *, repair: bool) -> None:
    """What the sweep, or a person who restores, puts on the work queue."""
    queue = SqsWorkQueue(sandbox.aws.client("sqs"), sandbox.deployment["WorkQueue"])
    note = TriggerNote(kind="Swept", event_id=f"look-{team}-{repair}", at=sandbox.clock.now())
    doubt = {"doubts": (Doubt.DRIFT,), "repair": repair}
    queue.put([_state(sandbox, team).work(note).model_copy(update=doubt)])
    sandbox.settle()


@pytest.mark.parametrize("kind", DRIFTS)
def test_drift_is_told_then_restored_when_a_person_asks(sandbox: Sandbox, kind: str) -> None:
    """Told first and left as it is; restored when asked for, to what the definition wants."""
    vertex = sandbox.vertex
    assert vertex is not None
    before = _state(sandbox, kind)
    wanted = next(r for r in vertex.registries() if r.uid == before.uid)
    DRIFTS[kind](vertex, str(before.uid))
    drifted = vertex.registries()
    told = len(sandbox.notices())
    _look(sandbox, kind, repair=False)
    assert vertex.registries() == drifted
    assert [(n.attributes["state"], n.attributes["cause"]) for n in sandbox.notices()[told:]] == [("open", "drifted")]
    _look(sandbox, kind, repair=True)
    after = _state(sandbox, kind)
    restored = next(r for r in vertex.registries() if r.uid == after.uid)
    assert (restored.base_content_path, restored.endpoint) == (wanted.base_content_path, wanted.endpoint)
    assert restored.credential_digest == wanted.credential_digest
    assert (after.uid != before.uid) == (kind == "deleted")
    assert sandbox.notices()[-1].attributes["state"] == "resolved"
    assert len(vertex.registries()) == len(DRIFTS)
