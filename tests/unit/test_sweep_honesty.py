"""What a sweep says must be true: no event is called missed that came, nothing is over that goes on."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from registry_autopilot.causes import ACCESS_DENIED, AutopilotError
from registry_autopilot.planning import Action
from registry_autopilot.ports import ListedRepository
from registry_autopilot.sweep import Limits
from registry_autopilot.work import Doubt
from tests.support import events
from tests.support.installation import FAMILY, Installation, access_key
from tests.support.world import ACCOUNT, FakeRepositories

NAME = "team-a/spectro-packs/archive/nginx"
SECRET = "vertex/ecr-pull"
HOUR = 3600
MANY = tuple(f"team-{n:02}/spectro-packs/archive/x" for n in range(30))
MALFORMED = {"nonsense": "x"}


class _Denied(FakeRepositories):
    def listed(self, account: str, region: str, role: str | None = None) -> Iterable[ListedRepository]:
        raise AutopilotError(ACCESS_DENIED, "listing was denied", subject=f"account:{account}")


def _settled(definition: dict[str, Any] = FAMILY) -> Installation:
    site = Installation([definition])
    site.create(NAME)
    site.run(HOUR)
    site.sweep()
    return site


def _told(site: Installation, cause: str) -> list[str]:
    return [state for state, told, _ in site.pipeline.sns.states if told == cause]


def test_no_event_is_called_missed_when_the_first_inventory_follows_health_sweeps() -> None:
    """On a new stack the short rhythm comes first; the repositories were there before it."""
    with Installation([FAMILY]) as site:
        site.pipeline.repositories.add(NAME)
        site.run(900)
        site.sweep("health")
        site.run(6 * HOUR, step=HOUR)
        site.sweep()
        assert len(site.registries()) == 1
        assert _told(site, "missed-events") == []


def test_no_event_is_called_missed_when_a_held_sweep_is_let_through() -> None:
    """The sweep that was held had seen them all."""
    with Installation([FAMILY | {"max_registries": 100}]) as site:
        site.pipeline.limits = Limits(writes=5, percent=20)
        site.pipeline.repositories.add(*MANY)
        site.run(HOUR)
        assert site.sweep().held
        site.run(HOUR)
        site.sweep(yes=True)
        assert len(site.registries()) == 30
        assert _told(site, "missed-events") == []


def test_held_sweep_stays_told_when_a_health_sweep_follows() -> None:
    """Who did not look at ECR cannot say that it is over."""
    with Installation([FAMILY | {"max_registries": 100}]) as site:
        site.pipeline.limits = Limits(writes=5, percent=20)
        site.pipeline.repositories.add(*MANY)
        site.sweep()
        site.run(900)
        site.sweep("health")
        assert _told(site, "sweep-held") == ["open"]
        site.sweep(yes=True)
        assert _told(site, "sweep-held") == ["open", "resolved"]


def test_lost_rotation_is_told_once_when_the_health_rhythm_finds_it() -> None:
    """The inventory, hours later, finds it done and ends the incident."""
    site = _settled()
    site.pipeline.secrets.put(SECRET, access_key("two"))
    site.run(1200)
    site.sweep("health")
    assert _told(site, "missed-events") == ["open"]
    site.run(HOUR)
    site.sweep()
    assert _told(site, "missed-events") == ["open", "resolved"]


def test_no_event_is_called_missed_when_the_rotation_that_came_was_malformed() -> None:
    """It was refused before it could be resolved; nothing changed since, so the plan has nothing to do."""
    site = _settled()
    version = site.pipeline.secrets.put(SECRET, MALFORMED)
    site.pipeline.deliver(events.secret_changed(SECRET, version, at=site.now))
    site.run(HOUR)
    report = site.sweep()
    assert not report.plan.pending
    assert report.enqueued == 0
    assert _told(site, "missed-events") == []


def test_mended_secret_is_taken_up_when_its_event_was_lost() -> None:
    """A version newer than the refusal is tried by the next sweep."""
    with Installation([FAMILY]) as site:
        site.pipeline.secrets.put(SECRET, MALFORMED)
        site.create(NAME)
        site.run(HOUR)
        assert not site.sweep().plan.pending
        site.pipeline.clock.now += 60
        site.pipeline.secrets.put(SECRET, access_key("one"))
        site.sweep("health")
        assert len(site.registries()) == 1


def test_unresolvable_registry_is_tried_again_by_the_sweep_when_a_day_has_passed() -> None:
    """A changed definition leaves no time of its change: the sweep must not wait for ever."""
    with Installation([FAMILY]) as site:
        site.pipeline.secrets.put(SECRET, MALFORMED)
        site.create(NAME)
        site.pipeline.clock.now += 25 * HOUR
        report = site.sweep()
        assert [entry.action for entry in report.plan.entries] == [Action.CREATE]
        assert _told(site, "missed-events") == []


def test_every_registry_is_doubted_when_its_synchronization_is_stale_too() -> None:
    """A VerteX that was restored from a backup has old synchronizations, too."""
    site = _settled(FAMILY | {"on_drift": "repair"})
    (stored,) = site.vertex.registries.values()
    site.run(30 * HOUR, step=HOUR)
    stored["spec"]["credentials"]["accessKey"] = "KEY-OF-LAST-WEEK"
    (entry,) = site.sweep(reprove=True).plan.entries
    assert entry.item is not None
    assert set(entry.item.doubts) == {Doubt.DRIFT, Doubt.PROOF, Doubt.SYNC}
    assert "reprove" in entry.why


def test_sweep_runs_again_when_one_has_just_failed() -> None:
    """A failure gives its lease back; only a killed sweep keeps it until it ends."""
    site = _settled()
    site.away()
    with pytest.raises(AutopilotError, match="vertex-unavailable"):
        site.sweep("health")
    site.back()
    site.pipeline.clock.now += 120
    assert not site.sweep("health").busy


def test_daily_synchronization_is_no_drift_when_it_moves_the_time_of_modification() -> None:
    """Else each day would look as if somebody had written every registry."""
    site = _settled(FAMILY | {"on_drift": "repair"})
    (stored,) = site.vertex.registries.values()
    site.run(24 * HOUR, step=HOUR)
    site.vertex.last_run = site.now
    stored["metadata"]["lastModifiedTimestamp"] = datetime.fromtimestamp(site.now, UTC).isoformat()
    report = site.sweep("health", apply=False)
    assert [entry for entry in report.plan.entries if entry.action is not Action.PROVE] == []


def test_denied_listing_is_told_and_ends_when_ecr_answers_again() -> None:
    """The sweep goes on without that account meanwhile."""
    site = _settled()
    kept = site.pipeline.repositories
    site.pipeline.repositories = _Denied()
    site.sweep()
    assert site.pipeline.sns.states[-1] == ("open", "access-denied", f"account {ACCOUNT}")
    site.pipeline.repositories = kept
    site.run(HOUR)
    site.sweep()
    assert _told(site, "access-denied") == ["open", "resolved"]


def test_synchronizations_are_looked_after_when_writes_are_held() -> None:
    """Too many creates are no reason to leave what is there alone."""
    site = _settled()
    site.pipeline.limits = Limits(writes=0, percent=0)
    site.vertex.sync_word = "Failed"
    site.pipeline.repositories.add("team-b/spectro-packs/archive/x")
    report = site.sweep()
    assert (report.held, report.enqueued) == (True, 1)
    assert _told(site, "sync-failed") == ["open"]
    assert len(site.registries()) == 1


def test_second_base_path_of_one_name_is_a_conflict_in_the_plan() -> None:
    """`a/b` and `a-b` render one name: the plan promises one registry, not two."""
    with Installation([FAMILY]) as site:
        site.pipeline.repositories.add("team-a-b/spectro-packs/archive/x", "team-a/b/spectro-packs/archive/x")
        actions = [entry.action for entry in site.sweep(apply=False).plan.entries]
        assert sorted(actions) == [Action.CREATE, Action.REPORT]
