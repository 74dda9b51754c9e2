from dataclasses import replace

import pytest

from sbir_gate.errors import DocumentError, UsageError
from sbir_gate.gate.storing.baseline_branch import Standing, push_baseline
from sbir_gate.model.document import RUN, decode
from tests.factories import make_run
from tests.factories_remote import Waiter, branch_of, make_remote, state_of

PLACE = "baselines/enrichment.json"


@pytest.fixture
def remote(tmp_path):
    return make_remote(tmp_path / "remote.git")


@pytest.fixture
def clone(remote, tmp_path):
    return remote.clone(tmp_path / "clone")


def run_of(day, commit="c" * 40):
    source = replace(make_run().source, commit=commit)
    return make_run(started_at=f"2026-02-{day:02}T12:00:00+00:00", source=source)


def push(clone, run, **how):
    return push_baseline(run, PLACE, branch_of(clone, "main"), Waiter().retrying(), **how)


def there(remote, branch="main"):
    return decode(RUN, remote.read(branch, PLACE), PLACE)


def test_the_baseline_alone_is_committed_on_the_newest_main(remote, clone, tmp_path):
    other = remote.clone(tmp_path / "other")
    other.commit({"new.txt": "by others"})
    other.git("push", "--quiet", "origin", "main")
    before = state_of(clone)
    done = push(clone, run_of(1))
    assert done.standing is Standing.PUSHED
    assert remote.files("main") == [PLACE, "file.txt", "new.txt"]
    assert there(remote) == run_of(1)
    assert "[skip ci]" in remote.repository.git("log", "-1", "--format=%B", "main")
    assert state_of(clone) == before


def test_a_newer_baseline_stays_and_the_same_one_is_not_pushed_twice(remote, clone):
    push(clone, run_of(5))
    older = push(clone, run_of(4))
    assert (older.standing, older.other) == (Standing.OLDER, run_of(5))
    assert push(clone, run_of(5)).standing is Standing.THERE
    assert len(remote.commits("main")) == 2
    assert push(clone, run_of(6)).standing is Standing.PUSHED
    assert there(remote) == run_of(6)


def test_a_run_of_a_later_commit_is_newer_whenever_it_was_measured(remote, clone):
    first = clone.git("rev-parse", "HEAD")
    second = clone.commit({"a": "b"})
    clone.git("push", "--quiet", "origin", "HEAD:main")
    push(clone, run_of(3, second))
    assert push(clone, run_of(9, first)).standing is Standing.OLDER
    assert there(remote) == run_of(3, second)


def test_a_proposal_leaves_main_alone(remote, clone):
    proposal = branch_of(clone, "sbir-gate/baseline-enrichment")
    assert push(clone, run_of(1), proposal=proposal).standing is Standing.PUSHED
    assert remote.files("main") == ["file.txt"]
    assert there(remote, proposal.name) == run_of(1)


def test_a_damaged_baseline_is_not_replaced_without_a_word(remote, clone, tmp_path):
    other = remote.clone(tmp_path / "other")
    other.commit({PLACE: "{"})
    other.git("push", "--quiet", "origin", "main")
    with pytest.raises(DocumentError, match=PLACE) as raised:
        push(clone, run_of(1))
    assert "--force" in raised.value.hint
    assert push(clone, run_of(1), is_forced=True).standing is Standing.PUSHED
    assert there(remote) == run_of(1)


def test_without_a_main_branch_nothing_is_pushed(tmp_path):
    remote = make_remote(tmp_path / "bare.git", has_main=False)
    with pytest.raises(UsageError, match="no such branch"):
        push(remote.clone(tmp_path / "c"), run_of(1))
