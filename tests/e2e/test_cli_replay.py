"""`autopilot replay`: events through the template's rules and the real functions, and the report's contract."""

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from cli.main import main
from sandbox.aws import Place, envelopes
from sandbox.aws.local import make_credentials
from sandbox.serving import LocalServer
from sandbox.vertex import VertexStandIn

HERE = Place("123456789012", "us-east-1")
NOW = 1_790_000_000.0
PACKS = "spectro-packs/archive"
PASSWORD = "Only-for-this-1-test!"
USERNAME = "admin@vertex.example"


def created(name: str, **tags: str) -> dict[str, Any]:
    return envelopes.repository_created(HERE, name, {key.replace("_", "-"): tags[key] for key in tags}, NOW)


def pushed(name: str) -> dict[str, Any]:
    return envelopes.image_pushed(HERE, name, "1.0", NOW)


def deleted(name: str) -> dict[str, Any]:
    event = created(name)
    event["detail"] |= {"eventName": "DeleteRepository", "eventID": f"deleted-{event['id']}"}
    return event


def replayed(folder: Path, events: dict[str, Any], *options: str) -> dict[str, Any]:
    """The document for events, each in a file of its own."""
    files = []
    for name, event in events.items():
        files.append(folder / f"{name}.json")
        files[-1].write_text(json.dumps(event))
    out = io.StringIO()
    with redirect_stdout(out):
        assert main(["replay", *map(str, files), "--json", *options]) == 0
    return dict(json.loads(out.getvalue()))


def row(document: dict[str, Any], name: str) -> dict[str, Any]:
    """What became of the event in one file."""
    (found,) = [event for event in document["events"] if Path(event["file"]).stem == name]
    return dict(found)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One replay of many events, delivered together."""
    unreadable = created(f"team-a/{PACKS}/nginx")
    del unreadable["detail"]["responseElements"]["repository"], unreadable["detail"]["requestParameters"]
    large = created(f"team-large/{PACKS}/nginx")
    large["detail"]["requestParameters"]["padding"] = "x" * 200_000
    events = {
        "created": created(f"team-a/{PACKS}/nginx"),
        "bare-record": created(f"team-a/{PACKS}/redis")["detail"],
        "chart": created("charts/ingress"),
        "large": large,
        "pushed-to-seeded": pushed(f"spectro-packs/{PACKS}/cilium"),
        "ignored": created(f"team-ignored/{PACKS}/nginx", registry_autopilot="ignore"),
        "gone": created(f"team-gone/{PACKS}/nginx"),
        "deleted": deleted(f"team-gone/{PACKS}/nginx"),
        "outside": created("elsewhere"),
        "scan": envelopes.envelope(HERE, "aws.ecr", "ECR Image Scan", {"scan-status": "COMPLETE"}, NOW),
        "unreadable": unreadable,
    }
    return replayed(tmp_path_factory.mktemp("events"), events)


def test_the_document_has_the_keys_of_its_contract_when_json_is_asked_for(document: dict[str, Any]) -> None:
    """Programs outside this repository read these names."""
    assert list(document) == ["events", "registries", "vertex_requests", "notices", "dead_letters"]
    keys = {name: set(document[name][0]) for name in ("events", "registries", "vertex_requests", "notices")}
    assert keys == {
        "events": {"file", "matched", "trigger", "registries", "outcome"},
        "registries": {"name", "uid", "type", "provider", "endpoint", "base_content_path", "health", "fingerprint"},
        "vertex_requests": {"method", "path", "status", "spec"},
        "notices": {"state", "severity", "cause", "subject", "channel", "title", "body"},
    }


@pytest.mark.parametrize(
    ("name", "outcome", "registries"),
    [
        ("created", "registered", ["ecr-123456789012-us-east-1-team-a"]),
        ("bare-record", "registered", ["ecr-123456789012-us-east-1-team-a"]),
        ("chart", "registered", ["platform-charts"]),
        ("large", "registered", ["ecr-123456789012-us-east-1-team-large"]),
        ("pushed-to-seeded", "deferred", ["Pack registry"]),
        ("ignored", "ignored", []),
        ("gone", "ignored", []),
        ("deleted", "ignored", []),
        ("outside", "ignored", []),
        ("scan", "ignored", []),
        ("unreadable", "quarantined", []),
    ],
)
def test_each_event_has_its_outcome_when_all_are_delivered(
    document: dict[str, Any], name: str, outcome: str, registries: list[str]
) -> None:
    """What history says of the event, or why nothing followed."""
    found = row(document, name)
    assert (found["outcome"], found["registries"]) == (outcome, registries)


def test_the_rule_is_named_by_its_logical_id_when_an_event_matches(document: dict[str, Any]) -> None:
    """The template's own names, so that a reader finds the rule."""
    assert row(document, "created")["matched"] == ["RepositoryCreatedRule"]
    assert row(document, "pushed-to-seeded")["matched"] == ["ImagePushedRule"]
    assert row(document, "scan")["matched"] == []


def test_what_was_created_is_what_was_validated_when_digests_are_compared(document: dict[str, Any]) -> None:
    """Same spec, same digest: promise 1 can be checked from the report."""
    requests = [r for r in document["vertex_requests"] if r["spec"] is not None]
    validated = [r["spec"] for r in requests if r["path"].endswith("/validate") and r["status"] == 204]
    written = [r["spec"] for r in requests if not r["path"].endswith("/validate")]
    assert len(written) == 3
    assert sorted(written) == sorted(validated)


def test_one_incident_is_told_on_both_channels_when_an_event_is_quarantined(document: dict[str, Any]) -> None:
    """The same words of cause, state and subject, whatever the channel."""
    told = [{k: n[k] for k in ("state", "severity", "cause", "subject")} for n in document["notices"]]
    assert sorted(notice["channel"] for notice in document["notices"]) == ["slack", "sns"]
    assert told[0] == told[1]
    assert told[0]["cause"] == "unrecognised-event"
    assert document["dead_letters"] == 0


def test_nothing_is_written_when_the_secret_holds_an_unknown_key(tmp_path: Path) -> None:
    """The short wait for a fresh key passes, then the refusal is told; the key is nowhere in the report."""
    bad = make_credentials()
    value = {"accessKeyId": bad.access_key_id, "secretAccessKey": bad.secret_access_key}
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"sandbox/ecr-pull": value}))
    document = replayed(tmp_path, {"created": created(f"team-a/{PACKS}/nginx")}, "--secrets", str(secrets))
    assert row(document, "created")["outcome"] == "refused"
    assert [n["cause"] for n in document["notices"]] == ["credentials-rejected"] * 2
    assert not [r for r in document["vertex_requests"] if r["method"] in {"PUT", "POST"} and r["spec"]]
    assert bad.secret_access_key not in json.dumps(document)


@Request.application
def open_registry(_request: Request) -> Response:
    """An OCI registry that lets everybody in."""
    return Response("{}", mimetype="application/json")


@pytest.fixture
def own_vertex() -> Iterator[VertexStandIn]:
    """A VerteX that the sandbox did not start."""
    with VertexStandIn(username=USERNAME, password=PASSWORD) as vertex:
        yield vertex


def test_a_vertex_of_ones_own_is_used_when_it_is_given(tmp_path: Path, own_vertex: VertexStandIn) -> None:
    """What the report says of requests is what that VerteX saw; its password is nowhere in it."""
    login = tmp_path / "login.json"
    login.write_text(json.dumps({"username": USERNAME, "password": PASSWORD}))
    with LocalServer(open_registry) as registry:
        harbor = {"id": "harbor", "name": "harbor", "type": "basic", "provider": "helm"}
        harbor |= {"endpoint": registry.url, "base_content_path": "platform"}
        definitions = tmp_path / "definitions.json"
        definitions.write_text(json.dumps({"registries": [harbor]}))
        event = envelopes.parameter_changed(HERE, "/registry-autopilot/registries/harbor", "Create", NOW)
        options = ("--vertex", own_vertex.url, "--vertex-login", str(login), "--definitions", str(definitions))
        document = replayed(tmp_path, {"defined": event}, *options)
    assert row(document, "defined")["outcome"] == "registered"
    assert [r.name for r in own_vertex.registries()] == ["harbor"]
    seen = [(entry.method, entry.path, entry.status) for entry in own_vertex.journal]
    assert [(r["method"], r["path"], r["status"]) for r in document["vertex_requests"]] == seen
    specs = {r["spec"] for r in document["vertex_requests"] if r["spec"]}
    assert len(specs) == 1
    assert PASSWORD not in json.dumps(document)
