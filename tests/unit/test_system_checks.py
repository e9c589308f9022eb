"""Checks of the system: incidents that follow what is found, told once, never in the way of the tick."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.stub import Stubber

from registry_autopilot.aws.system_view import AwsSystemView
from registry_autopilot.causes import AutopilotError
from registry_autopilot.findings import DAY, CheckLimits, SecretAge
from registry_autopilot.incidents import Incident
from registry_autopilot.ports import ConcurrentUpdateError, Mode
from registry_autopilot.records import SweepState, SystemState
from registry_autopilot.routing import Message, route
from registry_autopilot.system_checks import PERIOD_SECONDS, check_system, note_vertex_ca
from tests.support import events
from tests.support.certificates import make_certificate
from tests.support.installation import FAMILY, Installation
from tests.support.pipeline import MODE_PARAMETER

HOUR = 3600
_REPOSITORY = "team-a/spectro-packs/archive/nginx"


@dataclass(slots=True)
class FakeSystem:
    """Queues and secrets as a test sets them; counts how often it was asked."""

    queues: dict[str, int] = field(default_factory=dict)
    ages: dict[str, SecretAge] = field(default_factory=dict)
    asked: int = 0
    is_away: bool = False

    def dead_letters(self) -> Mapping[str, int]:
        self.asked += 1
        if self.is_away:
            raise TimeoutError
        return self.queues

    def secret_age(self, secret_id: str) -> SecretAge | None:
        return next((age for name, age in self.ages.items() if f":secret:{name}-" in secret_id), None)


class Watch:
    """An installation whose system is checked as time passes."""

    def __init__(self, site: Installation, limits: CheckLimits | None = None) -> None:
        self.site = site
        self.system = FakeSystem()
        self.limits = limits or CheckLimits()

    def check(self, *, after: float = PERIOD_SECONDS) -> None:
        self.site.pipeline.clock.now += after
        check_system(self.site.pipeline.world, self.system, self.limits)
        self.site.pipeline.drain()

    def told(self, cause: str) -> list[tuple[str, str]]:
        """State and words of everything that was told under a cause."""
        return [(c.state, c.what) for _, c in self.site.pipeline.sns.told if c.cause == cause]

    def states(self, cause: str) -> list[str]:
        return [state for state, _ in self.told(cause)]


@pytest.fixture
def watch() -> Any:
    """An installation with one registry."""
    with Installation([FAMILY]) as site:
        site.create(_REPOSITORY)
        yield Watch(site)


def test_dead_letters_are_one_incident_until_the_queues_are_empty(watch: Watch) -> None:
    """Told when they come, when a further queue has some, and when all are gone; not at each check."""
    watch.system.queues = {"events": 2, "work": 0}
    watch.check()
    watch.check()
    watch.system.queues = {"events": 2, "work": 1}
    watch.check()
    watch.system.queues = {"events": 0, "work": 1}
    watch.check()
    watch.system.queues = {"events": 0, "work": 0}
    watch.check()
    assert watch.states("dead-letters") == ["open", "update", "resolved"]


def test_worse_news_waits_when_somebody_writes_the_same_subject(watch: Watch) -> None:
    """A lost race loses nothing: the next check looks again."""
    watch.system.queues = {"events": 1}
    watch.check()
    watch.system.queues = {"events": 1, "work": 1}
    ledger = watch.site.pipeline.ledger
    write = ledger.commit_system

    def lose(was: SystemState, now: SystemState, incident: Incident | None) -> None:
        if incident is not None:
            raise ConcurrentUpdateError
        write(was, now, incident)

    ledger.commit_system = lose  # type: ignore[method-assign] # somebody was first
    watch.check()
    assert watch.states("dead-letters") == ["open"]
    ledger.commit_system = write  # type: ignore[method-assign] # and is gone
    watch.check()
    assert watch.states("dead-letters") == ["open", "update"]


def test_system_is_checked_rarely_when_ticks_are_frequent(watch: Watch) -> None:
    """Each quarter of an hour, however many ticks come and however many workers handle them."""
    for _ in range(31):
        watch.check(after=60)
    assert watch.system.asked == 3


def test_system_is_checked_by_one_when_two_ticks_meet(watch: Watch) -> None:
    """Who loses the claim leaves it."""
    ledger = watch.site.pipeline.ledger
    ledger.commit_system = Mock(side_effect=ConcurrentUpdateError)  # type: ignore[method-assign] # somebody was first
    watch.check()
    assert watch.system.asked == 0


def test_tick_hands_over_its_work_when_a_check_fails(watch: Watch) -> None:
    """What cannot be asked is counted; the other checks and the tick go on."""
    watch.system.is_away = True
    watch.site.push(_REPOSITORY)
    watch.site.pipeline.clock.now += 400
    world, queue = watch.site.pipeline.world, watch.site.pipeline.queue
    body = events.body(events.tick(watch.site.now))
    on_tick = partial(check_system, world, watch.system, CheckLimits(sweep_periods={"health": 1}))
    routed = route([Message("1", body)], world, queue, mode_parameter=MODE_PARAMETER, on_tick=on_tick)
    assert (len(routed.items), routed.failed) == (1, [])
    assert watch.site.pipeline.metrics.counts["ChecksFailed/dead-letters"] == 1
    watch.limits = CheckLimits(sweep_periods={"health": 1})
    watch.check()
    assert watch.states("sweep-missing") == ["open"]


def test_nothing_is_raised_when_the_ledger_is_away(watch: Watch) -> None:
    """The tick has other work, too."""
    watch.site.pipeline.ledger.system = Mock(side_effect=RuntimeError)  # type: ignore[method-assign] # DynamoDB is away
    check_system(watch.site.pipeline.world, watch.system, CheckLimits())
    assert watch.site.pipeline.metrics.counts["ChecksFailed/all"] == 1


def test_missing_sweep_is_told_until_one_finishes(watch: Watch) -> None:
    """Counted from the first check, since an installation begins without one."""
    watch.limits = CheckLimits(sweep_periods={"health": 900})
    for _ in range(4):
        watch.check()
    assert watch.states("sweep-missing") == ["open"]
    watch.site.pipeline.ledger.swept = SweepState(finished={"health": watch.site.now})
    watch.check()
    assert watch.states("sweep-missing") == ["open", "resolved"]


def test_missing_sweep_is_no_second_incident_while_vertex_is_away(watch: Watch) -> None:
    """It cannot finish then; the one incident on VerteX says so. Afterwards a schedule that is broken is told."""
    watch.limits = CheckLimits(sweep_periods={"health": 900})
    watch.site.sweep("health")
    watch.site.away()
    for _ in range(9):
        with pytest.raises(AutopilotError):
            watch.site.sweep("health")
        watch.check()
    watch.site.back()
    watch.site.sweep("health")
    assert watch.states("vertex-unavailable") == ["open", "resolved"]
    watch.site.run(HOUR)
    assert {c.cause for _, c in watch.site.pipeline.sns.told} == {"vertex-unavailable"}
    watch.check()
    assert watch.states("sweep-missing") == ["open"]
    watch.site.away()
    with pytest.raises(AutopilotError):
        watch.site.sweep("health")
    watch.check()
    assert watch.states("sweep-missing") == ["open"]  # it stands: nobody knows better


def test_ca_is_told_at_each_threshold_when_its_certificate_ends() -> None:
    """Converge notes the end where it reads the CA; a new one resolves the incident."""
    harbor = {"id": "harbor", "name": "harbor", "type": "basic", "provider": "helm", "base_content_path": "charts"}
    harbor |= {"endpoint": "https://harbor.example.gov", "tls": {"ca": "vertex/ca"}}  # type: ignore[dict-item] # JSON
    with Installation([harbor]) as site:
        site.pipeline.secrets.put("vertex/ca", _pem_ending(site.now + 31 * DAY))
        site.pipeline.deliver(events.parameter_changed("/registry-autopilot/registries/harbor"))
        watch = Watch(site)
        for _ in range(33):
            watch.check(after=DAY)
        assert watch.states("certificate-expiring") == ["open", "update", "update", "update", "update"]
        assert "the CA in the secret vertex/ca" in watch.told("certificate-expiring")[0][1].lower().replace(
            "ca ", "CA "
        )
        version = site.pipeline.secrets.put("vertex/ca", _pem_ending(site.now + 300 * DAY))
        site.pipeline.deliver(events.secret_changed("vertex/ca", version, at=site.now))
        watch.check()
        assert watch.states("certificate-expiring")[-1] == "resolved"


def test_ca_bundle_of_vertex_is_told_when_it_ends(watch: Watch) -> None:
    """Noted once by whoever builds the client; two workers that note the same do not collide."""
    ledger, now = watch.site.pipeline.ledger, watch.site.now
    for _ in range(2):
        note_vertex_ca(ledger, _pem_ending(now + 10 * DAY), now)
    assert ledger.system("vertex-ca").rev == 1
    watch.check()
    ((state, what),) = watch.told("certificate-expiring")
    assert (state, what.startswith("The CA bundle for VerteX: a certificate ends on")) == ("open", True)
    ledger.commit_system = Mock(side_effect=ConcurrentUpdateError)  # type: ignore[method-assign] # somebody was first
    note_vertex_ca(ledger, _pem_ending(now + 99 * DAY), now)


def test_overdue_rotation_is_told_again_as_the_delay_grows(watch: Watch) -> None:
    """And ends with the rotation; it never touches the incident of the secret itself."""
    watch.system.ages["vertex/ecr-pull"] = SecretAge("vertex/ecr-pull", rotates=True, next_rotation_at=watch.site.now)
    for _ in range(10):
        watch.check(after=DAY)
    assert watch.states("rotation-overdue") == ["open", "update", "update"]
    watch.system.ages["vertex/ecr-pull"] = SecretAge("vertex/ecr-pull", rotates=True, next_rotation_at=watch.site.now)
    watch.check()
    assert watch.states("rotation-overdue")[-1] == "resolved"
    assert watch.site.pipeline.ledger.system("secret:vertex/ecr-pull").rev == 0


def test_held_registries_are_counted_when_more_of_them_wait() -> None:
    """Converge opens and ends the incident; the checks say how many wait."""
    with Installation([FAMILY]) as site:
        site.pipeline.definitions.current_mode = Mode.OBSERVE
        watch = Watch(site)
        watch.check()
        site.create(*(f"team-{team}/spectro-packs/archive/x" for team in "abc"))
        watch.check()
        watch.check()
        assert watch.states("held-back") == ["open", "update"]
        assert "changes of 3 registries" in watch.told("held-back")[-1][1]
        site.pipeline.definitions.current_mode = Mode.ACT
        site.pipeline.deliver(events.parameter_changed(MODE_PARAMETER))
        watch.check()
        assert watch.states("held-back") == ["open", "update", "resolved"]


def test_registries_are_measured_by_health(watch: Watch) -> None:
    """How many are right, refused, held: one value each per check."""
    watch.check()
    assert watch.site.pipeline.metrics.values["Registries/ok"] == [1]


def test_queues_and_secrets_are_read_from_outside() -> None:
    """Counts and dates; a secret that is going or gone has no age."""
    sqs, secrets = (boto3.client(name, region_name="us-east-1") for name in ("sqs", "secretsmanager"))
    at = datetime(2026, 1, 2, tzinfo=UTC)
    with Stubber(sqs) as queues, Stubber(secrets) as described:
        queues.add_response(
            "get_queue_attributes",
            {"Attributes": {"ApproximateNumberOfMessages": "4"}},
            {"QueueUrl": "https://q/1", "AttributeNames": ["ApproximateNumberOfMessages"]},
        )
        rotating = {"Name": "a", "RotationEnabled": True, "NextRotationDate": at, "LastRotatedDate": at}
        described.add_response("describe_secret", rotating, {"SecretId": "a"})
        described.add_response("describe_secret", {"Name": "b", "LastChangedDate": at}, {"SecretId": "b"})
        described.add_response("describe_secret", {"Name": "c", "DeletedDate": at}, {"SecretId": "c"})
        described.add_client_error("describe_secret", "ResourceNotFoundException")
        described.add_client_error("describe_secret", "InternalServiceError")
        view = AwsSystemView(sqs, secrets, {"work": "https://q/1"})
        assert view.dead_letters() == {"work": 4}
        assert view.secret_age("a") == SecretAge("a", True, at.timestamp(), at.timestamp())
        assert view.secret_age("b") == SecretAge("b", False, None, at.timestamp())
        assert view.secret_age("c") is view.secret_age("d") is None
        with pytest.raises(secrets.exceptions.ClientError):
            view.secret_age("e")


def _pem_ending(at: float) -> str:
    return make_certificate("Agency Root", ends=datetime.fromtimestamp(at, UTC)).pem
