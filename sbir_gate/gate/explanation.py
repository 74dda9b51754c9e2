"""What is known of one award's decision from an enriched file of any engine, and from a Run."""

from __future__ import annotations

from pathlib import Path

from sbir_gate.errors import InputError
from sbir_gate.gate.comparing.losses import lost_by
from sbir_gate.gate.measuring.output import find_decision
from sbir_gate.gate.quality import enriched_file
from sbir_gate.gate.storing.baselines import baseline_path
from sbir_gate.gate.storing.sessions import latest_base_path
from sbir_gate.model.explanation import BASE, BASELINE, Basis, DecisionShift, Explanation, Party
from sbir_gate.model.matches import DecisionKind, Method
from sbir_gate.model.run import Run
from sbir_gate.settings.schema import Settings

_IDENTIFIERS = (Method.UEI_EXACT, Method.DUNS_EXACT)


def explain_enriched(path: Path, award_id: str) -> Explanation:
    """Return what an enriched file states of an award. Raises InputError for a file that cannot be read."""
    with enriched_file(path):
        found = find_decision(path, award_id)
    if found is None:
        raise InputError(f"no award {award_id!r}", "give an award_id of the enriched file", path=path)
    decision, candidates = found
    if decision.kind is DecisionKind.NONE:
        basis = Basis.NOTHING
    else:
        basis = Basis.IDENTIFIER if decision.method in _IDENTIFIERS else Basis.MODEL
    return Explanation(award_id, Party(""), (), decision, basis, candidates, is_stated=True)


def reference_path(against: Path, settings: Settings) -> Path:
    """Return where the Run is that an explanation is held against: a file, or what the settings lead to.

    `baseline` is that of the gate, `base` the one that its newest Run was measured beside. Raises InputError
    if there is none, UsageError for a gate's name that leads elsewhere.
    """
    gate = settings.gate
    if str(against) == BASELINE:
        return baseline_path(gate.baselines_folder, gate.name)
    if str(against) == BASE:
        return latest_base_path(settings.reports.folder, gate.name)
    return against


def shift_since(run: Run, explanation: Explanation) -> DecisionShift:
    """Return what a Run decided of the award, and in which stage its link has been lost since."""
    before = next((award for award in run.awards if award.award_id == explanation.award_id), None)
    if before is None:
        return DecisionShift(run.started_at, None)
    return DecisionShift(
        run.started_at,
        before.decision,
        before.recipient_name,
        lost_by(before.link, explanation.decision),
    )
