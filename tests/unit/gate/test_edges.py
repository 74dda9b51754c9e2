from sbir_gate.errors import ToolError
from sbir_gate.gate.edges import describe_commit, describe_source, describe_tags
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
