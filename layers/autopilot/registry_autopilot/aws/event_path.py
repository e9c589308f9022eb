"""The way that events take: rules that are enabled, and a dead-letter queue that is empty."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient


class RulesAndQueue:
    """Implements `EventPath`. What a trail records is not asked: that may be a trail of the organization."""

    def __init__(
        self,
        events: "EventBridgeClient",
        sqs: "SQSClient",
        cloudtrail: "CloudTrailClient",
        *,
        rules: Sequence[str],
        dead_letters_url: str,
    ) -> None:
        self._events = events
        self._sqs = sqs
        self._cloudtrail = cloudtrail
        self._rules = rules
        self._dead_letters_url = dead_letters_url

    def doubts(self) -> Sequence[str]:
        """Why events may not have come, in words."""
        found = [words for rule in self._rules if (words := self._of_rule(rule))]
        if self._has_no_trail():
            found.append("no CloudTrail trail covers this region, so AWS tells of no new repository")
        lying = self._dead_letters()
        if lying:
            found.append(f"{lying} events lie in the rules' dead-letter queue")
        if not found:
            found.append(
                "the rules are enabled, their dead-letter queue is empty and there is a trail; whether it records "
                "management events is not known, and AWS delivers events as best effort"
            )
        return found

    def _of_rule(self, rule: str) -> str | None:
        try:
            state = self._events.describe_rule(Name=rule)["State"]
        except ClientError as error:
            return f"the rule {rule} could not be described ({error.response['Error']['Code']})"
        return None if state.startswith("ENABLED") else f"the rule {rule} is disabled"

    def _has_no_trail(self) -> bool:
        try:
            return not self._cloudtrail.describe_trails()["trailList"]
        except ClientError:
            return False

    def _dead_letters(self) -> int:
        answer = self._sqs.get_queue_attributes(
            QueueUrl=self._dead_letters_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])
