"""Slack, by incoming webhook. The webhook URL is a secret and never leaves this module."""

from collections.abc import Callable, Sequence

import httpx

from registry_autopilot.causes import AutopilotError
from registry_autopilot.incidents import Change, Incident
from registry_autopilot.notices import Notice, NoticeDetail, news_of, notice_of, slack_payload
from registry_autopilot.ports import ChannelError
from registry_autopilot.records import HistoryEntry

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_MAX_RETRY_AFTER = 10.0  # seconds worth waiting inside one invocation
_TOO_MANY = 429
_MAY_PASS = frozenset({408, 425, _TOO_MANY})  # and whatever is wrong with the server itself
_SERVER_ERROR = 500
_PORTS = 65_536


class SlackChannel:
    """Posts one message per change; a 429 is waited for when short, else left to the stream's retry."""

    name = "slack"

    def __init__(
        self,
        http: httpx.Client,
        webhook: Callable[[], str],
        *,
        hosts: Sequence[str],
        detail: NoticeDetail,
        sleep: Callable[[float], None],
        vertex_url: str | None = None,
    ) -> None:
        self._http = http
        self._webhook = webhook
        self._hosts = {host.strip().lower() for host in hosts if host.strip()}
        self._detail = detail
        self._sleep = sleep
        self._vertex_url = vertex_url

    def send(self, incident: Incident, change: Change) -> None:
        """Post one change.

        Raises:
            ChannelError: Slack did not take it; permanent when a repeat would not help.
        """
        self._tell(notice_of(incident, change, self._detail, vertex_url=self._vertex_url))

    def send_news(self, entry: HistoryEntry) -> None:
        """Post that a registry was registered, adopted or refreshed.

        Raises:
            ChannelError: Slack did not take it; permanent when a repeat would not help.
        """
        self._tell(news_of(entry, self._detail, vertex_url=self._vertex_url))

    def _tell(self, notice: Notice) -> None:
        payload = slack_payload(notice)
        url = self._checked_url()
        response = self._post(url, payload)
        if response.status_code == _TOO_MANY and (wait := _retry_after(response)) <= _MAX_RETRY_AFTER:
            self._sleep(wait)
            response = self._post(url, payload)
        if not response.is_success:
            status = response.status_code
            permanent = status not in _MAY_PASS and status < _SERVER_ERROR
            raise ChannelError(f"Slack answered {status}", permanent=permanent)

    def _post(self, url: httpx.URL, payload: dict[str, object]) -> httpx.Response:
        try:
            return self._http.post(url, json=payload, timeout=10, follow_redirects=False)
        except httpx.HTTPError as error:
            raise ChannelError(f"Slack could not be reached ({type(error).__name__})") from None

    def _checked_url(self) -> httpx.URL:
        """The webhook, if its host is one of the setting's; https, or http on loopback."""
        try:
            url = httpx.URL(self._webhook().strip())
        except AutopilotError as error:
            raise ChannelError(f"its webhook cannot be read ({error.cause.slug})", permanent=True) from None
        except (httpx.InvalidURL, UnicodeError):
            raise ChannelError("the secret of its webhook holds no URL", permanent=True) from None
        host = url.host.lower()
        if not 0 < (url.port or 443) < _PORTS:
            raise ChannelError("the secret of its webhook holds no URL", permanent=True)
        if host not in self._hosts or (url.scheme != "https" and host not in _LOOPBACK):
            raise ChannelError("the Slack webhook's host is not one of SlackHosts, or it is not https", permanent=True)
        return url


def _retry_after(response: httpx.Response) -> float:
    try:
        return max(0.0, float(response.headers.get("Retry-After", "1")))
    except ValueError:
        return _MAX_RETRY_AFTER + 1
