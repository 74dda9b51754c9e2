"""Which history judges a change: never that of its own working tree."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.history import consult_history, noise_of_history
from sbir_gate.gate.judging_history import history_of_commit, opened
from sbir_gate.gate.reporting.messages import text
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.history import keep_entry
from sbir_gate.gate.storing.history_branch import entry_place
from sbir_gate.gate.storing.merge_base import BaseName, find_base
from sbir_gate.model.document import HISTORY, encode
from sbir_gate.model.finding import Rule
from sbir_gate.model.history import HistoryQuery
from sbir_gate.settings import load_settings
from tests.factories import make_policy, make_run
from tests.factories_git import ENVIRONMENT, make_repository
from tests.factories_history import START, make_entry, slower_entry

BRANCH = "refs/remotes/origin/sbir-gate-history"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    made = make_repository(tmp_path / "repository")
    made.commit({"file.txt": "main"})
    monkeypatch.chdir(made.folder)
    return made


def settings_of(**options):
    return load_settings(None, {}, options).settings


def judging(repository, settings):
    base = find_base(Git(repository.folder, ENVIRONMENT), BaseName("main"))
    return history_of_commit(settings, base.revision)


def publish(repository, entries, files=None):
    """Put entries on the branch of the history, as 'git fetch' would bring it."""
    repository.git("switch", "--quiet", "--orphan", "temporary")
    places = {entry_place(entry): encode(HISTORY, entry) for entry in entries}
    commit = repository.commit({**places, **(files or {})})
    repository.git("update-ref", BRANCH, commit)
    repository.git("switch", "--quiet", "main")


def rows(settings, found):
    with opened(settings, found) as history:
        return history.rows(HistoryQuery())


def test_entries_of_the_working_tree_are_named_and_not_used(repository):
    settings = settings_of()
    for number in range(5):
        keep_entry(repository.folder / "reports" / "history", make_entry(number))
    found = judging(repository, settings)
    assert rows(settings, found) == ()
    (note,) = found.notes
    assert note.rule is Rule.HISTORY_NOT_USED
    assert "5 entries that the history branch lacks (enrichment-" in text(note)
    assert BRANCH in text(note)


def test_what_git_ignores_there_was_kept_by_earlier_runs_and_is_no_part_of_a_change(repository):
    (repository.folder / ".gitignore").write_text("reports/\n")
    keep_entry(repository.folder / "reports" / "history", make_entry(1))
    assert judging(repository, settings_of()).notes == ()
    repository.git("add", "--force", "reports")
    (note,) = judging(repository, settings_of()).notes
    assert "reports/history holds 1 entry" in text(note)


def test_the_branch_judges_as_it_was_fetched(repository):
    settings = settings_of()
    publish(repository, [make_entry(1), make_entry(2), make_entry(3, gate="other")])
    keep_entry(repository.folder / "reports" / "history", make_entry(1))
    found = judging(repository, settings)
    assert [row.commit for row in rows(settings, found)] == [
        make_entry(number).source.commit for number in (1, 2)
    ]
    assert found.notes == ()


def test_what_the_engine_writes_while_it_is_measured_comes_too_late(repository, tmp_path):
    outside = tmp_path / "operator"
    settings = settings_of(**{"history.folder": str(outside)})
    keep_entry(outside, make_entry(1))
    found = judging(repository, settings)
    (kept,) = outside.glob("*.json")
    kept.write_text("{}")
    keep_entry(outside, make_entry(2))
    repository.git("update-ref", BRANCH, "HEAD")
    assert [row.commit for row in rows(settings, found)] == [make_entry(1).source.commit]
    with opened(settings, found) as history:
        assert history.entry(history.rows(HistoryQuery())[0]) == make_entry(1)


@pytest.mark.parametrize("name", ["refs/tags/sbir-gate-history", "refs/heads/sbir-gate-history"])
def test_a_local_branch_or_a_tag_is_not_the_branch_of_the_remote(repository, name):
    publish(repository, [make_entry(1)])
    repository.git("update-ref", name, BRANCH)
    repository.git("update-ref", "-d", BRANCH)
    assert judging(repository, settings_of()).entries == {}


def test_a_folder_that_is_a_link_to_elsewhere_is_still_in_the_working_tree(repository, tmp_path):
    keep_entry(tmp_path / "elsewhere", make_entry(1))
    (repository.folder / "reports").mkdir()
    (repository.folder / "reports" / "history").symlink_to(tmp_path / "elsewhere")
    assert judging(repository, settings_of()).entries == {}


def test_what_is_no_entry_on_the_branch_is_skipped_and_named(repository):
    publish(repository, [make_entry(1)], {"enrichment/2026-01/x.json": "{}", "enrichment/read.me": "x"})
    found = judging(repository, settings_of())
    assert len(found.entries) == 1
    assert sorted(file.file_name for file in found.skipped) == [
        "enrichment/2026-01/x.json",
        "enrichment/read.me",
    ]


def test_forged_runs_make_no_noise_and_no_drift(repository):
    """Thirty forged Runs of wild times once turned a failure into 'inconclusive'."""
    settings = settings_of()
    for number in range(30):
        wild = slower_entry(number, 1 + number % 7)
        keep_entry(repository.folder / "reports" / "history", wild)
    run = replace(make_run(), started_at=START + timedelta(days=60))
    found = judging(repository, settings)
    assert noise_of_history(run, make_run(), make_policy(), settings)
    assert noise_of_history(run, make_run(), make_policy(), settings, found) == {}
    past = consult_history(run, judge(run, make_run(), make_policy()), settings, found)
    assert past.verdict.drift == ()


def test_which_branch_is_a_measure_is_known_before_measuring(repository):
    repository.git("update-ref", "refs/remotes/origin/trunk", "HEAD")
    repository.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    found = judging(repository, settings_of())
    repository.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/other")
    assert found.branch == "trunk"
    assert judging(repository, settings_of(**{"drift.branch": "*"})).branch is None
