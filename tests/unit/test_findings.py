"""What is wrong with the system itself, and how bad it is."""

import pytest

from registry_autopilot.causes import (
    CERTIFICATE_EXPIRING,
    DEAD_LETTERS,
    HELD_BACK,
    ROTATION_OVERDUE,
    SWEEP_MISSING,
    TOKEN_EXPIRING,
)
from registry_autopilot.findings import (
    DAY,
    Ending,
    SecretAge,
    dead_letters,
    endings_of,
    expiring_certificates,
    expiring_tokens,
    held_registries,
    missing_sweeps,
    overdue_secrets,
)
from registry_autopilot.records import RegistryState, UsedSecret
from registry_autopilot.registry import Identity, Provider, RegistryType

NOW = 1_800_000_000.0
HOUR = 3600
DAYS = (30, 14, 7, 1)


def _state(base: str, **changes: object) -> RegistryState:
    identity = Identity(RegistryType.BASIC, Provider.HELM, "harbor.example.gov", base)
    return RegistryState.fresh(identity).with_(name=base, uid=base, **changes)


def test_dead_letters_are_told_by_queue_and_count() -> None:
    """Empty queues are no news; a second queue is worse than one."""
    assert dead_letters({"events": 0, "work": 0}) == []
    (one,) = dead_letters({"events": 3, "work": 0})
    (two,) = dead_letters({"events": 3, "work": 1})
    assert (one.cause, one.stage, two.stage) == (DEAD_LETTERS, 1, 2)
    assert "3 in that of events, 1 in that of work" in two.what


@pytest.mark.parametrize(
    ("finished", "since", "stage"),
    [
        ({"health": NOW - 900, "inventory": NOW - HOUR}, 0.0, None),
        ({"health": NOW - 2700, "inventory": NOW - 18 * HOUR}, 0.0, None),
        ({"health": NOW - 2701, "inventory": NOW - HOUR}, 0.0, 1),
        ({"health": NOW - 2701, "inventory": NOW - 19 * HOUR}, 0.0, 2),
        ({}, NOW - 1800, None),
        ({}, NOW - 1801, 1),
        ({}, NOW - 12 * HOUR - 1, 2),
    ],
)
def test_sweep_is_missing_when_it_let_turns_pass(finished: dict[str, float], since: float, stage: int | None) -> None:
    """Three of its own periods; two after the start while none ever came."""
    found = missing_sweeps(finished, {"health": 900, "inventory": 6 * HOUR}, since, NOW)
    assert [f.stage for f in found] == ([stage] if stage else [])
    assert all(f.cause is SWEEP_MISSING for f in found)


def test_sweep_is_not_missed_when_none_is_scheduled() -> None:
    """No rhythm, no alarm."""
    assert missing_sweeps({}, {}, 0.0, NOW) == []


@pytest.mark.parametrize(
    ("left", "stage", "words"),
    [
        (31 * DAY, None, ""),
        (30 * DAY, 1, "in 30 days"),
        (14 * DAY, 2, "in 14 days"),
        (6.5 * DAY, 3, "in 7 days"),
        (DAY, 4, "in 1 day"),
        (0, 5, "has ended"),
        (-DAY, 5, "has ended"),
    ],
)
def test_certificate_grows_worse_at_each_threshold(left: float, stage: int | None, words: str) -> None:
    """Thirty, fourteen, seven days and one day before its end, and at it."""
    found = expiring_certificates([Ending("ca:x", "the CA in the secret x", NOW + left)], DAYS, NOW)
    assert [f.stage for f in found] == ([stage] if stage else [])
    assert all(words in f.what and f.cause is CERTIFICATE_EXPIRING for f in found)


def test_ca_is_told_once_when_many_registries_are_trusted_by_it() -> None:
    """By its secret, else by the definition that holds it; the earliest end counts."""
    ca = UsedSecret(
        use="ca", arn="arn:aws:secretsmanager:us-east-1:123456789012:secret:vertex/ca-AbCdEf", version_id="1"
    )
    states = [
        _state("a", ca_expires_at=NOW + 5, secrets=(ca,)),
        _state("b", ca_expires_at=NOW + 3, secrets=(ca,)),
        _state("c", ca_expires_at=NOW + 9, definition_id="harbor"),
        _state("d"),
    ]
    assert endings_of(states) == [
        Ending("ca:secret:vertex/ca", "the CA in the secret vertex/ca", NOW + 3),
        Ending("ca:definition:harbor", "the CA in the definition harbor", NOW + 9),
    ]


def test_tokens_are_told_together_when_their_renewal_fails() -> None:
    """What keeps one from being renewed mostly keeps all."""
    fine = _state("fine", expires_at=NOW + 6 * HOUR)
    late, over = _state("late", expires_at=NOW + HOUR), _state("over", expires_at=NOW - 1)
    assert expiring_tokens([fine, _state("none")], NOW) == []
    (found,) = expiring_tokens([fine, late], NOW)
    assert (found.cause, found.stage) == (TOKEN_EXPIRING, 1)
    (worse,) = expiring_tokens([late, over], NOW)
    assert worse.stage == 2
    assert "2 registries (late, over)" in worse.what


@pytest.mark.parametrize(
    ("age", "limit", "stage", "why"),
    [
        (SecretAge("x", rotates=True, next_rotation_at=NOW - DAY + 1), 0, None, ""),
        (SecretAge("x", rotates=True, next_rotation_at=NOW - DAY - 1), 0, 1, "schedule"),
        (SecretAge("x", rotates=True, next_rotation_at=NOW - 9 * DAY), 0, 3, "schedule"),
        (SecretAge("x", rotates=False, next_rotation_at=NOW - 9 * DAY), 0, None, ""),
        (SecretAge("x", rotates=False, changed_at=NOW - 100 * DAY), 0, None, ""),
        (SecretAge("x", rotates=False, changed_at=NOW - 89 * DAY), 90, None, ""),
        (SecretAge("x", rotates=False, changed_at=NOW - 91.5 * DAY), 90, 2, "90 days"),
        (SecretAge("x", rotates=False), 90, None, ""),
        (SecretAge("x", rotates=True, next_rotation_at=NOW + DAY, changed_at=NOW - 91 * DAY), 90, 1, "90 days"),
    ],
)
def test_secret_is_overdue_by_its_schedule_or_by_the_limit(
    age: SecretAge, limit: int, stage: int | None, why: str
) -> None:
    """A day of grace for a schedule, since AWS rotates in a window; the delay raises the stage."""
    found = overdue_secrets([age], limit, DAYS, NOW)
    assert [f.stage for f in found] == ([stage] if stage else [])
    assert all(why in f.what and f.cause is ROTATION_OVERDUE for f in found)


def test_held_registries_are_told_again_when_their_number_doubles() -> None:
    """1, 2, 4, 8, …: not at each one more. Beyond ten they are counted."""
    assert held_registries([]) == []
    stages = [held_registries([_state(f"r{i}") for i in range(n)])[0].stage for n in (1, 2, 3, 4, 12)]
    assert stages == [1, 2, 2, 3, 4]
    (found,) = held_registries([_state(f"r{i:02}") for i in range(12)])
    assert found.cause is HELD_BACK
    assert found.what.endswith("r09 and 2 more) are held back.")
