"""What ships: lean layers, and functions that start with nothing else."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "layers" / "dependencies" / "requirements.txt"
LEAN = {
    "annotated-types",
    "anyio",
    "aws-lambda-powertools",
    "boto3",
    "botocore",
    "certifi",
    "h11",
    "httpcore",
    "httpx",
    "idna",
    "jmespath",
    "pydantic",
    "pydantic-core",
    "python-dateutil",
    "s3transfer",
    "six",
    "typing-extensions",
    "typing-inspection",
    "urllib3",
}
FUNCTIONS = sorted(path.name for path in (ROOT / "functions").iterdir() if (path / "app.py").exists())


def test_layer_holds_the_lean_set_and_nothing_else() -> None:
    """A new dependency of the functions is a decision, not an accident."""
    names = set(re.findall(r"^([a-z0-9-]+)==", REQUIREMENTS.read_text(), flags=re.MULTILINE))
    assert names == LEAN


@pytest.mark.parametrize("path", [REQUIREMENTS, *sorted((ROOT / "requirements").glob("*.txt"))], ids=lambda p: p.name)
def test_every_requirement_is_pinned_with_hashes_and_names_no_host(path: Path) -> None:
    """Installed with --require-hashes, from whatever index the reader uses."""
    text = path.read_text()
    pins = re.findall(r"^\S+==\S+.*$", text, flags=re.MULTILINE)
    assert len(pins) > 0
    assert all(pin.endswith("\\") for pin in pins)
    assert text.count("--hash=sha256:") >= len(pins)
    assert "://" not in text


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_is_imported_without_what_only_people_need(function: str) -> None:
    """Neither the sandbox nor its tools; and nothing is built, and no environment read, at import."""
    code = (
        "import sys; import app; "
        # httpx imports rich by itself where it is installed, for a command line of its own: it is no sign of ours
        "heavy = {'moto', 'typer', 'yaml', 'flask', 'sandbox', 'cli', 'aws_xray_sdk'} & set(sys.modules); "
        "assert not heavy, heavy; assert callable(app.handler)"
    )
    paths = os.pathsep.join([str(ROOT / "functions" / function), str(ROOT / "layers" / "autopilot")])
    environment = {"PYTHONPATH": paths, "PATH": os.environ["PATH"]}
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("function", FUNCTIONS)
def test_handler_is_short(function: str) -> None:
    """Parse, one use case, a typed answer: at most 45 lines."""
    assert len((ROOT / "functions" / function / "app.py").read_text().splitlines()) <= 45
