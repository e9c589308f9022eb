"""The login policy: whatever happens, the admin account is never locked by us."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_autopilot import causes
from registry_autopilot.causes import Cause
from registry_autopilot.vertex.login_policy import (
    IN_FLIGHT_SECONDS,
    SAME_VERSION_SECONDS,
    WINDOW_SECONDS,
    Failure,
    LoginState,
    claim,
    decide,
    fail,
    succeed,
)

_NOW = 1_000_000.0
_End = Literal["rejected", "unknown", "passkey", "crash"]


def _failed(state: LoginState, version: str, at: float, how: Failure = "rejected") -> LoginState:
    assert decide(state, version, at) is None
    return fail(claim(state, version, at), version, how, at)


def _refused_by(state: LoginState, version: str, at: float) -> Cause | None:
    refusal = decide(state, version, at)
    return refusal.cause if refusal else None


def test_attempt_is_allowed_when_nothing_is_known() -> None:
    """The first login of a stack is simply made."""
    assert decide(LoginState(), "v1", _NOW) is None


def test_second_attempt_waits_when_one_is_in_flight() -> None:
    """One attempt at a time over all functions."""
    refusal = decide(claim(LoginState(), "v1", _NOW), "v1", _NOW + 1)
    assert refusal is not None
    assert refusal.busy
    assert refusal.until == _NOW + IN_FLIGHT_SECONDS


@pytest.mark.parametrize(
    ("how", "cause"), [("rejected", causes.LOGIN_REJECTED), ("passkey", causes.LOGIN_NEEDS_PASSKEY)]
)
def test_refused_version_rests_for_an_hour_when_nothing_changes(how: Failure, cause: Cause) -> None:
    """The same version is tried at most hourly, with the cause it was refused for."""
    state = _failed(LoginState(), "v1", _NOW, how)
    assert _refused_by(state, "v1", _NOW + SAME_VERSION_SECONDS - 1) is cause
    assert _refused_by(state, "v1", _NOW + SAME_VERSION_SECONDS) is None


def test_new_version_is_tried_at_once_when_the_old_was_refused() -> None:
    """A corrected secret is not made to wait."""
    assert decide(_failed(LoginState(), "v1", _NOW), "v2", _NOW + 1) is None


def test_refused_version_still_rests_when_the_secret_is_rolled_back_to_it() -> None:
    """Two refused versions are remembered, not only the last."""
    state = _failed(_failed(LoginState(), "v1", _NOW), "v2", _NOW + 1)
    assert _refused_by(state, "v1", _NOW + WINDOW_SECONDS + 60) is causes.LOGIN_REJECTED


def test_every_version_waits_when_two_attempts_failed() -> None:
    """Two failures in the window are enough, until the older one has left it."""
    state = _failed(_failed(LoginState(), "v1", _NOW), "v2", _NOW + 60)
    refusal = decide(state, "v3", _NOW + 120)
    assert refusal is not None
    assert (refusal.cause, refusal.until) == (causes.LOGIN_LOCKED, _NOW + WINDOW_SECONDS)
    assert decide(state, "v3", refusal.until) is None


def test_lost_attempt_counts_when_its_function_was_killed() -> None:
    """A claim that nobody ended becomes a failure, and the version may be tried again."""
    state = claim(LoginState(), "v1", _NOW)
    later = _NOW + IN_FLIGHT_SECONDS
    assert decide(state, "v1", later) is None
    state = claim(state, "v1", later)
    assert _refused_by(state, "v1", later + IN_FLIGHT_SECONDS) is causes.LOGIN_LOCKED


def test_nothing_counts_when_no_connection_came_about() -> None:
    """What never reached VerteX cannot have been counted by it; earlier failures stay."""
    state = _failed(LoginState(), "v1", _NOW)
    state = fail(claim(state, "v2", _NOW + 1), "v2", "unsent", _NOW + 2)
    assert len(state.failures) == 1
    assert decide(state, "v2", _NOW + 3) is None
    assert _refused_by(state, "v1", _NOW + 3) is causes.LOGIN_REJECTED


def test_late_failure_leaves_the_next_attempt_alone_when_its_claim_had_ended() -> None:
    """A function that comes back late does not end somebody else's claim."""
    state = claim(LoginState(), "v1", _NOW)
    state = claim(state, "v2", _NOW + IN_FLIGHT_SECONDS)
    state = fail(state, "v1", "rejected", _NOW + IN_FLIGHT_SECONDS + 1)
    refusal = decide(state, "v3", _NOW + IN_FLIGHT_SECONDS + 2)
    assert refusal is not None
    assert refusal.busy


def test_all_is_forgotten_when_a_login_worked() -> None:
    """VerteX's count begins anew, and so does ours; the revision goes on."""
    state = _failed(LoginState(rev=7), "v1", _NOW)
    assert succeed(claim(state, "v2", _NOW + 1)) == LoginState(rev=7)


def test_state_survives_when_it_is_kept_as_json() -> None:
    """The ledger keeps the document as JSON."""
    state = claim(_failed(LoginState(), "v1", _NOW), "v2", _NOW + 1)
    assert LoginState.model_validate_json(state.model_dump_json()) == state


@given(
    st.lists(
        st.tuples(
            st.floats(min_value=0, max_value=4000),
            st.sampled_from(["v1", "v2", "v3", "v4"]),
            st.sampled_from(["rejected", "unknown", "passkey", "crash"]),
            st.floats(min_value=0, max_value=IN_FLIGHT_SECONDS),
        ),
        max_size=60,
    )
)
def test_account_is_never_locked_when_everything_fails(steps: list[tuple[float, str, _End, float]]) -> None:
    """In any 20 minutes at most two attempts fail; a refused version is tried at most hourly; never two at once."""
    state, now, in_flight_until = LoginState(), _NOW, 0.0
    failed: list[float] = []
    refused: dict[str, float] = {}
    for wait, version, end, lasts in steps:
        now += wait
        if decide(state, version, now) is not None:
            continue
        assert now >= in_flight_until
        assert now >= refused.get(version, 0.0) + SAME_VERSION_SECONDS
        state = claim(state, version, now)
        failed.append(now)  # the worst case: VerteX counts it the moment it is sent
        assert sum(1 for at in failed if at > now - WINDOW_SECONDS) <= 2
        if end == "crash":
            in_flight_until = now + lasts
            continue
        now += lasts
        state = fail(state, version, end, now)
        failed[-1] = now  # or the moment it is answered
        if end != "unknown":
            refused[version] = now
