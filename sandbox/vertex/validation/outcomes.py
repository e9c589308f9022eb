"""Why a try failed, and the error code that each version of VerteX gives it."""

import enum

from sandbox.vertex.behaviour import Behaviour
from sandbox.vertex.errors import OPERATIONAL, ApiError

INVALID_CREDENTIALS = "InvalidRegistryCredentials"


class Failure(enum.Enum):
    """What kept VerteX from reading the registry."""

    CREDENTIALS = "credentials"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"


class TryFailedError(Exception):
    """Raised when a try fails.

    Attributes:
        message: in the words of VerteX's Go libraries; it may echo what was sent, as theirs do.
    """

    def __init__(self, failure: Failure, message: str) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message


def refusal(error: TryFailedError, behaviour: Behaviour) -> ApiError:
    """The answer: before 4.10 every failure is called one of credentials (release notes 4.10.0, PEM-11430)."""
    code = INVALID_CREDENTIALS
    if behaviour.is_from("4.10"):
        codes = {Failure.TIMEOUT: behaviour.codes.timeout, Failure.UNREACHABLE: behaviour.codes.unreachable}
        code = codes.get(error.failure, code)
    return ApiError(OPERATIONAL, code, error.message)
