"""Rules with a rate: each sandbox minute (or hour, or day) their scheduled event goes to their targets."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.events.models import Rule

from sandbox.aws import LocalAws, Place
from sandbox.aws.bus import rules_on_bus
from sandbox.aws.envelopes import scheduled

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
TICK_SECONDS = 60


def period_of(expression: str | None) -> float | None:
    """Seconds between two events of a rate; None: it is no rate (a cron expression is left to a person)."""
    found = _RATE.fullmatch(expression or "")
    return float(found[1]) * _SECONDS[found[2]] if found else None


@dataclass(slots=True)
class Schedule:
    """Sends scheduled events by the sandbox's clock. Times that were skipped are not made up for.

    Attributes:
        invoke: runs a function by its physical name with an event.
    """

    aws: LocalAws
    invoke: Callable[[str, Mapping[str, Any]], object]
    _last: dict[str, float] = field(default_factory=dict)

    def fire_due(self) -> list[str]:
        """Fire each rule whose period has passed since it last was; the first period starts now."""
        now, fired = self.aws.clock.now(), []
        for rule, period in self._rates():
            if now - self._last.setdefault(rule.name, now) >= period:
                self.fire(rule)
                fired.append(rule.name)
        return fired

    def tick(self) -> list[str]:
        """Fire the rules of one minute now; gives their names."""
        ticking = [rule for rule, period in self._rates() if period == TICK_SECONDS]
        for rule in ticking:
            self.fire(rule)
        return [rule.name for rule in ticking]

    def fire(self, rule: Rule) -> None:
        """Send the scheduled event of a rule to its targets.

        Raises:
            NotImplementedError: a target is neither a queue nor a function.
        """
        self._last[rule.name] = self.aws.clock.now()
        event = scheduled(Place(self.aws.account, self.aws.region), rule.arn, self.aws.clock.now())
        sqs = self.aws.client("sqs")
        for target in rule.targets:
            service, name = target["Arn"].split(":")[2], target["Arn"].rpartition(":")[2]
            if service == "lambda":
                self.invoke(name, json.loads(target.get("Input") or json.dumps(event)))
                continue
            if service != "sqs":
                raise NotImplementedError(f"{rule.name}: a schedule's target must be an SQS queue or a function")
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            extra = {"MessageGroupId": g} if (g := target.get("SqsParameters", {}).get("MessageGroupId")) else {}
            sqs.send_message(QueueUrl=url, MessageBody=target.get("Input") or json.dumps(event), **extra)

    def _rates(self) -> list[tuple[Rule, float]]:
        with self.aws.lock:
            rules = rules_on_bus(self.aws.account, self.aws.region)
        pairs = [(rule, period_of(rule.scheduled_expression)) for rule in rules if rule.state == "ENABLED"]
        return [(rule, period) for rule, period in pairs if period is not None]
