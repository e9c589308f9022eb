"""How far the sandbox hurries: waits that serve AWS's economy, not the outcome, may be shortened."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pacing:
    """Times of the runner, in seconds of real time.

    Attributes:
        window_factor: batching windows are multiplied by it.
        retry_after: a message whose batch failed (or that was reported as failed) is visible again after this;
            None: after the queue's visibility timeout, as in AWS.
        stream_backoff: first wait before a failed stream batch is tried again; it doubles.
        poll_interval: how often an empty source is looked at.
        default_concurrency: of a mapping without MaximumConcurrency.
    """

    window_factor: float = 0.0
    retry_after: int | None = None
    stream_backoff: float = 0.1
    poll_interval: float = 0.02
    default_concurrency: int = 2


# What a sandbox does: batches still form, failures come back soon.
SANDBOX = Pacing(window_factor=0.05, retry_after=1)
