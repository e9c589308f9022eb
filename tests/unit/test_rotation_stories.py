"""What becomes of a secret: every way it changes, fails, goes and comes back; and what peers get wrong."""

from typing import Any

import pytest

from registry_autopilot.ports import Rules
from registry_autopilot.records import Outcome
from tests.support import events
from tests.support.crashes import Knife
from tests.support.installation import FAMILY, Installation, access_key
from tests.support.world import ACCOUNT, REGION

NAME = "team-a/spectro-packs/archive/nginx"
SECRET = "vertex/ecr-pull"
ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{SECRET}-AbCdEf"
DAY = 86_400


def _call(name: str, *, at: float, request: dict[str, Any] | None = None) -> dict[str, Any]:
    return events.secret_call(name, SECRET, ARN, at=at, request=request)


def _rotate(site: Installation, word: str) -> list[Outcome]:
    version = site.pipeline.secrets.put(SECRET, access_key(word))
    return site.pipeline.deliver(events.secret_changed(SECRET, version, at=site.now))


def _key_of(site: Installation) -> str:
    (stored,) = site.vertex.registries.values()
    return str(stored["spec"]["credentials"]["accessKey"])


@pytest.mark.parametrize(
    "name",
    [
        "PutSecretValue",
        "UpdateSecret",
        "UpdateSecretVersionStage",
        "CreateSecret",
        "RestoreSecret",
        "StopReplicationToReplica",
        "RotationSucceeded",
    ],
)
def test_registry_is_refreshed_when_cloudtrail_tells_of_a_change(name: str) -> None:
    """Every call that can move AWSCURRENT, with the secret's id where that record has it."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        site.forget_calls()
        site.pipeline.secrets.put(SECRET, access_key("two"))
        assert site.pipeline.deliver(_call(name, at=site.now)) == [Outcome.REFRESHED]
        assert _key_of(site) == "KEY-TWO"
        assert site.calls() == ["GET typed", "POST validate", "PUT update"]


def test_nothing_is_requested_when_a_rotation_has_only_begun() -> None:
    """A new version under AWSPENDING: nobody's credential yet."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        site.forget_calls()
        pending = {"versionStages": ["AWSPENDING"]}
        assert site.pipeline.deliver(_call("PutSecretValue", at=site.now, request=pending)) == []
        assert site.pipeline.deliver(_call("PutSecretValue", at=site.now)) == [Outcome.UNCHANGED]
        assert site.calls() == []


def test_rollback_is_applied_when_the_label_moves_back() -> None:
    """The version that is AWSCURRENT counts, not the newest."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        _rotate(site, "two")
        site.pipeline.secrets.roll_back(SECRET)
        assert site.pipeline.deliver(_call("UpdateSecretVersionStage", at=site.now)) == [Outcome.REFRESHED]
        assert _key_of(site) == "KEY-ONE"


@pytest.mark.parametrize("name", ["RotationFailed", "RotationAbandoned", "TestRotationFailed", "ReplicationFailed"])
def test_failed_rotation_is_one_incident_until_the_next_success(name: str) -> None:
    """It names who depends on the secret, writes nothing, and ends with the next good rotation."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        site.forget_calls()
        site.pipeline.deliver(_call(name, at=site.now), _call(name, at=site.now))
        assert site.pipeline.sns.states == [("open", "rotation-failed", f"the secret {SECRET}")]
        assert "ecr-123456789012-us-east-1-team-a" in site.pipeline.sns.told[0][1].what
        assert site.calls() == []
        assert _rotate(site, "two") == [Outcome.REFRESHED]
        assert site.pipeline.sns.states[-1] == ("resolved", "rotation-failed", f"the secret {SECRET}")


@pytest.mark.parametrize(
    ("request_", "days"),
    [({}, 30), ({"recoveryWindowInDays": 7}, 7), ({"forceDeleteWithoutRecovery": True}, 0)],
)
def test_days_left_are_told_when_a_secret_in_use_is_deleted(request_: dict[str, Any], days: int) -> None:
    """How long there is to restore it; restored, the incident ends."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        site.pipeline.secrets.going.add(SECRET)
        site.pipeline.deliver(_call("DeleteSecret", at=site.now, request=request_))
        assert site.pipeline.sns.states == [("open", "secret-going", f"the secret {SECRET}")]
        assert f"gone in {days} days" in site.pipeline.sns.told[0][1].what
        site.pipeline.secrets.going.clear()
        site.pipeline.deliver(_call("RestoreSecret", at=site.now))
        assert site.pipeline.sns.states[-1][0] == "resolved"
        assert "not being deleted any more" in site.pipeline.sns.told[-1][1].what


def test_nothing_is_told_when_nobody_uses_the_secret() -> None:
    """A foreign secret may fail as it likes."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        other = ARN.replace(SECRET, "someone/else")
        site.pipeline.deliver(events.secret_call("RotationFailed", "someone/else", other, at=site.now))
        assert site.pipeline.sns.told == []


def test_fixed_definition_hears_of_its_secret_when_its_registry_was_never_routed() -> None:
    """The event that told of its repositories was lost; the secret's change makes up for it."""
    fixed = FAMILY | {"id": "fixed", "name": "wanted", "base_content_path": "team-a", "match": {}}
    with Installation([fixed]) as site:
        site.pipeline.repositories.add(NAME)
        assert _rotate(site, "two") == [Outcome.REGISTERED]


@pytest.mark.parametrize("empty", ["", "{}", '{"access_key_id": "", "secret_access_key": ""}', "null"])
def test_good_credential_stays_when_its_secret_becomes_empty(empty: str) -> None:
    """A peer overwrote the good one with nothing: here nothing is written, and the keys expected are told."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        site.forget_calls()
        version = site.pipeline.secrets.put(SECRET, empty)
        assert site.pipeline.deliver(events.secret_changed(SECRET, version, at=site.now)) == [Outcome.REFUSED]
        assert _key_of(site) == "KEY-ONE"
        assert site.calls() == []
        assert "access_key_id and secret_access_key" in site.pipeline.sns.told[-1][1].what


def test_registry_is_never_deleted_and_made_again_when_its_credential_changes() -> None:
    """A peer deleted first and failed to create: here the uid stays, whatever the new credential is worth."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        (uid,) = site.vertex.registries
        for word in ("two", "bad", "three"):
            _rotate(site, word)
        assert list(site.vertex.registries) == [uid]
        assert {entry["method"] for entry in site.vertex.journal} == {"GET", "POST", "PUT"}


def test_rotation_is_applied_when_the_worker_dies_at_any_call() -> None:
    """A peer removed the message before it was processed: here it comes back until the ledger says it is done."""
    with Installation([FAMILY]) as site:
        site.beyond_the_table = True
        site.create(NAME)
        for cut in range(1, 40):
            site.pipeline.knife = Knife(cut_at=cut)
            _rotate(site, f"number-{cut}")
            site.pipeline.knife = Knife()
            site.run(600)
            assert _key_of(site) == f"KEY-NUMBER-{cut}"


def test_one_incident_is_told_when_one_secret_behind_twenty_registries_is_bad() -> None:
    """One root, one incident, opened and resolved once; every registry keeps what it has, then is refreshed."""
    with Installation([FAMILY]) as site:
        site.create(*(f"team-{n:02}/spectro-packs/archive/nginx" for n in range(20)))
        told = len(site.pipeline.sns.told)
        _rotate(site, "bad")
        assert [s[:2] for s in site.pipeline.sns.states[told:]] == [("open", "credentials-rejected")]
        assert "20 registries use this secret" in site.pipeline.sns.told[-1][1].what
        assert {s["spec"]["credentials"]["accessKey"] for s in site.vertex.registries.values()} == {"KEY-ONE"}
        site.forget_calls()
        assert _rotate(site, "good").count(Outcome.REFRESHED) == 20
        assert len(site.calls()) == 60
        assert [s[0] for s in site.pipeline.sns.states[told:]] == ["open", "resolved"]


def test_incident_ends_by_the_tick_when_two_registries_were_mended_at_once() -> None:
    """Each saw the other still held back; the tick sees that nobody is."""
    with Installation([FAMILY]) as site:
        site.create("team-a/spectro-packs/archive/x", "team-b/spectro-packs/archive/x")
        _rotate(site, "bad")
        ledger = site.pipeline.ledger
        referring = ledger.referring
        ledger.referring = lambda ref: list(ledger.states.values()) if ref.startswith("blocked#") else referring(ref)  # type: ignore[method-assign] # the index lags behind
        _rotate(site, "good")
        assert site.pipeline.sns.states[-1][0] == "open"
        ledger.referring = referring  # type: ignore[method-assign] # the index has caught up
        site.run(120)
        assert site.pipeline.sns.states[-1][0] == "resolved"


def test_external_id_is_refreshed_when_its_secret_rotates() -> None:
    """A role's external id that is kept in a secret counts as a credential."""
    role = f"arn:aws:iam::{ACCOUNT}:role/pull"
    credentials = {"kind": "sts", "role": role, "external_id": {"secret": "vertex/external-id"}}
    with Installation([FAMILY | {"credentials": credentials}]) as site:
        site.pipeline.secrets.put("vertex/external-id", "external-one")
        site.create(NAME)
        version = site.pipeline.secrets.put("vertex/external-id", "external-two")
        changed = events.secret_changed("vertex/external-id", version, at=site.now)
        assert site.pipeline.deliver(changed) == [Outcome.REFRESHED]
        (stored,) = site.vertex.registries.values()
        assert stored["spec"]["credentials"]["sts"]["externalId"] == "external-two"


def test_waiting_registries_are_tried_at_once_when_the_stacks_own_secret_changes() -> None:
    """The VerteX admin secret, or its CA: whoever waits for VerteX need not wait for the pause to end."""
    own = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:vertex/admin-AbCdEf"
    with Installation([FAMILY], rules=Rules(own_secrets=(own,))) as site:
        site.away()
        site.create(NAME)
        assert site.registries() == []
        site.back()
        assert site.pipeline.deliver(events.secret_changed("vertex/admin", "v2", at=site.now)) == [Outcome.REGISTERED]
