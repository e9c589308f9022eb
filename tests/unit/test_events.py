"""Every sample event leads to what its manifest says; message bodies and bare records are opened with care."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from registry_autopilot import events
from registry_autopilot.events import (
    MAX_BODY_BYTES,
    DefinitionChanged,
    Ignored,
    ImagePushed,
    Repository,
    RepositoryCreated,
    RepositoryDeleted,
    RotationFailed,
    SecretChanged,
    Tick,
    Unrecognised,
    envelope_of,
    parse_body,
    parse_event,
)

SAMPLES = Path(__file__).parents[2] / "events"
MANIFEST: dict[str, dict[str, str | None]] = yaml.safe_load((SAMPLES / "manifest.yaml").read_text())

ACCOUNT, REGION = "123456789012", "us-east-1"
NAME = "team-a/spectro-packs/archive/nginx"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:vertex/ecr-pull-a1B2c3"


def parsed(file: str) -> events.ParsedEvent:
    return parse_body((SAMPLES / file).read_bytes())


@pytest.mark.parametrize("file", MANIFEST)
def test_sample_leads_to_what_the_manifest_says_when_parsed(file: str) -> None:
    """Each file of events/ becomes exactly the class that manifest.yaml promises."""
    assert type(parsed(file)).__name__ == MANIFEST[file]["parsed"]


def test_manifest_names_every_sample_when_compared_with_the_folder() -> None:
    """No sample is left out of the manifest, and the manifest names no file that is not there."""
    files = {str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*.*")}
    assert files - {"README.md", "manifest.yaml"} == set(MANIFEST)


def test_samples_have_ids_of_their_own_when_compared() -> None:
    """Two samples with one id would count as one event."""
    readable = [json.loads((SAMPLES / file).read_text()) for file in MANIFEST if file.endswith(".json")]
    assert max(Counter(sample["id"] for sample in readable).values()) == 1


@pytest.mark.parametrize("file", [file for file, entry in MANIFEST.items() if entry["parsed"] == "Ignored"])
def test_ignored_sample_keeps_its_origin_when_it_tells_one(file: str) -> None:
    """What is ignored can still be counted and found: origin and reason are there."""
    event = parsed(file)
    assert isinstance(event, Ignored)
    assert event.reason
    assert event.origin is not None


@pytest.mark.parametrize("file", [file for file in MANIFEST if file.startswith("broken/") and file.endswith("json")])
def test_broken_sample_names_what_is_wrong_when_quarantined(file: str) -> None:
    """A quarantined event says which field is wrong, and where it came from."""
    event = parsed(file)
    assert isinstance(event, Unrecognised)
    assert any(word in event.reason for word in ("name", "detail", "responseElements", "requestParameters"))
    assert event.origin is not None


HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


@pytest.mark.parametrize(
    ("file", "region", "uri", "tags"),
    [
        ("create-repository-2018.json", REGION, f"{HOST}/{NAME}", {}),
        ("create-repository.json", REGION, f"{HOST}/{NAME}", {}),
        (
            "create-repository-tags-lower-case.json",
            REGION,
            f"{HOST}/{NAME}",
            {"team": "a", "registry-autopilot": "ignore"},
        ),
        (
            "create-repository-tags-upper-case.json",
            REGION,
            f"{HOST}/{NAME}",
            {"team": "a", "registry-autopilot": "ignore"},
        ),
        (
            "create-repository-govcloud.json",
            "us-gov-west-1",
            f"{ACCOUNT}.dkr.ecr.us-gov-west-1.amazonaws.com/{NAME}",
            {},
        ),
        ("create-repository-china.json", "cn-north-1", f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn/{NAME}", {}),
        ("create-repository-iso.json", "us-iso-east-1", f"{ACCOUNT}.dkr.ecr.us-iso-east-1.c2s.ic.gov/{NAME}", {}),
        ("create-repository-fips-uri.json", REGION, f"{ACCOUNT}.dkr.ecr-fips.{REGION}.amazonaws.com/{NAME}", {}),
        ("create-repository-dual-stack-uri.json", REGION, f"{ACCOUNT}.dkr-ecr.{REGION}.on.aws/{NAME}", {}),
        ("create-repository-cross-account.json", REGION, f"{HOST}/{NAME}", {}),
        ("create-repository-null-request.json", REGION, f"{HOST}/{NAME}", {}),
        ("create-repository-service-event.json", REGION, None, {}),
    ],
)
def test_created_repository_is_read_in_full_when_the_shape_is_known(
    file: str, region: str, uri: str | None, tags: dict[str, str]
) -> None:
    """Account, region, name, URI and tags of a create call come out of every shape it has."""
    event = parsed(file)
    assert isinstance(event, RepositoryCreated)
    assert event.repository == Repository(ACCOUNT, region, NAME, uri)
    assert event.tags == tags
    assert (event.origin.account, event.origin.region) == (ACCOUNT, region)


def test_origin_tells_who_and_when_when_cloudtrail_recorded_the_call() -> None:
    """The record's own id, time and principal go before the envelope's."""
    document = json.loads((SAMPLES / "create-repository-cross-account.json").read_text())
    document["time"] = "2026-11-03T00:00:00Z"
    event = parse_event(document)
    assert isinstance(event, RepositoryCreated)
    origin = event.origin
    assert origin.event_id == document["detail"]["eventID"] != document["id"]
    assert origin.at == datetime.fromisoformat(document["detail"]["eventTime"])
    assert origin.at.tzinfo is UTC
    assert origin.principal == "arn:aws:sts::210987654321:assumed-role/content-pipeline/build-42"
    assert (origin.source, origin.event_name) == ("aws.ecr", "CreateRepository")
    assert origin.detail_type == "AWS API Call via CloudTrail"


def test_deleted_repository_is_read_when_the_call_succeeded() -> None:
    """A delete names the repository as a create does."""
    event = parsed("delete-repository.json")
    assert isinstance(event, RepositoryDeleted)
    assert event.repository.name == NAME


@pytest.mark.parametrize(
    ("file", "name", "how"),
    [
        ("image-push.json", NAME, "push"),
        ("image-push-untagged.json", NAME, "push"),
        ("pull-through-cache.json", "ecr-public/nginx/nginx", "pull-through-cache"),
        ("replication.json", NAME, "replication"),
    ],
)
def test_content_is_read_when_it_arrived_natively(file: str, name: str, how: str) -> None:
    """Native events tell the repository, and how its content came; id and time are the envelope's."""
    document = json.loads((SAMPLES / file).read_text())
    event = parse_event(document)
    assert isinstance(event, ImagePushed)
    assert event.repository == Repository(ACCOUNT, REGION, name, None)
    assert event.how == how
    assert event.origin.event_id == document["id"]
    assert event.origin.at == datetime.fromisoformat(document["time"])
    assert event.origin.event_name is None


@pytest.mark.parametrize(
    ("file", "secret_id", "event_name", "has_version"),
    [
        ("secret-label-updated.json", SECRET, "Secret Label Updated", True),
        ("put-secret-value.json", SECRET, "PutSecretValue", True),
        ("put-secret-value-partial-arn.json", SECRET.removesuffix("-a1B2c3"), "PutSecretValue", True),
        ("update-secret.json", SECRET, "UpdateSecret", True),
        ("update-secret-version-stage.json", SECRET, "UpdateSecretVersionStage", True),
        ("create-secret.json", SECRET, "CreateSecret", True),
        ("restore-secret.json", SECRET, "RestoreSecret", False),
        ("rotation-succeeded.json", SECRET, "RotationSucceeded", False),
        ("rotation-succeeded-managed.json", SECRET, "RotationSucceeded", False),
    ],
)
def test_changed_secret_is_read_when_its_value_may_be_new(
    file: str, secret_id: str, event_name: str, has_version: bool
) -> None:
    """The secret is found in each of its places, the version where the event tells it."""
    event = parsed(file)
    assert isinstance(event, SecretChanged)
    assert (event.secret_id, event.event) == (secret_id, event_name)
    assert (event.version_id is not None) == has_version
    assert event.is_new_value == (event_name != "RestoreSecret")


@pytest.mark.parametrize(
    ("file", "event_name", "message"),
    [
        ("rotation-failed.json", "RotationFailed", "during testSecret step"),
        ("rotation-abandoned.json", "RotationAbandoned", None),
        ("test-rotation-failed.json", "TestRotationFailed", "during testSecret step"),
        ("replication-of-secret-failed.json", "ReplicationFailed", "KMS key"),
        ("delete-secret.json", "DeleteSecret", "deletion date: Nov 9, 2026"),
    ],
)
def test_failed_rotation_is_read_when_a_secret_is_in_trouble(file: str, event_name: str, message: str | None) -> None:
    """What admins must hear of a secret comes with AWS's words, where there are any."""
    event = parsed(file)
    assert isinstance(event, RotationFailed)
    assert (event.secret_id, event.event) == (SECRET, event_name)
    assert (message in event.message) if message and event.message else event.message == message


@pytest.mark.parametrize(
    ("file", "parameter", "operation"),
    [
        ("definition-created.json", "/registry-autopilot/registries/packs", "Create"),
        ("definition-updated.json", "/registry-autopilot/registries/packs", "Update"),
        ("definition-deleted.json", "/registry-autopilot/registries/packs", "Delete"),
        ("mode-updated.json", "/registry-autopilot/control/mode", "Update"),
    ],
)
def test_changed_definition_is_read_when_a_parameter_changed(file: str, parameter: str, operation: str) -> None:
    """Definitions and the mode come with the parameter's name and what was done to it."""
    event = parsed(file)
    assert isinstance(event, DefinitionChanged)
    assert (event.parameter, event.operation) == (parameter, operation)


@pytest.mark.parametrize("detail", [{}, "{}", "", None, [], 7])
@pytest.mark.parametrize("source", ["aws.events", "aws.scheduler"])
def test_tick_is_read_when_scheduled_in_any_way(detail: object, source: str) -> None:
    """A rule and EventBridge Scheduler write the detail differently; a tick does not depend on it."""
    document = json.loads((SAMPLES / "tick.json").read_text())
    assert isinstance(parse_event(document | {"source": source, "detail": detail}), Tick)


def test_body_is_parsed_when_text_or_bytes() -> None:
    """Text and bytes of one message lead to the same."""
    raw = (SAMPLES / "create-repository.json").read_bytes()
    assert parse_body(raw) == parse_body(raw.decode())
    assert isinstance(parse_body(raw), RepositoryCreated)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("<html>", "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not JSON"),
        ("\ud800", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a":' * 40_000, "not JSON"),
        ("1" * 5000, "not JSON"),
        ("null", "must be an object, not null"),
        ("[]", "must be an object, not a list"),
        ('"text"', "must be an object, not text"),
        ("3", "must be an object, not a number"),
        ("true", "must be an object, not a boolean"),
        ("{}", "source is missing"),
        ('{"source": 7}', "source must be text, not a number"),
        ('{"source": "aws.ecr"}', "detail-type is missing"),
    ],
)
def test_body_is_quarantined_when_it_is_no_event(body: str | bytes, reason: str) -> None:
    """What is no event at all is told apart by its reason, and has no origin."""
    event = parse_body(body)
    assert isinstance(event, Unrecognised)
    assert reason in event.reason
    assert event.origin is None


def test_body_is_quarantined_when_larger_than_any_event() -> None:
    """The limit is EventBridge's own: a 200 KB event is read, one byte over 256 KB is not, counted in bytes."""
    document = json.loads((SAMPLES / "image-push.json").read_text())
    assert isinstance(parse_body(json.dumps(document | {"padding": "x" * 200 * 1024})), ImagePushed)
    small = len(json.dumps(document | {"padding": ""}))
    assert isinstance(parse_body(json.dumps(document | {"padding": "x" * (MAX_BODY_BYTES - small)})), ImagePushed)
    for filler in ("x" * (MAX_BODY_BYTES - small + 1), "ä" * (MAX_BODY_BYTES // 2)):
        event = parse_body(json.dumps(document | {"padding": filler}, ensure_ascii=False))
        assert isinstance(event, Unrecognised)
        assert event.reason.startswith("too large")


@pytest.mark.parametrize("file", [file for file in MANIFEST if file.endswith(".json")])
def test_record_leads_to_the_same_when_it_comes_without_its_envelope(file: str) -> None:
    """A bare CloudTrail record is put into the envelope it would arrive in; an envelope stays as it is."""
    document = json.loads((SAMPLES / file).read_text())
    detail = document["detail"]
    if isinstance(detail, dict) and "eventSource" in detail:
        assert parse_event(envelope_of(detail)) == parse_event(document)
    assert envelope_of(document) is document


@pytest.mark.parametrize(
    "record", [None, 7, "text", [], {}, {"eventSource": 7, "eventName": "x"}, {"eventSource": "x"}]
)
def test_record_is_returned_as_it_is_when_it_is_none(record: object) -> None:
    """What is neither envelope nor record is left to the parser."""
    assert envelope_of(record) is record
