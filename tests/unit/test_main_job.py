"""The main job in virtual time: events in, registries right, requests counted, promises kept."""

from collections.abc import Iterator

import pytest

from registry_autopilot.ports import Mode, Rules
from registry_autopilot.records import Health, Outcome
from tests.support import events
from tests.support.installation import FAMILY, Installation, access_key


@pytest.fixture
def site() -> Iterator[Installation]:
    """An installation with one pack family and a good key."""
    with Installation([FAMILY]) as installation:
        yield installation


def test_registry_is_registered_with_four_requests_when_a_repository_appears(site: Installation) -> None:
    """The request table's row `registered`: summary, validate, POST, metadata."""
    outcomes = site.create("team-a/spectro-packs/archive/nginx")
    assert outcomes == [Outcome.REGISTERED]
    assert site.calls() == ["GET summary", "POST validate", "POST create", "GET metadata"]
    (registry,) = site.registries()
    assert registry["name"] == "ecr-123456789012-us-east-1-team-a"
    assert registry["base_content_path"] == "team-a"
    assert site.pipeline.state(registry["name"]).health is Health.OK
    site.check_promise_one()


def test_nothing_is_requested_when_nothing_changed(site: Installation) -> None:
    """The request table's row `nothing changed`: 0."""
    site.create("team-a/spectro-packs/archive/nginx")
    site.forget_calls()
    assert site.create("team-a/spectro-packs/archive/redis") == [Outcome.UNCHANGED]
    assert site.calls() == []


def test_registry_is_refreshed_with_three_requests_when_its_secret_changed(site: Installation) -> None:
    """The request table's row `refreshed`: GET, validate, PUT."""
    site.create("team-a/spectro-packs/archive/nginx")
    site.forget_calls()
    version = site.pipeline.secrets.put("vertex/ecr-pull", access_key("two"))
    assert site.pipeline.deliver(events.secret_changed("vertex/ecr-pull", version)) == [Outcome.REFRESHED]
    assert site.calls() == ["GET typed", "POST validate", "PUT update"]
    site.check_promise_one()


def test_push_is_synced_once_with_two_requests_when_pushes_are_quiet(site: Installation) -> None:
    """The request table's row `content pushed`: status, sync."""
    site.create("team-a/spectro-packs/archive/nginx")
    site.run(600)
    site.forget_calls()
    assert site.push("team-a/spectro-packs/archive/nginx") == [Outcome.DEFERRED]
    assert site.calls() == []
    assert Outcome.SYNCED in site.run(420)
    assert site.calls() == ["GET status", "POST sync"]


def test_registry_is_adopted_within_six_requests_when_the_definition_is_fixed() -> None:
    """The request table's row `adopted`, and its masked object in history."""
    fixed = FAMILY | {"id": "fixed", "name": "wanted", "base_content_path": "team-a", "match": {}}
    with Installation([fixed]) as site:
        uid = site.seed("made in the console", "team-a")
        assert site.create("team-a/spectro-packs/archive/nginx") == [Outcome.ADOPTED]
        assert len(site.calls()) <= 6
        assert [r["name"] for r in site.registries()] == ["made in the console"]
        assert site.pipeline.state("made in the console").uid == uid
        assert any(entry.before for entry in site.pipeline.ledger.history)
        site.check_promise_one()


def test_registry_of_somebody_else_is_only_reported_when_the_definition_is_a_family(site: Installation) -> None:
    """`adopt` is `report` for a family: nothing is written, one incident tells."""
    site.seed("made in the console", "team-a")
    assert site.create("team-a/spectro-packs/archive/nginx") == [Outcome.REFUSED]
    assert not site.writes()
    assert site.pipeline.sns.states == [("open", "adoptable", "ecr-123456789012-us-east-1-team-a")]


def test_five_hundred_repositories_make_one_registry_when_they_share_a_base_path(site: Installation) -> None:
    """Promise 4: one registry, at most 8 registry requests, at most 2 syncs."""
    names = [f"team-a/spectro-packs/archive/pack-{n:03d}" for n in range(500)]
    site.pipeline.repositories.add(*names)
    site.pipeline.deliver(*(events.created(name, at=site.now) for name in names))
    site.run(1800)
    assert len(site.registries()) == 1
    assert len(site.calls()) <= 8
    assert len(site.syncs()) <= 2


@pytest.mark.parametrize("seeded", [False, True])
def test_air_gap_upload_needs_at_most_four_syncs_when_it_lasts_an_hour(seeded: bool) -> None:
    """400 repositories and 700 pushes over an hour; the last sync begins after the last push, nothing stays owed."""
    definition = FAMILY
    if seeded:
        definition = {"id": "seeded", "name": "Pack registry", "base_content_path": "team-a", "manage": "sync-only"}
    with Installation([definition]) as site:
        if seeded:
            site.seed("Pack registry", "team-a")
        site.forget_calls()
        for n in range(1200):
            site.run(3, step=3) if n % 20 else site.run(3)
            name = f"team-a/spectro-packs/archive/pack-{n % 400:03d}"
            if n % 3 == 0:
                site.create(name)
            if n % 12 < 7:
                site.pipeline.repositories.add(name)
                site.push(name)
        last_push = site.now
        site.run(2400)
        assert 1 <= len(site.syncs()) <= 4
        assert site.syncs()[-1] > last_push - 1
        assert all(state.owed_last is None for state in site.pipeline.ledger.states.values())
        assert len([c for c in site.calls() if c in {"POST create", "PUT update"}]) == (0 if seeded else 1)


def test_nothing_is_written_when_the_mode_is_observe(site: Installation) -> None:
    """Promise 10; what is held back is done when the mode becomes act."""
    site.pipeline.definitions.current_mode = Mode.OBSERVE
    assert site.create("team-a/spectro-packs/archive/nginx") == [Outcome.OBSERVED]
    site.run(3600)
    assert not site.writes()
    assert "POST validate" in site.calls()
    assert site.pipeline.sns.states == [("open", "held-back", "the mode parameter")]
    site.pipeline.definitions.current_mode = Mode.ACT
    changed = events.parameter_changed("/registry-autopilot/control/mode", at=site.now)
    assert site.pipeline.deliver(changed) == [Outcome.REGISTERED]
    assert site.pipeline.sns.states[-1][0] == "resolved"


def test_nothing_is_requested_again_when_observe_goes_on(site: Installation) -> None:
    """A held-back registry is looked at again without a request, as long as nothing changed."""
    site.pipeline.definitions.current_mode = Mode.OBSERVE
    site.create("team-a/spectro-packs/archive/nginx")
    site.forget_calls()
    site.run(3 * 3600)
    assert site.calls() == []


@pytest.mark.parametrize("gone", [True, False])
def test_nothing_happens_when_the_repository_is_gone_or_tagged(site: Installation, gone: bool) -> None:
    """A repository that is gone, or tagged to be ignored, leads to no write."""
    name = "team-a/spectro-packs/archive/nginx"
    if not gone:
        site.pipeline.repositories.add(name)
        site.pipeline.repositories.ignored.add(name)
    assert site.pipeline.deliver(events.created(name)) == []
    assert site.calls() == []


def test_bad_credential_changes_nothing_when_vertex_refuses_it(site: Installation) -> None:
    """Refused: nothing overwritten, one notice per channel that says what was kept, repaired by the next version."""
    site.create("team-a/spectro-packs/archive/nginx")
    good = site.registries()[0]["credential_digest"]
    version = site.pipeline.secrets.put("vertex/ecr-pull", access_key("bad"))
    assert site.pipeline.deliver(events.secret_changed("vertex/ecr-pull", version)) == [Outcome.REFUSED]
    assert site.registries()[0]["credential_digest"] == good
    (told,) = site.pipeline.sns.told
    assert told[1].cause == "credentials-rejected"
    assert "stays in use" in told[1].kept
    assert site.pipeline.slack.states == site.pipeline.sns.states
    version = site.pipeline.secrets.put("vertex/ecr-pull", access_key("three"))
    assert site.pipeline.deliver(events.secret_changed("vertex/ecr-pull", version)) == [Outcome.REFRESHED]
    assert [s[0] for s in site.pipeline.sns.states] == ["open", "resolved"]
    site.check_promise_one()


def test_fresh_key_gets_time_when_aws_does_not_know_it_yet(site: Installation) -> None:
    """A fresh IAM key needs seconds to two minutes: a due time comes before a refusal."""
    site.pipeline.prover.unknown.add(access_key("one")["access_key_id"])
    assert site.create("team-a/spectro-packs/archive/nginx") == [Outcome.DEFERRED]
    assert site.calls() == []
    assert not site.pipeline.sns.told
    site.pipeline.prover.unknown.clear()
    assert Outcome.REGISTERED in site.run(120)


def test_key_is_refused_when_aws_never_knows_it(site: Installation) -> None:
    """After the wait the refusal is told once, and VerteX was never asked."""
    site.pipeline.prover.unknown.add(access_key("one")["access_key_id"])
    site.create("team-a/spectro-packs/archive/nginx")
    site.run(4 * 3600)
    assert site.pipeline.sns.states == [("open", "credentials-rejected", "the secret vertex/ecr-pull")]
    assert "ecr-123456789012-us-east-1-team-a" in site.pipeline.sns.told[0][1].what
    assert site.calls() == []
    assert not site.pipeline.queue.poisoned


def test_one_incident_is_told_when_vertex_is_away_for_hours(site: Installation) -> None:
    """Promise 7: no event lost, one incident opened and resolved, everything converges."""
    site.away()
    names = [f"team-{c}/spectro-packs/archive/nginx" for c in "abcdefgh"]
    site.pipeline.repositories.add(*names)
    site.pipeline.deliver(*(events.created(name, at=site.now) for name in names))
    site.run(3 * 3600)
    assert [s[0] for s in site.pipeline.sns.states] == ["open"]
    assert site.pipeline.sns.states[0][1:] == ("vertex-unavailable", "VerteX")
    site.back()
    site.run(900)
    assert len(site.registries()) == 8
    assert [s[0] for s in site.pipeline.sns.states] == ["open", "resolved"]
    assert not site.pipeline.dead
    assert not site.pipeline.queue.poisoned


def test_one_registry_is_made_when_hosts_differ_in_form(site: Installation) -> None:
    """Plain and FIPS hosts are one identity."""
    site.pipeline.repositories.add("team-a/spectro-packs/archive/one", "team-a/spectro-packs/archive/two")
    site.pipeline.deliver(
        events.created("team-a/spectro-packs/archive/one"),
        events.created("team-a/spectro-packs/archive/two", fips=True),
    )
    assert len(site.registries()) == 1


def test_family_stops_when_it_reaches_max_registries() -> None:
    """Beyond max_registries nothing is written and one incident says so."""
    with Installation([FAMILY | {"max_registries": 2}]) as site:
        for letter in "abcd":
            site.create(f"team-{letter}/spectro-packs/archive/nginx")
        assert len(site.registries()) == 2
        assert site.pipeline.sns.states == [("open", "too-many-registries", "definition packs")]


def test_name_conflict_is_told_when_two_base_paths_render_one_name() -> None:
    """`a/b` and `a-b` both render `a-b`."""
    with Installation([FAMILY]) as site:
        site.create("team-a/b/spectro-packs/archive/nginx")
        assert site.create("team-a-b/spectro-packs/archive/nginx") == [Outcome.REFUSED]
        assert len(site.registries()) == 1
        assert site.pipeline.sns.states[-1][:2] == ("open", "name-conflict")


def test_registry_is_moved_when_a_fixed_definitions_base_path_changes() -> None:
    """Endpoint or base path of a registry of ours: updated in place."""
    fixed = FAMILY | {"id": "fixed", "name": "wanted", "base_content_path": "team-a", "match": {}}
    with Installation([fixed]) as site:
        site.create("team-a/spectro-packs/archive/nginx")
        (before,) = site.registries()
        site.pipeline.repositories.add("team-b/spectro-packs/archive/nginx")
        site.pipeline.definitions.documents = [fixed | {"base_content_path": "team-b"}]
        changed = events.parameter_changed("/registry-autopilot/registries/fixed", at=site.now)
        assert Outcome.REFRESHED in site.pipeline.deliver(changed)
        (after,) = site.registries()
        assert (after["uid"], after["base_content_path"]) == (before["uid"], "team-b")
        site.check_promise_one()


def test_new_registry_is_asked_for_when_a_fixed_definitions_provider_changes() -> None:
    """Type or provider: refused, with the words `needs a new registry`."""
    fixed = FAMILY | {"id": "fixed", "name": "wanted", "base_content_path": "team-a", "match": {}}
    with Installation([fixed]) as site:
        site.create("team-a/spectro-packs/archive/nginx")
        site.pipeline.definitions.documents = [fixed | {"provider": "helm"}]
        changed = events.parameter_changed("/registry-autopilot/registries/fixed", at=site.now)
        assert Outcome.REFUSED in site.pipeline.deliver(changed)
        assert "needs a new registry" in site.pipeline.sns.told[-1][1].what


def test_protected_registry_is_never_put_when_a_definition_leads_to_it() -> None:
    """ProtectedRegistries are only ever synced."""
    fixed = FAMILY | {"id": "fixed", "name": "wanted", "base_content_path": "team-a", "match": {}}
    with Installation([fixed], rules=Rules(protected=("Pack registry",))) as site:
        site.seed("Pack registry", "team-a")
        assert site.create("team-a/spectro-packs/archive/nginx") == [Outcome.REFUSED]
        assert not site.writes()
        assert site.pipeline.sns.states == [("open", "protected", "wanted")]


def test_sync_waits_when_one_is_running_in_vertex(site: Installation) -> None:
    """One running and one owed per registry."""
    site.create("team-a/spectro-packs/archive/nginx")
    site.sync_lasts(3600)
    site.run(600)
    site.push("team-a/spectro-packs/archive/nginx")
    site.run(600)
    site.push("team-a/spectro-packs/archive/nginx")
    site.run(400)
    assert len(site.syncs()) <= 2
    site.run(2 * 3600)
    assert all(state.owed_last is None for state in site.pipeline.ledger.states.values())


def test_event_is_quarantined_once_when_it_cannot_be_understood(site: Installation) -> None:
    """It is kept, told once, and nothing is written."""
    broken = events.created("team-a/spectro-packs/archive/nginx")
    broken["detail"]["requestParameters"] = {}
    broken["detail"]["responseElements"] = {"repository": {}}
    site.pipeline.deliver(broken, broken, "not json at all")
    assert len(site.pipeline.ledger.quarantined) == 3
    assert site.pipeline.sns.states == [("open", "unrecognised-event", "an event from AWS")]
    assert site.calls() == []


def test_other_definitions_go_on_when_one_is_broken(site: Installation) -> None:
    """A broken definition is an incident of its own, resolved when it can be read again."""
    site.pipeline.definitions.documents.append({"id": "broken", "name": "x", "provider": "tar"})
    assert site.create("team-a/spectro-packs/archive/nginx") == [Outcome.REGISTERED]
    assert site.pipeline.sns.states == [("open", "definition-invalid", "definition broken")]
    site.pipeline.definitions.documents.pop()
    site.create("team-a/spectro-packs/archive/redis")
    assert site.pipeline.sns.states[-1][0] == "resolved"


def test_basic_registry_is_registered_when_its_definition_appears() -> None:
    """A basic registry has no ECR event: its definition's own change brings it."""
    document = {
        "id": "harbor",
        "name": "harbor",
        "type": "basic",
        "provider": "helm",
        "endpoint": "https://harbor.example.gov",
        "base_content_path": "platform",
        "credentials": {"kind": "username-password", "secret": "vertex/harbor"},
    }
    with Installation([document]) as site:
        site.pipeline.secrets.put(
            "vertex/harbor", {"username": "robot", "password": "p-" + "x" * 8, "host": "harbor.example.gov"}
        )
        changed = events.parameter_changed("/registry-autopilot/registries/harbor", operation="Create")
        assert site.pipeline.deliver(changed) == [Outcome.REGISTERED]
        assert site.registries()[0]["endpoint"] == "https://harbor.example.gov"
