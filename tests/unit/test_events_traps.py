"""One test per trap: the good sample, copied and broken in one place."""

import json
from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from registry_autopilot.events import (
    UNKNOWN_TIME,
    Ignored,
    ImagePushed,
    ParsedEvent,
    RepositoryCreated,
    RepositoryDeleted,
    RotationFailed,
    SecretChanged,
    Tick,
    Unrecognised,
    parse_event,
)

SAMPLES = Path(__file__).parents[2] / "events"
OTHER = "210987654321"
REQUEST, RESPONSE = ("detail", "requestParameters"), ("detail", "responseElements")
REPOSITORY = (*RESPONSE, "repository")
GONE: Any = object()


def sample(file: str) -> Any:
    return json.loads((SAMPLES / f"{file}.json").read_text())


def parse_with(file: str, path: Sequence[str], value: object) -> ParsedEvent:
    """Parse a sample in which one place is replaced, or left out (GONE)."""
    document = deepcopy(sample(file))
    place = document
    for key in path[:-1]:
        place = place[key]
    if value is GONE:
        place.pop(path[-1], None)
    else:
        place[path[-1]] = value
    return parse_event(document)


@pytest.mark.parametrize("file", ["create-repository", "delete-repository", "create-repository-service-event"])
@pytest.mark.parametrize("key", ["errorCode", "errorMessage"])
def test_call_is_ignored_when_it_failed(file: str, key: str) -> None:
    """A failed call has no effect, whatever else its record says."""
    event = parse_with(file, ("detail", key), "AccessDenied")
    assert isinstance(event, Ignored)
    assert "failed: AccessDenied" in event.reason


@pytest.mark.parametrize("key", ["errorCode", "errorMessage", "error", "__type"])
def test_call_is_ignored_when_the_error_is_inside_the_response(key: str) -> None:
    """Some services write the error where the result would be, as a text or as an object."""
    assert isinstance(parse_with("create-repository", (*RESPONSE, key), "LimitExceededException"), Ignored)
    assert isinstance(parse_with("create-repository", (*RESPONSE, key), {"code": "LimitExceeded"}), Ignored)


@pytest.mark.parametrize("value", [None, GONE])
@pytest.mark.parametrize("file", ["create-repository", "delete-repository"])
def test_call_is_ignored_when_it_returned_nothing(file: str, value: object) -> None:
    """A null response and a missing one are the same."""
    assert isinstance(parse_with(file, RESPONSE, value), Ignored)


@pytest.mark.parametrize("value", [None, GONE])
def test_repository_is_read_when_the_request_is_missing(value: object) -> None:
    """A null request and a missing one are the same; the response tells enough."""
    assert isinstance(parse_with("create-repository", REQUEST, value), RepositoryCreated)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (RESPONSE, {}),
        (RESPONSE, "created"),
        (RESPONSE, [1]),
        (REPOSITORY, None),
        (REPOSITORY, "nginx"),
        (REQUEST, "nginx"),
        (REQUEST, 7),
        ((*REPOSITORY, "repositoryName"), 7),
        ((*REPOSITORY, "repositoryName"), ["nginx"]),
        ((*REPOSITORY, "repositoryName"), ""),
        ((*REPOSITORY, "repositoryUri"), {"host": "x"}),
        ((*REPOSITORY, "repositoryArn"), "nginx"),
        ((*REPOSITORY, "registryId"), 123456789012),
        (("detail",), None),
        (("detail",), []),
        (("detail",), "not JSON"),
        (("detail",), "[1]"),
        (("detail",), "[" * 100_000),
        (("detail", "eventName"), None),
        (("detail", "eventName"), 7),
        (("detail", "eventSource"), None),
        (("detail", "eventID"), "with blank"),
        (("detail", "eventID"), "x" * 129),
        (("detail", "eventID"), 7),
        (("detail", "recipientAccountId"), 123456789012),
    ],
)
def test_repository_event_is_quarantined_when_a_field_has_an_impossible_shape(
    path: tuple[str, ...], value: object
) -> None:
    """An event that ought to be understood and cannot be is never dropped in silence."""
    event = parse_with("create-repository", path, value)
    assert isinstance(event, Unrecognised)
    assert event.reason


@pytest.mark.parametrize(
    "name",
    [
        "n",
        "N" * 3,
        "a" * 257,
        "team a",
        "-nginx",
        "nginx-",
        "a//b",
        "/ab",
        "ab/",
        "a..b",
        "a___b",
        "ab\n",
        "näh",
        "a/../b",
    ],
)
def test_push_is_quarantined_when_ecr_does_not_allow_the_name(name: str) -> None:
    """Names follow the pattern of ECR's API, 2 to 256 characters."""
    event = parse_with("image-push", ("detail", "repository-name"), name)
    assert isinstance(event, Unrecognised)
    assert "repository name" in event.reason


@pytest.mark.parametrize("name", ["ab", "a1", "a.b", "a_b", "a__b", "a---b", "a/b", "0/1/2", "a" * 256])
def test_push_is_read_when_ecr_allows_the_name(name: str) -> None:
    """The shortest, the longest and the oddest names are names."""
    event = parse_with("image-push", ("detail", "repository-name"), name)
    assert isinstance(event, ImagePushed)
    assert event.repository.name == name


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*REQUEST, "repositoryName"), "team-b/nginx"),
        ((*REPOSITORY, "repositoryName"), "team-b/nginx"),
        ((*REPOSITORY, "repositoryArn"), "arn:aws:ecr:us-east-1:123456789012:repository/team-b/nginx"),
        ((*REPOSITORY, "repositoryUri"), "123456789012.dkr.ecr.us-east-1.amazonaws.com/team-b/nginx"),
    ],
)
def test_repository_event_is_quarantined_when_its_names_differ(path: tuple[str, ...], value: str) -> None:
    """Request, response, ARN and URI must tell one name."""
    event = parse_with("create-repository", path, value)
    assert isinstance(event, Unrecognised)
    assert "different repository names" in event.reason


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("account",), OTHER),
        (("region",), "us-west-2"),
        (("detail", "recipientAccountId"), OTHER),
        (("detail", "awsRegion"), "us-west-2"),
        ((*REPOSITORY, "registryId"), OTHER),
        ((*REQUEST, "registryId"), OTHER),
        (
            (*REPOSITORY, "repositoryArn"),
            f"arn:aws:ecr:us-east-1:{OTHER}:repository/team-a/spectro-packs/archive/nginx",
        ),
        ((*REPOSITORY, "repositoryArn"), "arn:aws-cn:ecr:us-east-1:123456789012:repository/team-a/nginx"),
        ((*REPOSITORY, "repositoryUri"), f"{OTHER}.dkr.ecr.us-east-1.amazonaws.com/team-a/nginx"),
        ((*REPOSITORY, "repositoryUri"), "123456789012.dkr.ecr.us-west-2.amazonaws.com/team-a/nginx"),
        ((*REPOSITORY, "repositoryUri"), "123456789012.dkr.ecr.us-east-1.amazonaws.com.cn/team-a/nginx"),
        ((*REPOSITORY, "repositoryUri"), "123456789012.dkr.ecr.us-east-1.amazonaws.com@evil.example/team-a/nginx"),
        ((*REPOSITORY, "repositoryUri"), "https://evil.example/123456789012.dkr.ecr.us-east-1.amazonaws.com"),
        ((*REPOSITORY, "repositoryUri"), "public.ecr.aws/a1b2c3d4/nginx"),
        (("detail", "eventSource"), "codecommit.amazonaws.com"),
        (("detail", "eventSource"), "ecr-public.amazonaws.com"),
        (("source",), "aws.codecommit"),
        (("source",), "aws.ecr-public"),
        (("source",), "com.example"),
        (("detail-type",), "AWS Console Action via CloudTrail"),
        (("detail", "eventName"), "SetRepositoryPolicy"),
    ],
)
def test_repository_event_is_ignored_when_it_is_not_of_its_own_account_and_region(
    path: tuple[str, ...], value: str
) -> None:
    """Nothing that points elsewhere, or comes from another service, leads to a trigger."""
    assert isinstance(parse_with("create-repository", path, value), Ignored)


@pytest.mark.parametrize("path", [("account",), ("region",), ("detail", "recipientAccountId"), ("detail", "awsRegion")])
def test_repository_is_read_when_account_and_region_are_told_once(path: tuple[str, ...]) -> None:
    """The record fills in for the envelope, and the other way round."""
    event = parse_with("create-repository", path, GONE)
    assert isinstance(event, RepositoryCreated)
    assert (event.repository.account, event.repository.region) == ("123456789012", "us-east-1")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("account",), GONE),
        (("account",), "12345"),
        (("account",), "\u0661" * 12),
        (("region",), GONE),
        (("region",), "nowhere"),
        (("region",), "us-east-1\n"),
        (("id",), GONE),
        (("id",), ""),
        (("detail", "action-type"), GONE),
        (("detail", "result"), GONE),
        (("detail", "result"), True),
        (("detail", "repository-name"), GONE),
    ],
)
def test_push_is_quarantined_when_it_does_not_say_where_or_what(path: tuple[str, ...], value: object) -> None:
    """A native event has one place for each fact; without it, it cannot be understood."""
    assert isinstance(parse_with("image-push", path, value), Unrecognised)


@pytest.mark.parametrize("result", ["FAILURE", "FAILED", "success"])
@pytest.mark.parametrize("file", ["image-push", "replication"])
def test_content_is_ignored_when_it_did_not_arrive(file: str, result: str) -> None:
    """Only SUCCESS brings content."""
    assert isinstance(parse_with(file, ("detail", "result"), result), Ignored)


@pytest.mark.parametrize("file", ["pull-through-cache", "replication"])
@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:ecr:us-east-1:123456789012:repository/team-b/nginx", Unrecognised),
        (f"arn:aws:ecr:us-east-1:{OTHER}:repository/team-b/nginx", Ignored),
        ("arn:aws:ecr:eu-west-1:123456789012:repository/team-b/nginx", Ignored),
        ("arn:aws:iam::123456789012:role/x", ImagePushed),
        (7, ImagePushed),
    ],
)
def test_content_follows_its_arn_when_the_envelope_names_one(file: str, arn: object, expected: type) -> None:
    """The ARN in `resources` must be of the same repository; what is no repository's ARN is no statement about one."""
    assert type(parse_with(file, ("resources",), [arn])) is expected


@pytest.mark.parametrize("resources", [GONE, None, "text", {}, []])
def test_content_is_read_when_the_envelope_names_no_resource(resources: object) -> None:
    """`resources` is a help, not a condition."""
    assert isinstance(parse_with("replication", ("resources",), resources), ImagePushed)


def test_detail_is_read_when_it_arrives_as_text() -> None:
    """Some senders deliver the detail as a text that holds JSON."""
    document = sample("image-push")
    assert parse_event(document | {"detail": json.dumps(document["detail"])}) == parse_event(document)


@pytest.mark.parametrize(
    "value", [GONE, None, 7, "yesterday", "2023-02-29T02:36:48Z", "2026-11-02T09:00:00", "0001-01-01T00:00:00+14:00"]
)
def test_event_is_read_when_its_time_is_unreadable(value: object) -> None:
    """A wrong clock costs no event: AWS's own pull-through sample is dated 29 February 2023."""
    event = parse_with("pull-through-cache", ("time",), value)
    assert isinstance(event, ImagePushed)
    assert event.origin.at == UNKNOWN_TIME


def test_time_is_the_envelopes_when_the_record_has_none() -> None:
    """`eventTime` goes first, then `time`; `createdAt` is written in a locale and never read."""
    event = parse_with("create-repository", ("detail", "eventTime"), "Nov 2, 2026, 9:01:03 AM")
    assert isinstance(event, RepositoryCreated)
    assert event.origin.at == datetime.fromisoformat(sample("create-repository")["time"])


def test_time_is_in_utc_when_written_with_an_offset() -> None:
    """All times compare."""
    event = parse_with("image-push", ("time",), "2026-11-02T10:00:00+02:00")
    assert isinstance(event, ImagePushed)
    assert event.origin.at == datetime(2026, 11, 2, 8, tzinfo=UTC)
    assert event.origin.at.tzinfo is UTC


@pytest.mark.parametrize("value", ["Jul 11, 2018 10:17:44 PM", "nonsense", 1531347464, None])
def test_repository_is_read_when_created_at_is_anything(value: object) -> None:
    """`createdAt` has no say in anything."""
    assert parse_with("create-repository", (*REPOSITORY, "createdAt"), value) == parse_event(
        sample("create-repository")
    )


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (None, {}),
        ("text", {}),
        ([], {}),
        ([{"key": "a", "value": "1"}, {"Key": "b", "Value": "2"}], {"a": "1", "b": "2"}),
        ([{"key": "a"}, {"Key": "b", "Value": None}], {"a": "", "b": ""}),
        ([7, None, {}, {"key": 7, "value": "x"}, {"key": "a", "value": 7}], {"a": ""}),
    ],
)
def test_tags_are_read_when_they_are_tags(tags: object, expected: dict[str, str]) -> None:
    """Both letter cases count; what is no tag is left out without losing the event."""
    event = parse_with("create-repository", (*REQUEST, "tags"), tags)
    assert isinstance(event, RepositoryCreated)
    assert event.tags == expected


@pytest.mark.parametrize(
    ("identity", "principal"),
    [
        ({"arn": "arn:aws:iam::123456789012:user/ops", "invokedBy": "x"}, "arn:aws:iam::123456789012:user/ops"),
        ({"arn": None, "invokedBy": "replication.ecr.amazonaws.com"}, "replication.ecr.amazonaws.com"),
        ({"principalId": "EXAMPLE:session"}, "EXAMPLE:session"),
        ({"arn": "two\nlines\ud800"}, "two?lines?"),
        ({"arn": 7}, None),
        ({}, None),
        ("ops", None),
        (None, None),
    ],
)
def test_principal_is_told_when_the_record_knows_one(identity: object, principal: str | None) -> None:
    """Who made the call is for the notice only: any shape of it will do."""
    event = parse_with("create-repository", ("detail", "userIdentity"), identity)
    assert isinstance(event, RepositoryCreated)
    assert event.origin.principal == principal


def test_repository_is_deleted_when_a_service_did_it() -> None:
    """A service event of a delete is read as one of a create is."""
    event = parse_with("create-repository-service-event", ("detail", "eventName"), "DeleteRepository")
    assert isinstance(event, RepositoryDeleted)


@pytest.mark.parametrize("stages", [None, GONE, ["AWSCURRENT"], ["AWSCURRENT", "AWSPENDING"], "AWSPENDING", []])
def test_secret_has_changed_when_the_new_version_may_be_current(stages: object) -> None:
    """Only a version that is AWSPENDING and nothing else is surely not current yet."""
    assert isinstance(parse_with("put-secret-value", (*REQUEST, "versionStages"), stages), SecretChanged)


@pytest.mark.parametrize("stage", [None, GONE, "AWSCURRENT"])
def test_secret_has_changed_when_the_moved_stage_may_be_current(stage: object) -> None:
    """A rollback counts; a stage that is not told may be AWSCURRENT."""
    assert isinstance(parse_with("update-secret-version-stage", (*REQUEST, "versionStage"), stage), SecretChanged)


@pytest.mark.parametrize("stage", ["AWSPREVIOUS", "AWSPENDING", "BLUE"])
def test_secret_has_not_changed_when_another_stage_moved(stage: str) -> None:
    """Nobody uses what is not AWSCURRENT."""
    assert isinstance(parse_with("update-secret-version-stage", (*REQUEST, "versionStage"), stage), Ignored)
    assert isinstance(parse_with("secret-label-updated", ("detail", "labelUpdated"), stage), Ignored)


@pytest.mark.parametrize(
    ("part", "content", "expected"),
    [
        ("additionalEventData", {"SecretId": "one"}, "one"),
        ("additionalEventData", {"ARN": "two"}, "two"),
        ("serviceEventDetails", {"secretId": "three"}, "three"),
        ("responseElements", {"arn": "four"}, "four"),
        ("responseElements", {"aRN": "five"}, "five"),
        ("requestParameters", {"secretId": "six"}, "six"),
    ],
)
def test_secret_is_found_when_it_is_told_in_one_of_its_places(part: str, content: object, expected: str) -> None:
    """Services and years differ in where the id sits."""
    document = sample("rotation-succeeded")
    del document["detail"]["additionalEventData"]
    document["detail"][part] = content
    event = parse_event(document)
    assert isinstance(event, SecretChanged)
    assert event.secret_id == expected


def test_secret_is_found_when_only_the_envelope_tells_it() -> None:
    """The last place is the envelope's `resources`."""
    document = sample("rotation-succeeded")
    arn = document["detail"].pop("additionalEventData")["SecretId"]
    assert isinstance(parse_event(document), Unrecognised)
    event = parse_event(document | {"resources": ["arn:aws:iam::123456789012:role/x", arn]})
    assert isinstance(event, SecretChanged)
    assert event.secret_id == arn


def test_secret_is_named_when_the_label_event_has_no_resource() -> None:
    """The native event tells the ARN and the name; either will do."""
    event = parse_with("secret-label-updated", ("resources",), [])
    assert isinstance(event, SecretChanged)
    assert event.secret_id == "vertex/ecr-pull"


@pytest.mark.parametrize("secret_id", ["two words", "arn:aws:iam::123456789012:role/x", "x" * 2049, "a\n", 7, {}])
def test_secret_event_is_quarantined_when_the_id_is_none(secret_id: object) -> None:
    """A secret id is a name or a secret's ARN."""
    document = sample("put-secret-value")
    document["detail"]["responseElements"] = None
    document["detail"]["requestParameters"]["secretId"] = secret_id
    assert isinstance(parse_event(document), Unrecognised)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("detail", "eventSource"), "kms.amazonaws.com", Ignored),
        (("detail", "eventName"), "TagResource", Ignored),
        (("detail", "errorCode"), "AccessDenied", Ignored),
        (("detail", "eventName"), None, Unrecognised),
        (("detail",), [], Unrecognised),
    ],
)
def test_secret_call_leads_to_nothing_when_foreign_failed_or_unreadable(
    path: tuple[str, ...], value: object, expected: type
) -> None:
    """The rules for repository calls hold for calls on secrets."""
    assert type(parse_with("put-secret-value", path, value)) is expected


@pytest.mark.parametrize(
    "event_name",
    [
        "RotationStarted",
        "TestRotationSucceeded",
        "ReplicationStarted",
        "SecretVersionDeletion",
        "EndSecretVersionDelete",
    ],
)
def test_secret_step_is_ignored_when_it_changes_nothing(event_name: str) -> None:
    """Starts, tests and the removal of old versions are no news."""
    assert isinstance(parse_with("rotation-succeeded", ("detail", "eventName"), event_name), Ignored)


def test_message_is_made_presentable_when_a_rotation_failed() -> None:
    """AWS quotes what a function said: one line, no control characters, at most 500 of them."""
    event = parse_with("rotation-failed", ("detail", "errorMessage"), "a\x1b[31m\nb" + "x" * 1000)
    assert isinstance(event, RotationFailed)
    assert event.message is not None
    assert event.message.startswith("a?[31m?bxxx")
    assert len(event.message) == 500


@pytest.mark.parametrize("response", [None, {}, {"deletionDate": None}, {"deletionDate": 7}])
def test_deletion_is_told_when_its_date_is_not(response: object) -> None:
    """A secret that goes is news, with or without a date."""
    event = parse_with("delete-secret", RESPONSE, response)
    assert isinstance(event, RotationFailed)
    assert (event.event, event.message) == ("DeleteSecret", None)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("detail", "operation"), "LabelParameterVersion", Ignored),
        (("detail", "exception"), "Unable to Describe Resource", Ignored),
        (("detail", "operation"), GONE, Unrecognised),
        (("detail", "name"), "", Unrecognised),
        (("detail", "name"), "/a b", Unrecognised),
        (("detail", "name"), "/" + "x" * 2048, Unrecognised),
        (("detail-type",), "Parameter Store Policy Action", Ignored),
    ],
)
def test_parameter_event_leads_to_nothing_when_nothing_changed_or_it_is_unreadable(
    path: tuple[str, ...], value: object, expected: type
) -> None:
    """Labels and failed changes are ignored; a change of nothing in particular is quarantined."""
    assert type(parse_with("definition-updated", path, value)) is expected


def test_tick_is_quarantined_when_it_comes_from_nowhere() -> None:
    """Even a tick must say whose it is."""
    assert isinstance(parse_with("tick", ("account",), GONE), Unrecognised)
    assert isinstance(parse_event(sample("tick")), Tick)


def test_reason_is_short_and_printable_when_the_event_is_hostile() -> None:
    """Reasons go to logs and notices: no line breaks, no control characters, no megabytes."""
    event = parse_with("create-repository", ("detail", "eventName"), "x\n\x1b[2J\ud800" + "y" * 100_000)
    assert isinstance(event, Ignored)
    assert event.reason.isprintable()
    assert len(event.reason) < 300
    assert event.origin is not None
    assert event.origin.event_name is not None
    assert len(event.origin.event_name) <= 80
