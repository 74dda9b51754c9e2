import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from sbir_gate.documents import write_run
from sbir_gate.errors import InputError
from sbir_gate.gate.comparing.alerts import alerts_of
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.history import (
    consult_history,
    drift_before_promotion,
    drift_rule,
    noise_of_history,
    spreads,
)
from sbir_gate.gate.judging_history import history_folder
from sbir_gate.gate.kept_runs import import_runs, keep_error, keep_run
from sbir_gate.gate.storing.history import keep_entry, open_history
from sbir_gate.model.alert import AlertKind
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.history import HistoryQuery
from sbir_gate.model.run import Timing
from sbir_gate.model.verdict import Outcome
from sbir_gate.settings import load_settings, policy
from tests.factories import MACHINE, make_policy, make_run, scaled
from tests.factories_history import START, commit_id, make_entry, slower_entry
from tests.findings import notes, reasons


@pytest.fixture
def settings(tmp_path):
    return make_settings(tmp_path)


def make_settings(tmp_path, *assignments):
    return load_settings(None, {}, {"reports.folder": str(tmp_path)}, assignments).settings


def head(days=20, **changes):
    source = replace(make_run().source, commit=commit_id(days))
    return make_run(started_at=START + timedelta(days=days), source=source, **changes)


def consult(run, settings, reference=None):
    return consult_history(run, judge(run, reference or run, make_policy()), settings)


def kept(settings):
    with open_history(history_folder(settings)) as history:
        return history.rows(HistoryQuery())


# the folder and the rule


def test_the_folder_is_that_of_the_reports_unless_it_is_set(tmp_path):
    assert history_folder(make_settings(tmp_path)) == tmp_path / "history"
    elsewhere = make_settings(tmp_path, "history.folder=elsewhere")
    assert str(history_folder(elsewhere)) == "elsewhere"


def test_every_setting_of_drift_reaches_the_rule(tmp_path):
    rule = drift_rule(
        make_settings(
            tmp_path,
            "drift.days=7",
            "drift.release_pattern=r*",
            "drift.warn_percent=3",
            "drift.fail_percent=6",
            "drift.max_severity=fail",
        ),
        "trunk",
    )
    assert (rule.days, rule.branch, rule.release_pattern) == (7, "trunk", "r*")
    assert (rule.warn_percent, rule.fail_percent, rule.max_severity) == (3, 6, Severity.FAIL)


# keeping


def test_a_run_is_kept_with_its_outcome_and_tags(settings):
    assert keep_run(head(), Outcome.WARN, ("v1",), settings) == ()
    (row,) = kept(settings)
    assert (row.commit, row.outcome, row.tags) == (commit_id(20), Outcome.WARN, ("v1",))


def test_nothing_is_kept_where_it_is_not_wanted(tmp_path):
    settings = make_settings(tmp_path, "history.keeps_runs=false")
    assert keep_run(head(), Outcome.PASS, (), settings) == ()
    assert not history_folder(settings).exists()


def test_a_history_that_cannot_be_written_is_a_warning_and_no_error(settings):
    history_folder(settings).write_text("in the way")
    (warning,) = keep_run(head(), Outcome.PASS, (), settings)
    assert "was not kept in the history" in warning


def test_a_benchmark_that_broke_is_remembered(settings):
    verdict = replace(judge(head(), None, make_policy()), outcome=Outcome.ERROR)
    keep_error(verdict, MACHINE, head().source, settings, alerts_of(verdict, "main", None))
    (row,) = kept(settings)
    assert (row.outcome, row.gate, row.branch) == (Outcome.ERROR, "enrichment", "main")


# drift


def keep(settings, entries):
    for entry in entries:
        keep_entry(history_folder(settings), entry)


def test_without_a_history_the_verdict_stays_as_it_is(settings):
    past = consult(head(), settings)
    assert past.verdict == judge(head(), head(), make_policy())
    assert (past.alerts.alerts, past.warnings) == ((), ())


@pytest.mark.slow
def test_a_slow_decline_is_seen_though_each_baseline_followed_it(settings):
    keep(settings, [slower_entry(day, 1.03**day) for day in range(10)])
    past = consult(scaled(head(10), "wall_seconds", 1.03**10), settings)
    assert past.verdict.outcome is Outcome.WARN
    assert {finding.metric for finding in past.verdict.drift} == {"wall_seconds"}
    assert "Wall time rose 34.4%" in reasons(past.verdict)[0]
    assert [alert.kind for alert in past.alerts.alerts] == [AlertKind.DRIFT]


def test_what_older_runs_measured_by_another_definition_is_named_once(settings):
    keep(settings, [slower_entry(day, 1.03**day, tags=("v1.0",) if day == 3 else ()) for day in range(40)])
    run = scaled(head(45), "wall_seconds", 1.03**10)
    newer = tuple(
        replace(metric, version=metric.version + 1) if metric.name == "wall_seconds" else metric
        for metric in run.metrics
    )
    past = consult(replace(run, metrics=newer), settings)
    assert past.verdict.drift == ()
    (note,) = [note for note in past.verdict.notes if note.rule is Rule.DRIFT_REDEFINED]
    assert note.facts["names"] == ("wall_seconds",)


@pytest.mark.slow
def test_the_commit_where_it_began_is_named(settings):
    generator = np.random.default_rng(5)
    factors = [1.0] * 20 + [1.03**step for step in range(1, 11)]
    entries = [
        slower_entry(day, factor * float(np.exp(generator.normal(0, 0.01))))
        for day, factor in enumerate(factors)
    ]
    keep(settings, entries[:-1])
    past = consult(scaled(head(29), "wall_seconds", factors[-1]), settings)
    (finding,) = past.verdict.drift
    assert finding.facts["began_at"] == "2026-01-21"
    assert finding.facts["began_commit"] == commit_id(20)[:12]


def test_the_baseline_itself_is_no_second_comparison(settings):
    baseline = head(0)
    keep_run(baseline, Outcome.PASS, (), settings)
    worse = scaled(head(10), "wall_seconds", 1.5)
    assert consult(worse, settings, baseline).verdict.drift == ()
    assert consult(worse, settings, head(9)).verdict.drift != ()


def test_scatter_between_runs_is_no_drift(settings):
    generator = np.random.default_rng(2)
    keep(settings, [slower_entry(day, float(np.exp(generator.normal(0, 0.2)))) for day in range(20)])
    assert consult(scaled(head(), "wall_seconds", 1.35), settings).verdict.drift == ()


def test_the_spread_of_each_noisy_metric_with_a_limit_is_known(settings):
    generator = np.random.default_rng(3)
    keep(settings, [slower_entry(day, float(np.exp(generator.normal(0, 0.1)))) for day in range(60)])
    with open_history(history_folder(settings)) as history:
        found = spreads(history, HistoryQuery(), policy(settings))
        assert spreads(history, HistoryQuery(limit=3), policy(settings)) == {}
    assert found["wall_seconds"] == pytest.approx(0.1, abs=0.03)
    assert "match_rate" not in found


def test_damaged_entries_are_named_and_take_nothing_from_the_rest(settings):
    keep(settings, [slower_entry(day, 1.03**day) for day in range(10)])
    for number in range(5):
        (history_folder(settings) / f"damaged-{number}.json").write_text("{")
    past = consult(scaled(head(10), "wall_seconds", 1.03**10), settings)
    assert past.verdict.drift
    (warning,) = past.warnings
    assert warning.startswith("skipped 5 of the files of the history: damaged-0.json: not JSON")
    assert warning.endswith("; and 2 more")


def test_a_history_that_cannot_be_read_is_a_note_and_the_verdict_stands(settings):
    history_folder(settings).write_text("in the way")
    past = consult(scaled(head(), "wall_seconds", 1.5), settings, head(1))
    assert past.verdict.outcome is Outcome.FAIL
    assert past.verdict.notes[-1].rule is Rule.DRIFT_NOT_JUDGED
    assert past.warnings == notes(past.verdict)[-1:]


def test_a_run_that_follows_a_slow_decline_is_known_before_it_is_promoted(settings):
    keep(settings, [make_entry(0)])
    assert drift_before_promotion(head(10), settings) == ()
    (finding,) = drift_before_promotion(scaled(head(10), "wall_seconds", 1.4), settings)
    assert finding.metric == "wall_seconds"


# recovery


@pytest.mark.parametrize(
    ("branch", "outcome", "kinds"),
    [
        ("main", Outcome.FAIL, [AlertKind.RECOVERY]),
        ("main", Outcome.PASS, []),
        ("topic", Outcome.FAIL, []),
    ],
)
def test_the_run_before_on_the_same_branch_tells_a_recovery(settings, branch, outcome, kinds):
    source = replace(make_entry(1).source, branch=branch)
    keep(settings, [make_entry(0), make_entry(1, outcome, source=source)])
    assert [alert.kind for alert in consult(head(), settings).alerts.alerts] == kinds


def test_a_quick_look_tells_neither_recovery_nor_drift_for_it_is_not_kept(settings):
    keep(settings, [make_entry(0), make_entry(1, Outcome.FAIL)])
    quick = replace(scaled(head(), "wall_seconds", 1.4), timing=Timing.QUICK)
    past = consult(quick, settings)
    assert past.alerts.alerts == ()
    assert (past.verdict.drift, past.warnings) == ((), ())
    assert consult(scaled(head(), "wall_seconds", 1.4), settings).verdict.drift


# import


def test_saved_runs_are_imported_once(settings, tmp_path):
    saved = tmp_path / "saved"
    for day in range(3):
        write_run(saved / f"{day}.json", head(day))
    first = import_runs([saved], settings)
    assert (first.taken, first.known, first.skipped) == (3, 0, ())
    again = import_runs([saved / "0.json", saved], settings)
    assert (again.taken, again.known) == (0, 4)
    assert [row.outcome for row in kept(settings)] == [None] * 3


def test_a_run_that_was_kept_already_is_not_doubled_by_importing_it(settings, tmp_path):
    keep_run(head(), Outcome.PASS, ("v1",), settings)
    write_run(tmp_path / "run.json", head())
    assert import_runs([tmp_path / "run.json"], settings).known == 1
    assert [row.outcome for row in kept(settings)] == [Outcome.PASS]


def test_what_is_no_run_is_named_and_skipped(settings, tmp_path):
    saved = tmp_path / "saved"
    write_run(saved / "whole.json", head())
    (saved / "cut.json").write_text("{")
    (saved / "newer.json").write_text(json.dumps({"format_version": 999}))
    found = import_runs([saved, tmp_path / "missing.json"], settings)
    assert found.taken == 1
    assert [file.file_name.rpartition("/")[2] for file in found.skipped] == [
        "cut.json",
        "newer.json",
        "missing.json",
    ]
    assert all(file.reason for file in found.skipped)


def test_without_a_run_at_all_importing_is_an_error(settings, tmp_path):
    with pytest.raises(InputError, match=r"no Run to import: .*missing\.json: no such file"):
        import_runs([tmp_path / "missing.json"], settings)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="hold no JSON file"):
        import_runs([tmp_path / "empty"], settings)


# noise between Runs


def scattered(settings, count=30, spread=0.1, **changes):
    factors = np.exp(np.random.default_rng(1).normal(0, spread, count))
    for number, factor in enumerate(factors):
        keep_entry(history_folder(settings), slower_entry(number, factor, **changes))


def test_the_history_says_how_far_runs_of_unchanged_code_lie_apart(settings):
    scattered(settings)
    known = noise_of_history(head(days=60), make_run(), make_policy(), settings)
    assert known["wall_seconds"] == pytest.approx(0.1, rel=0.35)


def test_runs_that_failed_or_were_not_committed_or_came_later_tell_nothing_of_noise(settings):
    scattered(settings, outcome=Outcome.FAIL)
    assert noise_of_history(head(days=60), make_run(), make_policy(), settings) == {}
    scattered(settings)
    assert noise_of_history(head(days=2), make_run(), make_policy(), settings) == {}


def test_runs_of_other_branches_tell_nothing_of_noise(settings):
    scattered(settings, source=replace(make_run().source, branch="trial"))
    assert noise_of_history(head(days=60), make_run(), make_policy(), settings) == {}


def test_without_a_reference_or_a_readable_history_no_noise_is_known(settings):
    assert noise_of_history(head(), None, make_policy(), settings) == {}
    history_folder(settings).parent.mkdir(exist_ok=True)
    history_folder(settings).write_text("no folder")
    assert noise_of_history(head(), make_run(), make_policy(), settings) == {}


def test_a_run_on_the_fixture_of_a_base_is_not_imported(tmp_path, settings):
    run = head()
    saved = tmp_path / "saved"
    write_run(saved / "there.json", replace(run, fixture=replace(run.fixture, commit="b" * 40)))
    write_run(saved / "own.json", run)
    found = import_runs([saved], settings)
    assert (found.taken, [file.reason for file in found.skipped]) == (
        1,
        ["was measured on a base's fixture, to judge a change"],
    )
