"""SNS: e-mail, pagers, queues and whatever else subscribes to the topic."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from registry_autopilot.incidents import Change, Incident
from registry_autopilot.notices import Notice, NoticeDetail, news_of, notice_of, sns_subject
from registry_autopilot.ports import ChannelError
from registry_autopilot.records import HistoryEntry

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef


class TopicChannel:
    """Publishes one message per change, with attributes for filter policies."""

    name = "sns"

    def __init__(
        self, client: "SNSClient", topic_arn: str, *, detail: NoticeDetail, vertex_url: str | None = None
    ) -> None:
        self._client = client
        self._topic_arn = topic_arn
        self._detail = detail
        self._vertex_url = vertex_url

    def send(self, incident: Incident, change: Change) -> None:
        """Publish one change.

        Raises:
            ChannelError: SNS did not take it.
        """
        self._publish(notice_of(incident, change, self._detail, vertex_url=self._vertex_url))

    def send_news(self, entry: HistoryEntry) -> None:
        """Publish that a registry was registered, adopted or refreshed.

        Raises:
            ChannelError: SNS did not take it.
        """
        self._publish(news_of(entry, self._detail, vertex_url=self._vertex_url))

    def _publish(self, notice: Notice) -> None:
        try:
            self._client.publish(
                TopicArn=self._topic_arn,
                Subject=sns_subject(notice),
                Message=notice.body,
                MessageAttributes=_attributes(notice),
            )
        except (ClientError, BotoCoreError) as error:
            raise ChannelError(f"SNS did not take the notice ({type(error).__name__})") from None


def _attributes(notice: Notice) -> dict[str, "MessageAttributeValueTypeDef"]:
    values = {
        "severity": notice.severity,
        "cause": notice.cause,
        "subject": notice.subject,
        "state": notice.state,
        "incident": notice.incident_id,
    }
    return {name: {"DataType": "String", "StringValue": str(value)} for name, value in values.items()}
