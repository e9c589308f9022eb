"""The commands that act on a stack, against a running sandbox: over HTTP, as against a deployed one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main
from sandbox.stack import Sandbox

NAME = "ecr-123456789012-us-east-1-team-a"
REPOSITORY = "team-a/spectro-packs/archive/nginx"


@dataclass
class Site:
    """A running sandbox, and the command with its environment loaded."""

    sandbox: Sandbox
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> tuple[int, Any]:
        code = main([*arguments, "--json"])
        out = self.capsys.readouterr().out
        return code, json.loads(out) if out.strip() else None


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        sandbox.activity.create_repository(REPOSITORY)
        sandbox.settle()
        yield sandbox


@pytest.fixture
def site(running: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Site:
    for name, value in running.aws_environment.items():
        monkeypatch.setenv(name, value)
    return Site(running, capsys)


def test_status_shows_mode_registries_and_sweeps(site: Site) -> None:
    """From the ledger alone."""
    assert site.sandbox.vertex is not None
    before = len(site.sandbox.vertex.journal)
    code, document = site.run("status")
    assert code == 0
    assert document["mode"] == "act"
    assert document["counts"]["ok"] >= 1
    assert NAME in {registry["name"] for registry in document["registries"]}
    assert len(site.sandbox.vertex.journal) == before


def test_history_tells_when_by_whom_and_with_which_requests(site: Site) -> None:
    """With VerteX's AuditUid."""
    code, document = site.run("history", NAME)
    assert code == 0
    first = document["entries"][0]
    assert first["outcome"] == "registered"
    assert first["triggers"][0]["kind"] == "RepositoryCreated"
    assert first["triggers"][0]["principal"]
    assert any("POST /v1/registries/oci/ecr " in line for line in first["requests"])
    assert site.run("history", document["key"][:12])[1]["name"] == NAME


def test_plan_exits_with_two_when_changes_are_pending_and_apply_carries_them_out(site: Site) -> None:
    """A repository of which no event told."""
    assert site.run("plan")[0] == 0
    site.sandbox.aws.client("ecr").create_repository(repositoryName="team-silent/spectro-packs/archive/app")
    code, document = site.run("plan")
    assert code == 2
    assert [entry["action"] for entry in document["entries"]] == ["create"]
    code, document = site.run("apply")
    assert code == 0
    assert document["unfinished"] == []
    assert site.run("plan")[0] == 0


def test_restore_makes_a_deleted_registry_again_and_names_its_uid(site: Site) -> None:
    """Under a new uid."""
    vertex = site.sandbox.vertex
    assert vertex is not None
    site.sandbox.activity.create_repository("team-gone/spectro-packs/archive/app")
    site.sandbox.settle()
    name = NAME.replace("team-a", "team-gone")
    uid = next(registry.uid for registry in vertex.registries() if registry.name == name)
    vertex.remove_registry(uid)
    code, document = site.run("restore", name)
    assert code == 0
    assert document["previous_uid"] == uid
    assert document["uid"] == next(registry.uid for registry in vertex.registries() if registry.name == name)


def test_incident_shows_the_whole_thread(site: Site) -> None:
    """Whatever the notices say."""
    site.sandbox.activity.put_parameter("/registry-autopilot/registries/broken", "{")
    site.sandbox.settle()
    _, document = site.run("status")
    (found,) = [one for one in document["incidents"] if one["cause"] == "definition-invalid"]
    code, thread = site.run("incident", found["id"])
    assert code == 0
    assert thread["changes"][0]["state"] == "open"
    assert thread["runbook"].endswith("#cause-definition-invalid")
    site.sandbox.aws.client("ssm").delete_parameter(Name="/registry-autopilot/registries/broken")


def test_push_writes_what_changed_and_nothing_else(site: Site, tmp_path: Path) -> None:
    """Created, unchanged, changed; without a terminal it wants --yes."""
    file = tmp_path / "registries.yaml"
    definition = {"id": "zarf", "name": "zarf", "type": "basic", "provider": "zarf", "base_content_path": "z"}
    file.write_text(yaml.safe_dump({"registries": [definition | {"endpoint": "https://zarf.invalid"}]}))
    assert site.run("push", str(file))[0] == 64
    code, document = site.run("push", str(file), "--yes")
    assert (code, document["definitions"]) == (0, [{"id": "zarf", "action": "created", "fields": []}])
    assert "packs" in document["not_in_files"]
    assert site.run("push", str(file), "--yes")[1]["definitions"][0]["action"] == "unchanged"
    file.write_text(file.read_text().replace("zarf.invalid", "other.invalid"))
    assert site.run("push", str(file), "--yes")[1]["definitions"][0]["fields"] == ["endpoint"]
    site.sandbox.aws.client("ssm").delete_parameter(Name="/registry-autopilot/registries/zarf")


def test_import_writes_definitions_that_pass_check(site: Site, tmp_path: Path) -> None:
    """Every registry that one can express; VerteX is only read."""
    vertex = site.sandbox.vertex
    assert vertex is not None
    host = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    vertex.seed_registry(name="Public", endpoint=host, base_content_path="public", is_default=True)
    vertex.seed_registry(name="Twin", endpoint=host, base_content_path="public")
    login = tmp_path / "login.yaml"
    login.write_text(json.dumps({"username": site.sandbox._login.username, "password": site.sandbox._login.password}))
    file = tmp_path / "imported.yaml"
    before = len(vertex.journal)
    code, document = site.run("import", "--vertex", vertex.url, "--vertex-login", str(login), "-o", str(file))
    assert code == 0
    assert "Twin" in {one["name"] for one in document["left_out"]}
    by_name = {one["name"]: one for one in document["definitions"]}
    assert by_name["Public"]["manage"] == "sync-only"
    assert by_name[NAME]["credentials"]["kind"] == "access-key"
    assert site.run("check", str(file))[0] == 0
    requests = vertex.journal.entries()[before:]
    assert {entry.method for entry in requests if entry.path.startswith("/v1/registries")} == {"GET"}


def test_test_notice_goes_through_every_channel(site: Site) -> None:
    """And says how each took it."""
    before = len(site.sandbox.slack.messages)
    code, document = site.run("test-notice")
    assert code == 0
    assert document["channels"] == [{"name": n, "ok": True, "detail": ""} for n in ("sns", "slack")]
    assert len(site.sandbox.slack.messages) == before + 1
    assert site.sandbox.notices()[-1].attributes["cause"] == "test-notice"


@pytest.mark.parametrize("arguments", [("history", "nobody"), ("incident", "nothing"), ("restore", "nobody")])
def test_name_that_the_ledger_does_not_know_is_bad_usage(site: Site, arguments: tuple[str, ...]) -> None:
    """Said with the remedy."""
    assert site.run(*arguments)[0] == 64


def test_stack_is_asked_for_when_none_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ways are named."""
    monkeypatch.delenv("AUTOPILOT_STACK", raising=False)
    assert main(["status"]) == 64
    assert "--stack" in capsys.readouterr().err
