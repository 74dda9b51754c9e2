import errno

import pytest

from sbir_gate.retrying import RetryPolicy, backoff_delays, with_retries


def full() -> float:
    return 1.0


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("exponential", [1.0, 2.0, 4.0, 5.0, 5.0]),
        ("none", []),
        ("constant", [1.0, 1.0, 1.0, 1.0, 1.0]),
    ],
)
def test_delays_grow_as_the_kind_says_and_stop_at_the_cap(kind, expected):
    assert list(backoff_delays(kind, 1.0, 5.0, 5, full)) == expected


def test_jitter_takes_away_at_most_half():
    assert list(backoff_delays("constant", 2.0, 5.0, 1, lambda: 0.0)) == [1.0]


def test_thousands_of_retries_do_not_overflow():
    assert max(backoff_delays("exponential", 1.0, 5.0, 3000, full)) == 5.0


def test_an_unknown_kind_is_refused_at_once():
    with pytest.raises(ValueError, match="unknown back-off 'fibonacci'"):
        backoff_delays("fibonacci", 1.0, 5.0, 1, full)


class Flaky:
    """Fails with the given error numbers, one per call, then answers."""

    def __init__(self, *numbers):
        self.numbers = list(numbers)
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.numbers:
            raise OSError(self.numbers.pop(0), "flaky")
        return "answer"


def test_transient_errors_are_waited_out():
    slept = []
    flaky = Flaky(errno.EIO, errno.ESTALE)
    assert with_retries(flaky, [0.1, 0.2, 0.3], slept.append) == "answer"
    assert slept == [0.1, 0.2]


def test_the_error_after_the_last_delay_passes_through():
    flaky = Flaky(*[errno.ETIMEDOUT] * 9)
    with pytest.raises(OSError, match="flaky"):
        with_retries(flaky, [0.0, 0.0], lambda _: None)
    assert flaky.calls == 3


def test_an_error_that_waiting_does_not_mend_passes_through_at_once():
    flaky = Flaky(errno.ENOENT)
    with pytest.raises(FileNotFoundError):
        with_retries(flaky, [0.0] * 5, lambda _: None)
    assert flaky.calls == 1


def test_a_policy_sleeps_with_its_own_clock():
    slept = []
    policy = RetryPolicy("exponential", 1.0, 10.0, 3, slept.append, full)
    assert policy.call(Flaky(errno.EAGAIN, errno.EAGAIN)) == "answer"
    assert slept == [1.0, 2.0]


def test_a_policy_tells_its_pauses():
    assert list(RetryPolicy("exponential", 1.0, 10.0, 3, lambda _: None, full).delays()) == [1.0, 2.0, 4.0]
