"""Names turned into commits. Every name that a user, a setting or an event gives goes through here.

Git looks for a tag before it looks for a branch, so whoever may push a tag `main` would choose what `main`
means. Here a branch comes first, each place is asked for by its full name, and a name that matches more than
one commit is reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sbir_gate.gate.storing.git import Git
from sbir_gate.model.finding import Finding, Rule, note

REMOTE = "origin"
BRANCHES = "refs/heads/"
TAGS = "refs/tags/"
_REMOTES = "refs/remotes/"
HASH = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SHORT_HASH = re.compile(r"[0-9a-f]{4,39}")
# no name of a branch or tag holds any of these: what follows walks back from the commit, as in main~2
_STEPS = re.compile(r"(?P<name>[^~^:\\?*\[\s\x00-\x20\x7f]+)(?P<steps>(?:[~^][0-9]{0,6})*)")
# what git moves with a fetch, a merge or a rebase
_MOVED = re.compile(r"(FETCH|ORIG|MERGE|CHERRY_PICK|REVERT|REBASE|BISECT)_HEAD")
# a branch that git knows by another one, or as the one that was checked out before
_OTHER_BRANCH = re.compile(r"[^@{]*@\{(u|upstream|push|-[1-9][0-9]{0,3})\}", re.IGNORECASE)
_SHOWN_CHARACTERS = 80
# candidates for the default branch if it is not configured
DEFAULT_BRANCHES = ("main", "master")


@dataclass(frozen=True, slots=True)
class Reference:
    """A name and its commit.

    `ref` is the full name of the branch or tag, empty for a hash. `notes` says which other commits have the
    name and were not used.
    """

    name: str
    ref: str
    commit: str
    notes: tuple[Finding, ...] = ()

    @property
    def branch(self) -> str:
        """The short name of the branch, empty for anything else."""
        for start in (f"{_REMOTES}{REMOTE}/", BRANCHES):
            if self.ref.startswith(start):
                return self.ref.removeprefix(start)
        return ""


def find_reference(git: Git, name: str) -> Reference | None:
    """Return the commit of a name, None if there is none.

    A name is a full `refs/...`, HEAD, a full hash, or short: then a branch of `origin` is meant, else a local
    branch, else a tag, else a shortened hash. `origin/main` is a branch of the remote, whatever local branch
    or tag has the same name. Steps back (`main~2`, `HEAD^1`) may follow.
    """
    parts = _STEPS.fullmatch(name)
    if parts is None or is_moved(parts["name"]):
        return None  # FETCH_HEAD: a tag or branch of that name is not what was meant (`settled`)
    found = _named(git, parts["name"], name)
    if found is None or not parts["steps"]:
        return found
    commit = _peeled(git, found.commit + parts["steps"])
    return Reference(name, "", commit, found.notes) if commit else None


def settled(git: Git, name: str) -> str:
    """Return what a name such as FETCH_HEAD or @{upstream} means now: a commit, or a branch in full.

    Any other name, and one that git does not know, is returned as it is. Call this once, before an engine
    runs: git moves what FETCH_HEAD means, so that `find_reference` refuses the name. A tag or branch that is
    called FETCH_HEAD makes it ambiguous.
    """
    parts = _STEPS.fullmatch(name)
    if parts is None or not (is_moved(parts["name"]) or _OTHER_BRANCH.fullmatch(parts["name"])):
        return name
    flags = ("--symbolic-full-name", "--verify", "--quiet", "--end-of-options")
    answer = git.ask("rev-parse", *flags, parts["name"])
    if answer.status:
        return name
    if answer.line == parts["name"]:
        return _peeled(git, name) or name
    return answer.line + parts["steps"] if _OTHER_BRANCH.fullmatch(parts["name"]) else name


def is_moved(name: str) -> bool:
    """Say whether a name is one of git's own, which it moves with a fetch, a merge or a rebase."""
    return _MOVED.fullmatch(name) is not None


def find_branch(git: Git, name: str, remote: str = REMOTE) -> Reference | None:
    """Return the tip of a branch, as the remote has it, else the local one; a tag is never a branch."""
    if not name or _STEPS.fullmatch(name) is None:
        return None
    return _chosen(git, name, (f"{_REMOTES}{remote}/{name}", f"{BRANCHES}{name}"))


def find_default_branch(git: Git, remote: str = REMOTE) -> Reference | None:
    """Return the tip of the branch that the remote's HEAD leads to, else of main or master.

    It was not named, so a local branch that is not up to date makes no name ambiguous.
    """
    name = default_branch_name(git, remote)
    found = (find_branch(git, each, remote) for each in ((name,) if name else DEFAULT_BRANCHES))
    first = next(filter(None, found), None)
    return replace(first, notes=()) if first else None


def default_branch_name(git: Git, remote: str = REMOTE) -> str:
    """Return the branch that the clone knows as the remote's default, empty if it does not know."""
    # only as a symbolic name: a branch called HEAD is fetched to the same place, and is not the default
    answer = git.ask("symbolic-ref", "--quiet", f"{_REMOTES}{remote}/HEAD")
    start = f"{_REMOTES}{remote}/"
    return answer.line.removeprefix(start) if not answer.status and answer.line.startswith(start) else ""


def note_default_branch(git: Git, name: str, remote: str = REMOTE) -> None:
    """Let the clone know the default branch of its remote, as 'git remote set-head' does.

    actions/checkout does not; without it nothing here could tell which branch that is.
    """
    place = f"{_REMOTES}{remote}/{name}"
    if name and name != default_branch_name(git, remote) and _commits_at(git, (place,)):
        git.ask("symbolic-ref", f"{_REMOTES}{remote}/HEAD", place)


def head_commit(git: Git) -> str:
    """Return the commit that is checked out, empty where there is none yet."""
    return _peeled(git, "HEAD")  # git looks for this name itself first, before any tag or branch


def reference_names(git: Git) -> tuple[str, ...]:
    """Return the branches and tags of the clone, remote branches with their remote; none if git fails."""
    answer = git.ask("for-each-ref", "--format=%(refname:short)", BRANCHES, _REMOTES, TAGS)
    return () if answer.status else tuple(answer.line.splitlines())


def shown(name: str) -> str:
    """Return a name as messages quote it."""
    return repr(name[:_SHOWN_CHARACTERS])


def _named(git: Git, name: str, asked: str) -> Reference | None:
    if name in {"HEAD", "@"}:
        commit = head_commit(git)
        return Reference(asked, "", commit) if commit else None
    if name.startswith("refs/"):
        return _chosen(git, asked, (name,))
    if HASH.fullmatch(name):
        commit = _peeled(git, name)
        if not commit:
            return None
        places = tuple(_places(name))
        commits = _commits_at(git, places)
        return Reference(asked, "", commit, _notes(asked, f"commit {commit[:12]}", commit, places, commits))
    found = _chosen(git, asked, tuple(_places(name)))
    if found is not None or not _SHORT_HASH.fullmatch(name):
        return found
    commit = _peeled(git, name)
    return Reference(asked, "", commit) if commit.startswith(name) else None


def _places(name: str) -> Iterator[str]:
    """Yield the full names of a short one, in order of precedence."""
    if "/" in name:
        yield f"{_REMOTES}{name}"
    yield f"{_REMOTES}{REMOTE}/{name}"
    yield f"{BRANCHES}{name}"
    if name.startswith(("heads/", "tags/")):
        yield f"refs/{name}"
    yield f"{TAGS}{name}"


def _chosen(git: Git, asked: str, places: tuple[str, ...]) -> Reference | None:
    """Return the first of the places that there is, and note those that are another commit."""
    commits = _commits_at(git, places)
    place = next((place for place in places if place in commits), "")
    if not place:
        return None
    return Reference(asked, place, commits[place], _notes(asked, place, commits[place], places, commits))


def _notes(
    asked: str, taken: str, commit: str, places: tuple[str, ...], commits: Mapping[str, str]
) -> tuple[Finding, ...]:
    """Return a note for each of the places that is another commit than the one that was taken."""
    return tuple(
        note(Rule.NAME_AMBIGUOUS, name=asked, used=taken, other=place, commit=commits[place])
        for place in places
        if commits.get(place, commit) != commit
    )


def _commits_at(git: Git, refs: tuple[str, ...]) -> Mapping[str, str]:
    """Return the commits of exactly these refs: git would otherwise look for refs/tags/refs/heads/... too."""
    answer = git.ask("for-each-ref", "--format=%(objectname) %(refname)", *refs)
    lines = (line.split(" ", maxsplit=1) for line in answer.line.split("\n") if line)
    # a name of a folder lists what is in it
    objects = {ref: found for found, ref in lines if ref in refs}
    if not objects:
        return {}
    asked = "".join(f"{found}^{{commit}}\n" for found in objects.values())
    peeled = git.ask("cat-file", "--batch-check=%(objectname)", content=asked.encode()).line.splitlines()
    # no answer at all where git fails
    found = zip(objects, peeled, strict=False)
    return {ref: commit for ref, commit in found if HASH.fullmatch(commit)}


def _peeled(git: Git, expression: str) -> str:
    # after --end-of-options nothing is an option, whatever it looks like
    answer = git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{expression}^{{commit}}")
    return answer.line if not answer.status and HASH.fullmatch(answer.line) else ""
