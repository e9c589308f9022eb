"""The template keeps its promises: least privilege, every partition, limits of AWS, names of the contract."""

import importlib.util
import json
import re

import pytest
from pydantic import BaseModel

from registry_autopilot.settings import ConvergeSettings, NotifySettings, RouteSettings
from tests.template import support

FUNCTIONS: dict[str, type[BaseModel]] = {
    "RouteEventsFunction": RouteSettings,
    "ConvergeRegistryFunction": ConvergeSettings,
    "NotifyAdminsFunction": NotifySettings,
    "NotifySlackFunction": NotifySettings,
}
_CHANNELS = ("Admins", "Slack")
_WIDE = {"AttachToTheVpc", "ListTheLedgersStreams", "SeeWhetherThereIsATrail"}  # AWS knows no resource for these
_FUNCTION_PROPERTIES = support.of_type("AWS::Lambda::Function")
_SOURCES = support.of_type("AWS::Lambda::EventSourceMapping")


@pytest.mark.parametrize("word", ["arn:aws:", "amazonaws.com", "us-east-1", "us-gov-"])
def test_no_partition_is_named_when_the_stack_is_deployed(word: str) -> None:
    """Promise 9: no literal of one partition outside service principals."""
    text = json.dumps(support.translated()["Resources"])
    found = set(re.findall(rf"[^\"]*{re.escape(word)}[^\"]*", text))
    principals = {f"{service}.amazonaws.com" for service in ("lambda", "events", "cloudwatch", "ecr", "secretsmanager")}
    assert found - principals == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_gets_what_its_settings_need_and_no_more(function: str) -> None:
    """The environment of the template and the settings model name the same variables."""
    variables = set(_FUNCTION_PROPERTIES[function]["Environment"]["Variables"])
    fields = {name.upper() for name in FUNCTIONS[function].model_fields}
    given = {name for name in variables if not name.startswith("POWERTOOLS_")} - {"HTTPS_PROXY", "NO_PROXY"}
    required = {name.upper() for name, field in FUNCTIONS[function].model_fields.items() if field.is_required()}
    assert given <= fields
    assert required - {"AWS_REGION"} <= given
    assert not {name for name in given if "PASSWORD" in name or "TOKEN" in name}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_has_its_own_log_group_and_role(function: str) -> None:
    """An explicit log group with retention, a role of its own, the pinned runtime."""
    properties = _FUNCTION_PROPERTIES[function]
    stem = function.removesuffix("Function")
    assert properties["Role"]["Fn::GetAtt"] == [f"{stem}Role", "Arn"]
    assert support.of_type("AWS::Logs::LogGroup")[f"{stem}LogGroup"]["RetentionInDays"]
    assert properties["Runtime"] == "python3.13"
    assert properties["Architectures"] == [{"Ref": "Architecture"}]
    assert "LoggingConfig" not in properties, "GovCloud has no JSON log format"


def test_every_statement_reads_as_a_sentence_and_names_its_resources() -> None:
    """One statement per need; `*` only where AWS knows no resource."""
    sids = [statement["Sid"] for _, statement in support.statements()]
    assert len(sids) > 12
    for role, statement in support.statements():
        assert len(re.findall(r"[A-Z][a-z]+", statement["Sid"])) >= 3, statement["Sid"]
        assert statement["Effect"] == "Allow"
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action], f"{role}: {statement['Sid']}"
        wide = "*" in (statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]])
        assert wide == (statement["Sid"] in _WIDE), f"{role}: {statement['Sid']}"


def test_only_converge_reads_registry_secrets_and_only_notify_publishes() -> None:
    """Who may do what: the rooms of the design, in IAM."""
    by_action: dict[str, set[str]] = {}
    for role, statement in support.statements():
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        for action in actions:
            by_action.setdefault(action, set()).add(role)
    assert by_action["sns:Publish"] == {"NotifyAdminsRole"}
    assert by_action["secretsmanager:GetSecretValue"] == {"ConvergeRegistryRole", "NotifySlackRole", "SweepRole"}
    assert by_action["ecr:DescribeRepositories"] == {"RouteEventsRole", "ConvergeRegistryRole", "SweepRole"}
    swept = [s for role, s in support.statements() if role == "SweepRole" and "GetSecretValue" in str(s["Action"])]
    assert [s["Sid"] for s in swept] == ["ReadTheVertexLoginAndCa"]
    reads = [s for r, s in support.statements() if s["Sid"] == "ReadTheSecretsThatDefinitionsMayName"]
    assert [s["Resource"] for s in reads] == [{"Ref": "RegistrySecretArns"}]


@pytest.mark.parametrize(
    ("queue", "function"), [("EventsQueue", "RouteEventsFunction"), ("WorkQueue", "ConvergeRegistryFunction")]
)
def test_source_keeps_to_the_limits_of_lambda_and_sqs(queue: str, function: str) -> None:
    """Visible again after six timeouts and the window; more than ten only with a window (Lambda's guide to SQS)."""
    timeout = _FUNCTION_PROPERTIES[function]["Timeout"]
    properties = support.of_type("AWS::SQS::Queue")[queue]
    source = next(p for p in _SOURCES.values() if p["EventSourceArn"] == {"Fn::GetAtt": [queue, "Arn"]})
    window = source.get("MaximumBatchingWindowInSeconds", 0)
    assert source["FunctionName"] == {"Ref": function}
    assert properties["VisibilityTimeout"] >= 6 * timeout + window
    assert source["BatchSize"] <= (10 if properties.get("FifoQueue") else 10_000)
    assert window >= 1 or source["BatchSize"] <= 10
    assert not (properties.get("FifoQueue") and window), "a FIFO source takes no window"
    assert properties["RedrivePolicy"]["maxReceiveCount"] >= 5


def test_every_queue_is_encrypted_and_keeps_messages_for_two_weeks() -> None:
    """Nothing is lost over a long weekend."""
    for name, properties in support.of_type("AWS::SQS::Queue").items():
        assert properties["SqsManagedSseEnabled"] is True, name
        assert properties["MessageRetentionPeriod"] == 1_209_600, name


def test_event_sources_keep_to_what_every_partition_has() -> None:
    """Partial failures everywhere; no provisioned mode, metrics or tags, which GovCloud lacks."""
    assert len(_SOURCES) == 4
    for name, properties in _SOURCES.items():
        assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
        assert not {"MetricsConfig", "ProvisionedPollerConfig", "Tags"} & set(properties), name
    streams = {str(p["FunctionName"]["Ref"]): p for p in _SOURCES.values() if "StartingPosition" in p}
    assert streams.keys() == {"NotifyAdminsFunction", "NotifySlackFunction"}
    assert all(stream["BisectBatchOnFunctionError"] is True for stream in streams.values())
    assert streams["NotifyAdminsFunction"]["DestinationConfig"]["OnFailure"]


def test_channels_are_told_apart() -> None:
    """Slack being down holds up its own function's place in the stream; what it misses is no dead letter."""
    ours, slack = (_FUNCTION_PROPERTIES[f"Notify{name}Function"]["Environment"]["Variables"] for name in _CHANNELS)
    assert (ours["NOTICE_CHANNEL"], slack["NOTICE_CHANNEL"]) == ("sns", "slack")
    assert not [name for name in ours if name.startswith("SLACK_")]
    assert not [name for name in slack if "TOPIC" in name]
    (source,) = [p for p in _SOURCES.values() if p["FunctionName"] == {"Ref": "NotifySlackFunction"}]
    assert "DestinationConfig" not in source
    for name in ("Function", "Role", "LogGroup", "ErrorsAlarm"):
        assert support.translated()["Resources"][f"NotifySlack{name}"]["Condition"] == "HasSlack"


def test_every_rule_has_a_dead_letter_queue_and_may_send() -> None:
    """What EventBridge cannot deliver is kept; the queue's policy names each rule."""
    rules = support.of_type("AWS::Events::Rule")
    policy = json.dumps(support.translated()["Resources"]["EventsQueuePolicy"])
    for name, properties in rules.items():
        assert all("DeadLetterConfig" in target for target in properties["Targets"]), name
        if any("Input" in target for target in properties["Targets"]):
            assert f'"{name}"' in json.dumps(support.of_type("AWS::Lambda::Permission")), name
        else:
            assert f'"{name}"' in policy, name
        assert len(json.dumps(properties.get("EventPattern", {}))) <= 4096


def test_every_dead_letter_queue_has_an_alarm() -> None:
    """Nobody finds a dead letter by chance."""
    text = json.dumps(support.of_type("AWS::CloudWatch::Alarm"))
    for name in support.of_type("AWS::SQS::Queue"):
        assert name in text or not name.endswith("DeadLetterQueue"), name


def test_page_of_parameters_is_in_step_with_the_template() -> None:
    """`python docs/generate.py` writes docs/parameters.md."""
    spec = importlib.util.spec_from_file_location("generate", support.ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PARAMETERS.read_text() == module.parameters()
