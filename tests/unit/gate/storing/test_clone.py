"""Clones that lack something: the fix that a message names is run, and works."""

import re
import shlex
import subprocess

import pytest

from sbir_gate.errors import InputError, UsageError
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.merge_base import BaseName, find_base
from tests.factories_git import ENVIRONMENT, Repository, make_repository


@pytest.fixture
def source(tmp_path):
    made = make_repository(tmp_path / "source")
    made.git("config", "uploadpack.allowFilter", "true")
    made.commit({"file.txt": "old"})
    made.git("switch", "--quiet", "--create", "change")
    made.commit({"other.txt": "change"})
    made.git("switch", "--quiet", "main")
    made.commit({"file.txt": "new"})
    return made


def clone_of(source, folder, *options):
    url = f"file://{source.folder}"
    source.git("clone", "--quiet", "--branch", "change", *options, url, folder)
    return Repository(folder.resolve())


def follow(clone, hint, **variables):
    """Run the git command that a hint names."""
    command = re.search(r"git (?:fetch|config) [^;,]*", hint)[0]
    environment = ENVIRONMENT | variables
    subprocess.run(shlex.split(command), cwd=clone.folder, env=environment, check=True, capture_output=True)


@pytest.mark.parametrize("options", [("--depth", "1"), ("--depth", "1", "--no-single-branch")])
def test_of_a_shallow_clone_the_history_can_be_fetched(source, tmp_path, options):
    clone = clone_of(source, tmp_path / "clone", *options)
    git = Git(clone.folder, ENVIRONMENT)
    with pytest.raises(UsageError) as caught:
        find_base(git, BaseName("main"))
    follow(clone, caught.value.hint)
    assert find_base(git, BaseName("main")).commit == source.git("rev-parse", "main~1")


def test_of_a_clone_of_one_branch_the_other_can_be_fetched(source, tmp_path):
    clone = clone_of(source, tmp_path / "clone", "--single-branch")
    git = Git(clone.folder, ENVIRONMENT)
    with pytest.raises(UsageError) as caught:
        find_base(git, BaseName("main"))
    follow(clone, caught.value.hint)
    assert find_base(git, BaseName("main")).commit == source.git("rev-parse", "main~1")


def test_of_a_partial_clone_what_is_missing_can_be_fetched(source, tmp_path):
    clone = clone_of(source, tmp_path / "clone", "--filter=blob:none")
    found = find_base(Git(clone.folder, ENVIRONMENT), BaseName("main")).target
    away = source.folder.rename(tmp_path / "away")  # the remote cannot be reached while the gate runs
    with pytest.raises(InputError) as caught:
        found.blob("file.txt")
    away.rename(source.folder)
    follow(clone, caught.value.hint)
    source.folder.rename(away)
    assert found.read(found.blob("file.txt"), 100) == b"new"


def test_a_folder_of_another_user_can_be_trusted(source, tmp_path):
    clone = clone_of(source, tmp_path / "clone")
    own = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "GIT_CONFIG_GLOBAL": str(tmp_path / "config")}
    git = Git(clone.folder, ENVIRONMENT | own)
    with pytest.raises(UsageError, match="dubious ownership") as caught:
        find_base(git, BaseName("main"))
    assert "same HOME" in caught.value.hint
    follow(clone, caught.value.hint, **own)
    assert find_base(git, BaseName("main")).commit == source.git("rev-parse", "main~1")


def test_a_damaged_repository_is_not_taken_for_a_partial_one(source):
    found = find_base(Git(source.folder, ENVIRONMENT), BaseName("main")).revision
    blob = found.blob("file.txt")
    (source.folder / ".git" / "objects" / blob.object_id[:2] / blob.object_id[2:]).unlink()
    with pytest.raises(InputError) as caught:
        found.read(blob, 100)
    assert "git fsck" in caught.value.hint
