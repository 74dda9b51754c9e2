import pytest

from sbir_gate.errors import ExitStatus, ToolError, UsageError
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.remote_branch import Edit, remote_branch
from tests.factories_git import ENVIRONMENT, Repository, make_repository
from tests.factories_remote import Waiter, branch_of, make_remote, state_of


@pytest.fixture
def remote(tmp_path):
    return make_remote(tmp_path / "remote.git")


@pytest.fixture
def clone(remote, tmp_path):
    return remote.clone(tmp_path / "clone")


def adding(path, text):
    return lambda _tip: Edit({path: text.encode()}, f"Add {path}\n")


def other_writer(remote, tmp_path, branch, *names):
    """Push one commit for each name as somebody else."""
    other = remote.clone(tmp_path / f"other-{names[0]}")
    for name in names:
        branch_of(other, branch).push(adding(name, name), Waiter().retrying())


def test_the_first_push_makes_a_branch_that_shares_no_commit_with_another(remote, clone):
    pushed = branch_of(clone, "own").push(adding("a/b.json", "text"), Waiter().retrying())
    assert remote.commits("own") == [pushed.commit]
    assert remote.files("own") == ["a/b.json"]
    assert remote.read("own", "a/b.json") == "text"
    assert remote.files("main") == ["file.txt"]


def test_a_later_push_adds_to_what_is_there(remote, clone, tmp_path):
    other_writer(remote, tmp_path, "own", "a", "b")
    pushed = branch_of(clone, "own").push(adding("c", "mine"), Waiter().retrying())
    assert remote.files("own") == ["a", "b", "c"]
    assert remote.commits("own")[0] == pushed.commit
    assert len(remote.commits("own")) == 3


def test_what_is_the_users_is_not_touched(remote, clone, tmp_path):
    other_writer(remote, tmp_path, "own", "a")
    (clone.folder / "file.txt").write_text("changed\n")
    (clone.folder / "staged.txt").write_text("staged\n")
    clone.git("add", "staged.txt")
    (clone.folder / "new.txt").write_text("untracked\n")
    before = state_of(clone)
    branch_of(clone, "own").push(adding("c", "mine"), Waiter().retrying())
    branch_of(clone, "main").push(adding("d", "mine"), Waiter().retrying())
    assert state_of(clone) == before
    assert not (clone.folder / ".git" / "FETCH_HEAD").exists()
    assert remote.files("main") == ["d", "file.txt"]


def test_a_clone_that_is_behind_builds_on_the_newest_tip(remote, clone, tmp_path):
    other_writer(remote, tmp_path, "main", "new")
    before = clone.git("rev-parse", "refs/remotes/origin/main")
    branch = branch_of(clone, "main")
    tip = branch.tip()
    assert tip.commit == remote.commits("main")[0]
    assert clone.git("rev-parse", "refs/remotes/origin/main") == before
    branch.push(adding("mine", "mine"), Waiter().retrying())
    assert remote.files("main") == ["file.txt", "mine", "new"]


def test_whoever_is_overtaken_tries_again_on_the_new_tip(remote, clone, tmp_path):
    waiter = Waiter()
    overtakers = iter(["x", "y"])

    def edit_of(tip):
        name = next(overtakers, None)
        if name:  # after the tip was read and before the push
            other_writer(remote, tmp_path, "own", name)
        return adding("mine", f"on {tip.commit if tip else 'nothing'}")(tip)

    pushed = branch_of(clone, "own").push(edit_of, waiter.retrying())
    assert pushed.attempts == 3
    assert remote.files("own") == ["mine", "x", "y"]
    assert len(remote.commits("own")) == 3
    assert waiter.pauses == [0.4, 0.8]


def test_patience_ends_with_the_attempts_or_with_the_time(remote, clone, tmp_path):
    numbers = iter(range(100))

    def edit_of(tip):
        other_writer(remote, tmp_path, "own", f"n{next(numbers)}")
        return adding("mine", "mine")(tip)

    for changes, attempts in (({"retries": 2}, 3), ({"max_seconds": 1.0}, 2)):
        with pytest.raises(ToolError, match=f"after {attempts} attempts: others pushed first") as caught:
            branch_of(clone, "own").push(edit_of, Waiter().retrying(**changes))
        assert "try again" in caught.value.hint
        assert caught.value.exit_status is ExitStatus.BROKEN
    assert "mine" not in remote.files("own")


def test_pauses_grow_to_a_limit_and_are_drawn():
    policy = Waiter().retrying()
    assert [policy.pause_seconds(retry) for retry in (0, 1, 2, 9, 999)] == [0.4, 0.8, 1.6, 8, 8]


def test_where_nothing_is_left_to_do_nothing_is_pushed(remote, clone):
    pushed = branch_of(clone, "own").push(lambda _tip: None, Waiter().retrying())
    assert pushed.commit == ""
    assert remote.repository.git("branch", "--list", "own") == ""


@pytest.mark.parametrize(
    ("words", "kind", "cure"),
    [
        ("error: GH006: Protected branch update failed for refs/heads/own.", "protected", "may bypass"),
        ("error: GH013: Repository rule violations found", "protected", "to another branch"),
    ],
)
def test_a_refusal_is_told_with_its_cure_and_not_tried_again(remote, clone, words, kind, cure):
    remote.refuse(words)
    waiter = Waiter()
    with pytest.raises(ToolError, match=f"origin/own was not pushed: .*({kind})") as caught:
        branch_of(clone, "own").push(adding("a", "a"), waiter.retrying())
    assert cure in caught.value.hint
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert waiter.pauses == []


def test_a_remote_that_is_not_there_is_told(clone, tmp_path):
    clone.git("remote", "set-url", "origin", tmp_path / "nowhere")
    with pytest.raises(ToolError, match=r"origin/own cannot be fetched: .*does not appear to be a git"):
        branch_of(clone, "own").tip()


@pytest.mark.parametrize(
    "name", ["upstream", "--upload-pack=touch x", "-x", "", "a b", "ext::sh -c touch", "é"]
)
def test_what_is_no_remote_is_told_by_name(clone, name):
    with pytest.raises(UsageError, match="there is no remote") as caught:
        remote_branch(Git(clone.folder, ENVIRONMENT), name, "own", None)
    assert "git remote" in caught.value.hint


def test_a_url_for_a_remote_is_not_repeated(clone):
    with pytest.raises(UsageError) as caught:
        remote_branch(Git(clone.folder, ENVIRONMENT), "https://me:canary@github.com/o/r", "own", None)
    assert "canary" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a..b", "a~1", "x.lock", "/a", "a\nb", "a:b", "@{-1}", "a\0b"]
)
def test_what_is_no_name_of_a_branch_is_refused(clone, name):
    with pytest.raises(UsageError, match="cannot be the name of a branch"):
        branch_of(clone, name)


@pytest.mark.parametrize("name", ["-x", "--force", "a$(touch${IFS}x)", "feature/ä", "'quoted'"])
def test_odd_names_of_branches_are_names(remote, clone, name):
    branch_of(clone, name).push(adding("a", "a"), Waiter().retrying())
    assert remote.files(f"refs/heads/{name}") == ["a"]
    assert not (clone.folder / "x").exists()


def test_outside_a_repository_nothing_is_pushed(tmp_path):
    with pytest.raises(UsageError, match="git cannot use this folder"):
        branch_of(Repository(tmp_path), "own")


def test_without_an_identity_the_program_commits_and_with_one_it_is_git(remote, clone):
    plain = {
        name: value for name, value in ENVIRONMENT.items() if "AUTHOR" not in name and "COMM" not in name
    }
    who = "--format=%an <%ae> %cn <%ce>"
    remote_branch(Git(clone.folder, plain), "origin", "own", None).push(adding("a", "a"), Waiter().retrying())
    assert remote.repository.git("log", "-1", who, "own") == (
        "sbir-gate <noreply@sbir-gate.invalid> sbir-gate <noreply@sbir-gate.invalid>"
    )
    clone.git("config", "user.name", "Ana")
    clone.git("config", "user.email", "ana@example.org")
    remote_branch(Git(clone.folder, plain), "origin", "own", None).push(adding("b", "b"), Waiter().retrying())
    assert remote.repository.git("log", "-1", who, "own") == "Ana <ana@example.org> Ana <ana@example.org>"


def test_settings_of_the_user_do_not_get_in_the_way(remote, clone, tmp_path):
    for key, value in {
        "push.followTags": "true",
        "push.gpgSign": "true",
        "commit.gpgSign": "true",
        "fetch.prune": "true",
        "core.splitIndex": "true",
        "core.sparseCheckout": "true",
        "core.hooksPath": str(tmp_path / "hooks"),
        "core.autocrlf": "true",
    }.items():
        clone.git("config", key, value)
    (tmp_path / "hooks").mkdir()
    hook = tmp_path / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    (clone.folder / ".git" / "info").mkdir(exist_ok=True)
    (clone.folder / ".git" / "info" / "sparse-checkout").write_text("/nothing\n")
    clone.git("tag", "local-tag")
    branch_of(clone, "main").push(adding("a", "one\r\ntwo\n"), Waiter().retrying())
    assert remote.files("main") == ["a", "file.txt"]
    assert remote.repository.git("cat-file", "-s", "main:a") == "9"
    assert remote.repository.git("tag") == ""
    assert not list((clone.folder / ".git").glob("sharedindex*"))


def test_a_shallow_clone_can_push_too(remote, tmp_path):
    other_writer(remote, tmp_path, "main", "a", "b")
    other_writer(remote, tmp_path, "own", "c", "d")
    folder = tmp_path / "shallow"
    address = f"file://{remote.folder}"
    Repository(tmp_path).git("clone", "--quiet", "--depth", "1", "--no-single-branch", address, folder)
    shallow = Repository(folder)
    other_writer(remote, tmp_path, "main", "e")
    branch_of(shallow, "main").push(adding("mine", "m"), Waiter().retrying())
    branch_of(shallow, "own").push(adding("mine", "m"), Waiter().retrying())
    assert remote.files("main") == ["a", "b", "e", "file.txt", "mine"]
    assert remote.files("own") == ["c", "d", "mine"]
    assert len(remote.commits("main")) == 5


def test_an_edit_that_starts_elsewhere_merges_what_the_branch_held(remote, clone, tmp_path):
    main, proposal = branch_of(clone, "main"), branch_of(clone, "proposal")

    def proposing(text):
        return lambda _tip: Edit({"baseline": text.encode()}, "Propose\n", main.tip())

    proposal.push(proposing("one"), Waiter().retrying())
    assert remote.files("proposal") == ["baseline", "file.txt"]
    other_writer(remote, tmp_path, "main", "new")
    pushed = proposal.push(proposing("two"), Waiter().retrying())
    assert remote.files("proposal") == ["baseline", "file.txt", "new"]
    assert remote.read("proposal", "baseline") == "two"
    assert len(remote.repository.git("rev-list", "--parents", "-1", pushed.commit).split()) == 3
    # what main has merged needs no merge again
    remote.repository.git("update-ref", "refs/heads/main", pushed.commit)
    pushed = proposal.push(proposing("three"), Waiter().retrying())
    assert len(remote.repository.git("rev-list", "--parents", "-1", pushed.commit).split()) == 2


def test_a_branch_that_is_set_back_is_followed(remote, clone, tmp_path):
    other_writer(remote, tmp_path, "own", "a", "b")
    branch = branch_of(clone, "own")
    known = branch.tip().commit
    remote.repository.git("update-ref", "refs/heads/own", f"{known}~1")
    branch.push(adding("mine", "m"), Waiter().retrying())
    assert remote.files("own") == ["a", "mine"]


def test_an_empty_repository_can_be_pushed_from(remote, tmp_path):
    empty = make_repository(tmp_path / "empty")
    empty.git("remote", "add", "origin", remote.folder)
    branch_of(empty, "own").push(adding("a", "a"), Waiter().retrying())
    assert remote.files("own") == ["a"]
