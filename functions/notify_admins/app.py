"""Reacts to the ledger's stream: tells admins what changed about an incident, once per channel."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from registry_autopilot import wiring
from registry_autopilot.notify import announce
from registry_autopilot.observability import guarded, make_logger, make_metrics
from registry_autopilot.ports import ChannelError

logger = make_logger("notify_admins")
metrics = make_metrics("notify_admins")
notifier = cache(wiring.notifier)
PREFIX = "INC#"


@logger.inject_lambda_context
@metrics.log_metrics
@guarded(logger)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Announce each incident of a batch; a failed one is left to the stream's retry, with what follows it."""
    collaborators = notifier(metrics)
    told: set[str] = set()
    for record in event["Records"]:
        key = record["dynamodb"]["Keys"]["pk"]["S"]
        if not key.startswith(PREFIX) or record["eventName"] == "REMOVE" or key in told:
            continue
        try:
            announce(key.removeprefix(PREFIX), collaborators.ledger, collaborators.channels, collaborators.metrics)
            told.add(key)
        except ChannelError as error:
            logger.warning("a channel did not take a notice", incident=key, reason=str(error))
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}
