"""Promise 6: a marked secret in every credential appears in no log, notice, ledger item, queue body or journal."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.stack import Sandbox
from sandbox.vertex import Fault

CANARY = f"canary{secrets.token_hex(12)}"
DEFINITIONS: list[dict[str, Any]] = [
    {
        "id": "packs",
        "name": "packs-{base}",
        "match": {"repositories": ["team-*"]},
        "credentials": {"kind": "access-key", "secret": "canary/key"},
    },
    {
        "id": "roles",
        "name": "roles",
        "base_content_path": "roles",
        "credentials": {
            "kind": "sts",
            "role": "arn:aws:iam::123456789012:role/sandbox-ecr-pull",
            "external_id": {"secret": "canary/external-id"},
        },
    },
    {
        "id": "basic",
        "name": "basic",
        "type": "basic",
        "provider": "helm",
        "endpoint": "http://127.0.0.1:1",
        "base_content_path": "x",
        "credentials": {"kind": "username-password", "secret": "canary/basic"},
    },
    {
        "id": "token",
        "name": "token",
        "type": "basic",
        "provider": "helm",
        "endpoint": "http://127.0.0.1:1",
        "base_content_path": "y",
        "credentials": {"kind": "token", "secret": "canary/token"},
    },
]
SECRETS: dict[str, Any] = {
    "canary/key": {"access_key_id": f"{CANARY}id", "secret_access_key": f"{CANARY}key"},
    "canary/external-id": f"{CANARY}external",
    "canary/basic": {"username": "robot", "password": f"{CANARY}password"},
    "canary/token": f"{CANARY}token",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A stack at log level DEBUG, whose every credential carries the mark."""
    parameters = {"LogLevel": "DEBUG", "AllowedRegistryHosts": "127.0.0.1:1"}
    with Sandbox(DEFINITIONS, secrets=SECRETS, parameters=parameters) as running:
        yield running


def _everything(sandbox: Sandbox) -> dict[str, str]:
    """Whatever left the process, and whatever is kept."""
    assert sandbox.vertex is not None
    return {
        "logs": "\n".join("\n".join(lines) for lines in sandbox.runner.logs.values()),
        "ledger": json.dumps(sandbox.ledger_items(), default=str),
        "notices": "\n".join(f"{n.subject} {n.body} {n.attributes}" for n in sandbox.notices()),
        "slack": json.dumps(sandbox.slack.messages),
        "journal": "\n".join(str(entry) for entry in sandbox.vertex.journal.entries()),
        "invocations": "\n".join(str(outcome) for outcome in sandbox.runner.outcomes),
    }


def test_canary_appears_nowhere_when_everything_goes_wrong(sandbox: Sandbox) -> None:
    """Refusals by AWS and by VerteX, garbage answers, outages: words are said about secrets, none is shown."""
    assert sandbox.vertex is not None
    sandbox.vertex.faults.add(Fault("POST /v1/registries/oci/ecr/validate", "garbage", times=1, status=500))
    for name in ("team-a/spectro-packs/archive/x", "roles/spectro-packs/archive/x"):
        sandbox.activity.create_repository(name)
    for document in DEFINITIONS[2:]:
        sandbox.activity.put_parameter(f"/registry-autopilot/registries/{document['id']}", json.dumps(document))
    sandbox.settle()
    sandbox.pass_time(240, step=60)
    kept = _everything(sandbox)
    causes = {n.attributes["cause"] for n in sandbox.notices()}
    assert {"credentials-rejected", "unreachable"} <= causes
    assert len(kept["logs"]) > 1000
    for place, text in kept.items():
        assert CANARY not in text, f"the canary is in {place}: {_around(text)}"


def _around(text: str) -> str:
    at = text.find(CANARY)
    return text[max(0, at - 200) : at]
