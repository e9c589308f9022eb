"""The sandbox's AWS refuses what AWS refuses, and emits what AWS emits."""

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sandbox.aws import Activity, Credentials, LocalAws, Place, Seeds
from sandbox.aws.local import make_credentials
from sandbox.aws.seeds import PULL_SECRET, seed_identities
from sandbox.clock import SandboxClock

HOURS_12 = timedelta(hours=12)


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """One AWS for the whole module; each test uses names of its own."""
    with LocalAws(SandboxClock()) as running:
        yield running


@pytest.fixture(scope="module")
def seeds(aws: LocalAws) -> Seeds:
    """The identities that every sandbox starts with."""
    return seed_identities(aws)


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def assume(aws: LocalAws, who: Credentials, role: str, **extra: str) -> Mapping[str, Any]:
    sts = aws.client("sts", as_=who)
    return dict(sts.assume_role(RoleArn=role, RoleSessionName="test", **extra)["Credentials"])


def client_of_session(aws: LocalAws, service: str, session: Mapping[str, Any], *, token: str | None = None) -> Any:
    return boto3.Session().client(
        service,  # type: ignore[call-overload] # any service
        region_name="us-east-1",
        endpoint_url=aws.endpoint_url,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=token or session["SessionToken"],
    )


def queue_with_rule(aws: LocalAws, name: str, pattern: Mapping[str, Any]) -> str:
    sqs, events = aws.client("sqs"), aws.client("events")
    url = str(sqs.create_queue(QueueName=name)["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def delivered(aws: LocalAws, url: str) -> list[dict[str, Any]]:
    messages = aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("ecr", "get_authorization_token", "UnrecognizedClientException"),
        ("secretsmanager", "list_secrets", "UnrecognizedClientException"),
        ("sqs", "list_queues", "InvalidClientTokenId"),
    ],
)
def test_an_unknown_key_is_refused_in_the_service_s_own_words(
    aws: LocalAws, service: str, call: str, code: str
) -> None:
    """Each service has its own code for a key that nobody has."""
    with pytest.raises(ClientError) as refused:
        getattr(aws.client(service, as_=make_credentials()), call)()
    assert code_of(refused) == code


def test_a_wrong_secret_key_is_refused_when_the_key_id_exists(aws: LocalAws, seeds: Seeds) -> None:
    """The signature is compared with the one that the right secret key gives."""
    wrong = Credentials(seeds.pull_key.access_key_id, make_credentials().secret_access_key)
    for service, call, code in (
        ("sts", "get_caller_identity", "SignatureDoesNotMatch"),
        ("ecr", "get_authorization_token", "InvalidSignatureException"),
    ):
        with pytest.raises(ClientError) as refused:
            getattr(aws.client(service, as_=wrong), call)()
        assert code_of(refused) == code


def test_the_pull_key_may_pull_and_nothing_else(aws: LocalAws, seeds: Seeds) -> None:
    """The seeded secret holds a working key with the documented policy."""
    value = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=PULL_SECRET)["SecretString"])
    assert value["accessKeyId"] == seeds.pull_key.access_key_id
    assert aws.client("sts", as_=seeds.pull_key).get_caller_identity()["Arn"].endswith(f"user/{seeds.pull_user}")
    assert aws.client("ecr", as_=seeds.pull_key).describe_repositories()["repositories"] is not None
    with pytest.raises(ClientError) as refused:
        aws.client("ecr", as_=seeds.pull_key).create_repository(repositoryName="not-allowed")
    assert code_of(refused) == "AccessDeniedException"


def test_a_policy_for_some_repositories_covers_no_others(aws: LocalAws) -> None:
    """A pull policy can be narrowed to repositories; listing all of them then is refused."""
    iam, root = aws.client("iam"), aws.client("ecr")
    for name in ("narrow/one", "wide/one"):
        root.create_repository(repositoryName=name)
    iam.create_user(UserName="narrow")
    made = iam.create_access_key(UserName="narrow")["AccessKey"]
    arn = "arn:aws:ecr:us-east-1:123456789012:repository/narrow/*"
    allow = {"Effect": "Allow", "Action": "ecr:DescribeRepositories", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName="narrow", PolicyName="narrow", PolicyDocument=policy)
    ecr = aws.client("ecr", as_=Credentials(made["AccessKeyId"], made["SecretAccessKey"]))
    assert len(ecr.describe_repositories(repositoryNames=["narrow/one"])["repositories"]) == 1
    for arguments in ({"repositoryNames": ["wide/one"]}, {}):
        with pytest.raises(ClientError) as refused:
            ecr.describe_repositories(**arguments)
        assert code_of(refused) == "AccessDeniedException"


def test_an_inactive_key_is_refused_as_if_unknown(aws: LocalAws) -> None:
    """A deactivated key no longer works, and works again when it is activated."""
    iam = aws.client("iam")
    iam.create_user(UserName="leaver")
    made = iam.create_access_key(UserName="leaver")["AccessKey"]
    sts = aws.client("sts", as_=Credentials(made["AccessKeyId"], made["SecretAccessKey"]))
    iam.update_access_key(UserName="leaver", AccessKeyId=made["AccessKeyId"], Status="Inactive")
    with pytest.raises(ClientError) as refused:
        sts.get_caller_identity()
    assert code_of(refused) == "InvalidClientTokenId"
    iam.update_access_key(UserName="leaver", AccessKeyId=made["AccessKeyId"], Status="Active")
    assert sts.get_caller_identity()["Arn"].endswith("user/leaver")


def test_only_vertex_may_assume_the_role_when_it_gives_the_external_id(aws: LocalAws, seeds: Seeds) -> None:
    """A missing or wrong external id, and anybody else, are refused; the session may pull and nothing else."""
    for who, extra in (
        (seeds.vertex, {}),
        (seeds.vertex, {"ExternalId": "another"}),
        (seeds.pull_key, {"ExternalId": "sandbox"}),
    ):
        with pytest.raises(ClientError) as refused:
            assume(aws, who, seeds.role_arn, **extra)
        assert code_of(refused) == "AccessDenied"
    session = assume(aws, seeds.vertex, seeds.role_arn, ExternalId="sandbox")
    ecr = client_of_session(aws, "ecr", session)
    assert ecr.get_authorization_token()["authorizationData"]
    with pytest.raises(ClientError) as refused:
        ecr.delete_repository(repositoryName="any")
    assert code_of(refused) == "AccessDeniedException"
    with pytest.raises(ClientError) as refused:
        client_of_session(aws, "ecr", session, token="forged").get_authorization_token()
    assert code_of(refused) == "UnrecognizedClientException"


def test_a_role_that_does_not_exist_is_refused_like_one_that_does_not_trust(aws: LocalAws, seeds: Seeds) -> None:
    """AWS does not tell whether a role exists."""
    with pytest.raises(ClientError) as refused:
        assume(aws, seeds.vertex, "arn:aws:iam::123456789012:role/absent", ExternalId="sandbox")
    assert code_of(refused) == "AccessDenied"


def test_an_account_that_is_trusted_needs_a_policy_of_its_own(aws: LocalAws) -> None:
    """Trust in an account lets in only those identities that their own policies allow it."""
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="by-account", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.create_user(UserName="climber")
    made = iam.create_access_key(UserName="climber")["AccessKey"]
    climber = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    with pytest.raises(ClientError):
        assume(aws, climber, role)
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName="climber", PolicyName="climb", PolicyDocument=policy)
    assert assume(aws, climber, role)["SessionToken"]


def test_an_authorization_token_expires_in_twelve_hours(aws: LocalAws) -> None:
    """The expiry lies ahead, by the sandbox's clock."""
    token = aws.client("ecr").get_authorization_token()["authorizationData"][0]
    ahead = token["expiresAt"] - datetime.fromtimestamp(aws.clock.now(), UTC)
    assert abs(ahead - HOURS_12) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("service", "call", "arguments", "code"),
    [
        ("ssm", "put_parameter", {"Name": "/big", "Type": "String", "Value": "x" * 4097}, "ValidationException"),
        (
            "ssm",
            "put_parameter",
            {"Name": "/big", "Type": "String", "Value": "x" * 8193, "Tier": "Advanced"},
            "ValidationException",
        ),
        ("secretsmanager", "create_secret", {"Name": "big", "SecretString": "x" * 65537}, "ValidationException"),
        (
            "events",
            "put_events",
            {"Entries": [{"Source": "mine", "DetailType": "t", "Detail": json.dumps({"x": "y" * 262144})}]},
            "ValidationException",
        ),
        (
            "events",
            "put_events",
            {"Entries": [{"Source": "aws.ecr", "DetailType": "t", "Detail": "{}"}]},
            "NotAuthorizedForSourceException",
        ),
    ],
)
def test_what_aws_refuses_is_refused(
    aws: LocalAws, service: str, call: str, arguments: Mapping[str, Any], code: str
) -> None:
    """Sizes and sources beyond AWS's limits get AWS's error."""
    with pytest.raises(ClientError) as refused:
        getattr(aws.client(service), call)(**arguments)
    assert code_of(refused) == code


@pytest.mark.parametrize("size", [4096, 4000])
def test_a_parameter_is_taken_when_it_is_within_the_limit(aws: LocalAws, size: int) -> None:
    """The limit itself is allowed."""
    aws.client("ssm").put_parameter(Name=f"/fits/{size}", Type="String", Value="x" * size)
    assert len(aws.client("ssm").get_parameter(Name=f"/fits/{size}")["Parameter"]["Value"]) == size


@pytest.mark.parametrize(
    ("extra", "taken"),
    [
        ({"MessageGroupId": "a" * 128}, True),
        ({"MessageGroupId": "a-b_c.d/e:f"}, True),
        ({"MessageGroupId": "a" * 129}, False),
        ({"MessageGroupId": "with space"}, False),
        ({"MessageGroupId": "ä"}, False),
        ({"MessageGroupId": "a", "DelaySeconds": 5}, False),
    ],
)
def test_fifo_messages_are_judged_by_aws_s_rules(aws: LocalAws, extra: Mapping[str, Any], taken: bool) -> None:
    """Group ids are 1 to 128 legal characters; a message of a FIFO queue has no delay of its own."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="judged.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    entry = {
        "Id": "1",
        "MessageBody": "{}",
        "MessageDeduplicationId": uuid.uuid4().hex,
        **extra,
    }
    single = {name: value for name, value in entry.items() if name != "Id"}
    if taken:
        assert sqs.send_message(QueueUrl=url, **single)["MessageId"]
        return
    for send in (
        lambda: sqs.send_message(QueueUrl=url, **single),
        lambda: sqs.send_message_batch(QueueUrl=url, Entries=[entry]),
    ):
        with pytest.raises(ClientError) as refused:
            send()
        assert code_of(refused) == "InvalidParameterValue"


@pytest.mark.parametrize(("subject", "taken"), [("s" * 99, True), ("s" * 100, False), ("two\nlines", False)])
def test_subjects_are_judged_by_aws_s_rules(aws: LocalAws, subject: str, taken: bool) -> None:
    """A subject has under 100 characters and no control characters."""
    sns = aws.client("sns")
    topic = sns.create_topic(Name="judged")["TopicArn"]
    if taken:
        assert sns.publish(TopicArn=topic, Subject=subject, Message="m")["MessageId"]
        return
    with pytest.raises(ClientError) as refused:
        sns.publish(TopicArn=topic, Subject=subject, Message="m")
    assert code_of(refused) == "InvalidParameter"


def test_the_service_credential_may_speak_for_aws(aws: LocalAws) -> None:
    """Events of AWS's own sources can be put by hand with the sandbox's service credential."""
    url = queue_with_rule(aws, "by-hand", {"source": ["aws.byhand"]})
    entry = {"Source": "aws.byhand", "DetailType": "t", "Detail": '{"a": 1}'}
    assert aws.client("events", as_=aws.service).put_events(Entries=[entry])["FailedEntryCount"] == 0
    assert [event["detail"] for event in delivered(aws, url)] == [{"a": 1}]


def test_an_envelope_arrives_as_it_is_when_it_comes_from_another_account(aws: LocalAws) -> None:
    """Id, time, account and region of an event survive the bus; a rule that is switched off gets nothing."""
    url = queue_with_rule(aws, "whole", {"source": ["aws.whole"]})
    envelope = {
        "version": "0",
        "id": "11112222-3333-4444-5555-666677778888",
        "detail-type": "Test",
        "source": "aws.whole",
        "account": "210987654321",
        "time": "2026-11-23T10:11:12Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:x:::y"],
        "detail": {"a": None},
    }
    assert aws.put_event(envelope) == ["whole"]
    assert delivered(aws, url) == [envelope]
    aws.client("events").disable_rule(Name="whole")
    assert aws.put_event(envelope) == []


def test_people_s_acts_change_aws_and_emit_its_events(aws: LocalAws) -> None:
    """A repository, an image and a secret are there, and the events say so."""
    url = queue_with_rule(aws, "acts", {"source": ["aws.ecr", "aws.secretsmanager", "aws.ssm"]})
    activity = Activity(aws)
    activity.create_repository("acts/repo", {"team": "blue"})
    activity.push_image("acts/repo", "1.0")
    activity.put_secret("acts/secret", {"a": "b"})
    rotated = activity.put_secret("acts/secret", {"a": "c"})
    activity.put_parameter("/acts/parameter", "v")
    ecr = aws.client("ecr")
    repository = ecr.describe_repositories(repositoryNames=["acts/repo"])["repositories"][0]
    assert ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"] == [
        {"Key": "team", "Value": "blue"}
    ]
    assert ecr.list_images(repositoryName="acts/repo")["imageIds"][0]["imageTag"] == "1.0"
    events = delivered(aws, url)
    assert [event["detail-type"] for event in events] == [
        "AWS API Call via CloudTrail",
        "ECR Image Action",
        "Secret Label Updated",
        "Secret Label Updated",
        "Parameter Store Change",
    ]
    assert events[0]["detail"]["responseElements"]["repository"]["repositoryUri"] == repository["repositoryUri"]
    secret = aws.client("secretsmanager").get_secret_value(SecretId="acts/secret")
    assert rotated["detail"]["versionId"] == secret["VersionId"]
    assert rotated["resources"] == [secret["ARN"]]


def test_claims_of_an_event_come_true_when_it_is_replayed(aws: LocalAws) -> None:
    """The repository of an event exists in its own account and region, with its tags; twice is as good as once."""
    activity = Activity(aws)
    event: dict[str, Any] = {
        "source": "aws.ecr",
        "account": "210987654321",
        "region": "eu-west-1",
        "detail": {
            "eventName": "CreateRepository",
            "requestParameters": {"repositoryName": "claimed/it", "tags": [{"key": "a", "value": "b"}]},
            "responseElements": {"repository": {"repositoryName": "claimed/it"}},
        },
    }
    for _ in range(2):
        activity.ensure_claims(event)
    ecr = aws.client("ecr", region="eu-west-1")  # as the functions ask: with the registry's id
    found = ecr.describe_repositories(registryId="210987654321", repositoryNames=["claimed/it"])["repositories"][0]
    assert found["repositoryArn"] == "arn:aws:ecr:eu-west-1:210987654321:repository/claimed/it"
    with pytest.raises(ClientError):
        aws.client("ecr").describe_repositories(repositoryNames=["claimed/it"])


@pytest.mark.parametrize(
    "detail",
    [
        {"eventName": "CreateRepository", "errorCode": "AccessDenied", "responseElements": None},
        {"eventName": "DeleteRepository", "responseElements": {"repository": {"repositoryName": "unclaimed"}}},
        {"action-type": "DELETE", "repository-name": "unclaimed", "result": "SUCCESS"},
        {"sync-status": "FAILED", "repository-name": "unclaimed"},
    ],
)
def test_nothing_is_made_when_an_event_claims_no_repository(aws: LocalAws, detail: Mapping[str, Any]) -> None:
    """Failed calls and deletions claim nothing."""
    Activity(aws).ensure_claims({"source": "aws.ecr", "account": aws.account, "region": aws.region, "detail": detail})
    names = {r["repositoryName"] for r in aws.client("ecr").describe_repositories()["repositories"]}
    assert "unclaimed" not in names


def test_an_image_exists_when_an_event_says_it_was_pushed(aws: LocalAws) -> None:
    """A native push event claims its repository and its image."""
    detail = {"action-type": "PUSH", "result": "SUCCESS", "repository-name": "pushed/it", "image-tag": "2"}
    Activity(aws).ensure_claims({"source": "aws.ecr", "account": aws.account, "region": aws.region, "detail": detail})
    assert aws.client("ecr").list_images(repositoryName="pushed/it")["imageIds"][0]["imageTag"] == "2"


def test_a_place_names_its_registry_when_the_partition_is_another(aws: LocalAws) -> None:
    """China's registries have their own suffix."""
    assert Place("123456789012", "cn-north-1", "aws-cn").registry_host.endswith(".amazonaws.com.cn")


def test_requests_are_logged_with_their_status(aws: LocalAws) -> None:
    """Tests can ask who asked AWS for what."""
    aws.client("ssm").put_parameter(Name="/logged", Type="String", Value="v")
    with pytest.raises(ClientError):
        aws.client("ssm").get_parameter(Name="/absent")
    assert aws.requests.calls("ssm", "PutParameter")[-1].status == 200
    assert aws.requests.calls("ssm", "GetParameter")[-1].status == 400


def test_a_second_sandbox_is_refused_when_one_runs_in_the_process(aws: LocalAws) -> None:
    """The state behind it is one a process; two would share it."""
    with pytest.raises(RuntimeError, match="another sandbox runs"):
        LocalAws(SandboxClock()).start()


def test_the_clock_refuses_to_go_back() -> None:
    """A clock that goes back would lose messages."""
    with pytest.raises(ValueError, match="-1"):
        SandboxClock().advance(-1)
