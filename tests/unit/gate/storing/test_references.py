from dataclasses import dataclass, replace

import pytest

from sbir_gate.errors import UsageError
from sbir_gate.gate.reporting.messages import text
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.merge_base import BaseName, find_base
from sbir_gate.gate.storing.references import (
    default_branch_name,
    find_branch,
    find_default_branch,
    find_reference,
    settled,
)
from sbir_gate.model.finding import Rule
from tests.factories_git import ENVIRONMENT, Repository, copied, make_repository


@dataclass(frozen=True)
class Clone:
    """A repository with the branch `change` checked out, whose remote `origin` has the branch `main`."""

    repository: Repository
    old: str
    main: str
    change: str

    def git(self, *arguments, **variables):
        return self.repository.git(*arguments, **variables)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    made = make_repository(tmp_path_factory.mktemp("template"))
    old, main = made.commit({"file.txt": "old"}), made.commit({"file.txt": "main"})
    made.git("update-ref", "refs/remotes/origin/main", main)
    made.git("switch", "--quiet", "--create", "change")
    return Clone(made, old, main, made.commit({"file.txt": "change"}))


@pytest.fixture
def clone(tmp_path, template):
    return replace(template, repository=copied(template.repository, tmp_path / "repository"))


def git_of(clone):
    return Git(clone.repository.folder, ENVIRONMENT)


class TestAShadowedBranch:
    """Whoever may push a tag or a branch of their own must not choose what the base branch means."""

    @pytest.mark.parametrize(
        "shadow",
        [
            "refs/tags/main",
            "refs/tags/origin/main",
            "refs/tags/refs/remotes/origin/main",
            "refs/heads/origin/main",
            "refs/heads/refs/remotes/origin/main",
            "refs/remotes/origin/refs/remotes/origin/main",
            "refs/remotes/origin/origin/main",
            "refs/main",
            "refs/tags/heads/main",
        ],
    )
    @pytest.mark.parametrize("name", ["main", "origin/main", "refs/remotes/origin/main"])
    def test_the_branch_of_the_remote_stays_the_base(self, clone, shadow, name):
        clone.git("update-ref", shadow, clone.change)
        found = find_base(git_of(clone), BaseName(name))
        assert (found.commit, found.target.commit) == (clone.main, clone.main)
        assert find_base(git_of(clone), BaseName(None, "main")).commit == clone.main

    @pytest.mark.parametrize(
        ("name", "shadow"),
        [
            ("main", "refs/tags/main"),
            ("main", "refs/heads/main"),
            ("origin/main", "refs/tags/origin/main"),
            ("origin/main", "refs/heads/origin/main"),
        ],
    )
    def test_what_was_not_taken_is_reported(self, clone, name, shadow):
        clone.git("update-ref", shadow, clone.old)
        (note,) = find_base(git_of(clone), BaseName(name)).notes
        said = f"the name '{name}' is ambiguous: used refs/remotes/origin/main, not {shadow}"
        assert text(note) == f"{said} (commit {clone.old[:12]})"

    def test_names_of_one_commit_are_not_ambiguous(self, clone):
        clone.git("tag", "main", clone.main)
        assert find_reference(git_of(clone), "main").notes == ()

    def test_an_annotated_tag_shadows_no_more_than_another(self, clone):
        clone.git("tag", "--annotate", "--message", "a tag", "main", clone.change)
        assert find_reference(git_of(clone), "main").commit == clone.main
        assert find_reference(git_of(clone), "refs/tags/main").commit == clone.change

    def test_a_tag_that_is_spelled_out_is_a_tag(self, clone):
        clone.git("tag", "main", clone.old)
        for name in ("refs/tags/main", "tags/main"):
            assert find_reference(git_of(clone), name).commit == clone.old

    def test_a_tag_is_taken_where_no_branch_bears_the_name(self, clone):
        clone.git("tag", "v1", clone.old)
        found = find_reference(git_of(clone), "v1")
        assert (found.ref, found.commit, found.branch) == ("refs/tags/v1", clone.old, "")

    def test_the_branch_of_an_event_is_never_a_tag(self, clone):
        clone.git("tag", "release", clone.change)
        assert find_branch(git_of(clone), "release") is None
        with pytest.raises(UsageError, match="there is no commit 'release'"):
            find_base(git_of(clone), BaseName(None, "release"))

    def test_a_folder_of_branches_or_tags_is_none_of_them(self, clone):
        for folder in ("refs/heads/topic", "refs/remotes/origin/topic", "refs/tags/topic"):
            clone.git("update-ref", f"{folder}/part", clone.old)
        assert find_branch(git_of(clone), "topic") is None
        assert find_reference(git_of(clone), "topic") is None

    def test_a_name_that_leads_to_no_commit_is_passed_over(self, clone):
        clone.git("update-ref", "refs/tags/v1", clone.git("rev-parse", "HEAD^{tree}"))
        assert find_reference(git_of(clone), "v1") is None

    def test_without_a_remote_the_local_branch_comes_before_the_tag(self, clone):
        clone.git("update-ref", "-d", "refs/remotes/origin/main")
        clone.git("tag", "main", clone.change)
        found = find_reference(git_of(clone), "main")
        assert (found.ref, found.commit) == ("refs/heads/main", clone.main)


class TestHashes:
    def test_a_branch_that_is_named_like_a_hash_is_not_the_commit(self, clone):
        clone.git("update-ref", f"refs/heads/{clone.old}", clone.change)
        clone.git("update-ref", f"refs/tags/{clone.old}", clone.change)
        found = find_reference(git_of(clone), clone.old)
        assert (found.commit, found.ref) == (clone.old, "")
        assert found.notes[0].rule is Rule.NAME_AMBIGUOUS

    def test_a_short_hash_is_a_commit_where_nothing_bears_the_name(self, clone):
        assert find_reference(git_of(clone), clone.old[:9]).commit == clone.old
        clone.git("update-ref", f"refs/heads/{clone.old[:9]}", clone.main)
        assert find_reference(git_of(clone), clone.old[:9]).commit == clone.main

    def test_a_hash_that_is_not_there_is_no_commit(self, clone):
        assert find_reference(git_of(clone), "1" * 40) is None


class TestHead:
    def test_a_branch_or_tag_called_head_is_not_what_is_checked_out(self, clone):
        for ref in ("refs/heads/HEAD", "refs/tags/HEAD", "refs/remotes/origin/refs/heads/HEAD"):
            clone.git("update-ref", ref, clone.old)
        assert find_reference(git_of(clone), "HEAD").commit == clone.change
        assert find_base(git_of(clone), BaseName("main")).head == clone.change

    def test_a_fetched_branch_called_head_is_not_the_default_branch(self, clone):
        clone.git("update-ref", "refs/remotes/origin/HEAD", clone.change)
        assert default_branch_name(git_of(clone)) == ""
        assert find_default_branch(git_of(clone)).commit == clone.main

    def test_the_default_branch_is_where_the_head_of_the_remote_leads(self, clone):
        clone.git("update-ref", "refs/remotes/origin/trunk", clone.old)
        clone.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
        found = find_default_branch(git_of(clone))
        assert (found.name, found.branch, found.commit) == ("trunk", "trunk", clone.old)

    def test_steps_back_follow_the_branch_and_not_the_tag(self, clone):
        clone.git("tag", "main", clone.change)
        assert find_reference(git_of(clone), "main~1").commit == clone.old
        assert find_reference(git_of(clone), "HEAD^").commit == clone.main


class TestHowFarTheBaseIsBehind:
    def test_commits_and_days_to_the_tip_of_the_target(self, clone):
        tip = clone.main
        for date in ("2090-01-01T00:00:00Z", "2090-01-03T01:00:00Z"):
            own = {"GIT_COMMITTER_DATE": date}
            tree = f"{clone.main}^{{tree}}"
            tip = clone.git("commit-tree", "-p", tip, "-m", "later", tree, **own)
        clone.git("update-ref", "refs/remotes/origin/main", tip)
        found = find_base(git_of(clone), BaseName("main"))
        assert (found.commit, found.target.commit, found.commits_behind) == (clone.main, tip, 2)
        assert found.days_behind > 365 * 50
        assert found.is_outdated

    def test_a_branch_that_is_up_to_date_is_not_behind(self, clone):
        found = find_base(git_of(clone), BaseName("main"))
        assert (found.commits_behind, found.days_behind, found.is_outdated) == (0, 0, False)


class TestBounds:
    def test_a_base_within_them_is_taken(self, clone):
        for bound in (clone.main, clone.change):
            assert find_base(git_of(clone), BaseName("main", "", (bound,))).commit == clone.main

    def test_a_base_beyond_them_is_an_error_that_names_both(self, clone):
        clone.git("update-ref", "refs/remotes/origin/main", clone.change)
        with pytest.raises(UsageError) as caught:
            find_base(git_of(clone), BaseName(None, "main", (clone.main,)))
        assert clone.change[:12] in caught.value.message
        assert clone.main[:12] in caught.value.message
        assert "\n" not in caught.value.message

    def test_a_bound_that_the_clone_lacks_is_told(self, clone):
        with pytest.raises(UsageError, match="this clone lacks the base branch's commit"):
            find_base(git_of(clone), BaseName(None, "main", ("1" * 40,)))

    def test_one_of_several_is_enough(self, clone):
        found = find_base(git_of(clone), BaseName(None, "main", (clone.old, clone.main)))
        assert found.commit == clone.main


class TestNamesThatGitMoves:
    """FETCH_HEAD and its like are resolved at once, for whoever types them, and never through a tag."""

    @pytest.fixture
    def pulled(self, clone):
        """Return the clone after it fetched `main`, which its branch tracks."""
        clone.git("remote", "add", "origin", clone.repository.folder)
        clone.git("fetch", "--quiet", "origin", "main")
        clone.git("branch", "--quiet", "--set-upstream-to", "origin/main")
        return clone

    def test_what_was_fetched_last_is_a_commit(self, pulled):
        git = git_of(pulled)
        assert settled(git, "FETCH_HEAD") == pulled.main
        assert settled(git, "FETCH_HEAD~1") == pulled.old
        assert find_base(git, BaseName(settled(git, "FETCH_HEAD"))).commit == pulled.main

    def test_where_a_merge_or_reset_began_is_a_commit(self, clone):
        clone.git("reset", "--quiet", "--hard", clone.main)
        assert settled(git_of(clone), "ORIG_HEAD") == clone.change
        assert settled(git_of(clone), "ORIG_HEAD^") == clone.main

    @pytest.mark.parametrize("name", ["@{upstream}", "@{u}", "change@{upstream}", "@{U}"])
    def test_an_upstream_is_the_branch_that_is_tracked(self, pulled, name):
        assert settled(git_of(pulled), name) == "refs/remotes/origin/main"
        found = find_reference(git_of(pulled), settled(git_of(pulled), f"{name}~1"))
        assert found.commit == pulled.old

    def test_the_branch_before_is_that_branch(self, clone):
        clone.git("switch", "--quiet", "main")
        assert settled(git_of(clone), "@{-1}") == "refs/heads/change"

    @pytest.mark.parametrize("shadow", ["refs/tags", "refs/heads", "refs/remotes/origin", "refs"])
    @pytest.mark.parametrize("is_there", [True, False])
    def test_a_tag_or_branch_that_is_called_so_is_never_taken(self, clone, shadow, is_there):
        git = git_of(clone)
        if is_there:
            clone.git("fetch", "--quiet", clone.repository.folder, clone.main)
        clone.git("update-ref", f"{shadow}/FETCH_HEAD", clone.change)
        name = settled(git, "FETCH_HEAD")
        assert find_reference(git, name) is None or find_reference(git, name).commit == clone.main
        with pytest.raises(UsageError, match="there is no commit 'FETCH_HEAD'") as caught:
            find_base(git, BaseName("FETCH_HEAD"))
        assert "name the branch or commit itself" in caught.value.hint

    @pytest.mark.parametrize("name", ["main", "HEAD~1", "v1", "MERGE_HEAD", "@{-9}", "", "--all", "@{0}"])
    def test_other_names_stay_as_they_are(self, clone, name):
        clone.git("tag", "v1", clone.old)
        assert settled(git_of(clone), name) == name
