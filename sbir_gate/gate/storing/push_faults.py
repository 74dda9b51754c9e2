"""Why a remote did not take what was pushed, or gave nothing: from git's message to a hint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from sbir_gate.gate.storing.clone import UNSHALLOW


class FaultKind(StrEnum):
    """What is in the way. Others who pushed first, and networks, pass by; the rest does not."""

    RACE = "others pushed first"
    NETWORK = "the server or the network failed"
    PROTECTED = "the branch is protected"
    PERMISSION = "permission is missing"
    SHALLOW = "the clone is shallow"
    OTHER = "git failed"


@dataclass(frozen=True, slots=True)
class RemoteFault:
    """A fault, with what git complained of."""

    kind: FaultKind
    complaint: str

    @property
    def is_transient(self) -> bool:
        """Say whether trying again may help."""
        return self.kind in {FaultKind.RACE, FaultKind.NETWORK}

    @property
    def hint(self) -> str:
        """The hint."""
        return _HINTS[self.kind]


_HINTS = {
    FaultKind.RACE: "try again: too many others push to this branch at once",
    FaultKind.NETWORK: "try again later, and look at the server's status page",
    FaultKind.PROTECTED: (
        "allow pushes to this branch in the repository's rules, use a token that may bypass them, or push"
        " to another branch (--branch, or --to-branch for a pull request)"
    ),
    FaultKind.PERMISSION: (
        "give the job 'permissions: contents: write', or a token that may write in GITHUB_TOKEN; of a fork's"
        " pull request no job may write"
    ),
    FaultKind.SHALLOW: UNSHALLOW,
    FaultKind.OTHER: "run the same git command by hand to see more",
}
# in this order: a refusal ends in the same "failed to push some refs" as a race, a broken line in "hung up"
_SIGNS = {
    FaultKind.PROTECTED: (
        "GH006",
        "GH013",
        "protected branch",
        "hook declined",
        "rule violations",
        "branch is currently checked out",
    ),
    FaultKind.PERMISSION: (
        r"error: 40[134]\b",
        "Permission to .* denied",
        "Write access to repository not granted",
        "Permission denied",
        "Authentication failed",
        "could not read (Username|Password)",
        "terminal prompts disabled",
        "Invalid username or password",
        "Repository not found",
        "insufficient permission",
        "Host key verification failed",
    ),
    FaultKind.SHALLOW: ("shallow update not allowed", "shallow file has changed"),
    FaultKind.RACE: (
        r"\[rejected\]",
        "fetch first",
        "non-fast-forward",
        "stale info",
        "cannot lock ref",
        "failed to (update|lock) ref",
        "reference already exists",
        "incorrect old value",
        "but expected",
        r"Unable to create .*\.lock",
    ),
    FaultKind.NETWORK: (
        "Could(n't| not) resolve",
        "[Cc]onnection",
        "[Tt]imed? ?out",
        "early EOF",
        r"error: (429|5\d\d)\b",
        "RPC failed",
        "[Dd]isconnect",
        "hung up",
        "TLS|SSL|gnutls",
        "Network is unreachable",
        "Empty reply",
    ),
}


def fault_of(complaint: str) -> RemoteFault:
    """Return the fault in git's message."""
    found = (kind for kind, signs in _SIGNS.items() if any(re.search(sign, complaint) for sign in signs))
    return RemoteFault(next(found, FaultKind.OTHER), complaint or "it gave no reason")
