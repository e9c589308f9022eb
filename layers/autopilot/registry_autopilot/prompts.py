"""What the ledger's stream prompts: a batch of its records, told; and from which one on it must come again."""

from collections.abc import Iterable, Mapping
from typing import Any

from registry_autopilot.notify import Desk, announce, announce_news

INCIDENT, HISTORY = "INC#", "HIST#"


def tell_batch(records: Iterable[Mapping[str, Any]], desk: Desk) -> str | None:
    """Tell what a batch of stream records prompts.

    Returns:
        The sequence number of the first record that some channel may take later; None when all is told.
    """
    kept = [record for record in records if record["eventName"] != "REMOVE"]
    incidents = {_number(r): _key(r, "pk").removeprefix(INCIDENT) for r in kept if _key(r, "pk").startswith(INCIDENT)}
    news = {_number(r): (_key(r, "pk"), _key(r, "sk")) for r in kept if _is_news(r)}
    left = announce(incidents.values(), desk)
    left_news = announce_news(news.values(), desk)
    failed = [number for number, incident_id in incidents.items() if incident_id in left]
    failed += [number for number, key in news.items() if key in left_news]
    return min(failed, key=int, default=None)


def _is_news(record: Mapping[str, Any]) -> bool:
    """A new entry of the history; a mark written to an old one is none."""
    return record["eventName"] == "INSERT" and _key(record, "sk").startswith(HISTORY)


def _key(record: Mapping[str, Any], name: str) -> str:
    return str(record["dynamodb"]["Keys"].get(name, {}).get("S", ""))


def _number(record: Mapping[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])
