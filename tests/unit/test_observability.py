"""Logs and failures: what leaves the process was redacted first."""

import io
import json
from typing import Any

import pytest

from registry_autopilot.observability import EmfMetrics, FunctionFailedError, guarded, make_logger, make_metrics
from registry_autopilot.redaction import register_secret

SECRET = "a-very-secret-" + "word" * 3


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A logger that writes into memory."""
    register_secret(SECRET)
    stream = io.StringIO()
    logger = make_logger("test_observability")
    for handler in logger._logger.handlers:
        monkeypatch.setattr(handler, "stream", stream)
    return logger, stream


def test_line_is_redacted_as_a_whole(lines: Any) -> None:
    """In the message, in keys, in exceptions."""
    logger, stream = lines
    logger.warning("told %s", SECRET, extra={"detail": {"deep": SECRET}})
    assert SECRET not in stream.getvalue()
    assert json.loads(stream.getvalue())["level"] == "WARNING"


def test_handler_fails_with_its_kind_only_when_something_is_unexpected(lines: Any) -> None:
    """The runtime prints what is raised: nothing foreign may be in it."""
    logger, stream = lines

    @guarded(logger)
    def handler(event: str) -> str:
        if event == "bad":
            raise ValueError(f"cannot read {SECRET}")
        return event

    assert handler("good") == "good"
    with pytest.raises(FunctionFailedError) as caught:
        handler("bad")
    assert str(caught.value) == "ValueError"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "the function failed" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_counts_become_metrics_without_asset_names(capsys: pytest.CaptureFixture[str]) -> None:
    """The outcome is part of the metric's name."""
    metrics = make_metrics("test_observability")
    metrics.namespace = "RegistryAutopilot"
    EmfMetrics(metrics).count("Converged", outcome="registered")
    metrics.flush_metrics()
    assert json.loads(capsys.readouterr().out)["ConvergedRegistered"] == [1.0]
