import pytest

from sbir_gate.errors import ToolError
from sbir_gate.gate.edges import describe_commit, describe_source, describe_tags, pull_request_of
from sbir_gate.gate.storing.git import Git
from sbir_gate.model.run import Source
from tests.factories_git import ENVIRONMENT, make_repository


class Broken:
    """A git that is not there."""

    def ask(self, *_arguments):
        raise ToolError("git cannot be run")


def test_the_commit_its_branch_and_changes_of_tracked_files_are_told(tmp_path):
    repository = make_repository(tmp_path)
    commit = repository.commit({"a.txt": "a"})
    git = Git(tmp_path, ENVIRONMENT)
    (tmp_path / "new.txt").write_text("untracked")
    assert describe_source(git) == Source(commit, "main", is_dirty=False)
    (tmp_path / "a.txt").write_text("changed")
    assert describe_source(git).is_dirty


def test_the_tags_of_the_commit_are_told(tmp_path):
    repository = make_repository(tmp_path)
    repository.commit({})
    git = Git(tmp_path, ENVIRONMENT)
    assert describe_tags(git) == ()
    repository.git("tag", "v1.0")
    repository.git("tag", "nightly")
    assert describe_tags(git) == ("nightly", "v1.0")
    repository.commit({})
    assert describe_tags(git) == ()


def test_where_there_is_no_git_nothing_is_told(tmp_path):
    for git in (Git(tmp_path, ENVIRONMENT), Broken()):
        assert describe_source(git) == Source()
        assert describe_tags(git) == ()
        assert describe_commit(git, "a" * 40) == ""


def test_a_commit_is_known_by_the_first_line_of_its_message(tmp_path):
    repository = make_repository(tmp_path)
    commit = repository.commit({"a.txt": "a"})
    git = Git(tmp_path, ENVIRONMENT)
    assert describe_commit(git, commit) == repository.git("log", "-1", "--format=%s").strip()
    for other in ("", "HEAD", "--all", "f" * 40, "main"):
        assert describe_commit(git, other) == ""


@pytest.mark.parametrize(
    ("ref", "subject", "number"),
    [
        ("refs/pull/12/merge", "Merge aaaa into bbbb", 12),
        ("refs/pull/12/head", "Read faster (#7)", 12),
        ("refs/heads/gh-readonly-queue/release/1.x/pr-31-0123abc", "", 31),
        ("refs/heads/main", "Merge pull request #123 from agency/topic", 123),
        ("refs/heads/main", "Read faster (#45)", 45),
        ("", 'Revert "Read faster (#45)" (#46)', 46),
        ("", "Follow up on (#45) at last", 0),
        ("refs/pull/0/merge", "Read faster", 0),
        ("refs/pull/12/merge/x", "", 0),
        ("refs/heads/pull/12/merge", "", 0),
        ("", "Close (#99999999999999999999)", 0),
        ("", "(#x) (#\u0664)", 0),
    ],
)
def test_the_pull_request_is_that_of_the_ref_or_of_the_message(ref, subject, number):
    assert pull_request_of(ref, subject) == number


def test_the_source_knows_the_pull_request_of_its_commit(tmp_path):
    repository = make_repository(tmp_path)
    repository.commit({"a.txt": "a"})
    repository.git("commit", "--amend", "-m", "Read faster (#45)")
    git = Git(tmp_path, ENVIRONMENT)
    assert describe_source(git).pull_request == 45
    assert describe_source(git, {"GITHUB_REF": "refs/pull/46/merge"}).pull_request == 46
