import errno
from dataclasses import replace

import pytest

from sbir_gate.retrying import RetryPolicy, TransientError, full_pause

POLICY = RetryPolicy("exponential", 5, 1.0, 5.0, sleep=lambda _: None, jitter=full_pause)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("exponential", [1.0, 2.0, 4.0, 5.0, 5.0]),
        ("none", []),
        ("constant", [1.0, 1.0, 1.0, 1.0, 1.0]),
    ],
)
def test_delays_grow_as_the_kind_says_and_stop_at_the_cap(kind, expected):
    assert list(replace(POLICY, kind=kind).delays()) == expected


def test_jitter_takes_away_at_most_half():
    assert next(replace(POLICY, jitter=lambda: 0.0).delays()) == 0.5


def test_thousands_of_retries_do_not_overflow():
    assert max(replace(POLICY, retries=3000).delays()) == 5.0


def test_an_unknown_kind_is_refused_at_once():
    with pytest.raises(ValueError, match="unknown back-off 'fibonacci'"):
        replace(POLICY, kind="fibonacci")


def test_no_pause_ends_after_the_time_that_there_is():
    moments = iter([0.0, 0.0, 1.0, 7.0])
    policy = replace(POLICY, max_seconds=10.0, clock=lambda: next(moments))
    assert list(policy.delays()) == [1.0, 2.0]


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


class Waiter:
    """Notes the pauses."""

    def __init__(self, **changes):
        self.slept = []
        self.policy = replace(POLICY, sleep=self.slept.append, **changes)


@pytest.fixture
def waiter():
    return Waiter()


def test_transient_errors_are_waited_out(waiter):
    assert waiter.policy.call(Flaky(errno.EIO, errno.ESTALE)) == "answer"
    assert waiter.slept == [1.0, 2.0]


def test_the_error_after_the_last_pause_passes_through():
    flaky = Flaky(*[errno.ETIMEDOUT] * 9)
    with pytest.raises(OSError, match="flaky"):
        replace(POLICY, retries=2).call(flaky)
    assert flaky.calls == 3


def test_an_error_that_waiting_does_not_fix_passes_through_at_once():
    flaky = Flaky(errno.ENOENT)
    with pytest.raises(FileNotFoundError):
        POLICY.call(flaky)
    assert flaky.calls == 1


def test_a_server_that_asks_for_a_longer_pause_gets_it(waiter):
    answers = iter([TransientError("busy", 9.0), TransientError("busy", 0.5)])
    told = []

    def action():
        for error in answers:
            raise error
        return "done"

    assert waiter.policy.call(action, lambda fault, pause: told.append((str(fault), pause))) == "done"
    assert waiter.slept == [9.0, 2.0]
    assert told == [("busy", 9.0), ("busy", 2.0)]


def test_progress_starts_the_count_of_attempts_anew_and_the_last_error_has_the_count():
    further = iter([True, False, True, False, False])

    def action():
        raise TransientError("cut")

    waiter = Waiter(retries=2)
    with pytest.raises(TransientError) as raised:
        waiter.policy.call(action, is_further=lambda: next(further))
    assert raised.value.attempts == 5
    assert waiter.slept == [1.0, 2.0, 1.0, 2.0]
