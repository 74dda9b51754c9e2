"""A branch of a remote, written to without a checkout: commits are made of objects alone, and never forced.

The user's index, working tree and HEAD are not touched. Many may write at once: whoever comes second builds
on what came first and tries again.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sbir_gate.errors import ToolError, UsageError
from sbir_gate.gate.storing.credentials import Token, with_token
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.merge_base import is_ancestor, top_folder
from sbir_gate.gate.storing.push_faults import FaultKind, RemoteFault, fault_of
from sbir_gate.gate.storing.revisions import Revision
from sbir_gate.retrying import RetryPolicy, TransientError

_REMOTE_NAME = re.compile(r"[A-Za-z0-9_][\w.-]*(/[\w.-]+)*", re.ASCII)
_NETWORK_SECONDS = 300.0
_SHOWN_CHARACTERS = 80
_AUTHOR = "sbir-gate"
_ADDRESS = "noreply@sbir-gate.invalid"  # reserved by RFC 2606


@dataclass(frozen=True, slots=True)
class Edit:
    """What a commit changes: files by their paths, with their content, and its message.

    `start` is what it is made on, if not on the branch's own tip: the commit then merges it.
    """

    files: Mapping[str, bytes]
    message: str
    start: Revision | None = None


@dataclass(frozen=True, slots=True)
class Pushed:
    """The result: the new tip (empty if there was nothing to push), and how many attempts it took."""

    commit: str
    attempts: int


class _RemoteError(Exception):
    """A fault on the way to the remote."""

    def __init__(self, fault: RemoteFault) -> None:
        super().__init__(fault.complaint)
        self.fault = fault


class _TransientRemoteError(_RemoteError, TransientError):
    """One that is gone when the others are done."""


def _fault(fault: RemoteFault) -> _RemoteError:
    return _TransientRemoteError(fault) if fault.is_transient else _RemoteError(fault)


@dataclass(frozen=True, slots=True)
class RemoteBranch:
    """A branch of a remote, as git knows both by name; `root` is the top of the working tree."""

    git: Git
    remote: str
    name: str
    root: Path

    @property
    def ref(self) -> str:
        """The full name of the branch, which no option looks like."""
        return f"refs/heads/{self.name}"

    @property
    def shown(self) -> str:
        """The branch as it is shown."""
        return f"{self.remote}/{self.name}"

    def named(self, name: str) -> RemoteBranch:
        """Return another branch of the same remote. Raises UsageError for an invalid name."""
        _check_branch(self.git, name)
        return replace(self, name=name)

    def tip(self, known: str = "") -> Revision | None:
        """Return the newest commit of the branch, fetched; None if the remote has no such branch.

        `known` is a commit that was fetched before. Raises ToolError.
        """
        try:
            return self._tip(known)
        except _RemoteError as found:
            raise self._error("cannot be fetched", found.fault) from found

    def push(self, edit_of: Callable[[Revision | None], Edit | None], retrying: RetryPolicy) -> Pushed:
        """Commit on the newest tip what `edit_of` makes of it, and push it; again if others were first.

        `edit_of` is given the tip, None where there is no such branch yet, and gives None where nothing is
        left to do. Raises ToolError with a hint.
        """
        known, attempts = "", 0

        def attempt() -> str:
            nonlocal known, attempts
            attempts += 1
            tip = self._tip(known)
            known = tip.commit if tip else ""
            edit = edit_of(tip)
            if edit is None:
                return ""
            commit = self._commit(edit, tip)
            self._send(commit)
            return commit

        try:
            return Pushed(retrying.call(attempt), attempts)
        except _RemoteError as found:
            many = f" after {attempts} attempts" if attempts > 1 else ""
            raise self._error(f"was not pushed{many}", found.fault) from found

    def remove(self, retrying: RetryPolicy) -> None:
        """Remove the branch from the remote; one that is not there is not an error. Raises ToolError."""

        def attempt() -> None:
            if self._listed():
                self._send("")

        try:
            retrying.call(attempt)
        except _RemoteError as found:
            raise self._error("was not removed", found.fault) from found

    def _error(self, what: str, fault: RemoteFault) -> ToolError:
        return ToolError(f"{self.shown} {what}: {fault.kind}: {fault.complaint}", fault.hint)

    def _listed(self) -> str:
        """Return the newest commit of the branch as the remote lists it, empty if it has no such branch."""
        answer = self.git.ask("ls-remote", "--quiet", "--refs", "--", self.remote, self.ref)
        if answer.status:
            raise _fault(fault_of(answer.complaint))
        refs = (line.split("\t", 1) for line in answer.line.splitlines())
        return next((found for found, *rest in refs if rest == [self.ref]), "")

    def _tip(self, known: str) -> Revision | None:
        commit = self._listed()
        if not commit:
            return None
        if self._lacks(commit):
            self._fetch(known)
            if self._lacks(commit):  # it is gone: the branch was reset meanwhile
                raise _fault(RemoteFault(FaultKind.RACE, "the branch was set back meanwhile"))
        return Revision(self.git.at(self.root), commit, self.root)

    def _fetch(self, known: str) -> None:
        # no name in this repository is moved, and of a tip that is known only what follows it is sent
        quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-prune", "--refmap=")
        since = (f"--negotiation-tip={known}",) if known else ()
        answer = self.git.ask("fetch", *quiet, "--recurse-submodules=no", *since, "--", self.remote, self.ref)
        if answer.status:
            raise _fault(fault_of(answer.complaint))

    def _lacks(self, commit: str) -> bool:
        return self.git.ask("cat-file", "-e", f"{commit}^{{tree}}").status != 0

    def _commit(self, edit: Edit, tip: Revision | None) -> str:
        """Return a commit of the edit, made in an index of its own. Raises ToolError."""
        start = edit.start or tip
        parents = [each.commit for each in (tip, edit.start) if each]
        if len(parents) == 2 and is_ancestor(self.git, *parents):
            parents = parents[1:]
        with tempfile.TemporaryDirectory(prefix="sbir-gate-index-") as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            own = replace(self.git, added={**self.git.added, **index, **_identity(self.git)})
            made(own, "read-tree", start.commit if start else "--empty")
            lines = []
            for path, content in edit.files.items():
                blob = made(own, "hash-object", "-w", "--stdin", content=content)
                lines.append(f"100644 {blob}\t{path}\0".encode())
            made(own, "update-index", "-z", "--index-info", content=b"".join(lines))
            tree = made(own, "write-tree")
            options = [word for parent in parents for word in ("-p", parent)]
            return made(own, "commit-tree", *options, "-F", "-", tree, content=edit.message.encode())

    def _send(self, commit: str) -> None:
        """Push a commit; an empty one removes the branch."""
        plain = ("--quiet", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed")
        # not forced: the remote takes it only if its tip is still the one that the commit was built on
        answer = self.git.ask(
            "push", *plain, "--recurse-submodules=no", "--", self.remote, f"{commit}:{self.ref}"
        )
        if answer.status:
            verdicts = " ".join(line for line in answer.line.splitlines() if line.startswith("!"))
            raise _fault(fault_of(f"{answer.complaint} {verdicts}".strip().replace("\t", " ")))


def remote_branch(git: Git, remote: str, name: str, token: Token | None) -> RemoteBranch:
    """Return a branch of a remote of git's configuration, whether the remote has it yet or not.

    Raises UsageError where there is no repository, no such remote, or the name is none.
    """
    root = top_folder(git)
    urls = [_url(git, remote, *kind) for kind in ((), ("--push",))]
    _check_branch(git, name)
    seen = with_token(replace(git, timeout_seconds=_NETWORK_SECONDS), token, urls)
    return RemoteBranch(seen, remote, name, root)


def made(git: Git, *arguments: str, content: bytes = b"") -> str:
    """Return the one line that git answers with. Raises ToolError if it fails."""
    answer = git.ask(*arguments, content=content)
    if answer.status:
        raise ToolError(
            f"git {arguments[0]} failed: {answer.complaint}",
            "check with 'git fsck' that the repository is complete, and that it is writable",
        )
    return answer.line


def _url(git: Git, remote: str, *kind: str) -> str:
    # a URL in its place would bring a password into the command line
    if _REMOTE_NAME.fullmatch(remote):
        answer = git.ask("remote", "get-url", *kind, remote)
        if not answer.status:
            return answer.line
    shown = repr(remote[:_SHOWN_CHARACTERS]) if "://" not in remote else "that is a URL"
    raise UsageError(
        f"there is no remote {shown} in this repository",
        "name one that 'git remote' lists, or add it with 'git remote add'",
    )


def _check_branch(git: Git, name: str) -> None:
    is_name = name.strip() and name.isprintable()
    if not is_name or git.ask("check-ref-format", f"refs/heads/{name}").status:
        raise UsageError(
            f"{name[:_SHOWN_CHARACTERS]!r} cannot be the name of a branch",
            "use letters, digits, dots, hyphens and slashes",
        )


def _identity(git: Git) -> dict[str, str]:
    """Return who commits: as git is configured, else the program."""
    found: dict[str, str] = {}
    if git.ask("config", "--get", "user.email").status:
        for role in ("AUTHOR", "COMMITTER"):
            if not git.environment.get(f"GIT_{role}_EMAIL"):
                found |= {f"GIT_{role}_NAME": _AUTHOR, f"GIT_{role}_EMAIL": _ADDRESS}
    return found
