"""Explain and the real rules, the real parser and the real matching say the same of the sample events."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.explaining import HOME, explain, in_words, meaning_of
from cli.loading import LoadedEvent, load_definitions, load_events, parsed_definitions
from registry_autopilot.definitions import Definition, parse_definition
from sandbox.stack import DEFINITIONS

EVENTS = Path(__file__).parents[2] / "events"
MANIFEST = yaml.safe_load((EVENTS / "manifest.yaml").read_text())


def known() -> list[Definition]:
    return parsed_definitions(load_definitions(DEFINITIONS))


def definition(**fields: Any) -> Definition:
    document = {"id": "one", "name": "one", "provider": "pack", "match": {"repositories": ["team-*"]}} | fields
    return parse_definition(document, definition_id=document["id"])


def sample(name: str) -> Any:
    return json.loads((EVENTS / name).read_text())


def would(name: str, *definitions: Definition) -> str:
    """What is said of a sample event under these definitions."""
    return in_words(meaning_of(sample(name), definitions, HOME), definitions)


@pytest.mark.parametrize("name", [name for name in MANIFEST if name.endswith(".json")])
def test_rule_and_trigger_are_those_of_the_manifest_when_a_sample_is_explained(name: str) -> None:
    """Every shape is explained as the stack takes it."""
    row = explain(load_events([EVENTS / name]), known())["events"][0]
    expected = MANIFEST[name]
    assert row["matched"] == ([expected["rule"]] if expected["rule"] else [])
    assert row["trigger"] == expected["parsed"]
    assert row["would"]


@pytest.mark.parametrize(
    ("name", "registries", "words"),
    [
        ("create-repository.json", ["ecr-123456789012-us-east-1-team-a"], "validate and create"),
        ("image-push.json", ["ecr-123456789012-us-east-1-team-a"], "owe it a sync"),
        ("create-repository-chart.json", ["platform-charts"], "validate and create 'platform-charts'"),
        ("create-repository-govcloud.json", [], "no definition matches"),
        ("create-repository-failed.json", [], "ignored: no rule of the stack matches it (the call failed"),
        ("image-scan.json", [], "ignored"),
        ("delete-repository.json", [], "changes no registry"),
        ("broken/create-repository-without-name.json", [], "quarantined"),
        ("secret-label-updated.json", [], "no definition uses the secret"),
        ("definition-updated.json", [], "read /registry-autopilot/registries/packs anew"),
    ],
)
def test_registries_and_consequence_are_told_when_a_sample_is_explained(
    name: str, registries: list[str], words: str
) -> None:
    """The sandbox's own definitions give the names."""
    row = explain(load_events([EVENTS / name]), known())["events"][0]
    assert row["registries"] == registries
    assert words in row["would"]


def test_nothing_is_written_when_a_definition_is_sync_only() -> None:
    """A new repository alone changes nothing there; a push is synced."""
    seeded = definition(base_content_path="team-a", manage="sync-only", match={})
    assert would("create-repository.json", seeded).startswith("nothing for 'one'")
    assert would("image-push.json", seeded) == "owe 'one' a sync"


def test_a_refusal_is_foretold_when_two_definitions_tie() -> None:
    """Neither is closer, so neither is used."""
    words = would("create-repository.json", definition(), definition(id="two"))
    assert "definition-invalid" in words
    assert "one, two" in words


def test_a_refusal_is_foretold_when_vertex_does_not_know_the_partition() -> None:
    """China has no ECR registries in VerteX."""
    event = sample("create-repository-china.json")
    china = definition(match={"repositories": ["*"], "accounts": [event["account"]], "regions": [event["region"]]})
    assert "aws-cn" in would("create-repository-china.json", china)


def test_the_repository_is_left_alone_when_it_is_tagged_so() -> None:
    """The tag of the create call says it before ECR is asked."""
    event = sample("create-repository-tags-lower-case.json")
    event["detail"]["requestParameters"]["tags"] = [{"key": "registry-autopilot", "value": "ignore"}]
    definitions = [definition()]
    assert "tagged registry-autopilot=ignore" in in_words(meaning_of(event, definitions, HOME), definitions)


def test_the_users_of_a_secret_are_named_when_it_changes_or_fails() -> None:
    """A rotation is validated first; a failed one leaves the registry with what it has."""
    secret = sample("put-secret-value.json")["detail"]["requestParameters"]["secretId"]
    user = definition(credentials={"kind": "access-key", "secret": secret})
    assert would("put-secret-value.json", user).startswith("validate every registry of one")
    failed = sample("rotation-failed.json")
    arn = failed["detail"]["additionalEventData"]["SecretId"]
    user = definition(credentials={"kind": "access-key", "secret": arn})
    assert "keeps the version applied last" in in_words(meaning_of(failed, [user], HOME), [user])


def test_nothing_is_matched_when_the_event_has_no_shape_at_all() -> None:
    """An object that means nothing is ignored, not a crash."""
    row = explain([LoadedEvent("x", {})], known())["events"][0]
    assert (row["matched"], row["trigger"]) == ([], "Unrecognised")
