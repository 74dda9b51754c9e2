"""A planted step is named with its commit, a slow rise as a span with both ends: 1,000 Runs each."""

from dataclasses import replace

import pytest

from sbir_gate.gate.reporting.history import change_text
from sbir_gate.model.history import MetricHistory
from tests.factories_history import make_points
from tests.performance.change_point_trials import (
    MOST_MISSED,
    MOST_OTHERS,
    RISE_FROM,
    RISE_TO,
    STEP_AT,
    holding,
    summary,
    trial,
)

SEEDS = 20


def text_of(series):
    """Return the one change that is named, as `history trend` and the dashboard print it."""
    (change,) = series.named
    (point,) = make_points([1.0])
    points = tuple(replace(point, row=replace(point.row, commit=commit)) for commit in series.commits)
    course = MetricHistory("wall_seconds", "s", points, tuple(series.values), False, True, None, None, None)
    return change_text(course, change, "s")


def test_a_step_is_named_with_its_commit_and_a_rise_with_both_ends():
    found = trial(1)
    assert found.step.named[0].start == STEP_AT
    assert f" {found.step.commits[STEP_AT][:12]} (not before" in text_of(found.step)
    (rise,) = found.rise.named
    assert rise.start == pytest.approx(RISE_FROM, abs=15)
    assert rise.end == pytest.approx(RISE_TO, abs=15)
    assert rise.ratio == pytest.approx(1.002**40, abs=0.01)
    text = text_of(found.rise)
    assert f"gradually over {rise.end - rise.start + 1} Runs, from" in text
    assert all(found.rise.commits[at][:12] in text for at in (rise.start, rise.end))
    assert not found.has_others


@pytest.mark.slow
def test_in_twenty_seeds_both_are_named_and_hardly_anything_else():
    trials = [trial(seed) for seed in range(1, SEEDS + 1)]
    steps, rises, others = summary(trials)
    assert min(steps, rises) >= (1 - MOST_MISSED) * SEEDS
    assert others <= MOST_OTHERS * SEEDS
    exact, first_ends, last_ends = holding(trials)
    assert exact >= 0.6 * SEEDS  # 346 of 500
    assert min(first_ends, last_ends) >= 0.85 * rises
