"""The history and the baseline on branches, by the settings and the environment, and as they are typed."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from sbir_gate.cli.application import application
from sbir_gate.documents import write_run
from sbir_gate.errors import InputError, UsageError
from sbir_gate.gate.branches import history_branch, main_branch, push_promoted
from sbir_gate.gate.storing.baseline_branch import Standing
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.history import entry_name, keep_entry
from sbir_gate.model.document import RUN, decode
from sbir_gate.settings.effective import load_settings
from tests.factories import make_run
from tests.factories_git import ENVIRONMENT, make_repository
from tests.factories_history import make_entry
from tests.factories_remote import Waiter, make_remote, state_of

BASELINE = "baselines/enrichment.json"


@pytest.fixture
def remote(tmp_path):
    return make_remote(tmp_path / "remote.git")


@pytest.fixture
def clone(remote, tmp_path, monkeypatch):
    """Return a clone, and stand in it."""
    made = remote.clone(tmp_path / "clone")
    monkeypatch.chdir(made.folder)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return made


def settings_of(*assignments):
    return load_settings(None, {}, {}, assignments).settings


def typed(*arguments):
    done = CliRunner().invoke(application, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def promoted(clone, run, *assignments, **how):
    settings = settings_of(*assignments)
    main = main_branch(settings, Git(clone.folder, ENVIRONMENT))
    return push_promoted(run, settings, main, Waiter().retrying(), **how)


def test_the_settings_name_the_branches_unless_told_otherwise(clone):
    git = Git(clone.folder, ENVIRONMENT)
    assert history_branch(settings_of(), git).shown == "origin/sbir-gate-history"
    assert history_branch(settings_of("history.branch=past"), git).shown == "origin/past"
    assert history_branch(settings_of(), git, None, "mine").shown == "origin/mine"
    assert main_branch(settings_of("drift.branch=trunk"), git).shown == "origin/trunk"
    with pytest.raises(UsageError, match="there is no remote 'upstream'"):
        history_branch(settings_of("history.remote=upstream"), git)
    assert main_branch(settings_of(), git).shown == "origin/main"
    clone.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/release")
    assert main_branch(settings_of(), git).shown == "origin/release"


def test_where_nothing_says_which_branch_is_the_main_one_it_is_asked_for(tmp_path):
    repository = make_repository(tmp_path / "repository")
    repository.commit({"file.txt": "x"})
    repository.git("branch", "--move", "trunk")
    with pytest.raises(UsageError, match="which branch is the main one") as caught:
        main_branch(settings_of(), Git(repository.folder, ENVIRONMENT))
    assert "--branch" in caught.value.hint


def test_a_run_that_cannot_be_a_baseline_is_not_pushed(remote, clone):
    before = remote.commits("main")
    dirty = make_run(source=replace(make_run().source, is_dirty=True))
    for run in (make_run(awards=()), dirty):
        with pytest.raises(InputError):
            promoted(clone, run)
    assert remote.commits("main") == before
    assert promoted(clone, dirty, is_forced=True).standing is Standing.PUSHED


def test_a_baseline_outside_the_repository_cannot_be_pushed(clone, tmp_path):
    with pytest.raises(UsageError, match="is outside the repository"):
        promoted(clone, make_run(), f"gate.baselines_folder={tmp_path}/elsewhere")


def test_a_baseline_is_pushed_to_where_its_folder_is_from_where_one_stands(remote, clone, monkeypatch):
    (clone.folder / "sub").mkdir()
    monkeypatch.chdir(clone.folder / "sub")
    promoted(clone, make_run(), "gate.baselines_folder=kept")
    assert remote.files("main") == ["file.txt", "sub/kept/enrichment.json"]


@pytest.mark.usefixtures("clone")
def test_history_push_and_pull_as_they_are_typed(remote, tmp_path, monkeypatch):
    assert typed("history", "pull") == (
        "origin/sbir-gate-history: no such branch yet; the first 'history push' creates it\n"
    )
    keep_entry(Path("reports/history"), make_entry(0))
    assert typed("history", "push") == "origin/sbir-gate-history: Runs added: 1; already present: 0\n"
    assert typed("history", "push") == "origin/sbir-gate-history: Runs added: 0; already present: 1\n"
    monkeypatch.chdir(remote.clone(tmp_path / "other").folder)
    assert typed("history", "pull") == "reports/history: Runs added: 1; already present: 0\n"
    assert Path("reports/history", entry_name(make_entry(0))).exists()


def test_a_baseline_is_promoted_as_it_is_typed(remote, clone):
    write_run(Path("reports/run.json"), make_run())
    before = state_of(clone)
    said = typed("baseline", "promote", "reports/run.json", "--push", "--force")
    assert "is now the baseline of enrichment on origin/main, commit " in said
    assert state_of(clone) == before
    assert decode(RUN, remote.read("main", BASELINE), BASELINE) == make_run()
    assert "; nothing was pushed" in typed("baseline", "promote", "reports/run.json", "--push", "--force")
    write_run(Path("reports/old.json"), make_run(started_at="2020-01-01T00:00:00Z"))
    said = typed("baseline", "promote", "reports/old.json", "--push", "--force")
    assert "is older than the baseline of enrichment" in said
    assert "which stays; nothing was pushed" in said


@pytest.mark.usefixtures("clone")
def test_a_baseline_is_proposed_as_it_is_typed(remote):
    write_run(Path("reports/run.json"), make_run())
    typed("baseline", "promote", "reports/run.json", "--push", "--to-branch", "gate/baseline", "--force")
    assert remote.files("main") == ["file.txt"]
    assert remote.files("gate/baseline") == [BASELINE, "file.txt"]
    # checks of the pull request must run
    assert "[skip ci]" not in remote.repository.git("log", "-1", "--format=%B", "gate/baseline")


def test_options_of_a_push_do_nothing_without_it():
    with pytest.raises(UsageError, match="need --push"):
        typed("baseline", "promote", "--to-branch", "gate/baseline")
