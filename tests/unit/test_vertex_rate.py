"""The rate towards VerteX: the sum over all workers never exceeds what the stack may send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_autopilot.vertex.rate import RateLimiter, share
from tests.support.scripted import VirtualTime


def test_burst_is_free_when_nothing_was_sent_yet() -> None:
    """The first few requests do not wait; the next one waits for its token."""
    time = VirtualTime()
    limiter = RateLimiter(2, 3, clock=time.clock, sleep=time.sleep)
    for _ in range(3):
        limiter.wait()
    assert time.slept == []
    limiter.wait()
    assert time.slept == [0.5]


def test_tokens_are_capped_when_nothing_was_sent_for_long() -> None:
    """A night of silence does not allow a flood in the morning."""
    time = VirtualTime()
    limiter = RateLimiter(1, 2, clock=time.clock, sleep=time.sleep)
    time.now += 3600
    for _ in range(3):
        limiter.wait()
    assert time.slept == [1.0]


@pytest.mark.parametrize(("total", "workers", "each"), [(5, 2, 2.5), (5, 20, 0.25), (5, 0, 5)])
def test_rate_is_divided_when_there_are_many_workers(total: float, workers: int, each: float) -> None:
    """Each gets its part; a stack without workers has no part to divide."""
    assert share(total, workers) == each


@given(st.lists(st.floats(min_value=0, max_value=3), max_size=80), st.floats(min_value=0.2, max_value=10))
def test_rate_is_kept_in_every_window_when_requests_come_in_any_rhythm(pauses: list[float], rate: float) -> None:
    """In any stretch of time no more than burst plus rate times its length is sent."""
    time, sent, burst = VirtualTime(0), [], 3
    limiter = RateLimiter(rate, burst, clock=time.clock, sleep=time.sleep)
    for pause in pauses:
        time.now += pause
        limiter.wait()
        sent.append(time.now)
    for first, start in enumerate(sent):
        for last in range(first, len(sent)):
            assert last - first + 1 <= burst + rate * (sent[last] - start) + 1e-6
