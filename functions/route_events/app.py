"""Reacts to the events queue: which registries does an event touch? Their work items go to the work queue."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from registry_autopilot import wiring
from registry_autopilot.observability import guarded, make_logger, make_metrics
from registry_autopilot.routing import Message, route

logger = make_logger("route_events")
metrics = make_metrics("route_events")
router = cache(wiring.router)


@logger.inject_lambda_context
@metrics.log_metrics
@guarded(logger)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Route a batch; messages that fail are left to redelivery, alone."""
    collaborators = router(metrics)
    messages = [Message(record["messageId"], record["body"]) for record in event["Records"]]
    routed = route(
        messages,
        collaborators.world,
        collaborators.queue,
        mode_parameter=collaborators.mode_parameter,
        on_tick=collaborators.check,
    )
    logger.info("events routed", messages=len(messages), work_items=len(routed.items), failed=len(routed.failed))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in routed.failed]}
