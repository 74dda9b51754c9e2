from dataclasses import replace
from datetime import date

import pytest

from sbir_gate.documents import save_run
from sbir_gate.errors import InputError
from sbir_gate.gate.baseline import commit_to_measure, promotion_obstacle, quick_look
from sbir_gate.gate.reporting.notices import obstacle_text
from sbir_gate.gate.run import run_gate
from sbir_gate.gate.storing.baselines import baseline_path, promote
from sbir_gate.gate.storing.git import Git
from sbir_gate.settings.base_settings import Given
from sbir_gate.settings.effective import load_settings
from tests.factories import OTHER_MACHINE, make_run
from tests.factories_git import make_repository
from tests.fakes import FakeEngine, fake_edges, write_fixture
from tests.tiers import first_fast

PLAIN = Given(None, {}, {"reports.folder": "elsewhere", "benchmark.repeats": None}, ())
HERE = make_run().machine


@pytest.fixture
def repository(tmp_path, monkeypatch):
    made = make_repository(tmp_path)
    monkeypatch.chdir(tmp_path)
    return made


def with_baseline(repository, **changes):
    """Commit twice; the baseline is of the first commit. Return that commit."""
    commit = repository.commit({"a": "1"})
    source = replace(make_run().source, commit=commit, is_dirty=False)
    run = make_run(**{"machine": OTHER_MACHINE, "source": source} | changes)
    effective = load_settings(None, {}, {})
    gate = effective.settings.gate
    path = baseline_path(gate.baselines_folder, gate.name)
    saved = save_run(repository.folder / "runs", replace(run, gate=gate.name))
    path.parent.mkdir(exist_ok=True)
    saved.rename(path)
    repository.commit({"a": "2"})
    return commit


def found(repository, given=PLAIN):
    return commit_to_measure(load_settings(None, {}, {}), given, HERE, Git(repository.folder))


def test_the_commit_of_a_baseline_of_another_machine_is_measured_here(repository):
    commit = with_baseline(repository)
    assert found(repository) == commit


@pytest.mark.parametrize(
    "changes",
    [
        {"machine": HERE},
        {"source": replace(make_run().source, commit="d" * 40, is_dirty=False)},
        {"source": replace(make_run().source, commit="", is_dirty=False)},
    ],
    ids=["same machine", "unknown commit", "no commit"],
)
def test_otherwise_the_stored_baseline_serves(repository, changes):
    with_baseline(repository, **changes)
    assert found(repository) == ""


def test_a_baseline_of_uncommitted_code_has_no_commit_to_measure(repository):
    commit = with_baseline(repository)
    source = replace(make_run().source, commit=commit, is_dirty=True)
    with_baseline(repository, source=source)
    assert found(repository) == ""


def test_a_commit_that_is_not_part_of_this_history_is_not_measured(repository):
    with_baseline(repository)
    repository.git("switch", "--quiet", "--orphan", "other")
    repository.git("checkout", "main", "--", "baselines")
    repository.commit({"b": "1"})
    assert found(repository) == ""


@pytest.mark.parametrize(
    "given",
    [
        replace(PLAIN, options={"enricher.command": "x {awards} {recipients} {output}"}),
        replace(PLAIN, options={"benchmark.repeats": 3}),
        replace(PLAIN, assignments=("gate.max_lost=3",)),
        replace(PLAIN, environment={"SBIR_GATE__BENCHMARK__REPEATS": "2"}),
    ],
    ids=["enricher", "repeats", "set", "variable"],
)
def test_what_is_set_from_outside_would_hold_for_both_sides(repository, given):
    with_baseline(repository)
    assert found(repository, given) == ""


@pytest.mark.parametrize("content", [None, "{", ""])
def test_without_a_sound_baseline_or_a_repository_nothing_is_measured_beside(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "baselines").mkdir()
        (tmp_path / "baselines" / "enrichment.json").write_text(content)
    assert commit_to_measure(load_settings(None, {}, {}), PLAIN, HERE, Git(tmp_path)) == ""


def test_such_a_run_is_bounded_by_a_minute_or_by_less_that_is_set():
    assert quick_look(load_settings(None, {}, {})) == {"benchmark.max_seconds": 60}
    shorter = load_settings(None, {}, {"benchmark.max_seconds": 20})
    assert quick_look(shorter) == {"benchmark.max_seconds": 20}


TODAY = date(2026, 2, 1)


@pytest.fixture
def effective(tmp_path):
    write_fixture(tmp_path)
    options = {
        "fixtures.awards": str(tmp_path / "awards.csv"),
        "fixtures.recipients": str(tmp_path / "recipients.csv"),
        "fixtures.truth": str(tmp_path / "truth.csv"),
        "gate.baselines_folder": str(tmp_path / "baselines"),
        "reports.folder": str(tmp_path / "reports"),
        "benchmark.repeats": 1,
    }
    return load_settings(None, {}, options)


def measured(effective, engine):
    return run_gate(effective, fake_edges(engine), lambda _words: None)


def obstacle(effective, result):
    found = promotion_obstacle(result.run, result.run_path, effective, TODAY)
    return "" if found is None else obstacle_text(found)


def test_a_first_run_within_the_absolute_limits_may(effective):
    assert obstacle(effective, measured(effective, FakeEngine())) == ""


@pytest.mark.parametrize("has_history", first_fast([True, False]))
def test_a_run_that_failed_may_not_with_or_without_a_history(effective, tmp_path, has_history):
    promote(measured(effective, FakeEngine()).run, tmp_path / "baselines")
    failed = measured(effective, FakeEngine(links=4))
    if not has_history:
        for path in (tmp_path / "reports" / "history").iterdir():
            path.unlink()
    assert obstacle(effective, failed).startswith("the verdict on it is fail: no award of company size")


def test_a_run_below_the_absolute_limits_may_not_even_as_the_first(effective):
    words = obstacle(effective, measured(effective, FakeEngine(links=4)))
    assert words.startswith("the verdict on it is fail: Match rate: 0.333, below the minimum of 0.700")


def test_a_history_that_cannot_be_read_is_named_and_no_reason_to_promote_unseen(effective, tmp_path):
    result = measured(effective, FakeEngine())
    history = tmp_path / "reports" / "history"
    for path in history.iterdir():
        path.unlink()
    history.rmdir()
    history.write_text("no folder")
    with pytest.raises(InputError, match="the history cannot be listed"):
        obstacle(effective, result)
