"""Reacts to its schedule, and to people: looks at everything, and hands over what is to be done."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from registry_autopilot import wiring
from registry_autopilot.observability import guarded, make_logger, make_metrics
from registry_autopilot.steps.observe import INVENTORY
from registry_autopilot.sweep import Order, answer, restore

logger = make_logger("sweep")
metrics = make_metrics("sweep")
sweeper = cache(wiring.sweeper)


@logger.inject_lambda_context
@metrics.log_metrics
@guarded(logger)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Sweep (`action` is `plan`, `apply` or `sweep`), or restore one registry (`restore` with `name`)."""
    tools = sweeper(metrics)
    tools.deadline(context.get_remaining_time_in_millis() / 1000)
    action = event.get("action", "sweep")
    if action == "restore":
        item = restore(tools.collaborators, str(event["name"]))
        return {"found": item is not None, "key": item.identity.key if item else None}
    order = Order(
        apply=action != "plan",
        rhythm=event.get("rhythm", INVENTORY),
        yes=event.get("yes") is True,
        reprove=event.get("reprove") is True,
    )
    told = answer(tools.collaborators, order)
    came_of_it = {name: told.get(name) for name in ("failed", "held", "busy", "counts")}
    logger.info("swept", rhythm=order.rhythm, applied=order.apply, came_of_it=came_of_it)
    return told
