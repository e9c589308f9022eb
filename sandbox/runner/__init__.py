"""The runner: deployed functions run in worker processes, fed by queues, streams and the schedule as in Lambda."""

from sandbox.runner.functions import Outcome
from sandbox.runner.pacing import SANDBOX, Pacing
from sandbox.runner.runner import NotIdleError, Runner

__all__ = ["SANDBOX", "NotIdleError", "Outcome", "Pacing", "Runner"]
