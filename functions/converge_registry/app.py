"""Reacts to the work queue: makes each registry right, and records what came of it."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from registry_autopilot import wiring
from registry_autopilot.converge import converge
from registry_autopilot.observability import guarded, make_logger, make_metrics
from registry_autopilot.ports import ConcurrentUpdateError
from registry_autopilot.work import parse_work

logger = make_logger("converge_registry")
metrics = make_metrics("converge_registry")
converger = cache(wiring.converger)


@logger.inject_lambda_context
@metrics.log_metrics
@guarded(logger)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Converge a batch in order; from the first that fails on, messages are left to redelivery."""
    world = converger(metrics)
    records = event["Records"]
    for index, record in enumerate(records):
        world.deadline(context.get_remaining_time_in_millis() / 1000)
        item = parse_work(record["body"])
        try:
            outcome = converge(item, world.collaborators)
        except ConcurrentUpdateError:
            logger.info("somebody else works on the registry", registry=item.identity.key)
            return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in records[index:]]}
        world.collaborators.metrics.count("Converged", outcome=outcome)
        logger.info("registry converged", registry=item.identity.key, outcome=outcome, definition=item.definition_id)
    return {"batchItemFailures": []}
