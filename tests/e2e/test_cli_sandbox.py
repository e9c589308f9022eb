"""`autopilot sandbox` stays up, and what it prints is enough to use it from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds; a registry is there in about one


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The command as a person starts it, in a folder of its own."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "autopilot")])
    command = [sys.executable, "-c", "from cli.main import run; run()", "sandbox", "--json"]
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": paths}, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process, _document(process)
    finally:
        process.kill()
        process.wait()


def _document(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The one document; the command goes on after it."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line.startswith("}"):
            return dict(json.loads(text))
    raise AssertionError(f"the sandbox ended early: {text}")


def _environment(file: Path) -> dict[str, str]:
    lines = [line.removeprefix("export ").partition("=") for line in file.read_text().splitlines()]
    return {name: value for name, _, value in lines}


def test_the_stack_works_from_outside_until_it_is_told_to_end(
    tmp_path: Path, running: tuple[subprocess.Popen[str], dict[str, Any]]
) -> None:
    """The env file serves any AWS client; a repository made with it is registered; TERM ends the sandbox cleanly."""
    process, document = running
    env_file = tmp_path / document["env_file"]
    assert env_file.stat().st_mode & 0o077 == 0
    environment = _environment(env_file)
    session = boto3.Session(
        environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], None, environment["AWS_DEFAULT_REGION"]
    )
    endpoint = environment["AWS_ENDPOINT_URL"]
    session.client("ecr", endpoint_url=endpoint).create_repository(repositoryName="charts/ingress")
    dynamodb = session.client("dynamodb", endpoint_url=endpoint)
    end, items = time.monotonic() + PATIENCE, ""
    while "REGISTERED" not in items.upper() and time.monotonic() < end:
        time.sleep(0.2)
        items = json.dumps(dynamodb.scan(TableName=document["ledger_table"])["Items"])
    assert "platform-charts" in items
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=PATIENCE) == 0
    assert not env_file.exists()
