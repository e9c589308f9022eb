"""Reacts to the ledger's stream: tells admins what changed about an incident, once per channel."""

from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from registry_autopilot import wiring
from registry_autopilot.notify import announce, announce_news, try_channels
from registry_autopilot.observability import guarded, make_logger, make_metrics
from registry_autopilot.ports import ChannelError

logger = make_logger("notify_admins")
metrics = make_metrics("notify_admins")
notifier = cache(wiring.notifier)
INCIDENT, HISTORY = "INC#", "HIST#"


@logger.inject_lambda_context
@metrics.log_metrics
@guarded(logger)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Announce a batch; from the first that a channel did not take, records are left to the stream's retry."""
    desk = notifier(metrics)
    if event.get("action") == "test-notice":
        return {"channels": try_channels(desk)}
    records = [r["dynamodb"] | {"event": r["eventName"]} for r in event["Records"] if r["eventName"] != "REMOVE"]
    ids = {r["SequenceNumber"]: _key(r).removeprefix(INCIDENT) for r in records if _key(r).startswith(INCIDENT)}
    left = announce(ids.values(), desk)
    failed = {number for number, incident_id in ids.items() if incident_id in left}
    failed |= {r["SequenceNumber"] for r in records if r["event"] == "INSERT" and not _told_news(r)}
    if failed:
        logger.warning("a channel did not take every notice", incidents=sorted(left))
    return {"batchItemFailures": [{"itemIdentifier": number} for number in sorted(failed, key=int)[:1]]}


def _key(record: dict[str, Any]) -> str:
    return str(record["Keys"]["pk"]["S"])


def _told_news(record: dict[str, Any]) -> bool:
    """Tell a new history entry, if anybody wants to hear of it; False: a channel may take it later."""
    sort = str(record["Keys"].get("sk", {}).get("S", ""))
    if not sort.startswith(HISTORY):
        return True
    try:
        announce_news(_key(record), sort, notifier(metrics))
    except ChannelError as error:
        logger.warning("a channel did not take news", reason=str(error))
        return False
    return True
