"""Basic registries against the CNCF registry itself: each kind of trouble has its own outcome and cause."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.report import Ledger
from registry_autopilot.records import Health, RegistryState
from sandbox.stack import Sandbox
from tests.support import oci

pytestmark = pytest.mark.skipif(oci.PROGRAM is None, reason=oci.WHY_ABSENT)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[oci.OciRegistry]:
    """A registry with htpasswd, behind a certificate of a private CA."""
    folder = tmp_path_factory.mktemp("oci")
    with oci.oci_registry(folder, password="right-" + "p" * 8, ca=oci.make_ca(folder)) as running:
        yield running


@pytest.fixture(scope="module")
def sandbox(registry: oci.OciRegistry) -> Iterator[Sandbox]:
    """A sandbox that lets credentials go to the registry."""
    hosts = registry.endpoint.removeprefix("https://")
    with Sandbox([], parameters={"AllowedRegistryHosts": f"{hosts},127.0.0.1:1"}) as running:
        yield running


def _definition(name: str, endpoint: str, *, ca: str | None, kind: str = "username-password") -> dict[str, Any]:
    credentials = {"kind": "none"} if kind == "none" else {"kind": kind, "secret": f"oci/{name}"}
    tls = {"ca": ca} if ca else {}
    return {
        "id": name,
        "name": name,
        "type": "basic",
        "provider": "helm",
        "endpoint": endpoint,
        "base_content_path": name,
        "credentials": credentials,
        "tls": tls,
    }


def _converge(sandbox: Sandbox, definition: dict[str, Any], password: str) -> RegistryState:
    name = definition["id"]
    sandbox.activity.put_secret(f"oci/{name}", {"username": "robot", "password": password})
    sandbox.activity.put_parameter(f"/registry-autopilot/registries/{name}", json.dumps(definition))
    sandbox.settle()
    return next(s for s in Ledger(sandbox.ledger_items()).states.values() if s.definition_id == name)


def _causes(sandbox: Sandbox, state: RegistryState) -> list[tuple[str, str]]:
    subject = f"registry:{state.key}"
    return [
        (n.attributes["state"], n.attributes["cause"]) for n in sandbox.notices() if n.attributes["subject"] == subject
    ]


def test_registry_is_registered_when_password_and_ca_are_right(sandbox: Sandbox, registry: oci.OciRegistry) -> None:
    """The right password and the private CA: validated for real, created."""
    definition = _definition("right", registry.endpoint, ca=registry.ca_pem)
    state = _converge(sandbox, definition, registry.password)
    assert state.health is Health.OK
    assert state.uid is not None
    assert not _causes(sandbox, state)


@pytest.mark.parametrize(
    ("name", "cause"),
    [("wrong-password", "credentials-rejected"), ("unknown-ca", "tls-untrusted"), ("dead-port", "unreachable")],
)
def test_registry_is_refused_with_its_own_cause_when_something_is_wrong(
    sandbox: Sandbox, registry: oci.OciRegistry, name: str, cause: str
) -> None:
    """Nothing is created, and the incident names what VerteX ran into."""
    endpoint = "https://127.0.0.1:1" if name == "dead-port" else registry.endpoint
    definition = _definition(name, endpoint, ca=None if name == "unknown-ca" else registry.ca_pem)
    password = "wrong-" + "p" * 8 if name == "wrong-password" else registry.password
    state = _converge(sandbox, definition, password)
    assert state.health is Health.REFUSED
    assert state.uid is None
    assert _causes(sandbox, state) == [("open", cause)]


def test_registry_follows_when_its_password_changes(
    sandbox: Sandbox, registry: oci.OciRegistry, tmp_path: Path
) -> None:
    """The htpasswd file changes, the secret follows: refused in between, refreshed after."""
    definition = _definition("changing", registry.endpoint, ca=registry.ca_pem)
    first = _converge(sandbox, definition, registry.password)
    assert first.health is Health.OK
    changed = "changed-" + "p" * 8
    sandbox.activity.put_secret("oci/changing", {"username": "robot", "password": changed})
    sandbox.settle()
    early = next(s for s in Ledger(sandbox.ledger_items()).states.values() if s.key == first.key)
    assert (early.health, early.fingerprint) == (Health.REFUSED, first.fingerprint)
    registry.set_password(changed)
    try:
        sandbox.activity.put_secret("oci/changing", {"username": "robot", "password": changed, "note": "again"})
        sandbox.settle()
        late = next(s for s in Ledger(sandbox.ledger_items()).states.values() if s.key == first.key)
        assert late.health is Health.OK
        assert late.fingerprint != first.fingerprint
        assert _causes(sandbox, late) == [("open", "credentials-rejected"), ("resolved", "credentials-rejected")]
    finally:
        registry.set_password(registry.password)
