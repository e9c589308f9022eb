"""What converge does off the main road: drift, moving secrets, scopes, syncs that wait, secrets of all kinds."""

from typing import Any

import httpx
import pytest

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.events import Repository
from registry_autopilot.ports import FoundRepository, Mode, Rules
from registry_autopilot.records import Health, Outcome
from tests.support import events
from tests.support.installation import FAMILY, Installation, access_key
from tests.support.world import FakeRepositories

NAME = "team-a/spectro-packs/archive/nginx"
FIXED: dict[str, Any] = FAMILY | {"id": "fixed", "name": "wanted", "base_content_path": "team-a", "match": {}}


def _rotate(site: Installation, word: str) -> list[Outcome]:
    version = site.pipeline.secrets.put("vertex/ecr-pull", access_key(word))
    return site.pipeline.deliver(events.secret_changed("vertex/ecr-pull", version, at=site.now))


def _redefine(site: Installation, document: dict[str, Any]) -> list[Outcome]:
    site.pipeline.definitions.documents = [document]
    parameter = f"/registry-autopilot/registries/{document['id']}"
    return site.pipeline.deliver(events.parameter_changed(parameter, at=site.now))


def _cause(site: Installation) -> str:
    return site.pipeline.sns.states[-1][1]


@pytest.mark.parametrize(("on_drift", "outcome"), [("report", Outcome.REFUSED), ("repair", Outcome.REGISTERED)])
def test_deleted_registry_is_reported_or_made_again(on_drift: str, outcome: Outcome) -> None:
    """A deletion may be an incident response: reported by default."""
    with Installation([FIXED | {"on_drift": on_drift}]) as site:
        site.create(NAME)
        site.vertex.registries.clear()
        assert _rotate(site, "two") == [outcome]
        assert len(site.registries()) == (1 if on_drift == "repair" else 0)
        if on_drift == "report":
            assert _cause(site) == "drifted"


@pytest.mark.parametrize(("on_drift", "outcome"), [("report", Outcome.REFUSED), ("repair", Outcome.REFRESHED)])
def test_repointed_registry_is_reported_or_put_back(on_drift: str, outcome: Outcome) -> None:
    """Somebody changed its base content path in the console."""
    with Installation([FIXED | {"on_drift": on_drift}]) as site:
        site.create(NAME)
        (stored,) = site.vertex.registries.values()
        stored["spec"]["baseContentPath"] = "elsewhere"
        assert _rotate(site, "two") == [outcome]
        assert site.registries()[0]["base_content_path"] == ("team-a" if on_drift == "repair" else "elsewhere")
        site.check_promise_one()


def test_nothing_is_touched_when_two_registries_have_the_identity() -> None:
    """Several of the same identity: reported by name, none touched."""
    with Installation([FIXED]) as site:
        site.seed("one", "team-a")
        site.seed("two", "/team-a/")
        assert site.create(NAME) == [Outcome.REFUSED]
        assert "'one'" in site.pipeline.sns.told[-1][1].what
        assert not site.writes()


def test_default_registry_is_never_written_when_it_has_the_identity() -> None:
    """Only a uid that is listed with isDefault false can be written."""
    with Installation([FIXED]) as site:
        site.vertex.defaults.add(site.seed("Palette Registry FIPS", "team-a"))
        assert site.create(NAME) == [Outcome.REFUSED]
        assert _cause(site) == "protected"
        assert not site.writes()


def test_stray_registry_is_told_once_when_it_is_not_at_system_scope() -> None:
    """A create that did not land at system scope is told, never repeated, never written again."""
    with Installation([FAMILY]) as site:
        site.vertex.scope = "tenant"
        assert site.create(NAME) == [Outcome.REFUSED]
        assert _cause(site) == "wrong-scope"
        site.run(1200)
        site.create(NAME)
        assert site.calls().count("POST create") == 1


@pytest.mark.parametrize("scope", ["system", "cluster", ""])
def test_listed_registry_is_at_system_scope_whatever_it_says_of_itself(scope: str) -> None:
    """The list was asked for at system scope; the word in its items is not reliable."""
    with Installation([FAMILY]) as site:
        site.vertex.scope = scope
        assert site.create(NAME) == [Outcome.REGISTERED]


def test_registry_is_confirmed_later_when_the_read_back_failed() -> None:
    """The POST worked, VerteX went away before the read back: found confirmed later, not made twice."""
    with Installation([FAMILY]) as site:
        site.beyond_the_table = True
        site.vertex.fail_once = ("GET", "/v1/registries/metadata", 3)
        assert site.create(NAME) == [Outcome.REFUSED]
        assert Outcome.UNCHANGED in site.run(3600) or site.pipeline.state(site.registries()[0]["name"]).confirmed
        assert site.calls().count("POST create") == 1
        assert not site.pipeline.ledger.open_incidents()


def test_new_version_is_proven_first_when_a_secret_moves_under_a_write() -> None:
    """The fence: the version written is the one that is AWSCURRENT directly before the write."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        version = site.pipeline.secrets.put("vertex/ecr-pull", access_key("two"))
        site.beyond_the_table = True
        site.vertex.on_validate = lambda: site.pipeline.secrets.put("vertex/ecr-pull", access_key("three"))
        site.forget_calls()
        assert site.pipeline.deliver(events.secret_changed("vertex/ecr-pull", version)) == [Outcome.REFRESHED]
        (stored,) = site.vertex.registries.values()
        assert stored["spec"]["credentials"]["accessKey"] == "KEY-THREE"
        assert site.calls().count("PUT update") == 1
        site.check_promise_one()


def test_nothing_is_put_when_the_label_is_rolled_back_after_a_refusal() -> None:
    """The version applied is current again: proven, not written, and the incident ends."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        _rotate(site, "bad")
        versions = site.pipeline.secrets.versions["vertex/ecr-pull"]
        versions.append(versions[0])
        site.forget_calls()
        changed = events.secret_changed("vertex/ecr-pull", versions[0][0], at=site.now)
        assert site.pipeline.deliver(changed) == [Outcome.UNCHANGED]
        assert not site.writes()
        assert site.pipeline.sns.states[-1][0] == "resolved"


def test_new_registry_is_asked_for_when_synchronize_changes() -> None:
    """VerteX fixed the setting at creation."""
    helm = FIXED | {"provider": "helm"}
    with Installation([helm]) as site:
        site.create("team-a/chart")
        assert _redefine(site, helm | {"synchronize": False}) == [Outcome.REFUSED]
        assert _cause(site) == "sync-setting-fixed"
        assert "needs a new registry" in site.pipeline.sns.told[-1][1].what


def test_nothing_is_done_when_the_definition_is_gone() -> None:
    """A work item whose definition no longer leads to its identity does nothing, and nothing stays due."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        site.push(NAME)
        site.pipeline.definitions.documents = []
        site.forget_calls()
        site.run(3600)
        assert site.calls() == []
        assert all(state.due_at is None for state in site.pipeline.ledger.states.values())


def test_incident_ends_when_no_definition_asks_for_the_registry_any_more() -> None:
    """What nobody wants cannot be a problem."""
    with Installation([FAMILY]) as site:
        site.seed("made in the console", "team-a")
        site.create(NAME)
        site.pipeline.definitions.documents = []
        changed = events.parameter_changed("/registry-autopilot/registries/packs", operation="Delete")
        assert site.pipeline.deliver(changed) == [Outcome.UNCHANGED]
        assert [state for state, _, _ in site.pipeline.sns.states] == ["open", "resolved"]
        assert not site.writes()


def test_seeded_registry_is_called_by_its_definitions_name_before_it_was_found() -> None:
    """A repository alone is no content: nothing is asked of VerteX."""
    seeded = {"id": "seeded", "name": "Pack registry", "base_content_path": "team-a", "manage": "sync-only"}
    with Installation([seeded]) as site:
        assert site.create(NAME) == [Outcome.UNCHANGED]
        assert site.pipeline.state("Pack registry").health is Health.OK
        assert site.calls() == []


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.ACT])
def test_sync_is_held_back_when_the_mode_is_observe(mode: Mode) -> None:
    """A sync is a write, too."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        site.run(60)
        site.pipeline.definitions.current_mode = mode
        site.push(NAME)
        site.forget_calls()
        site.run(600)
        assert site.calls().count("POST sync") == (1 if mode is Mode.ACT else 0)
        if mode is Mode.OBSERVE:
            assert site.calls() == []
            site.pipeline.definitions.current_mode = Mode.ACT
            site.run(1200)
            assert site.calls().count("POST sync") == 1


def test_sync_of_a_seeded_registry_is_held_back_when_the_mode_is_observe() -> None:
    """Not even a look-up is made for a sync that may not start."""
    seeded = {"id": "seeded", "name": "Pack registry", "base_content_path": "team-a", "manage": "sync-only"}
    with Installation([seeded]) as site:
        site.seed("Pack registry", "team-a")
        site.pipeline.definitions.current_mode = Mode.OBSERVE
        site.pipeline.repositories.add(NAME)
        site.push(NAME)
        site.run(3600)
        assert site.calls() == []


def test_missing_seeded_registry_is_told_when_a_push_is_due() -> None:
    """A sync-only definition never creates."""
    seeded = {"id": "seeded", "name": "Pack registry", "base_content_path": "team-a", "manage": "sync-only"}
    with Installation([seeded]) as site:
        site.pipeline.repositories.add(NAME)
        site.push(NAME)
        site.run(600)
        assert _cause(site) == "drifted"
        assert not site.writes()


def test_syncs_wait_for_the_next_minute_when_too_many_start() -> None:
    """At most a set number of sync starts per minute over all registries."""
    with Installation([FAMILY], rules=Rules(sync_starts_per_minute=2)) as site:
        names = [f"team-{c}/spectro-packs/archive/nginx" for c in "abcdef"]
        site.create(*names)
        site.run(120)
        creates = len(site.syncs())
        site.push(*names)
        site.run(1200)
        minutes = [int(at // 60) for at in site.syncs()[creates:]]
        assert len(minutes) == len(names)
        assert max(minutes.count(minute) for minute in minutes) <= 2


def test_nothing_is_synced_when_the_definition_does_not_synchronize() -> None:
    """A helm registry without sync: content needs none."""
    with Installation([FIXED | {"provider": "helm", "synchronize": False}]) as site:
        site.create("team-a/chart")
        assert site.push("team-a/chart") == [Outcome.UNCHANGED]
        site.run(3600)
        assert site.calls().count("POST sync") == 0


def test_owed_sync_waits_when_vertex_is_away() -> None:
    """The sync stays owed, one incident tells, and it starts when VerteX is back."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        site.run(60)
        site.away()
        site.push(NAME)
        site.run(3600)
        assert site.pipeline.sns.states == [("open", "vertex-unavailable", "VerteX")]
        site.back()
        site.run(900)
        assert len(site.syncs()) == 2
        assert site.pipeline.sns.states[-1][0] == "resolved"


def test_definition_is_refused_when_two_are_equally_close() -> None:
    """A tie is definition-invalid, and nothing is written."""
    with Installation([FAMILY, FAMILY | {"id": "rival", "name": "rival-{base}"}]) as site:
        assert site.create(NAME) == [Outcome.REFUSED]
        assert _cause(site) == "definition-invalid"
        assert site.calls() == []


def test_dependants_are_named_when_a_rotation_fails() -> None:
    """RotationFailed is an incident on the secret, resolved by the next success."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        site.pipeline.deliver(events.rotation_failed("vertex/ecr-pull"))
        assert site.pipeline.sns.states == [("open", "rotation-failed", "the secret vertex/ecr-pull")]
        assert "ecr-123456789012-us-east-1-team-a" in site.pipeline.sns.told[-1][1].what
        site.pipeline.deliver(events.rotation_failed("unknown/secret"))
        assert len(site.pipeline.sns.told) == 1
        _rotate(site, "two")
        assert site.pipeline.sns.states[-1] == ("resolved", "rotation-failed", "the secret vertex/ecr-pull")


def test_next_unrecognised_event_is_told_again_when_it_was_quiet_for_an_hour() -> None:
    """The incident ends by itself; while events keep coming it does not."""
    with Installation([FAMILY]) as site:
        site.pipeline.deliver("not json")
        site.run(1800)
        site.pipeline.deliver("not json either")
        site.run(3000)
        assert [state for state, _, _ in site.pipeline.sns.states] == ["open"]
        site.run(1200)
        site.pipeline.deliver("and again")
        assert [state for state, _, _ in site.pipeline.sns.states] == ["open", "resolved", "open"]


def test_waiting_registries_are_tried_at_once_when_the_admin_secret_changes() -> None:
    """The stack's own secrets speak for every registry that waits for VerteX."""
    own = "arn:aws:secretsmanager:us-east-1:123456789012:secret:stack/admin-AbCdEf"
    with Installation([FAMILY], rules=Rules(own_secrets=(own,))) as site:
        site.away()
        site.create(NAME)
        site.back()
        changed = events.secret_changed("stack/admin", "v2", at=site.now)
        assert site.pipeline.deliver(changed) == [Outcome.REGISTERED]


def test_events_own_word_is_taken_when_ecr_may_not_be_asked() -> None:
    """Access denied by ECR: told once; the endpoint of the event still counts."""

    class _Denied(FakeRepositories):
        def find(self, repository: Repository, role: str | None = None) -> FoundRepository | None:
            raise AutopilotError(causes.ACCESS_DENIED, "ECR refused", subject="account:123456789012")

    with Installation([FAMILY]) as site:
        site.pipeline.repositories = _Denied()
        assert site.pipeline.deliver(events.created(NAME)) == [Outcome.REGISTERED]
        assert site.pipeline.sns.states == [("open", "access-denied", "account 123456789012")]
        assert site.pipeline.deliver(events.pushed("team-b/spectro-packs/archive/nginx")) == []
        site.pipeline.repositories = FakeRepositories()
        site.create("team-c/spectro-packs/archive/nginx")
        assert site.pipeline.sns.states[-1] == ("resolved", "access-denied", "account 123456789012")


def test_family_is_registered_when_its_definition_appears_after_the_repositories() -> None:
    """A definition that changed at once asks for what exists; repositories tagged to be ignored do not count."""
    with Installation([]) as site:
        site.pipeline.repositories.add(NAME, "team-b/spectro-packs/archive/nginx", "other/spectro-packs/archive/x")
        site.pipeline.repositories.ignored.add("team-b/spectro-packs/archive/nginx")
        assert _redefine(site, FAMILY) == [Outcome.REGISTERED]
        assert [r["base_content_path"] for r in site.registries()] == ["team-a"]


def test_message_alone_is_left_to_redelivery_when_it_fails() -> None:
    """One bad collaborator call fails one message, not its batch."""
    with Installation([FAMILY]) as site:
        site.pipeline.repositories.add(NAME)
        real, calls = site.pipeline.definitions.load, iter([True, False, False])

        def load() -> Any:
            if next(calls, False):
                raise httpx.ReadTimeout("not an AutopilotError")
            return real()

        site.pipeline.definitions.load = load  # type: ignore[method-assign] # breaks once
        assert site.pipeline.deliver(events.created(NAME)) == [Outcome.REGISTERED]
        assert site.pipeline.metrics.counts["EventsFailed"] == 1


def test_same_refusal_is_not_repeated_at_each_push() -> None:
    """A push storm against a refused registry costs no requests."""
    with Installation([FAMILY]) as site:
        site.seed("made in the console", "team-a")
        site.create(NAME)
        site.forget_calls()
        for _ in range(20):
            site.push(NAME)
        assert site.calls() == []
        assert len(site.pipeline.sns.told) == 1


def test_registry_known_as_another_is_not_read_again() -> None:
    """What a typed GET showed is remembered until VerteX says that it changed."""
    with Installation([FAMILY]) as site:
        site.seed("theirs", "other")
        site.create(NAME)
        assert site.calls().count("GET typed") == 1
        site.create("team-b/spectro-packs/archive/nginx")
        assert site.calls().count("GET typed") <= 2
        assert len(site.registries()) == 3


def test_health_is_refused_when_vertex_denies_its_own_account() -> None:
    """A 403 of VerteX is no fault of the registry's credentials."""
    with Installation([FAMILY]) as site:
        site.vertex.rejects = lambda spec: "ResourceAccessDenied"
        assert site.create(NAME) == [Outcome.REFUSED]
        assert _cause(site) == "access-denied"
        (state,) = site.pipeline.ledger.states.values()
        assert state.health is Health.REFUSED


@pytest.mark.parametrize(
    ("region", "partition"), [("us-gov-west-1", "aws-us-gov"), ("us-iso-east-1", "aws-iso"), ("eu-west-1", "aws")]
)
def test_partition_is_in_every_ecr_body(region: str, partition: str) -> None:
    """The API's default is `aws`: GovCloud and the ISO partitions must be said."""
    with Installation([FAMILY | {"match": {"repositories": ["*"], "regions": [region]}}]) as site:
        site.pipeline.repositories.add(NAME, region=region)
        created = events.created(NAME, region=region)
        assert site.pipeline.deliver(created) == [Outcome.REGISTERED]
        (stored,) = site.vertex.registries.values()
        assert stored["spec"]["credentials"]["partition"] == partition


def test_definition_is_refused_when_vertex_does_not_know_the_partition() -> None:
    """No ECR registries in China: VerteX has no such partition."""
    with Installation([FAMILY | {"match": {"repositories": ["*"], "regions": ["cn-north-1"]}}]) as site:
        site.pipeline.repositories.add(NAME, region="cn-north-1")
        assert site.pipeline.deliver(events.created(NAME, region="cn-north-1")) == [Outcome.REFUSED]
        assert _cause(site) == "definition-invalid"
        assert site.calls() == []
