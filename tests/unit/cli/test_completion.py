import click
import pytest
from click.shell_completion import ShellComplete

from sbir_gate.cli.application import application
from sbir_gate.cli.completion import complete_key, complete_metric, complete_ref
from tests.factories_git import make_repository


def test_branches_and_tags_complete(tmp_path, monkeypatch):
    repository = make_repository(tmp_path)
    repository.commit({"a.txt": "a"})
    repository.git("branch", "release-1")
    repository.git("tag", "release-2")
    monkeypatch.chdir(tmp_path)
    assert complete_ref(None, None, "rel") == ["release-1", "release-2"]


def test_outside_of_a_repository_no_ref_completes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert complete_ref(None, None, "") == []


@pytest.mark.parametrize(
    ("begun", "metrics"), [("wal", ["wall_seconds"]), ("links", ["links/"]), ("xyz", [])]
)
def test_metrics_complete_and_groups_up_to_their_member(begun, metrics):
    assert complete_metric(None, None, begun) == metrics


def test_keys_complete_up_to_their_value():
    assert complete_key(None, None, "gate.max_") == ["gate.max_lost="]


@pytest.mark.parametrize(
    ("typed", "begun", "offered"),
    [
        (["run", "--base"], "rel", "release-1"),
        (["diff", "--policy-from"], "rel", "release-1"),
        (["history", "trend", "--metric"], "wal", "wall_seconds"),
        (["config", "show", "--set"], "gate.max_", "gate.max_lost="),
        (["run", "--fail-on"], "inc", "inconclusive"),
        (["data", "fetch"], "aw", "awards"),
    ],
)
def test_the_shell_is_offered_what_each_place_takes(tmp_path, monkeypatch, typed, begun, offered):
    repository = make_repository(tmp_path)
    repository.commit({"a.txt": "a"})
    repository.git("branch", "release-1")
    monkeypatch.chdir(tmp_path)
    found = ShellComplete(application, {}, "sbir-gate", "_X").get_completions(typed, begun)
    assert [item.value for item in found] == [offered]


@pytest.mark.parametrize("verb", ["run", "enrich", "diff", "report", "quality", "explain", "config"])
def test_each_option_that_takes_a_file_completes_files(verb):
    command = application.get_command(click.Context(application), verb)
    if isinstance(command, click.Group):
        command = command.commands["show"]
    names = ("awards", "recipients", "truth", "baselines", "reports", "config_file", "output", "enriched")
    files = [option for option in command.params if option.name in names]
    assert files
    for option in files:
        (item,) = option.shell_complete(click.Context(command), "be")
        assert (item.type, item.value) == ("file", "be")
