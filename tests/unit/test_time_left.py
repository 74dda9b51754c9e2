import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.time_left import (
    QUALITY,
    READ_RECIPIENTS,
    STAGE_COSTS,
    StageState,
    seconds_left,
)

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "stage_times.json").read_text())
AWARDS, RECIPIENTS = 20_000, 300_000
USUAL = {name: cost.seconds(AWARDS, RECIPIENTS) for name, cost in STAGE_COSTS.items()}


def after(stage, pace=1.0):
    """Return what the stages before `stage` took, at so many times their usual cost."""
    names = list(USUAL)
    return {name: USUAL[name] * pace for name in names[: names.index(stage)]}


def rest(stage):
    names = list(USUAL)
    return sum(USUAL[name] for name in names[names.index(stage) :])


def test_at_the_usual_pace_the_usual_cost_of_what_remains_is_left():
    for stage in USUAL:
        left = seconds_left(AWARDS, RECIPIENTS, after(stage), StageState(stage))
        assert left == pytest.approx(rest(stage))


def test_ninety_percent_of_the_recipients_is_not_ninety_percent_of_the_work():
    state = StageState(READ_RECIPIENTS, 0.9 * USUAL[READ_RECIPIENTS], 0.9)
    left = seconds_left(AWARDS, RECIPIENTS, after(READ_RECIPIENTS), state)
    assert left == pytest.approx(rest("index-recipients") + 0.1 * USUAL[READ_RECIPIENTS])


def test_a_machine_that_is_three_times_slower_is_noticed_while_the_recipients_are_read():
    state = StageState(READ_RECIPIENTS, 3 * USUAL[READ_RECIPIENTS], 1.0)
    left = seconds_left(AWARDS, RECIPIENTS, after(READ_RECIPIENTS, 3.0), state)
    assert left == pytest.approx(3 * rest("index-recipients"), rel=0.4)


def test_chunks_of_an_interrupted_run_do_not_count_as_speed():
    fresh = StageState(READ_RECIPIENTS, 1.0, 0.5)
    resumed = StageState(READ_RECIPIENTS, 1.0, 0.9, reused=0.4)
    done = after(READ_RECIPIENTS)
    before = seconds_left(AWARDS, RECIPIENTS, done, fresh)
    # half of the source in a second in either case: 0.2 s instead of 1 s are left to read
    assert before - seconds_left(AWARDS, RECIPIENTS, done, resumed) == pytest.approx(0.8)


def test_stages_that_are_not_planned_do_not_count():
    done = after(QUALITY)
    assert seconds_left(AWARDS, RECIPIENTS, done, StageState("write", 0.0), ["write"]) < 1
    assert seconds_left(AWARDS, RECIPIENTS, done, StageState("unheard-of"), []) == 0.0


def test_a_stage_that_is_overdue_is_not_taken_to_be_done():
    state = StageState(QUALITY, 100.0)
    assert seconds_left(AWARDS, RECIPIENTS, after(QUALITY), state) == pytest.approx(10.0)


@given(
    st.integers(1, 10**6),
    st.integers(1, 10**8),
    st.dictionaries(st.sampled_from(list(USUAL)), st.floats(0, 1e5)),
    st.sampled_from(list(USUAL)),
    st.floats(0, 1e5),
    st.floats(0, 1),
)
def test_the_time_left_is_never_negative(awards, recipients, finished, stage, seconds, share):
    assert seconds_left(awards, recipients, finished, StageState(stage, seconds, share)) >= 0


def moments(run):
    """Yield the estimate and the truth ten times while the recipients are read, and at each later stage."""
    times, done, passed = run["stages"], {}, 0.0
    whole = sum(times.values())
    size = run["awards"], run["recipients"]
    for name, seconds in times.items():
        if name == READ_RECIPIENTS:
            for tenth in range(1, 11):
                state = StageState(name, seconds * tenth / 10, tenth / 10)
                yield seconds_left(*size, done, state), whole - passed - state.seconds
        elif done:
            yield seconds_left(*size, done, StageState(name)), whole - passed
        done[name], passed = seconds, passed + seconds


def errors_of(run, slower=1.0, chunks=1.0):
    """Return the errors, as shares of the whole time, of a run on a slower machine or with slow chunks."""
    times = {
        name: slower * seconds * (chunks if name == READ_RECIPIENTS else 1)
        for name, seconds in run["stages"].items()
    }
    whole = sum(times.values())
    return sorted(abs(estimate - truth) / whole for estimate, truth in moments({**run, "stages": times}))


@pytest.mark.parametrize("slower", [1.0, 3.0])
def test_recorded_runs_were_predicted_within_a_third_of_their_time(slower):
    """A machine that is three times slower is the same run with all times tripled."""
    errors = sorted(error for run in RECORDED for error in errors_of(run, slower))
    assert errors[len(errors) // 2] < 0.12
    assert errors[-1] < 0.33


@pytest.mark.parametrize("slower", [1.0, 3.0])
@pytest.mark.parametrize("run", RECORDED, ids=lambda run: f"{run['awards']}x{run['recipients']}")
def test_near_the_end_the_time_of_the_last_stage_is_left(run, slower):
    times = {name: slower * seconds for name, seconds in run["stages"].items()}
    done = {name: seconds for name, seconds in times.items() if name != QUALITY}
    left = seconds_left(run["awards"], run["recipients"], done, StageState(QUALITY), [QUALITY])
    assert left == pytest.approx(times[QUALITY], rel=0.4)
    # the longer it takes, the less is left of what was expected
    halfway = seconds_left(run["awards"], run["recipients"], done, StageState(QUALITY, left / 2), [QUALITY])
    assert halfway == pytest.approx(left / 2)


@pytest.mark.parametrize("run", RECORDED, ids=lambda run: f"{run['awards']}x{run['recipients']}")
def test_recipients_in_tiny_chunks_say_nothing_of_the_matching(run):
    assert errors_of(run, chunks=10.0)[-1] < 0.15
