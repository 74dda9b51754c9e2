import os

import pytest

from sbir_gate.errors import ToolError
from sbir_gate.gate.storing.git import Git, said
from tests.factories_git import ENVIRONMENT, make_repository


@pytest.fixture
def repository(tmp_path):
    return make_repository(tmp_path / "repository")


def test_what_git_is_given_to_read_is_read(repository):
    answer = Git(repository.folder, ENVIRONMENT).ask("hash-object", "--stdin", content=b"text\n")
    assert answer.line == "8e27be7d6154a1f68ea9160ef0e18691d20560dc"


def test_neither_passwords_nor_secrets_are_quoted(repository):
    git = Git(repository.folder, ENVIRONMENT, secrets=("canary",))
    answer = git.ask("fetch", "https://user:word@canary.invalid/x")
    assert answer.status
    assert "word" not in answer.complaint
    assert "canary" not in answer.complaint
    assert "https://***.invalid/x" in answer.complaint
    assert said("fatal: no https://me:word@x.invalid/y") == "fatal: no https://***@x.invalid/y"


def test_of_many_lines_the_complaint_begins_with_the_first_that_is_one():
    text = "Preparing\nfatal: it broke\n\nhint: mend it\n"
    assert said(text) == "fatal: it broke hint: mend it"
    assert said("only words\n") == "only words"
    assert said("") == ""
    assert len(said("fatal: " + "x" * 5000)) == 400


@pytest.mark.parametrize("name", ["GIT_TRACE", "GIT_TRACE_CURL", "GIT_CURL_VERBOSE"])
def test_traces_do_not_come_among_complaints(repository, name):
    git = Git(repository.folder, ENVIRONMENT | {name: "1"})
    assert git.ask("rev-parse", "--verify", "nowhere").complaint == "fatal: Needed a single revision"


def test_a_git_that_does_not_end_is_ended_and_told(repository):
    repository.git("config", "alias.hang", "!sleep 60")
    with pytest.raises(ToolError, match=r"git hang did not end within 0\.2 s"):
        Git(repository.folder, ENVIRONMENT, timeout_seconds=0.2).ask("hang")


def test_nobody_is_asked_for_a_password(repository, tmp_path):
    script = tmp_path / "ask"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\n")
    script.chmod(0o755)
    environment = ENVIRONMENT | {"GIT_ASKPASS": str(script), "SSH_ASKPASS": str(script)}
    request = b"protocol=https\nhost=example.invalid\n\n"
    answer = Git(repository.folder, environment).ask("credential", "fill", content=request)
    assert "terminal prompts disabled" in answer.complaint
    assert not (tmp_path / "asked").exists()


def test_its_environment_is_that_of_the_process_unless_told_otherwise(repository, monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(ToolError, match="git cannot be run"):
        Git(repository.folder).ask("version")


def test_variables_that_are_added_for_git_alone_reach_it(repository, tmp_path):
    index = tmp_path / "index"
    git = Git(repository.folder, ENVIRONMENT, added={"GIT_INDEX_FILE": str(index)})
    assert git.ask("read-tree", "--empty").status == 0
    assert index.exists()
    assert "index" not in repr(git).replace(str(repository.folder), "")
