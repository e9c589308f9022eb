"""What every test shares."""

import os
import socket
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], max_examples=100
)
settings.load_profile("default")
_WITHOUT_SOCKETS = ("tests/unit/", "tests/properties/")


@pytest.fixture(autouse=True)
def _no_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unit and property tests speak to fakes; whoever needs a server stands in another folder."""
    path = request.node.path.as_posix()
    if any(folder in path for folder in _WITHOUT_SOCKETS):

        def refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
            pytest.fail("a unit test tried to open a connection; use a fake, or move it to tests/integration")

        monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(autouse=True, scope="session")
def _no_credentials() -> Iterator[None]:
    """Nothing of the developer's own AWS configuration reaches a test."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AWS_")}
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    yield
    os.environ.update(kept)
