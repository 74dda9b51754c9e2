from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from sbir_gate.errors import InputError, UsageError
from sbir_gate.gate.storing.history import keep_entry, open_history
from sbir_gate.gate.trends import metric_history, metric_points, since_moment
from sbir_gate.model.history import HistoryQuery
from tests.factories import OTHER_MACHINE, make_run, with_metric
from tests.factories_history import make_entry, slower_entry

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
ALL = HistoryQuery()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30d", NOW - timedelta(days=30)),
        ("12h", NOW - timedelta(hours=12)),
        ("2w", NOW - timedelta(days=14)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        (" 7d ", NOW - timedelta(days=7)),
    ],
)
def test_since_is_a_date_a_time_or_a_span(text, moment):
    assert since_moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "30", "30m", "-3d", "yesterday", "2026-02-30", "999999w", "x" * 999])
def test_anything_else_is_refused_with_what_may_be_written(text):
    with pytest.raises(UsageError, match="neither a date nor a span") as caught:
        since_moment(text, NOW)
    assert "30d" in caught.value.hint
    assert len(caught.value.message) < 120


def course(folder, entries, metric="wall_seconds", *, has_changes=True):
    for entry in entries:
        keep_entry(folder, entry)
    with open_history(folder) as history:
        return metric_history(history, metric, ALL, has_changes=has_changes)


def test_a_metric_that_is_not_there_is_named_with_those_that_are(tmp_path):
    keep_entry(tmp_path, make_entry())
    with open_history(tmp_path) as history:
        with pytest.raises(UsageError, match="'wall_secs' is in none") as caught:
            metric_points(history, "wall_secs", ALL)
        assert caught.value.hint == "did you mean wall_seconds?"
        with pytest.raises(UsageError, match="'pages' is in none") as caught:
            metric_points(history, "pages", ALL)
        assert "match_rate" in caught.value.hint
        with pytest.raises(InputError, match="no Run that was asked for"):
            metric_points(history, "wall_seconds", HistoryQuery(branch="none"))


def test_a_noisy_metric_has_trend_spread_and_changes(tmp_path):
    generator = np.random.default_rng(1)
    factors = [1.0] * 20 + [1.2] * 20
    found = course(
        tmp_path,
        [
            slower_entry(day, factor * float(np.exp(generator.normal(0, 0.02))))
            for day, factor in enumerate(factors)
        ],
    )
    assert found.is_logarithmic
    assert found.trend.p_value < 0.01
    assert found.spread == pytest.approx(0.02, abs=0.008)
    (change,) = found.changes
    assert (change.start, change.ratio) == (20, pytest.approx(1.2, abs=0.02))


def test_an_exact_metric_has_every_change_and_no_spread(tmp_path):
    rates = [0.75, 0.75, 0.74, 0.74, 0.76]
    found = course(
        tmp_path,
        [
            make_entry(day, metrics=with_metric(make_run(), "match_rate", [rate]).metrics)
            for day, rate in enumerate(rates)
        ],
        "match_rate",
    )
    assert found.spread is None
    assert [change.start for change in found.changes] == [2, 4]


def test_a_metric_that_is_always_0_has_a_course_too(tmp_path):
    found = course(tmp_path, [make_entry(day) for day in range(5)], "rows_missing")
    assert (found.is_logarithmic, found.trend.slope, found.changes) == (False, 0.0, ())


def test_changes_are_not_looked_for_unless_asked_for_or_in_too_few_runs(tmp_path):
    entries = [make_entry(day) for day in range(7)]
    assert course(tmp_path, entries).changes is None
    assert course(tmp_path, [*entries, make_entry(8)]).changes == ()
    assert course(tmp_path, [], has_changes=False).changes is None


def test_runs_of_older_fixtures_are_left_out_and_counted(tmp_path):
    other = make_entry().fixture.__class__("0" * 64, "a", "r", "t", 40)
    found = course(tmp_path, [make_entry(0, fixture=other), *(make_entry(day) for day in range(1, 6))])
    assert len(found.points) == 5
    assert found.notes == ("left out: 1 older Runs of other fixtures",)


def test_times_of_another_machine_are_calibrated_and_it_is_said(tmp_path):
    slow = [
        slower_entry(day, 2.0, machine=OTHER_MACHINE, calibration_seconds=(0.2, 0.2)) for day in range(5, 8)
    ]
    found = course(tmp_path, [*(make_entry(day) for day in range(5)), *slow])
    assert found.is_calibrated
    assert found.values == pytest.approx([1.7] * 8)
    assert "calibrated" in found.notes[0]


def test_values_of_an_older_definition_are_never_joined_and_it_is_said_since_when(tmp_path):
    def redefined(entry):
        metrics = tuple(
            replace(metric, version=2) if metric.name == "wall_seconds" else metric
            for metric in entry.metrics
        )
        return replace(entry, metrics=metrics)

    older = [slower_entry(day, 3.0) for day in range(5)]
    found = course(tmp_path, [*older, *(redefined(make_entry(day)) for day in range(5, 13))])
    assert found.values == pytest.approx([1.7] * 8)
    assert found.changes == ()
    assert found.notes == (
        "left out: 5 Runs that measured it by another definition; this one begins at 2026-01-06",
    )
