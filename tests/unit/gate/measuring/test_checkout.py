import shutil
import subprocess
import sys

import psutil
import pytest

from sbir_gate.errors import EnricherError, ToolError
from sbir_gate.gate.measuring.checkout import base_checkout, cautions
from sbir_gate.gate.storing.git import Git
from sbir_gate.model.finding import Rule
from tests.factories_git import ENVIRONMENT, make_repository


class Stopped(BaseException):
    """Ctrl-C, as the program raises it."""


@pytest.fixture
def repository(tmp_path):
    return make_repository(tmp_path / "repository")


def git_of(repository, **changes):
    return Git(repository.folder, ENVIRONMENT | changes)


def is_running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def state_of(repository):
    """Return the index, the working tree and the branch."""
    files = {
        path: path.read_bytes()
        for path in repository.folder.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }
    return files, (repository.folder / ".git" / "index").read_bytes(), repository.git("rev-parse", "HEAD")


def test_the_commit_is_there_as_it_was_and_gone_afterwards(repository, tmp_path):
    first = repository.commit({"enrich.py": "old", "gone.txt": "x"})
    (repository.folder / "gone.txt").unlink()
    repository.commit({"enrich.py": "new"})
    (repository.folder / "enrich.py").write_text("newer, not committed")
    before = state_of(repository)
    with base_checkout(git_of(repository), first, tmp_path) as tree:
        assert (tree / "enrich.py").read_text() == "old"
        assert (tree / "gone.txt").exists()
        assert len(repository.worktrees()) == 2
        (tree / "left behind").write_text("x")
        assert state_of(repository) == before
    assert state_of(repository) == before
    assert repository.worktrees() == [str(repository.folder)]
    assert not tree.exists()
    assert not (repository.folder / ".git" / "worktrees").exists()


@pytest.mark.parametrize("error", [Stopped, KeyboardInterrupt, EnricherError, OSError])
def test_it_is_removed_whatever_happens(repository, tmp_path, error):
    commit = repository.commit({"enrich.py": "old"})
    with pytest.raises(error), base_checkout(git_of(repository), commit, tmp_path):
        raise error("it ends")
    assert repository.worktrees() == [str(repository.folder)]
    assert [path.name for path in tmp_path.iterdir()] == ["repository"]


def test_one_that_an_enricher_locked_or_took_away_is_forgotten_all_the_same(repository, tmp_path):
    commit = repository.commit({"enrich.py": "old"})
    git = git_of(repository)
    with base_checkout(git, commit, tmp_path) as tree:
        git.ask("worktree", "lock", str(tree))
    with base_checkout(git, commit, tmp_path) as tree:
        git.ask("worktree", "lock", str(tree))
        (tree / ".git").unlink()
    assert repository.worktrees() == [str(repository.folder)]
    assert [path.name for path in tmp_path.iterdir()] == ["repository"]


def test_no_hook_runs(repository, tmp_path):
    commit = repository.commit({"enrich.py": "old"})
    hook = repository.folder / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hacked\n")
    hook.chmod(0o755)
    with base_checkout(git_of(repository), commit, tmp_path):
        pass
    assert not (tmp_path / "hacked").exists()


def test_other_worktrees_of_the_user_stay(repository, tmp_path):
    commit = repository.commit({"enrich.py": "old"})
    repository.git("worktree", "add", "--quiet", "--detach", tmp_path / "mine")
    (tmp_path / "mine").rename(tmp_path / "unplugged")
    with base_checkout(git_of(repository), commit, tmp_path):
        pass
    assert str(tmp_path / "mine") in repository.worktrees()


def test_a_commit_that_cannot_be_checked_out_is_told_with_gits_words(repository, tmp_path):
    repository.commit({"enrich.py": "old"})
    checkout = base_checkout(git_of(repository), "0123456789ab" + 28 * "0", tmp_path)
    with (
        pytest.raises(ToolError, match=r"commit 0123456789ab cannot be checked out: .*0123456789ab"),
        checkout,
    ):
        pass
    assert repository.worktrees() == [str(repository.folder)]


def test_without_git_nothing_is_left_either(repository, tmp_path):
    checkout = base_checkout(git_of(repository, PATH="/nowhere"), 40 * "0", tmp_path)
    with pytest.raises(ToolError, match="No such file"), checkout:
        pass


def test_within_a_hook_the_users_index_is_not_written(repository, tmp_path):
    commit = repository.commit({"enrich.py": "old"})
    index = repository.folder / ".git" / "index"
    before = index.read_bytes()
    led = {"GIT_DIR": str(repository.folder / ".git"), "GIT_INDEX_FILE": str(index)}
    with base_checkout(git_of(repository, **led), commit, tmp_path) as tree:
        assert (tree / "enrich.py").exists()
    assert index.read_bytes() == before


def test_a_failure_keeps_what_git_said(repository):
    answer = git_of(repository).ask("rev-parse", "--verify", "nowhere")
    assert answer.status == 128
    assert answer.complaint == "fatal: Needed a single revision"


def test_an_interrupted_git_is_ended_and_cleans_up_after_itself(repository, tmp_path):
    # a smudge filter that hangs holds the checkout half made
    commit = repository.commit({".gitattributes": "*.txt filter=hang\n", "data.txt": "x"})
    pid_file = tmp_path / "pid"
    repository.git("config", "filter.hang.smudge", f"sh -c 'echo $$ > {pid_file}; exec sleep 60'")
    code = (
        "import os, signal, sys, threading, time\n"
        "from pathlib import Path\n"
        "from sbir_gate.gate.measuring.checkout import base_checkout\n"
        "from sbir_gate.gate.storing.git import Git\n"
        "folder, commit, parent, pid = sys.argv[1:]\n"
        "def stop():\n"
        "    while not Path(pid).exists():\n"
        "        time.sleep(0.01)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Thread(target=stop, daemon=True).start()\n"
        "with base_checkout(Git(Path(folder)), commit, Path(parent)):\n"
        "    pass\n"
    )
    parent = tmp_path / "parent"
    parent.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code, str(repository.folder), commit, str(parent), str(pid_file)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert "KeyboardInterrupt" in done.stderr
    assert repository.worktrees() == [str(repository.folder)]
    assert not (repository.folder / ".git" / "worktrees").exists()
    assert list(parent.iterdir()) == []
    assert not is_running(int(pid_file.read_text()))


def test_submodules_and_missing_lfs_are_told(repository, tmp_path):
    plain = repository.commit({"enrich.py": "x", ".gitattributes": "*.txt text\n"})
    without_lfs = {"HOME": str(tmp_path)}
    git = git_of(repository, **without_lfs)
    with base_checkout(git, plain, tmp_path) as tree:
        assert cautions(git, tree) == ()
    rich = repository.commit({".gitmodules": "[submodule]\n", ".gitattributes": "*.bin filter=lfs\n"})
    with base_checkout(git, rich, tmp_path) as tree:
        submodules, lfs = cautions(git, tree)
    assert (submodules.rule, lfs.rule) == (Rule.SUBMODULES_MISSING, Rule.LFS_POINTERS)
    repository.git("config", "filter.lfs.smudge", "cat")
    with base_checkout(git, rich, tmp_path) as tree:
        assert len(cautions(git, tree)) == 1


def test_checkouts_of_killed_runs_are_forgotten_and_other_worktrees_are_not(repository, tmp_path):
    commit = repository.commit({"enrich.py": "pass"})
    killed, own = tmp_path / "sbir-gate-base-abcdefgh" / "base", tmp_path / "elsewhere" / "base"
    running = tmp_path / "sbir-gate-base-bcdefghi" / "base"
    for tree in (killed, own, running):
        repository.git("worktree", "add", "--quiet", "--detach", str(tree), commit)
    for tree in (killed, own):
        shutil.rmtree(tree)
    with base_checkout(git_of(repository), commit, tmp_path / "sbir-gate-base-cdefghij"):
        assert str(killed) not in repository.worktrees()
    # a worktree on a disk that is away for now is the user's business
    assert repository.worktrees() == [str(repository.folder), str(own), str(running)]
