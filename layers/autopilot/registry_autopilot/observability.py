"""Structured logs with correlation ids, and metrics in the embedded format. Text leaves the process through here."""

import functools
import logging
import re
from collections.abc import Callable, Iterable
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.logging.types import PowertoolsLogRecord
from aws_lambda_powertools.metrics import MetricUnit

from registry_autopilot.ports import Unit
from registry_autopilot.redaction import redact


class RedactingFormatter(LambdaPowertoolsFormatter):
    """Every log line passes the redaction as a whole, after it was formatted."""

    def serialize(self, log: dict[str, Any] | PowertoolsLogRecord) -> str:
        """The line as JSON text, redacted."""
        return redact(super().serialize(log))


def make_logger(service: str) -> Logger:
    """The logger of a function; HTTP libraries are quiet, because they log whole URLs."""
    for noisy in ("httpx", "httpcore", "botocore", "urllib3", "boto3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return Logger(service=service, logger_formatter=RedactingFormatter())


def make_metrics(service: str) -> Metrics:
    """The metrics of a function."""
    return Metrics(service=service)


class FunctionFailedError(Exception):
    """Raised in place of whatever a handler did not expect, so that no foreign text reaches the runtime's own log."""


def guarded[**P, R](logger: Logger) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Log what a handler did not expect, redacted, and fail with nothing but its kind."""

    def decorate(handler: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(handler)
        def guard(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return handler(*args, **kwargs)
            except Exception as error:
                logger.exception("the function failed")
                raise FunctionFailedError(type(error).__name__) from None

        return guard

    return decorate


class EmfMetrics:
    """Implements the `Metrics` of the use cases in CloudWatch's embedded metric format, without asset names.

    An outcome, cause or channel becomes part of a metric's name (`ConvergedRegistered`), so that a line of the log
    needs no dimension set of its own and an alarm names one metric.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def count(self, name: str, **dimensions: str) -> None:
        """Add one."""
        self.observe(name, 1, Unit.COUNT, **dimensions)

    def observe(self, name: str, value: float, unit: Unit, **dimensions: str) -> None:
        """Note one measured value; several of one line become one metric's samples."""
        self._metrics.add_metric(name=name + _suffix(dimensions.values()), unit=MetricUnit(unit.value), value=value)


def _suffix(values: Iterable[str]) -> str:
    """`credentials-rejected` as `CredentialsRejected`."""
    return "".join(part[:1].upper() + part[1:] for value in values for part in re.split(r"[^A-Za-z0-9]", value))
