import subprocess
from dataclasses import dataclass, replace

import pytest

from sbir_gate.errors import ExitStatus, ToolError, UsageError
from sbir_gate.gate.storing.git import Git, said
from sbir_gate.gate.storing.merge_base import BaseName, find_base
from sbir_gate.model.git import GitResult
from tests.factories_git import ENVIRONMENT, Repository, copied, make_repository


@dataclass(frozen=True)
class History:
    """A branch `change` of main, with one commit on each since they parted."""

    repository: Repository
    fork: str
    tip: str
    head: str


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    repository = make_repository(tmp_path_factory.mktemp("template"))
    fork = repository.commit({"file.txt": "fork"})
    repository.git("branch", "change")
    tip = repository.commit({"file.txt": "tip"})
    repository.git("switch", "--quiet", "change")
    return History(repository, fork, tip, repository.commit({"file.txt": "head"}))


@pytest.fixture
def history(tmp_path, template):
    return replace(template, repository=copied(template.repository, tmp_path / "repository"))


def find(repository, ref=None, target_branch=""):
    return find_base(Git(repository.folder, ENVIRONMENT), BaseName(ref, target_branch))


def clone_of(history, folder, *options):
    url = f"file://{history.repository.folder}"
    subprocess.run(
        ["git", "clone", "--quiet", *options, url, str(folder)],
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
    )
    return Repository(folder.resolve())


@pytest.mark.parametrize("ref", ["main", "refs/heads/main", None])
def test_the_base_is_where_head_branched_off_and_not_the_tip(history, ref):
    found = find(history.repository, ref)
    assert (found.commit, found.head) == (history.fork, history.head)
    assert found.root == history.repository.folder
    assert found.commit != history.tip


def test_a_commit_a_tag_and_an_ancestor_are_refs_too(history):
    history.repository.git("tag", "v1", history.tip)
    for ref in ("v1", history.tip, history.tip[:10], "HEAD~1"):
        assert find(history.repository, ref).commit == history.fork


def test_head_itself_is_its_own_base(history):
    assert find(history.repository, "HEAD").commit == history.head
    assert find(history.repository, "change").commit == history.head


def test_in_a_clone_the_default_branch_is_origins(history, tmp_path):
    history.repository.git("switch", "--quiet", "main")
    clone = clone_of(history, tmp_path / "clone", "--branch", "change")
    found = find(clone)
    assert (found.commit, found.ref) == (history.fork, "main")


def test_a_branch_that_only_origin_has_is_found(history, tmp_path):
    clone = clone_of(history, tmp_path / "clone", "--branch", "change")
    assert find(clone, "main").commit == history.fork


def test_on_a_pull_request_the_branch_that_it_goes_to_wins(history):
    history.repository.git("branch", "release", history.head)
    assert find(history.repository, None, "release").commit == history.head
    # but not over what was asked for by name
    assert find(history.repository, "main", "release").commit == history.fork


def test_a_near_miss_of_a_branch_is_suggested(history):
    with pytest.raises(UsageError, match="there is no commit 'mian'") as caught:
        find(history.repository, "mian")
    assert caught.value.hint == "did you mean main?"


def test_a_target_branch_that_is_not_there_is_not_replaced_by_another(history):
    with pytest.raises(UsageError, match="there is no commit 'release'"):
        find(history.repository, None, "release")


@pytest.mark.parametrize(
    "ref",
    [
        "nowhere",
        "--upload-pack=touch hacked",
        "--output=hacked",
        "-x",
        "$(touch hacked)",
        "; touch hacked",
        "two words",
        "^HEAD",
        "HEAD..main",
        "main\n--exec=x",
        "a\0b",
        "@{99}",
        "x" * 5000,
        "",
        " ",
        "-",
        "--all",
        "main\n",
    ],
)
def test_a_ref_that_is_none_achieves_nothing_and_is_told_in_one_line(history, ref):
    with pytest.raises(UsageError) as caught:
        find(history.repository, ref)
    assert "there is no commit" in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 200
    assert caught.value.exit_status is ExitStatus.WRONG_INPUT
    assert [path.name for path in history.repository.folder.iterdir() if path.name != ".git"] == ["file.txt"]


def test_without_a_default_branch_a_name_is_asked_for(tmp_path):
    repository = make_repository(tmp_path / "repository")
    repository.commit({"file.txt": "x"})
    repository.git("branch", "--move", "trunk")
    with pytest.raises(UsageError, match="there is no default branch") as caught:
        find(repository)
    assert "such as --base trunk" in caught.value.hint


def test_a_shallow_clone_names_the_cure(history, tmp_path):
    clone = clone_of(history, tmp_path / "clone", "--branch", "change", "--depth", "1", "--no-single-branch")
    with pytest.raises(UsageError, match="no commit in common") as caught:
        find(clone, "origin/main")
    assert "fetch-depth: 0" in caught.value.hint
    assert "git fetch --unshallow" in caught.value.hint


def test_a_shallow_clone_of_one_branch_names_the_cure_too(history, tmp_path):
    clone = clone_of(history, tmp_path / "clone", "--branch", "change", "--depth", "1")
    with pytest.raises(UsageError, match="there is no commit 'main'") as caught:
        find(clone, "main")
    assert "fetch-depth: 0" in caught.value.hint


def test_of_githubs_merge_commit_two_commits_are_enough(history, tmp_path):
    history.repository.git("switch", "--quiet", "--detach", "main")
    history.repository.git("merge", "--quiet", "--strategy", "ours", "--message", "merge", "change")
    history.repository.git("branch", "merged")
    clone = clone_of(history, tmp_path / "clone", "--branch", "merged", "--depth", "2")
    assert find(clone, "HEAD^1").commit == history.tip


def test_what_git_says_of_a_folder_that_it_does_not_trust_is_told_in_one_line():
    told = "fatal: detected dubious ownership in '/x'\nTo add an exception, call:\n\n\tgit config --global\n"

    class Doubting:
        folder = "/x"

        def ask(self, *_arguments):
            return GitResult(128, b"", said(told))

    with pytest.raises(UsageError, match="dubious ownership in '/x' To add an exception, call: git config"):
        find_base(Doubting(), BaseName("main"))


def test_histories_without_a_common_commit_are_told_apart_from_shallow_ones(history):
    history.repository.git("switch", "--quiet", "--orphan", "island")
    history.repository.commit({"file.txt": "island"})
    with pytest.raises(UsageError, match="no commit in common") as caught:
        find(history.repository, "main")
    assert "fetch-depth" not in caught.value.hint


def test_a_folder_outside_of_git_is_told(tmp_path):
    with pytest.raises(UsageError, match="git cannot use this folder"):
        find(Repository(tmp_path))


def test_a_repository_without_a_commit_is_told(tmp_path):
    with pytest.raises(UsageError, match="no commit yet"):
        find(make_repository(tmp_path / "repository"))


def test_without_git_the_cure_is_to_install_it(history):
    git = Git(history.repository.folder, {"PATH": "/nowhere"})
    with pytest.raises(ToolError, match="git cannot be run") as caught:
        find_base(git, BaseName("main"))
    assert caught.value.exit_status is ExitStatus.BROKEN


def test_the_variables_of_a_git_hook_lead_nowhere(history, tmp_path):
    other = make_repository(tmp_path / "other")
    led = ENVIRONMENT | {"GIT_DIR": str(other.folder / ".git"), "GIT_INDEX_FILE": str(tmp_path / "index")}
    assert find_base(Git(history.repository.folder, led), BaseName("main")).commit == history.fork


def test_the_root_is_found_from_a_folder_below(history):
    (history.repository.folder / "data").mkdir()
    found = find_base(Git(history.repository.folder / "data", ENVIRONMENT), BaseName("main"))
    assert found.root == history.repository.folder
    assert found.revision.blob("file.txt") is not None
