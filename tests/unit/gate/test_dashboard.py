import shutil
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from sbir_gate.documents import save_quality
from sbir_gate.errors import InputError
from sbir_gate.gate.branches import history_branch, push_kept_history, push_retrying, reports_on_branch
from sbir_gate.gate.dashboard import dashboard_of, history_of
from sbir_gate.gate.reporting.dashboard import dashboard_page
from sbir_gate.gate.storing.baselines import promote
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.history import keep_entry, open_entries
from sbir_gate.gate.trends import future_text, horizon
from sbir_gate.model.run import Metric
from sbir_gate.pages.blocks import Chart
from sbir_gate.settings.effective import load_settings
from tests.factories import EXACT, make_run
from tests.factories_history import START, make_entry, slower_entry
from tests.factories_quality import report_of_entry
from tests.factories_remote import make_remote


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = ("drift.branch=main", "reports.folder=reports", "gate.baselines_folder=baselines")
    return load_settings(None, {}, {}, values).settings


@contextmanager
def opened(entries):
    with open_entries({f"{place:05}.json": entry for place, entry in enumerate(entries)}) as history:
        yield history


def shown(entries, settings, since=None, **options):
    with opened(entries) as history:
        return dashboard_of(
            history, settings, since, has_changes=options.pop("has_changes", False), **options
        )


def on_branch(number, branch):
    entry = make_entry(number)
    return replace(entry, source=replace(entry.source, branch=branch))


def course_of(gate, metric, branch=None):
    chosen = gate.branch if branch is None else branch
    return next(each for each in gate.courses if (each.branch, each.metric) == (chosen, metric))


def test_the_gate_of_the_settings_comes_first(settings):
    entries = [replace(make_entry(number), gate=gate) for number, gate in enumerate("abz")]
    gates = shown([*entries, make_entry(3)], settings)
    assert [gate.gate for gate in gates] == ["enrichment", "a", "b", "z"]


def test_the_main_branch_is_shown_first_and_others_can_be_chosen(settings):
    entries = [on_branch(number, branch) for number, branch in enumerate(["topic", "main"] * 3)]
    (gate,) = shown(entries, settings)
    assert gate.branch == "main"
    assert {course.branch for course in gate.courses} == {"main", "topic", ""}
    assert len(course_of(gate, "wall_seconds").history.points) == 3
    assert len(course_of(gate, "wall_seconds", "").history.points) == 6


def test_without_a_main_branch_all_branches_are_shown(settings):
    (gate,) = shown([on_branch(number, "topic") for number in range(3)], settings)
    assert gate.branch == ""


def test_the_limit_is_relative_to_the_baseline_where_the_history_has_it(settings):
    run = make_run(started_at=START, source=make_entry(0).source)
    promote(run, settings.gate.baselines_folder)
    (gate,) = shown([make_entry(0), make_entry(1)], settings)
    course = course_of(gate, "wall_seconds")
    assert course.fail_beyond == pytest.approx(course.history.values[0] * 1.25)


def test_without_a_baseline_only_absolute_limits_are_drawn(settings):
    (gate,) = shown([make_entry(0), make_entry(1)], settings)
    assert course_of(gate, "match_rate").fail_beyond == 0.70
    assert course_of(gate, "wall_seconds").fail_beyond is None


def test_limits_are_those_of_the_gate_of_the_settings_alone(settings):
    (gate,) = shown([replace(make_entry(number), gate="other") for number in range(2)], settings)
    assert {course.fail_beyond for course in gate.courses} == {None}


def test_a_release_is_marked_where_its_tag_was_measured_first(settings):
    entries = [
        make_entry(number, tags=tags) for number, tags in enumerate([(), ("x", "v1"), ("v1",), ("v2",)])
    ]
    (gate,) = shown(entries, settings)
    assert gate.releases == {"00001.json": "v1", "00003.json": "v2"}


def test_only_runs_since_a_moment_are_shown(settings):
    (gate,) = shown([make_entry(number) for number in range(5)], settings, START + timedelta(days=3))
    assert gate.runs == len(gate.rows) == 2


@pytest.mark.slow
def test_many_runs_are_thinned_and_extremes_releases_and_changes_stay(settings):
    factors = [1.5 if number >= 120 else 3.0 if number == 57 else 1.0 for number in range(200)]
    entries = [
        slower_entry(number, factor, tags=("v1",) if number == 31 else ())
        for number, factor in enumerate(factors)
    ]
    (gate,) = shown(entries, settings, has_changes=True, most=60)
    names = [row.file_name for row in gate.rows]
    assert gate.runs == 200
    assert len(names) <= 60
    assert {"00031.json", "00057.json", "00120.json", "00199.json"} <= set(names)
    (change,) = course_of(gate, "wall_seconds").history.changes
    assert change.start == 120
    assert all(point.row.file_name in names for point in gate.points["wall_seconds"])


def test_the_newest_quality_report_of_the_runs_that_are_shown_is_shown(settings):
    folder = settings.reports.folder / "quality"
    entries = [make_entry(number) for number in range(3)]
    for entry in (entries[1], entries[0]):
        save_quality(folder, report_of_entry(entry))
    other = report_of_entry(entries[2])
    save_quality(folder, replace(other, gate="other"))
    # of a quick run, which is not kept in the history: its links are not those of any Run on the page
    save_quality(folder, replace(other, made_at=other.made_at + timedelta(hours=1)))
    save_quality(folder, replace(other, source=replace(other.source, commit="9" * 40)))
    (folder / "2026-01-09.json").write_text("damaged")
    (gate,) = shown(entries, settings)
    assert gate.quality.made_at == entries[1].started_at


def test_a_quality_report_of_no_run_of_the_history_is_not_shown(settings):
    report = report_of_entry(make_entry(0))
    save_quality(settings.reports.folder / "quality", replace(report, made_at=START + timedelta(days=9)))
    (gate,) = shown([make_entry(0)], settings)
    assert gate.quality is None


def test_without_a_quality_report_there_is_none(settings):
    (gate,) = shown([make_entry(0)], settings)
    assert gate.quality is None


def test_an_empty_history_is_wrong_input(settings):
    with pytest.raises(InputError, match="no Run to show"):
        shown([], settings)


def test_a_history_is_a_folder(settings, tmp_path):
    keep_entry(tmp_path / "kept", make_entry(0))
    with history_of(str(tmp_path / "kept"), settings) as (history, _):
        assert len(dashboard_of(history, settings, None, has_changes=False)[0].rows) == 1


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """Return a clone in which a history with quality reports was pushed to its branch."""
    remote = make_remote(tmp_path / "remote.git")
    clone = remote.clone(tmp_path / "clone")
    monkeypatch.chdir(clone.folder)
    own = load_settings(None, {}, {}, ("drift.branch=main", "reports.folder=reports")).settings
    for number in range(3):
        keep_entry(clone.folder / "reports" / "history", make_entry(number))
        save_quality(clone.folder / "reports" / "quality", report_of_entry(make_entry(number)))
    push_kept_history(own, history_branch(own, Git(clone.folder)), push_retrying())
    shutil.rmtree(clone.folder / "reports")
    return own


def test_the_branch_alone_has_all_that_is_drawn(shared):
    with history_of("sbir-gate-history", shared) as (history, reports_of):
        (gate,) = dashboard_of(history, shared, None, has_changes=False, reports_of=reports_of)
    assert len(gate.rows) == 3
    assert gate.quality == report_of_entry(make_entry(2)).without_lists()
    page = dashboard_page((gate,))
    assert [block.key for block in page.sections[1].blocks if isinstance(block, Chart)] == [
        "g0-chart-methods",
        "g0-chart-scores",
        "g0-chart-unmatched",
    ]


def test_reports_on_the_branch_are_listed_and_compared(shared):
    kept = reports_on_branch(shared, "sbir-gate-history", None, None, 2)
    assert [report.made_at.day for _, report in kept.reports] == [2, 3]
    assert (kept.comparison.before.made_at.day, kept.comparison.after.made_at.day) == (2, 3)
    assert reports_on_branch(shared, "sbir-gate-history", "other", None, 0).reports == ()
    assert reports_on_branch(shared, "sbir-gate-history", "", None, 0).reports == ()
    with pytest.raises(InputError, match="neither a folder nor a branch"):
        reports_on_branch(shared, "nothing", None, None, 0)


@pytest.mark.slow
def test_a_page_has_room_for_so_many_metrics_gates_and_values(settings, monkeypatch):
    more = tuple(Metric(f"m{number:03}", "count", EXACT, (1.0,)) for number in range(300))
    entries = [
        replace(make_entry(number), gate=f"gate {number % 30:02}", metrics=more) for number in range(90)
    ]
    gates = shown([*entries, make_entry(99)], settings)
    assert len(gates) == 20
    assert gates[0].gate == "enrichment"
    assert {gate.gates_left_out for gate in gates} == {11}
    assert {(len(gate.points), gate.metrics_left_out) for gate in gates[1:]} == {(200, 100)}
    assert {course.metric for course in gates[1].courses} == gates[1].points.keys()
    notes = dashboard_page(gates).notes
    assert notes[0] == "Not shown: 11 other gates."
    assert "gate 00: 100 metrics are not shown." in notes
    monkeypatch.setattr("sbir_gate.gate.dashboard.MAX_VALUES", 20_000)
    many = [make_entry(number, metrics=more) for number in range(300)]
    (gate,) = shown(many, settings)
    assert gate.runs == 300
    assert 50 < len(gate.rows) <= 100


def test_runs_of_the_future_are_left_out_and_named_in_one_line(settings):
    future = START + timedelta(days=4)
    entries = [make_entry(number) for number in range(6)]
    with opened(entries) as history:
        (gate,) = dashboard_of(history, settings, None, has_changes=False, before=horizon(future))
        (line,) = future_text(history, future)
        assert future_text(history, START + timedelta(days=5)) == ()
    assert gate.runs == 5
    assert line.startswith(
        "left out: 1 Run starts in the future (the first: 00005.json, 2026-01-06T12:00:00Z)"
    )
