"""`sbir-gate dashboard` as it is typed: the history of a folder or a branch as a page."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from sbir_gate.cli.application import application
from sbir_gate.errors import InputError, UsageError
from sbir_gate.gate.storing.history import keep_entry
from tests.factories_git import ENVIRONMENT
from tests.factories_history import make_entry
from tests.factories_remote import make_remote


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Stand in a folder with a history of two Runs."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    clone = make_remote(tmp_path / "remote.git").clone(tmp_path / "clone").folder
    monkeypatch.chdir(clone)
    for number in range(2):
        keep_entry(clone / "reports" / "history", make_entry(number))
    return clone


def typed(*arguments):
    return CliRunner().invoke(application, ["dashboard", *arguments], catch_exceptions=False)


def test_the_history_of_the_settings_becomes_a_page(folder):
    done = typed("--html", "site/index.html", "--no-change-points")
    assert done.stdout == "site/index.html: 2 Runs of 1 gate, 2026-01-01 to 2026-01-02\n"
    assert (folder / "site" / "index.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.usefixtures("folder")
def test_a_branch_of_the_remote_needs_no_folder():
    pushed = CliRunner().invoke(application, ["history", "push"], catch_exceptions=False)
    assert pushed.exit_code == 0, pushed.output
    done = typed(
        "--history",
        "sbir-gate-history",
        "--html",
        "a.html",
        "--no-change-points",
        "--set",
        "history.folder=x",
    )
    assert "2 Runs of 1 gate" in done.stdout


def test_a_folder_is_read_as_it_is(folder):
    (folder / "reports" / "history" / "note.json").write_text("no entry")
    done = typed(
        "--history", "reports/history", "--since", "2026-01-02", "--html", "a.html", "--no-change-points"
    )
    assert "1 Run of 1 gate" in done.stdout
    assert "skipped 1 of the files of the history" in done.stderr


def test_what_is_neither_a_folder_nor_a_branch_is_refused(folder):
    with pytest.raises(InputError, match="neither a folder nor a branch of origin"):
        typed("--history", "nothing", "--html", "a.html")
    assert not (folder / "a.html").exists()


@pytest.mark.usefixtures("folder")
def test_a_file_is_not_a_history():
    Path("file.csv").touch()
    with pytest.raises(InputError, match=r"file\.csv: is not a folder"):
        typed("--history", "file.csv", "--html", "a.html")


def test_the_page_can_go_to_standard_output(folder):
    done = typed("--html", "-", "--no-change-points")
    assert done.stdout.startswith("<!doctype html>")
    assert not (folder / "-").exists()


@pytest.mark.usefixtures("folder")
def test_an_empty_history_is_refused():
    with pytest.raises(InputError, match="no Run to show"):
        typed("--history", ".", "--html", "a.html", "--no-change-points")


@pytest.mark.usefixtures("folder")
def test_a_span_that_is_none_is_refused():
    with pytest.raises(UsageError, match="neither a date nor a span"):
        typed("--since", "long ago", "--html", "a.html")


def test_links_are_to_the_repository_of_the_workflow_or_the_one_that_is_named(folder, monkeypatch):
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://code.example")
    monkeypatch.setenv("GITHUB_REPOSITORY", "agency/pipeline")
    typed("--html", "a.html", "--no-change-points")
    assert 'href="https://code.example/agency/pipeline/commit/' in (folder / "a.html").read_text(
        encoding="utf-8"
    )
    typed("--html", "b.html", "--no-change-points", "--repository", "https://other.example/a/b")
    assert 'href="https://other.example/a/b/commit/' in (folder / "b.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("folder")
def test_without_the_extra_a_warning_says_what_is_missing(monkeypatch):
    monkeypatch.setattr("sbir_gate.gate.comparing.change_points.find_spec", lambda _: None)
    done = typed("--html", "a.html")
    assert done.exit_code == 0
    assert "warning: change points need ruptures" in done.stderr
