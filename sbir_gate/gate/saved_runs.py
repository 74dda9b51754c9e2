"""What saved Runs are judged by: the commit that judged them when they were measured, where it is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sbir_gate.gate.commit_files import PolicyRequest
from sbir_gate.gate.comparing.paired import is_side_by_side
from sbir_gate.gate.policy import Judgement, commit_judgement, own_judgement
from sbir_gate.gate.storing.merge_base import BaseName
from sbir_gate.gate.storing.references import find_reference
from sbir_gate.gate.storing.sessions import paths_beside
from sbir_gate.model.finding import Finding, Rule, Severity
from sbir_gate.model.run import Run
from sbir_gate.settings.effective import EffectiveSettings


def saved_base(head: Run, reference: Run | None, *, is_diff: bool = False) -> BaseName | None:
    """Return the commit that judged head, with the branch that it went to; None for the working tree.

    A diff of Runs that were not measured in one session is judged by the working tree.
    """
    is_paired = reference is not None and is_side_by_side(head, reference)
    if head.has_own_policy or (is_diff and not is_paired):
        return None
    # a Run of an older version knows only the base beside it
    commit = head.policy_commit or (reference.source.commit if reference is not None and is_paired else "")
    return BaseName(commit, saved=head.target) if commit else None


def judgement_again(
    request: PolicyRequest | None,
    own: EffectiveSettings,
    head: Run,
    *,
    has_baseline: bool,
    is_asked: bool = False,
) -> tuple[EffectiveSettings, Judgement]:
    """Return the settings and the judgement of a saved Run; without a request that of the working tree.

    The working tree judges too, with a note, where the commit that judged the Run is not in the repository
    or there is none, unless the caller asks for that commit (`is_asked`): then this raises UsageError.
    """
    if request is None:
        return own, own_judgement(own, has_baseline, is_merged=head.is_merged)
    commit = request.base.ref or ""
    if not is_asked and find_reference(request.git_in(request.folder), commit) is None:
        note = Finding(Rule.POLICY_NOT_FOUND, Severity.INFO, facts={"commit": commit})
        return own, replace(own_judgement(own, has_baseline), notes=(note,))
    return commit_judgement(request, own, has_baseline)


def files_of_report(run: Path, verdict: Path | None, effective: EffectiveSettings | None) -> Iterator[Path]:
    """Yield the files that a report on a saved Run may be made of: none of them may be its output."""
    yield from (run, *paths_beside(run, run.parent.glob("*.json")))
    if verdict is not None:
        yield verdict
    if effective is None:
        return
    gate = effective.settings.gate
    yield from (gate.waivers_file, *gate.baselines_folder.glob("*.json"))
    if effective.file is not None:
        yield effective.file
