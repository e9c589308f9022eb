"""Settings: a function with a missing or wrong variable does not start, and says which."""

import pytest

from registry_autopilot.notices import NoticeDetail
from registry_autopilot.settings import ConvergeSettings, NotifySettings, RouteSettings, SettingsError

BASE = {
    "STACK_ACCOUNT": "123456789012",
    "STACK_PARTITION": "aws",
    "AWS_REGION": "us-east-1",
    "LEDGER_TABLE": "ledger",
    "DEFINITIONS_PATH": "/registry-autopilot/registries",
    "MODE_PARAMETER": "/registry-autopilot/control/mode",
    "VERTEX_ADMIN_SECRET_ARN": "arn:admin",
    "WORK_QUEUE_URL": "https://queue",
    "VERTEX_URL": "https://vertex.example.gov/",
    "NOTICE_TOPIC_ARN": "arn:topic",
}


def test_settings_are_read_when_everything_is_there() -> None:
    """Lists are split, empty variables count as absent, the stack's own secrets are known."""
    settings = ConvergeSettings.read(
        BASE | {"ALLOWED_REGISTRY_HOSTS": "a.example, b.example", "SLACK_WEBHOOK_SECRET_ARN": ""}
    )
    assert settings.vertex_url == "https://vertex.example.gov"
    assert settings.rules.allowed_hosts == ("a.example", "b.example")
    assert settings.rules.own_secrets == ("arn:admin",)
    assert (settings.home.account, settings.home.region) == ("123456789012", "us-east-1")
    assert RouteSettings.read(BASE).work_queue_url == "https://queue"


@pytest.mark.parametrize("name", ["LEDGER_TABLE", "VERTEX_URL", "MODE_PARAMETER", "STACK_ACCOUNT", "AWS_REGION"])
def test_missing_variable_is_named(name: str) -> None:
    """The message names the variable."""
    with pytest.raises(SettingsError, match=name):
        ConvergeSettings.read({key: value for key, value in BASE.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VERTEX_URL", "http://vertex.example.gov"),
        ("VERTEX_URL", "https://user:hidden-word@vertex.example.gov"),
        ("VERTEX_URL", "vertex.example.gov"),
        ("VERTEX_LOGIN_FIELD", "nickname"),
        ("VERTEX_REQUESTS_PER_SECOND", "0"),
        ("CONVERGE_WORKERS", "none"),
        ("STACK_ACCOUNT", "12"),
    ],
)
def test_wrong_variable_is_named_and_its_value_is_not_shown(name: str, value: str) -> None:
    """A value may hold a secret that was put into the wrong place."""
    with pytest.raises(SettingsError, match=name) as caught:
        ConvergeSettings.read(BASE | {name: value})
    assert "hidden-word" not in str(caught.value)


def test_loopback_may_be_http() -> None:
    """A VerteX on this machine needs no TLS."""
    assert ConvergeSettings.read(BASE | {"VERTEX_URL": "http://127.0.0.1:8080"}).vertex_url == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("partition", "asked", "detail"),
    [
        ("aws", "auto", NoticeDetail.FULL),
        ("aws-us-gov", "auto", NoticeDetail.REFERENCE),
        ("aws-us-gov", "full", NoticeDetail.FULL),
        ("aws", "reference", NoticeDetail.REFERENCE),
    ],
)
def test_notices_name_no_asset_by_default_outside_the_aws_partition(
    partition: str, asked: str, detail: NoticeDetail
) -> None:
    """`auto` follows the partition."""
    place = {"STACK_PARTITION": partition, "NOTICE_CHANNEL": "sns", "NOTICE_CHANNELS": "sns"}
    assert NotifySettings.read(BASE | place | {"NOTICE_DETAIL": asked}).detail is detail


@pytest.mark.parametrize(("channel", "missing"), [("sns", "NOTICE_TOPIC_ARN"), ("slack", "SLACK_WEBHOOK_SECRET_ARN")])
def test_channel_without_an_address_stops_the_function(channel: str, missing: str) -> None:
    """Nothing would be told, and nobody would know."""
    given = {name: value for name, value in BASE.items() if name != missing}
    with pytest.raises(SettingsError, match=f"{missing}: .*notices go to {channel}"):
        NotifySettings.read(given | {"NOTICE_CHANNEL": channel, "NOTICE_CHANNELS": "sns,slack"})
