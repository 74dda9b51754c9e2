"""What a clone lacks, and the command that fetches it: each was tried on such a clone."""

from __future__ import annotations

from sbir_gate.gate.storing.git import Git

_BRANCHES = "'+refs/heads/*:refs/remotes/origin/*'"
UNSHALLOW = (
    "fetch the whole history: 'fetch-depth: 0' for actions/checkout, or"
    f" git fetch --unshallow origin {_BRANCHES}"
)
_REFETCH = (
    "fetch what this partial clone left out: git fetch --refetch --no-filter origin; for actions/checkout"
    " leave out 'filter' and set 'fetch-depth: 0'"
)
_DAMAGED = "the repository may be damaged or incomplete: run 'git fsck'"


def is_shallow(git: Git) -> bool:
    """Say whether the clone lacks the older part of the history."""
    return git.ask("rev-parse", "--is-shallow-repository").line == "true"


def is_partial(git: Git) -> bool:
    """Say whether the clone lacks files, which git fetches when they are asked for."""
    return bool(git.ask("config", "--get-regexp", r"^remote\..*\.promisor$").line)


def missing_object_hint(git: Git) -> str:
    """Return how to get an object that the clone should have and cannot read."""
    if is_partial(git):
        return _REFETCH
    return UNSHALLOW if is_shallow(git) else _DAMAGED


def missing_branch_hint(name: str) -> str:
    """Return how to get a branch that the clone does not have."""
    return f"git fetch origin '+refs/heads/{name}:refs/remotes/origin/{name}'"


def untrusted_folder_hint(complaint: str, folder: str) -> str:
    """Return how to let git work in a folder that another user owns, empty for any other complaint."""
    if "dubious ownership" not in complaint:
        return ""
    return (
        f"if you trust it: git config --global --add safe.directory '{folder}', with the same HOME as"
        " sbir-gate (in a container: in a step before it)"
    )
