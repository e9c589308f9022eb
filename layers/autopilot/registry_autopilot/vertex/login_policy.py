"""When a login to VerteX may be tried, so that the admin account is never locked by us. Pure.

VerteX suspends an account for 15 minutes after 5 failures (its credentials page). We stop at 2 in 20 minutes, over
all functions; an attempt is claimed before it is made, and one whose outcome is unknown counts as a failure.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from registry_autopilot import causes
from registry_autopilot.causes import Cause

WINDOW_SECONDS = 20 * 60
MAX_FAILURES = 2
SAME_VERSION_SECONDS = 60 * 60
IN_FLIGHT_SECONDS = 45  # longer than a login request can last

# `unsent`: no connection came about, so there was no attempt that VerteX could count.
Failure = Literal["rejected", "unknown", "passkey", "unsent"]


class RefusedVersion(BaseModel):
    """A version of the admin secret that VerteX refused, with the time (seconds since the epoch) and the manner."""

    model_config = ConfigDict(frozen=True)

    version_id: str
    at: float
    how: Failure


class LoginState(BaseModel):
    """The attempts of all functions; times are in seconds since the epoch.

    Attributes:
        failures: times of failed attempts within the window.
        refused: the secret versions that VerteX refused within the last hour.
        in_flight_until: until then one attempt is being made, with `in_flight_version`.
        rev: counts the writes, for conditional ones.
    """

    model_config = ConfigDict(frozen=True)

    failures: tuple[float, ...] = ()
    refused: tuple[RefusedVersion, ...] = ()
    in_flight_until: float = 0
    in_flight_version: str | None = None
    rev: int = 0


class Refusal(BaseModel):
    """Why a login is not tried now, and until when; `busy`: only because another one is being tried."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    cause: Cause
    until: float
    busy: bool = False


def decide(state: LoginState, version_id: str, now: float) -> Refusal | None:
    """Whether an attempt with this secret version may be claimed; None: it may."""
    state = settle(state, now)
    if state.in_flight_until > now:
        return Refusal(cause=causes.LOGIN_LOCKED, until=state.in_flight_until, busy=True)
    refused = next((one for one in state.refused if one.version_id == version_id), None)
    if refused is not None:
        cause = causes.LOGIN_NEEDS_PASSKEY if refused.how == "passkey" else causes.LOGIN_REJECTED
        return Refusal(cause=cause, until=refused.at + SAME_VERSION_SECONDS)
    if len(state.failures) >= MAX_FAILURES:
        return Refusal(cause=causes.LOGIN_LOCKED, until=sorted(state.failures)[-MAX_FAILURES] + WINDOW_SECONDS)
    return None


def claim(state: LoginState, version_id: str, now: float) -> LoginState:
    """An attempt is about to be made."""
    state = settle(state, now)
    return state.model_copy(update={"in_flight_until": now + IN_FLIGHT_SECONDS, "in_flight_version": version_id})


def succeed(state: LoginState) -> LoginState:
    """The attempt worked: VerteX's own count of failures begins anew, and so does ours."""
    return LoginState(rev=state.rev)


def fail(state: LoginState, version_id: str, how: Failure, now: float) -> LoginState:
    """The attempt failed, or nobody knows; `unsent` only ends the claim."""
    if state.in_flight_version in {version_id, None}:
        state = state.model_copy(update={"in_flight_until": 0.0, "in_flight_version": None})
    if how == "unsent":
        return state
    refused = state.refused
    if how != "unknown":
        others = tuple(one for one in refused if one.version_id != version_id)
        refused = (*others, RefusedVersion(version_id=version_id, at=now, how=how))
    return state.model_copy(update={"failures": (*_recent(state, now), now), "refused": refused})


def settle(state: LoginState, now: float) -> LoginState:
    """Forget what is old; an attempt that never came back counts as a failure."""
    if state.in_flight_until and state.in_flight_until <= now:
        state = fail(state, state.in_flight_version or "", "unknown", state.in_flight_until)
    refused = tuple(one for one in state.refused if now < one.at + SAME_VERSION_SECONDS)
    return state.model_copy(update={"failures": _recent(state, now), "refused": refused})


def _recent(state: LoginState, now: float) -> tuple[float, ...]:
    return tuple(at for at in state.failures if at > now - WINDOW_SECONDS)
