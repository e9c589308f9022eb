"""Promise 2: cut anywhere, delivered again, the end is the same, and nothing of ours is taken for somebody else's."""

import copy
from typing import Any

import pytest

from registry_autopilot.records import RegistryState
from registry_autopilot.work import Doubt, TriggerNote
from tests.support import events
from tests.support.crashes import Knife
from tests.support.installation import FAMILY, Installation, access_key

NAME = "team-a/spectro-packs/archive/nginx"
_VOLATILE = {
    "rev",
    "last_sync_at",
    "due_at",
    "intent",
    "last_modified",
    "busy_until",
    "refused_at",
    "incident_id",
    "attempts",
    "openings",
    "written_at",
    "proved_at",
}


def _settled(site: Installation) -> dict[str, Any]:
    """What must be equal in the end, without counters and times."""
    site.run(3600)
    states = [_stable(state) for state in site.pipeline.ledger.states.values()]
    registries = [{k: v for k, v in r.items() if k != "uid"} for r in site.registries()]
    return {"states": states, "registries": registries, "open": site.pipeline.ledger.open_incidents()}


def _stable(state: RegistryState) -> dict[str, Any]:
    return {k: v for k, v in state.model_dump().items() if k not in _VOLATILE | {"uid"}}


def _register(site: Installation) -> None:
    site.pipeline.repositories.add(NAME)
    site.pipeline.deliver(events.created(NAME), events.pushed(NAME))


def _refresh(site: Installation) -> None:
    version = site.pipeline.secrets.put("vertex/ecr-pull", access_key("two"))
    site.pipeline.deliver(events.secret_changed("vertex/ecr-pull", version))


def _refuse(site: Installation) -> None:
    version = site.pipeline.secrets.put("vertex/ecr-pull", access_key("bad"))
    site.pipeline.deliver(events.secret_changed("vertex/ecr-pull", version))


def _restore(site: Installation) -> None:
    site.vertex.registries.clear()
    _ask_for_repair(site)


def _rewrite(site: Installation) -> None:
    for stored in site.vertex.registries.values():
        stored["spec"]["isPrivate"] = False
    _ask_for_repair(site)


def _ask_for_repair(site: Installation) -> None:
    note = TriggerNote(kind="Swept", event_id="restore", at=site.now)
    doubt = {"doubts": (Doubt.DRIFT,), "repair": True}
    states = site.pipeline.ledger.states.values()
    site.pipeline.queue.put([state.work(note).model_copy(update=doubt) for state in states])
    site.pipeline.drain()


def _sync(site: Installation) -> None:
    site.pipeline.deliver(events.pushed(NAME, at=site.now))
    site.run(400)


_STORIES = {
    "register": ([], _register),
    "refresh": ([_register], _refresh),
    "refuse": ([_register], _refuse),
    "sync": ([_register], _sync),
    "restore": ([_register], _restore),
    "rewrite": ([_register], _rewrite),
}


def _play(story: str, knife: Knife) -> tuple[Installation, dict[str, Any]]:
    before, act = _STORIES[story]
    site = Installation([copy.deepcopy(FAMILY)])
    for step in before:
        step(site)
    site.run(600)
    site.pipeline.knife = knife
    act(site)
    site.pipeline.knife = Knife()
    return site, _settled(site)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("story", list(_STORIES))
def test_end_is_the_same_when_cut_at_any_call(story: str, before: bool) -> None:
    """Each call to each collaborator is cut once, before or after its effect."""
    whole = Knife()
    site, expected = _play(story, whole)
    site.check_promise_one()
    assert whole.calls > 8
    for cut in range(1, whole.calls + 1):
        cut_site, end = _play(story, Knife(cut_at=cut, before=before))
        assert end == expected | {"open": end["open"]}, f"cut {cut} ({whole.names[cut - 1]})"
        assert len(end["open"]) == len(expected["open"])
        assert len(cut_site.registries()) == 1
        assert not cut_site.pipeline.queue.poisoned
        assert not cut_site.pipeline.dead
        cut_site.check_promise_one()
        announced = [(i.id, c.seq) for i, c in cut_site.pipeline.sns.told]
        assert {i for i, _ in announced} == set(cut_site.pipeline.ledger.incidents)


def test_create_is_found_again_when_its_answer_is_lost() -> None:
    """A lost answer: look first, never create twice, and know it as ours."""
    with Installation([FAMILY]) as site:
        site.vertex.lose_answer_of = "POST /v1/registries/oci/ecr"
        site.create(NAME)
        site.run(3600)
        assert len(site.registries()) == 1
        (state,) = site.pipeline.ledger.states.values()
        assert state.ours
        assert state.confirmed
        assert site.calls().count("POST create") == 1
        assert not site.pipeline.ledger.open_incidents()


@pytest.mark.parametrize("times", [2, 5, 10])
def test_end_is_the_same_when_events_are_delivered_many_times(times: int) -> None:
    """Doubled and reordered events end in the same state with the same requests."""
    with Installation([FAMILY]) as site:
        site.pipeline.repositories.add(NAME)
        batch = [events.created(NAME), events.pushed(NAME)]
        for n in range(times):
            site.pipeline.deliver(*(batch if n % 2 else reversed(batch)))
        site.run(3600)
        assert len(site.registries()) == 1
        assert site.calls().count("POST create") == 1
        assert len(site.syncs()) <= 2
