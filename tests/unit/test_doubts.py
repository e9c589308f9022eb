"""What a sweep doubts: drift, proof and synchronization; told or repaired, and nothing deleted or doubled."""

from collections.abc import Callable
from typing import Any

import pytest

from registry_autopilot.records import Outcome
from registry_autopilot.work import Doubt, TriggerNote
from tests.support import events
from tests.support.installation import FAMILY, Installation, access_key

NAME = "team-a/spectro-packs/archive/nginx"
SECRET = "vertex/ecr-pull"
SHOWN = "ecr-123456789012-us-east-1-team-a"
REPAIR = FAMILY | {"on_drift": "repair"}
HOUR = 3600


def _site(definition: dict[str, Any]) -> Installation:
    site = Installation([definition])
    site.create(NAME)
    site.run(HOUR)
    site.forget_calls()
    return site


def _doubt(site: Installation, *doubts: Doubt, repair: bool = False) -> list[Outcome]:
    """What the sweep puts on the work queue for every registry that the ledger knows."""
    note = TriggerNote(kind="Swept", event_id=f"sweep-{site.now}", at=site.now)
    items = [
        s.work(note).model_copy(update={"doubts": doubts, "repair": repair})
        for s in site.pipeline.ledger.states.values()
    ]
    begun = len(site.pipeline.outcomes)
    site.pipeline.queue.put(items)
    site.pipeline.drain()
    return site.pipeline.outcomes[begun:]


def _stored(site: Installation) -> dict[str, Any]:
    (stored,) = site.vertex.registries.values()
    return stored


def _delete(site: Installation) -> None:
    site.vertex.registries.clear()


def _repoint(site: Installation) -> None:
    _stored(site)["spec"]["baseContentPath"] = "elsewhere"


def _retype(site: Installation) -> None:
    _stored(site)["spec"]["providerType"] = "helm"


def _open_up(site: Installation) -> None:
    _stored(site)["spec"]["isPrivate"] = False


def _distrust(site: Installation) -> None:
    _stored(site)["spec"]["tls"]["insecureSkipVerify"] = True


def _other_key(site: Installation) -> None:
    _stored(site)["spec"]["credentials"]["accessKey"] = "KEY-OF-SOMEBODY"


def _other_secret_unseen(site: Installation) -> None:
    _stored(site)["spec"]["credentials"]["secretKey"] = "replaced"
    _stored(site)["metadata"]["lastModifiedTimestamp"] = "2026-12-01T00:00:00.000Z"


DRIFTS: list[Callable[[Installation], None]] = [
    _delete,
    _repoint,
    _retype,
    _open_up,
    _distrust,
    _other_key,
    _other_secret_unseen,
]


@pytest.mark.parametrize("drift", DRIFTS)
def test_drift_is_told_once_and_left_when_the_definition_says_report(drift: Callable[[Installation], None]) -> None:
    """The default: it may be an incident response. Nothing is written, however often the sweep sees it."""
    site = _site(FAMILY)
    drift(site)
    for _ in range(3):
        assert _doubt(site, Doubt.DRIFT) == [Outcome.REFUSED]
        site.run(HOUR)
    assert site.writes() == []
    assert site.pipeline.sns.states == [("open", "drifted", SHOWN)]


@pytest.mark.parametrize("drift", DRIFTS)
@pytest.mark.parametrize("by", ["definition", "person"])
def test_drift_is_put_right_when_that_is_wanted(drift: Callable[[Installation], None], by: str) -> None:
    """`on_drift: repair`, or somebody who restores this one: validated first, one registry, no incident left."""
    site = _site(REPAIR if by == "definition" else FAMILY)
    drift(site)
    outcomes = _doubt(site, Doubt.DRIFT, repair=by == "person")
    assert outcomes == [Outcome.REGISTERED if drift is _delete else Outcome.REFRESHED]
    spec = _stored(site)["spec"]
    assert (spec["baseContentPath"], spec["providerType"], spec["isPrivate"]) == ("team-a", "pack", True)
    assert spec["credentials"]["accessKey"] == "KEY-ONE"
    assert spec["credentials"]["secretKey"] == access_key("one")["secret_access_key"]
    assert spec["tls"]["insecureSkipVerify"] is False
    assert not site.pipeline.ledger.open_incidents()
    site.run(HOUR)
    assert _doubt(site, Doubt.DRIFT) == [Outcome.UNCHANGED]
    site.check_promise_one()


def test_incident_ends_when_the_drift_was_taken_back_by_hand() -> None:
    """Somebody corrects it in the console; the next look sees it."""
    site = _site(FAMILY)
    _open_up(site)
    _doubt(site, Doubt.DRIFT)
    _stored(site)["spec"]["isPrivate"] = True
    site.run(HOUR)
    assert _doubt(site, Doubt.DRIFT) == [Outcome.UNCHANGED]
    assert [s[0] for s in site.pipeline.sns.states] == ["open", "resolved"]


def test_name_given_in_the_console_is_told_and_taken_over_by_restore() -> None:
    """A PUT cannot rename; the identity is the same."""
    site = _site(FAMILY)
    _stored(site)["metadata"]["name"] = "given by hand"
    assert _doubt(site, Doubt.DRIFT) == [Outcome.REFUSED]
    assert "renamed" in site.pipeline.sns.told[-1][1].what
    assert _doubt(site, Doubt.DRIFT, repair=True) == [Outcome.REFRESHED]
    assert site.pipeline.state("given by hand").uid == "uid-1"


def test_registry_made_by_hand_in_place_of_ours_is_not_doubled() -> None:
    """Deleted and made again in the console: adopted where the definition adopts, told where it does not."""
    site = _site(FAMILY)
    site.vertex.registries.clear()
    site.vertex.seed("by hand", "team-a")
    assert _doubt(site, Doubt.DRIFT, repair=True) == [Outcome.REFUSED]
    assert site.pipeline.sns.states[-1][1] == "adoptable"
    site = _site(FAMILY | {"adopt": "refresh"})
    site.vertex.registries.clear()
    site.vertex.seed("by hand", "team-a")
    assert _doubt(site, Doubt.DRIFT) == [Outcome.ADOPTED]
    assert len(site.vertex.registries) == 1


def test_secret_is_refreshed_without_a_word_of_drift_when_the_definition_changed_too() -> None:
    """What we ourselves have not written yet is no drift."""
    site = _site(FAMILY)
    site.pipeline.definitions.documents = [FAMILY | {"credentials": {"kind": "none"}}]
    changed = events.parameter_changed("/registry-autopilot/registries/packs", at=site.now)
    assert site.pipeline.deliver(changed) == [Outcome.REFRESHED]
    assert site.pipeline.sns.told == []


def test_proof_is_one_read_and_one_validate_when_all_is_well() -> None:
    """Once a day; nothing is written."""
    site = _site(FAMILY)
    assert _doubt(site, Doubt.PROOF) == [Outcome.UNCHANGED]
    assert site.calls() == ["GET typed", "POST validate"]
    assert site.pipeline.state(SHOWN).proved_at == site.now


def test_credential_that_vertex_now_refuses_is_told_by_the_proof() -> None:
    """Nobody changed anything, and still it no longer works."""
    site = _site(FAMILY)
    site.vertex.rejects = lambda spec: "InvalidRegistryCredentials"
    assert _doubt(site, Doubt.PROOF) == [Outcome.REFUSED]
    assert site.pipeline.sns.states == [("open", "credentials-rejected", SHOWN)]
    site.vertex.rejects = lambda spec: None
    site.run(3 * HOUR)
    assert site.pipeline.sns.states[-1][0] == "resolved"
    assert site.writes() == []


def test_registry_is_left_to_its_own_retries_when_it_is_doubted_again_at_once() -> None:
    """A sweep every few minutes must not try what was refused a moment ago."""
    site = _site(FAMILY)
    site.vertex.rejects = lambda spec: "InvalidRegistryCredentials"
    _doubt(site, Doubt.PROOF)
    site.forget_calls()
    site.pipeline.clock.now += 60
    assert _doubt(site, Doubt.PROOF) == [Outcome.DEFERRED]
    assert site.calls() == []


def test_failed_sync_is_told_tried_again_and_over_when_one_succeeds() -> None:
    """One status and one sync per try; the incident ends with the first that succeeds."""
    site = _site(FAMILY)
    site.vertex.sync_word = "Failed"
    assert _doubt(site, Doubt.SYNC) == [Outcome.REFUSED]
    assert site.calls() == ["GET status", "POST sync"]
    assert site.pipeline.sns.states == [("open", "sync-failed", SHOWN)]
    site.run(HOUR)
    assert site.pipeline.sns.states == [("open", "sync-failed", SHOWN)]
    site.vertex.sync_word = "Completed"
    site.run(2 * HOUR)
    assert [s[0] for s in site.pipeline.sns.states] == ["open", "resolved"]
    assert "PUT update" not in site.calls()


def test_incident_of_a_failed_sync_stays_when_the_registry_is_refreshed() -> None:
    """A new credential does not make content visible that was not synced."""
    site = _site(FAMILY)
    site.vertex.sync_word = "Failed"
    _doubt(site, Doubt.SYNC)
    version = site.pipeline.secrets.put(SECRET, access_key("two"))
    assert site.pipeline.deliver(events.secret_changed(SECRET, version, at=site.now)) == [Outcome.REFRESHED]
    assert [s[0] for s in site.pipeline.sns.states] == ["open"]
    site.vertex.sync_word = "Completed"
    site.run(2 * HOUR)
    assert [s[0] for s in site.pipeline.sns.states] == ["open", "resolved"]


def test_sync_that_never_ends_is_told() -> None:
    """Running for three hours."""
    site = _site(FAMILY)
    site.vertex.sync_word = "InProgress"
    site.vertex.last_run = site.now - 3 * HOUR
    assert _doubt(site, Doubt.SYNC) == [Outcome.REFUSED]
    assert "3 hours" in site.pipeline.sns.told[-1][1].what
    assert "POST sync" not in site.calls()


def test_stale_sync_is_made_up_for() -> None:
    """The last one is two days old: one is started, nobody is told."""
    site = _site(FAMILY)
    site.vertex.last_run = site.now - 48 * HOUR
    assert _doubt(site, Doubt.SYNC) == [Outcome.SYNCED]
    assert site.calls() == ["GET status", "POST sync"]
    assert site.pipeline.sns.told == []


def test_sync_only_registry_is_looked_after_when_its_sync_failed() -> None:
    """It is never written, but its synchronization is ours to watch."""
    definition = FAMILY | {"id": "seeded", "name": "Pack registry", "base_content_path": "seeded", "match": {}}
    site = Installation([definition | {"manage": "sync-only"}])
    site.seed("Pack registry", "seeded")
    site.pipeline.repositories.add("seeded/spectro-packs/archive/x")
    site.push("seeded/spectro-packs/archive/x")
    site.run(HOUR)
    site.vertex.sync_word = "Failed"
    assert _doubt(site, Doubt.SYNC) == [Outcome.REFUSED]
    assert site.pipeline.sns.states[-1][1] == "sync-failed"
