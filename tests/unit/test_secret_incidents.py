"""Incidents on a secret: told once and truly in any order of their events, and over when something proves it."""

from typing import Any

import pytest

from registry_autopilot.ports import Rules
from registry_autopilot.records import Outcome
from tests.support import events
from tests.support.installation import FAMILY, Installation, access_key
from tests.support.world import ACCOUNT, REGION

NAME = "team-a/spectro-packs/archive/nginx"
SECRET, OTHER = "vertex/ecr-pull", "vertex/ecr-next"
HOUR, DAY = 3600, 86_400
FIXED: dict[str, Any] = {k: v for k, v in FAMILY.items() if k != "match"} | {"name": "one", "base_content_path": "one"}


def _arn(name: str, account: str = ACCOUNT, region: str = REGION) -> str:
    return f"arn:aws:secretsmanager:{region}:{account}:secret:{name}-AbCdEf"


def _tell(site: Installation, event: str, name: str = SECRET, *, at: float | None = None, **call: Any) -> None:
    moment = site.now if at is None else at
    site.pipeline.deliver(events.secret_call(event, name, _arn(name), at=moment, **call))


def _rotate(site: Installation, word: str, name: str = SECRET) -> list[Outcome]:
    version = site.pipeline.secrets.put(name, access_key(word))
    return site.pipeline.deliver(events.secret_changed(name, version, at=site.now))


def _told(site: Installation) -> list[tuple[str, str]]:
    return [(state, cause) for state, cause, _ in site.pipeline.sns.states]


def test_failure_is_no_news_when_the_secret_changed_since() -> None:
    """Its event was late; the success came first."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        failed_at = site.now
        site.run(60)
        assert _rotate(site, "two") == [Outcome.REFRESHED]
        _tell(site, "RotationFailed", at=failed_at)
        assert _told(site) == []
        site.pipeline.secrets.rotated_at[SECRET] = site.now
        _tell(site, "RotationAbandoned", at=site.now - 30)
        assert _told(site) == []


def test_deletion_is_no_news_when_the_secret_was_restored_since() -> None:
    """DeleteSecret comes after RestoreSecret; AWS says how the secret stands."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        _tell(site, "RestoreSecret")
        _tell(site, "DeleteSecret", at=site.now - 30)
        assert _told(site) == []


@pytest.mark.parametrize("event", ["DeleteSecret", "RotationFailed"])
def test_incident_ends_by_what_aws_says_when_the_event_of_its_end_was_lost(event: str) -> None:
    """The tick asks how the secret stands."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        site.pipeline.secrets.going.add(SECRET)
        _tell(site, event)
        site.run(600)
        assert [state for state, _ in _told(site)] == ["open"]
        site.pipeline.secrets.going.clear()
        site.pipeline.secrets.rotated_at[SECRET] = site.now
        site.run(120)
        assert [state for state, _ in _told(site)] == ["open", "resolved"]


def test_rotation_works_again_when_a_registry_was_proven_with_the_next_version() -> None:
    """A description that changed and a version that VerteX refuses prove nothing."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        _tell(site, "RotationFailed")
        site.run(60)
        _tell(site, "UpdateSecret")  # without a new version: its description, say
        site.push(NAME)
        assert _told(site) == [("open", "rotation-failed")]
        _rotate(site, "bad")
        site.run(600)
        assert _told(site) == [("open", "rotation-failed"), ("open", "credentials-rejected")]
        _rotate(site, "good")
        assert sorted(_told(site)[2:]) == [("resolved", "credentials-rejected"), ("resolved", "rotation-failed")]
        ends = [change for _, change in site.pipeline.sns.told if change.state == "resolved"]
        assert {change.kept for change in ends} == {"Nothing is left to do."}


def test_failed_rotation_is_over_when_its_next_version_was_proven_in_observe() -> None:
    """Nothing was written, but the version is good."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        _tell(site, "RotationFailed")
        site.pipeline.definitions.current_mode = type(site.pipeline.definitions.current_mode).OBSERVE
        _rotate(site, "two")
        assert ("resolved", "rotation-failed") in _told(site)


@pytest.mark.parametrize("event", ["RotationFailed", "DeleteSecret"])
def test_incident_ends_when_nothing_depends_on_the_secret_any_more(event: str) -> None:
    """The definition names another one now."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        site.pipeline.secrets.going.add(SECRET)
        _tell(site, event)
        site.pipeline.secrets.put(OTHER, access_key("one"))
        _repoint(site, OTHER)
        site.run(120)
        assert [state for state, _ in _told(site)] == ["open", "resolved"]
        assert "Nothing depends" in site.pipeline.sns.told[-1][1].what


def _repoint(site: Installation, name: str) -> None:
    credentials = {"kind": "access-key", "secret": name}
    site.pipeline.definitions.documents = [FAMILY | {"credentials": credentials}]
    site.pipeline.deliver(events.parameter_changed("/registry-autopilot/registries/packs", at=site.now))


def test_incident_of_a_bad_secret_ends_when_the_definition_names_another_bad_one() -> None:
    """Each secret has its own; the first one is nobody's business any more."""
    names = (NAME, "team-b/spectro-packs/archive/x")
    with Installation([FAMILY]) as site:
        site.create(*names)
        _rotate(site, "bad")
        site.run(600)
        assert _told(site) == [("open", "credentials-rejected")]
        site.pipeline.secrets.put(OTHER, access_key("bad"))
        _repoint(site, OTHER)
        site.run(900)
        states = [(state, subject) for state, _, subject in site.pipeline.sns.states]
        expected = [
            ("open", f"the secret {OTHER}"),
            ("open", f"the secret {SECRET}"),
            ("resolved", f"the secret {SECRET}"),
        ]
        assert sorted(states) == expected


@pytest.mark.parametrize("event", ["RotationFailed", "DeleteSecret"])
def test_trouble_of_the_stacks_own_secret_is_told_and_over_when_it_changes(event: str) -> None:
    """The VerteX login, its CA, the Slack webhook: no registry refers to them."""
    own = "registry-autopilot/vertex-admin"
    with Installation([FAMILY], rules=Rules(own_secrets=(_arn(own),))) as site:
        site.pipeline.secrets.put(own, "old")
        site.pipeline.secrets.going.add(own)
        _tell(site, event, own)
        assert [state for state, _ in _told(site)] == ["open"]
        assert "This stack itself uses it" in site.pipeline.sns.told[0][1].what
        site.pipeline.secrets.going.clear()
        site.run(60)
        _rotate(site, "new", own)
        assert [state for state, _ in _told(site)] == ["open", "resolved"]


def test_failure_is_told_when_a_definition_names_the_secret_and_has_no_registry_yet() -> None:
    """Nothing was routed so far; the first registry would meet it."""
    with Installation([FIXED]) as site:
        _tell(site, "RotationFailed")
        assert _told(site) == [("open", "rotation-failed")]
        assert "Definitions that name it: packs." in site.pipeline.sns.told[0][1].what
        site.run(600)
        assert len(_told(site)) == 1


@pytest.mark.parametrize("place", [{"account": "999999999999"}, {"region": "eu-central-1"}])
def test_secret_of_the_same_name_elsewhere_is_nobodys_business(place: dict[str, str]) -> None:
    """Name alone is no identity: its failures are not ours, and its success proves nothing."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        failed = events.secret_call("RotationFailed", SECRET, _arn(SECRET, **place), at=site.now)
        site.pipeline.deliver(failed)
        assert _told(site) == []
        site.pipeline.secrets.going.add(SECRET)
        _tell(site, "DeleteSecret")
        site.pipeline.deliver(events.secret_call("RestoreSecret", SECRET, _arn(SECRET, **place), at=site.now + 1))
        assert _told(site) == [("open", "secret-going")]


def test_reminder_tells_the_days_that_are_left_now() -> None:
    """And no next try that nobody makes."""
    with Installation([FAMILY]) as site:
        site.pipeline.remind_after = 24 * HOUR
        site.create(NAME)
        site.pipeline.secrets.going.add(SECRET)
        _tell(site, "DeleteSecret", request={"recoveryWindowInDays": 7})
        site.run(2 * DAY + HOUR, step=600)
        told = [change for _, change in site.pipeline.sns.told]
        assert "gone in 7 days" in told[0].what
        assert "gone in 6 days" in told[1].what
        assert "gone in 5 days" in told[2].what
        assert told[2].next_try_at is None


def test_reminder_tells_the_next_try_of_now() -> None:
    """Not the one of the first refusal, which is long over."""
    with Installation([FAMILY]) as site:
        site.pipeline.remind_after = HOUR
        site.create(NAME)
        _rotate(site, "bad")
        site.run(2 * HOUR)
        _, reminder = site.pipeline.sns.told[1]
        assert reminder.what.startswith("This has lasted for 1 hour. ")
        (state,) = site.pipeline.ledger.states.values()
        assert reminder.next_try_at is not None
        assert reminder.at < reminder.next_try_at
        assert state.due_at is not None


def test_due_work_is_done_when_a_chore_of_the_tick_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table or a service that cannot be asked for a while holds up no synchronization."""
    with Installation([FAMILY]) as site:
        site.create(NAME)
        site.run(900)
        begun = len(site.syncs())

        def broken() -> None:
            raise ConnectionError

        site.push(NAME)
        monkeypatch.setattr(site.pipeline.ledger, "systems", broken)
        site.run(900)
        assert len(site.syncs()) == begun + 1
        assert site.pipeline.metrics.counts["ChecksFailed/secrets"] > 0
