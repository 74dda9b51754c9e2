import subprocess

from sbir_gate.measuring.source import describe_tags, git_in


def test_the_tags_of_the_commit_are_told(tmp_path):
    git = git_in(tmp_path)
    git(["init", "--quiet"])
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    git([*identity, "commit", "--quiet", "--allow-empty", "--message", "one"])
    assert describe_tags(git) == ()
    git(["tag", "v1.0"])
    git(["tag", "nightly"])
    assert describe_tags(git) == ("nightly", "v1.0")
    git([*identity, "commit", "--quiet", "--allow-empty", "--message", "two"])
    assert describe_tags(git) == ()


def test_where_there_is_no_git_there_are_no_tags(tmp_path):
    assert describe_tags(git_in(tmp_path)) == ()

    def missing(_arguments):
        raise FileNotFoundError("git")

    def slow(_arguments):
        raise subprocess.TimeoutExpired("git", 10)

    assert describe_tags(missing) == describe_tags(slow) == ()
