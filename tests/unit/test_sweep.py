"""The sweep in virtual time: what events missed, what people changed, what there was before; shown, then put right."""

from typing import Any

import pytest

from registry_autopilot.planning import Action
from registry_autopilot.ports import Mode, Rules
from registry_autopilot.records import Outcome
from registry_autopilot.sweep import Limits, Order, Report, answer, restore
from tests.support import events
from tests.support.crashes import CrashError, Knife
from tests.support.installation import FAMILY, Installation, access_key

NAME = "team-a/spectro-packs/archive/nginx"
SHOWN = "ecr-123456789012-us-east-1-team-a"
SECRET = "vertex/ecr-pull"
HOUR = 3600
HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
BASIC: dict[str, Any] = {
    "id": "mirror",
    "name": "mirror",
    "type": "basic",
    "provider": "zarf",
    "endpoint": "https://mirror.example.gov",
    "base_content_path": "m",
}


def _lines(report: Report) -> list[tuple[str, str]]:
    return [(entry.action, entry.name) for entry in report.plan.entries if entry.action is not Action.PROVE]


def _why(report: Report) -> str:
    (entry,) = [entry for entry in report.plan.entries if entry.action is not Action.PROVE]
    return entry.why


def _settled(
    *definitions: dict[str, Any], names: tuple[str, ...] = (NAME,), rules: Rules | None = None
) -> Installation:
    """An installation in which all is right, swept before."""
    site = Installation(definitions or (FAMILY,), rules=rules)
    site.create(*names)
    site.run(HOUR)
    site.sweep()
    site.forget_calls()
    return site


def test_two_requests_are_sent_when_nothing_changed() -> None:
    """Whatever the number of registries."""
    names = tuple(f"team-{n:02}/spectro-packs/archive/x" for n in range(15))
    site = _settled(names=names)
    report = site.sweep("health")
    assert _lines(report) == []
    assert report.plan.counts.get("nothing") == 15
    assert site.calls() == ["GET metadata", "GET summary"]


def test_plan_writes_nothing_and_enqueues_nothing() -> None:
    """Neither to VerteX nor to the ledger."""
    with Installation([FAMILY]) as site:
        site.pipeline.repositories.add(NAME)
        report = site.sweep(apply=False)
        assert _lines(report) == [("create", SHOWN)]
        assert report.plan.pending
        assert site.writes() == []
        assert site.pipeline.ledger.states == {}
        assert site.pipeline.ledger.sweep_state().finished == {}


def test_registry_is_made_when_its_event_was_lost_and_the_loss_is_told_once() -> None:
    """Converge does the work; one incident says that events are missing, and why as far as that is known."""
    site = _settled()
    site.pipeline.path_doubts = ["the rule RepositoryCreatedRule is disabled"]
    site.pipeline.repositories.add("team-b/spectro-packs/archive/x")
    site.pipeline.repositories.created["team-b/spectro-packs/archive/x"] = site.now
    assert not [s for s in site.pipeline.sns.states if s[1] == "missed-events"]
    site.run(HOUR)
    report = site.sweep()
    assert _lines(report) == [("create", "ecr-123456789012-us-east-1-team-b")]
    assert len(site.registries()) == 2
    assert site.pipeline.sns.states == [("open", "missed-events", "the events from AWS")]
    assert "RepositoryCreatedRule is disabled" in site.pipeline.sns.told[0][1].what
    site.run(6 * HOUR)
    assert _lines(site.sweep()) == []
    assert [s[0] for s in site.pipeline.sns.states] == ["open", "resolved"]


def test_nothing_is_called_missed_when_it_is_the_first_sweep() -> None:
    """An installation that starts with hundreds of repositories has missed nothing."""
    with Installation([FAMILY]) as site:
        site.pipeline.repositories.add(NAME)
        site.run(HOUR)
        site.sweep()
        assert len(site.registries()) == 1
        assert site.pipeline.sns.told == []


def test_rotation_is_made_up_for_when_its_event_was_lost() -> None:
    """The health rhythm sees it: versions are compared, no value is read."""
    site = _settled()
    site.pipeline.secrets.put(SECRET, access_key("two"))
    site.pipeline.clock.now += 1200
    report = site.sweep("health")
    assert _lines(report) == [("refresh", SHOWN)]
    assert SECRET in _why(report)
    (stored,) = site.vertex.registries.values()
    assert stored["spec"]["credentials"]["accessKey"] == "KEY-TWO"


def test_changed_definition_is_applied_when_its_event_was_lost() -> None:
    """It asks for something else than was applied."""
    site = _settled()
    site.pipeline.definitions.documents = [FAMILY | {"credentials": {"kind": "none"}}]
    assert _lines(site.sweep("health")) == [("update", SHOWN)]
    (stored,) = site.vertex.registries.values()
    assert stored["spec"]["isPrivate"] is False


@pytest.mark.parametrize("rhythm", ["health", "inventory"])
def test_basic_registry_is_made_when_no_event_can_tell_of_it(rhythm: str) -> None:
    """No ECR repository stands for it."""
    with Installation([BASIC], rules=Rules(allowed_hosts=("mirror.example.gov",))) as site:
        assert _lines(site.sweep(rhythm)) == [("create", "mirror")]
        assert [r["name"] for r in site.registries()] == ["mirror"]


def test_existing_registry_is_adopted_or_reported_as_the_definition_says() -> None:
    """Fixed: adopted. A family: one incident that asks, and no second one by the next sweep."""
    with Installation([FAMILY | {"adopt": "refresh"}]) as site:
        site.seed("by hand", "team-a")
        site.pipeline.repositories.add(NAME)
        assert _lines(site.sweep()) == [("adopt", SHOWN)]
        assert len(site.registries()) == 1
    with Installation([FAMILY]) as site:
        site.seed("by hand", "team-a")
        site.pipeline.repositories.add(NAME)
        assert _lines(site.sweep()) == [("report", SHOWN)]
        site.run(HOUR)
        site.forget_calls()
        assert _lines(site.sweep()) == [("report", SHOWN)]
        assert site.calls() == ["GET metadata", "GET summary", "GET typed"]
        assert [s[:2] for s in site.pipeline.sns.states] == [("open", "adoptable")]


def test_foreign_registries_are_looked_into_once() -> None:
    """Five others in the same place: five typed reads by the first sweep, none by the next."""
    with Installation([FAMILY]) as site:
        for number in range(5):
            site.seed(f"theirs-{number}", f"theirs-{number}")
        site.pipeline.repositories.add(NAME)
        site.sweep(apply=False)
        assert site.calls().count("GET typed") == 5
        site.forget_calls()
        site.sweep(apply=False)
        assert site.calls() == ["GET metadata", "GET summary"]


def test_deleted_registry_is_told_once_and_restored_when_a_person_asks() -> None:
    """The default: a deletion may be an incident response."""
    site = _settled()
    site.vertex.registries.clear()
    for _ in range(3):
        assert _lines(site.sweep("health")) == [("report", SHOWN)]
        site.run(HOUR)
    assert site.registries() == []
    assert [s[:2] for s in site.pipeline.sns.states] == [("open", "drifted")]
    assert restore(site.pipeline.tools, SHOWN) is not None
    site.pipeline.drain()
    assert [r["name"] for r in site.registries()] == [SHOWN]
    assert [s[0] for s in site.pipeline.sns.states] == ["open", "resolved"]
    assert restore(site.pipeline.tools, "nobody") is None


def test_deleted_registry_is_made_again_when_the_definition_repairs() -> None:
    """`on_drift: repair`."""
    site = _settled(FAMILY | {"on_drift": "repair"})
    site.vertex.registries.clear()
    assert _lines(site.sweep("health")) == [("create", SHOWN)]
    assert len(site.registries()) == 1


def test_change_by_somebody_is_looked_into_once() -> None:
    """Two lists show that somebody wrote; converge reads what, and tells it; the next sweep leaves it alone."""
    site = _settled()
    (stored,) = site.vertex.registries.values()
    site.pipeline.clock.now += HOUR
    stored["spec"]["isPrivate"] = False
    stored["metadata"]["lastModifiedTimestamp"] = "2030-01-01T00:00:00.000Z"
    assert _lines(site.sweep("health")) == [("report", SHOWN)]
    assert [s[:2] for s in site.pipeline.sns.states] == [("open", "drifted")]
    site.run(HOUR)
    site.forget_calls()
    assert _lines(site.sweep("health")) == [("report", SHOWN)]
    assert site.calls() == ["GET metadata", "GET summary"]


def test_our_own_write_is_no_drift() -> None:
    """VerteX's time of modification moves with our PUT, too."""
    site = _settled()
    version = site.pipeline.secrets.put(SECRET, access_key("two"))
    site.pipeline.deliver(events.secret_changed(SECRET, version, at=site.now))
    site.run(HOUR)
    site.forget_calls()
    assert _lines(site.sweep("health")) == []
    assert site.calls() == ["GET metadata", "GET summary"]


def test_too_many_writes_are_held_until_somebody_says_yes() -> None:
    """A definition that suddenly asks for everything."""
    with Installation([FAMILY | {"max_registries": 100}]) as site:
        site.pipeline.limits = Limits(writes=5, percent=20)
        site.pipeline.repositories.add(*(f"team-{n:02}/spectro-packs/archive/x" for n in range(30)))
        report = site.sweep()
        assert (report.held, report.enqueued, report.plan.writes) == (True, 0, 30)
        assert site.registries() == []
        assert site.pipeline.sns.states == [("open", "sweep-held", "the sweep")]
        assert site.sweep(yes=True).enqueued == 30
        assert len(site.registries()) == 30
        assert site.pipeline.sns.states[-1] == ("resolved", "sweep-held", "the sweep")


def test_family_grows_to_its_limit_and_no_further() -> None:
    """The plan says so before it happens; one incident on the definition afterwards."""
    with Installation([FAMILY | {"max_registries": 2}]) as site:
        site.pipeline.repositories.add(*(f"team-{n}/spectro-packs/archive/x" for n in range(4)))
        assert [action for action, _ in _lines(site.sweep())] == ["create", "create", "report", "report"]
        assert len(site.registries()) == 2
        assert {s[1] for s in site.pipeline.sns.states} == {"too-many-registries"}


def test_ignored_repositories_are_asked_about_until_one_is_not() -> None:
    """Tags are read only where no registry is there yet."""
    with Installation([FAMILY]) as site:
        repositories = site.pipeline.repositories
        repositories.add(*(f"team-a/spectro-packs/archive/{n}" for n in range(9)))
        repositories.ignored = {f"team-a/spectro-packs/archive/{n}" for n in range(3)}
        repositories.asked_as.clear()
        site.sweep(apply=False)
        assert len(repositories.asked_as) == 1 + 4  # one listing, three that are ignored, one that is not


def test_nothing_is_tried_again_when_a_refused_registry_is_swept() -> None:
    """It has its own next try; a sweep every quarter of an hour must not multiply it."""
    with Installation([FAMILY]) as site:
        site.vertex.rejects = lambda spec: "InvalidRegistryCredentials"
        site.create(NAME)
        site.forget_calls()
        report = site.sweep("health")
        assert _lines(report) == [("report", SHOWN)]
        assert "tried again by its own rule" in _why(report)
        assert site.calls() == ["GET metadata", "GET summary"]


def test_held_back_registries_are_shown_and_not_proven_again_in_observe() -> None:
    """First run over an existing installation: observe, look, act, apply."""
    with Installation([FAMILY]) as site:
        site.pipeline.definitions.current_mode = Mode.OBSERVE
        site.pipeline.repositories.add(NAME)
        assert _lines(site.sweep()) == [("create", SHOWN)]
        assert site.writes() == []
        site.forget_calls()
        assert _lines(site.sweep()) == [("report", SHOWN)]
        assert "POST validate" not in site.calls()
        site.pipeline.definitions.current_mode = Mode.ACT
        mode = "/registry-autopilot/control/mode"
        assert site.pipeline.deliver(events.parameter_changed(mode, at=site.now)) == [Outcome.REGISTERED]


def test_every_registry_is_proven_once_a_day_and_spread_over_it() -> None:
    """Forty-eight registries, a sweep each quarter of an hour: one or two proofs at a time, each registry once."""
    names = tuple(f"team-{n:02}/spectro-packs/archive/x" for n in range(48))
    site = _settled(FAMILY | {"max_registries": 100}, names=names)
    site.run(25 * HOUR, step=HOUR)
    site.forget_calls()
    per_sweep = []
    for _ in range(48):
        site.vertex.last_run = site.now  # VerteX synchronizes each day by itself
        before = site.calls().count("POST validate")
        site.sweep("health")
        per_sweep.append(site.calls().count("POST validate") - before)
        site.pipeline.clock.now += 900
    assert sum(per_sweep) == 48
    assert max(per_sweep) == 1
    assert site.writes() == []


def test_everything_is_doubted_when_vertex_was_restored_from_a_backup() -> None:
    """Older credentials, and one registry that is gone: nothing the ledger believes counts."""
    site = _settled(FAMILY | {"on_drift": "repair"}, names=(NAME, "team-b/spectro-packs/archive/x"))
    first, second = site.vertex.registries
    site.vertex.registries[first]["spec"]["credentials"]["accessKey"] = "KEY-OF-LAST-WEEK"
    del site.vertex.registries[second]
    site.sweep(reprove=True)
    assert {r["spec"]["credentials"]["accessKey"] for r in site.vertex.registries.values()} == {"KEY-ONE"}
    assert len(site.registries()) == 2


def test_orphans_are_shown_and_left_alone() -> None:
    """Nothing is ever deleted."""
    site = _settled()
    site.pipeline.definitions.documents = []
    assert "no definition asks for it" in _why(site.sweep("health"))
    assert len(site.registries()) == 1
    site = _settled()
    site.pipeline.repositories.names.clear()
    assert "no repository lies in it" in _why(site.sweep())


def test_default_and_protected_registries_are_shown() -> None:
    """They are never written."""
    with Installation([FAMILY], rules=Rules(protected=("Pack Registry",))) as site:
        site.vertex.defaults.add(site.seed("Public", "public"))
        site.seed("Pack registry", "spectro-packs")
        assert _lines(site.sweep(apply=False)) == [("report", "Public"), ("report", "Pack registry")]


def test_failed_sync_is_found_in_the_summary() -> None:
    """Two lists show it for all registries; converge confirms, tells and tries again."""
    site = _settled()
    site.vertex.sync_word = "Failed"
    assert _lines(site.sweep("health")) == [("sync", SHOWN)]
    assert [s[:2] for s in site.pipeline.sns.states] == [("open", "sync-failed")]
    assert _lines(site.sweep("health")) == [("report", SHOWN)]


def test_one_sweep_runs_at_a_time() -> None:
    """The second one says that it is busy, and looks at nothing."""
    site = _settled()
    ledger = site.pipeline.ledger
    ledger.swept = ledger.swept.model_copy(update={"lease_until": site.now + 60})
    assert site.sweep("health").busy
    assert site.calls() == []


def test_vertex_away_is_one_incident_when_the_sweep_finds_it() -> None:
    """As when converge finds it."""
    site = _settled()
    site.away()
    with pytest.raises(Exception, match="vertex-unavailable"):
        site.sweep("health")
    site.pipeline.drain()
    assert [s[:2] for s in site.pipeline.sns.states] == [("open", "vertex-unavailable")]


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_next_sweep_finishes_the_work_when_one_is_killed_anywhere(before: bool) -> None:
    """Each call of the sweep is cut once; nothing is doubled, nothing is left."""
    for cut in range(1, 40):
        with Installation([FAMILY]) as site:
            site.beyond_the_table = True
            site.pipeline.repositories.add(NAME, "team-b/spectro-packs/archive/x")
            site.pipeline.knife = Knife(cut_at=cut, before=before)
            try:
                site.sweep()
            except CrashError:
                site.pipeline.drain()
            site.pipeline.knife = Knife()
            site.run(HOUR)
            site.sweep()
            site.run(HOUR)
            assert len(site.registries()) == 2
            assert site.calls().count("POST create") == 2


def test_function_answers_that_vertex_was_away_instead_of_failing() -> None:
    """It has its incident; an alarm on the function's errors would tell the same again, each quarter of an hour."""
    site = _settled()
    site.away()
    told = answer(site.pipeline.tools, Order(apply=True, rhythm="health"))
    assert told["failed"] == "vertex-unavailable"
    assert told["detail"]
    site.back()
    assert answer(site.pipeline.tools, Order(apply=False))["counts"] == {"nothing": 1}
