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

Failure = Literal["rejected", "unknown", "passkey"]


class LoginState(BaseModel):
    """The attempts of all functions.

    Attributes:
        failures: times of failed attempts within the window.
        rejected_version: the secret version that VerteX refused last, and when and how.
        in_flight_until: until then one attempt is being made.
    """

    model_config = ConfigDict(frozen=True)

    failures: tuple[float, ...] = ()
    rejected_version: str | None = None
    rejected_at: float = 0
    rejected_how: Failure | None = None
    in_flight_until: float = 0
    in_flight_version: str | None = None
    rev: int = 0


class Refusal(BaseModel):
    """Why a login is not tried now, and until when."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    cause: Cause
    until: float
    busy: bool = False


def decide(state: LoginState, version_id: str, now: float) -> Refusal | None:
    """None: the attempt may be claimed."""
    state = settle(state, now)
    if state.in_flight_until > now:
        return Refusal(cause=causes.LOGIN_LOCKED, until=state.in_flight_until, busy=True)
    if state.rejected_version == version_id and now < state.rejected_at + SAME_VERSION_SECONDS:
        passkey = state.rejected_how == "passkey"
        cause = causes.LOGIN_NEEDS_PASSKEY if passkey else causes.LOGIN_REJECTED
        return Refusal(cause=cause, until=state.rejected_at + SAME_VERSION_SECONDS)
    if len(state.failures) >= MAX_FAILURES:
        return Refusal(cause=causes.LOGIN_LOCKED, until=min(state.failures) + WINDOW_SECONDS)
    return None


def claim(state: LoginState, version_id: str, now: float) -> LoginState:
    """An attempt is about to be made."""
    state = settle(state, now)
    return state.model_copy(update={"in_flight_until": now + IN_FLIGHT_SECONDS, "in_flight_version": version_id})


def succeed(state: LoginState) -> LoginState:
    """The attempt worked."""
    return LoginState(rev=state.rev)


def fail(state: LoginState, version_id: str, how: Failure, now: float) -> LoginState:
    """The attempt failed, or nobody knows."""
    rejected = {} if how == "unknown" else {"rejected_version": version_id, "rejected_at": now, "rejected_how": how}
    recent = tuple(at for at in state.failures if at > now - WINDOW_SECONDS)
    ended = {"in_flight_until": 0.0, "in_flight_version": None}
    return state.model_copy(update={"failures": (*recent, now), **rejected, **ended})


def settle(state: LoginState, now: float) -> LoginState:
    """Forget old failures; an attempt that never came back counts as a failure."""
    if state.in_flight_until and state.in_flight_until <= now:
        state = fail(state, state.in_flight_version or "", "unknown", state.in_flight_until)
    return state.model_copy(update={"failures": tuple(at for at in state.failures if at > now - WINDOW_SECONDS)})
