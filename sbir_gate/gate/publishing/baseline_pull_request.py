"""A pull request that proposes a new baseline: one for each gate, made once and kept up to date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sbir_gate.errors import PublishError
from sbir_gate.gate.publishing.github import GitHubError, Pull, Pulls

_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_COMMIT_CHARACTERS = 12
_NOT_TAKEN = 422


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed: a branch of the repository for another one, and the words for it."""

    branch: str
    base: str
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class ProposalResult:
    """The page of the pull request, and whether anything was written."""

    url: str
    is_written: bool


def baseline_branch(gate: str) -> str:
    """Return the branch that a gate's baseline is proposed from."""
    return f"sbir-gate/baseline-{gate}"


def baseline_proposal(gate: str, base: str, commit: str, run_url: str) -> Proposal:
    """Return the proposal of a baseline that was measured at a commit, on the page of a workflow run."""
    measured = commit[:_COMMIT_CHARACTERS] if _COMMIT.fullmatch(commit) else "an unknown commit"
    return Proposal(
        branch=baseline_branch(gate),
        base=base,
        title=f"Baseline of {gate}, measured at {measured}",
        body=(
            f"The gate `{gate}` passed at {measured} and proposes what it measured there as the reference"
            f" for what comes next ([workflow run]({run_url})).\n\n"
            "Merge it to accept these values. Until then the older baseline counts; a newer run brings this"
            " pull request up to date.\n"
        ),
    )


def propose(github: Pulls, owner: str, proposal: Proposal) -> ProposalResult:
    """Open the pull request, or bring the open one up to date; the branch must be there already.

    `owner` is that of the repository. Raises PublishError, also where the branch changes nothing.
    """
    found = _open_one(github, owner, proposal)
    if found is not None:
        return _updated(github, found, proposal)
    try:
        pull = github.create_pull(proposal.branch, proposal.base, proposal.title, proposal.body)
    except GitHubError as error:
        if error.status != _NOT_TAKEN and not error.is_unsure:
            raise
        # another run was faster, or the answer was lost
        found = _open_one(github, owner, proposal)
        if found is not None:
            return _updated(github, found, proposal)
        raise PublishError(
            error.message, f"check that {proposal.branch} was pushed and differs from {proposal.base}"
        ) from None
    return ProposalResult(pull.url, True)


def _open_one(github: Pulls, owner: str, proposal: Proposal) -> Pull | None:
    pulls: Sequence[Pull] = github.pulls_of_branch(owner, proposal.branch)
    return next((pull for pull in pulls if pull.is_open and pull.base_ref == proposal.base), None)


def _updated(github: Pulls, pull: Pull, proposal: Proposal) -> ProposalResult:
    # GitHub gives line breaks back as CR LF
    if pull.title == proposal.title and pull.body.replace("\r\n", "\n").strip() == proposal.body.strip():
        return ProposalResult(pull.url, False)
    return ProposalResult(github.edit_pull(pull.number, proposal.title, proposal.body).url, True)
