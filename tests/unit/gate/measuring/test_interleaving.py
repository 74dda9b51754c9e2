from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.errors import ConfigurationError, EnricherError, ExitStatus
from sbir_gate.gate.measuring.benchmark import BenchmarkPlan
from sbir_gate.gate.measuring.interleaving import (
    BaseFailure,
    Budget,
    Side,
    Stop,
    has_time,
    order_of,
    planned_looks,
    run_side_by_side,
)
from sbir_gate.gate.measuring.process import ProcessResult
from sbir_gate.model.samples import Calibration

GOOD = "award_id,recipient_id,match_method,match_score\nA1,R1,uei-exact,100\n"
HEAD, BASE = Side.HEAD, Side.BASE
ENDLESS = Budget(5, 40, 1e6)


class FakeMachine:
    """A launcher, a clock and a calibration: each process takes its side's next seconds, by this clock."""

    def __init__(self, head_seconds=(1.0,), base_seconds=(1.0,), breaks_at=None, outputs=None):
        self.now = 100.0
        self.seconds = {"head": head_seconds, "base": base_seconds}
        self.breaks_at = breaks_at or {}
        self.outputs = outputs or {}
        self.started = []
        self.events = []

    def launch(self, request):
        side = request.arguments[0]
        number = self.started.count(side)
        self.started.append(side)
        self.events.append(side)
        of = self.seconds[side]
        seconds = of[min(number, len(of) - 1)]
        self.now += seconds
        if self.breaks_at.get(side) == number:
            return ProcessResult(7, False, seconds, seconds, 50.0, "boom")
        Path(request.arguments[3]).write_text(self.outputs.get(side, GOOD))
        return ProcessResult(0, False, seconds, seconds, 50.0)

    def calibrate(self):
        self.events.append("calibrate")
        self.now += 0.1
        return Calibration(0.01 * len(self.events), 0.01)

    def clock(self):
        return self.now


@pytest.fixture
def plans(tmp_path):
    head = BenchmarkPlan(
        command="head {awards} {recipients} {output}",
        awards_path=tmp_path / "awards.csv",
        recipients_path=tmp_path / "recipients.csv",
        award_ids=("A1",),
        scratch_folder=tmp_path,
        working_folder=tmp_path,
        environment={},
        repeats=1,
    )
    return head, replace(head, command="base {awards} {recipients} {output}")


def never(_head, _base):
    return False


def measure(plans, machine, budget=ENDLESS, is_decided=never, told=None):
    told = [] if told is None else told
    return run_side_by_side(
        *plans,
        budget,
        machine.launch,
        machine.calibrate,
        machine.clock,
        is_decided,
        lambda *what: told.append(what),
    )


# when it is looked


@pytest.mark.parametrize(
    ("least", "most", "looks"),
    [
        (5, 40, (5, 7, 10, 14, 20, 28, 40)),
        (5, 30, (5, 7, 10, 14, 20, 28, 30)),
        (5, 7, (5, 7)),
        (5, 6, (5, 6)),
        (5, 5, (5,)),
        (1, 1, (1,)),
        (1, 8, (1, 2, 3, 4, 6, 8)),
        (2, 3, (2, 3)),
        (10, 50, (10, 14, 20, 28, 40, 50)),
    ],
)
def test_the_looks_are_planned(least, most, looks):
    assert planned_looks(least, most) == looks


@given(st.integers(1, 300), st.integers(0, 3000))
def test_looks_ascend_from_the_least_number_to_the_greatest_and_are_few(least, more):
    looks = planned_looks(least, least + more)
    assert looks[0] == least
    assert looks[-1] == least + more
    assert list(looks) == sorted(set(looks))
    assert len(looks) <= 30


def test_it_is_looked_only_where_it_was_planned(plans):
    seen = []

    def look(head, base):
        seen.append((len(head.samples), len(base.samples)))
        return len(head.samples) == 14

    result = measure(plans, FakeMachine(), is_decided=look)
    assert seen == [(5, 5), (7, 7), (10, 10), (14, 14)]
    assert (result.stop, result.pairs) == (Stop.DECIDED, 14)


# who is measured when


def test_the_order_turns_from_pair_to_pair():
    assert [order_of(pair) for pair in (1, 2, 3, 4)] == [(HEAD, BASE), (BASE, HEAD)] * 2


def test_warm_ups_come_first_and_the_calibration_before_each_pair_and_at_the_end(plans):
    machine = FakeMachine()
    told = []
    measure(plans, machine, Budget(3, 3, 1e6), told=told)
    assert machine.events == [
        *("base", "head"),
        *("calibrate", "head", "base"),
        *("calibrate", "base", "head"),
        *("calibrate", "head", "base"),
        "calibrate",
    ]
    assert told == [(0, BASE), (0, HEAD), (1, HEAD), (1, BASE), (2, BASE), (2, HEAD), (3, HEAD), (3, BASE)]


def test_without_warm_ups_the_first_pair_starts_at_once(plans):
    cold = [replace(plan, warmups=0) for plan in plans]
    machine = FakeMachine()
    measure(cold, machine, Budget(1, 1, 1e6))
    assert machine.events == ["calibrate", "head", "base", "calibrate"]


def test_sample_i_of_one_side_is_the_pair_of_sample_i_of_the_other(plans):
    machine = FakeMachine(head_seconds=(9, 1, 2, 3), base_seconds=(9, 4, 5, 6))
    result = measure(plans, machine, Budget(3, 3, 1e6))
    assert [sample.wall_seconds for sample in result.head.samples] == [1, 2, 3]
    assert [sample.wall_seconds for sample in result.base.samples] == [4, 5, 6]
    assert len(result.head.calibrations) == len(result.base.calibrations) == 4
    assert result.head.calibrations == result.base.calibrations


def test_each_side_is_held_against_itself_alone(plans):
    machine = FakeMachine(outputs={"base": GOOD.replace("R1", "R9")})
    result = measure(plans, machine, Budget(2, 2, 1e6))
    assert result.base.decisions[0].recipient_id == "R9"
    assert result.head.disagreements == result.base.disagreements == ()


# when it ends


def test_it_ends_at_the_greatest_number_of_pairs(plans):
    result = measure(plans, FakeMachine(), Budget(5, 6, 1e6))
    assert (result.stop, result.pairs) == (Stop.MAX_PAIRS, 6)


def test_after_the_last_pair_nothing_is_left_to_decide(plans):
    result = measure(plans, FakeMachine(), Budget(5, 5, 1e6), is_decided=lambda *_: pytest.fail("asked"))
    assert (result.stop, result.pairs) == (Stop.MAX_PAIRS, 5)


@pytest.mark.parametrize(
    ("repeat_seconds", "max_seconds", "pairs"),
    [
        (1.0, 20.0, 8),  # 2 s of warm-ups, 2.1 s a pair
        (1.0, 18.7, 7),
        (10.0, 100.0, 3),  # fewer than the least number: the budget is a promise
        (1000.0, 60.0, 1),  # the first pair is always run: nothing at all would be no answer
    ],
)
def test_the_budget_is_kept(plans, repeat_seconds, max_seconds, pairs):
    machine = FakeMachine((repeat_seconds,), (repeat_seconds,))
    result = measure(plans, machine, Budget(5, 40, max_seconds))
    assert (result.stop, result.pairs) == (Stop.MAX_SECONDS, pairs)
    assert result.pair_seconds == pytest.approx(2 * repeat_seconds + 0.1)
    assert pairs == 1 or machine.now - 100.0 <= max_seconds + 0.1 + 1e-9
    assert len(result.base.samples) == pairs


def test_one_slow_repeat_makes_the_rest_careful(plans):
    # 2 + 2.1 + 2.1 + 21.1 s are spent: another such pair would end after 40 s
    machine = FakeMachine(head_seconds=(1, 1, 1, 20, 1))
    result = measure(plans, machine, Budget(5, 40, 40.0))
    assert result.pairs == 3


def test_time_is_left_while_the_slowest_pair_still_fits():
    assert has_time(30.0, 10.0, 40.0)
    assert not has_time(30.1, 10.0, 40.0)


# what goes wrong


@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_base_that_breaks_is_named_and_is_not_called_heads_fault(plans, at):
    with pytest.raises(BaseFailure, match=r"^the base: the enricher ended with exit status 7") as caught:
        measure(plans, FakeMachine(breaks_at={"base": at}))
    assert "head is not to blame" in caught.value.hint
    assert caught.value.exit_status is ExitStatus.BROKEN


def test_a_base_whose_output_cannot_be_read_is_named(plans):
    with pytest.raises(BaseFailure, match=r"^the base: .*match_score"):
        measure(plans, FakeMachine(outputs={"base": GOOD.replace("100", "250")}))


@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_head_that_breaks_breaks_as_it_does_alone(plans, at):
    with pytest.raises(EnricherError, match=r"^the enricher ended with exit status 7") as caught:
        measure(plans, FakeMachine(breaks_at={"head": at}))
    assert caught.value.status == 7


@pytest.mark.parametrize("warmups", [0, 1])
def test_where_both_break_head_is_told(plans, warmups):
    broken = [replace(plan, warmups=warmups) for plan in plans]
    with pytest.raises(EnricherError) as caught:
        measure(broken, FakeMachine(breaks_at={"head": 0, "base": 0}))
    assert not isinstance(caught.value, BaseFailure)


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (Budget(0, 5, 1.0), "min_pairs is 0"),
        (Budget(6, 5, 1.0), "max_pairs 5"),
        (Budget(5, 5, 0.0), "max_seconds is 0"),
        (Budget(5, 5, float("nan")), "max_seconds is nan"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused_before_anything_starts(plans, budget, words):
    machine = FakeMachine()
    with pytest.raises(ConfigurationError, match=words):
        measure(plans, machine, budget)
    assert machine.events == []
