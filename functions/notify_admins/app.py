"""Reacts to the ledger's stream: tells admins what changed about an incident, once per channel."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from registry_autopilot import wiring
from registry_autopilot.notify import try_channels
from registry_autopilot.observability import guarded, make_logger, make_metrics
from registry_autopilot.prompts import tell_batch

logger = make_logger("notify_admins")
metrics = make_metrics("notify_admins")
notifier = cache(wiring.notifier)


@logger.inject_lambda_context
@metrics.log_metrics
@guarded(logger)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Tell a batch; from the first record that a channel did not take, the stream gives them again."""
    desk = notifier(metrics)
    if event.get("action") == "test-notice":
        return {"channels": try_channels(desk)}
    again_from = tell_batch(event["Records"], desk)
    if again_from is None:
        return {"batchItemFailures": []}
    logger.warning("a channel did not take every notice", again_from=again_from)
    return {"batchItemFailures": [{"itemIdentifier": again_from}]}
