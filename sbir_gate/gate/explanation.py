"""What is known of one award's decision from the output of any engine, and from a Run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from sbir_gate.errors import EnricherError, InputError
from sbir_gate.gate.comparing.losses import lost_by
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.enricher_plan import plan_of, sealed_files
from sbir_gate.gate.fixture import read_fixture, unlabelled
from sbir_gate.gate.measuring.benchmark import Bench, with_placeholders
from sbir_gate.gate.measuring.interleaving import Side
from sbir_gate.gate.measuring.output import find_decision
from sbir_gate.gate.measuring.process import ProcessResult
from sbir_gate.gate.measuring.rows import read_header
from sbir_gate.gate.measuring.seals import Seals
from sbir_gate.gate.quality import enriched_file
from sbir_gate.gate.storing.baselines import baseline_path
from sbir_gate.gate.storing.scratch import scratch_folder
from sbir_gate.gate.storing.sessions import latest_base_path
from sbir_gate.model.explanation import (
    BASE,
    BASELINE,
    Basis,
    DecisionShift,
    ExplainedCandidate,
    Explanation,
    Party,
)
from sbir_gate.model.matches import DecisionKind, Method, NoLinkReason
from sbir_gate.model.records import AwardProfile
from sbir_gate.model.run import Run
from sbir_gate.reading.award_table import check_ids
from sbir_gate.reading.recipient_index import RecipientIndex
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.schema import Settings

_IDENTIFIERS = (Method.UEI_EXACT, Method.DUNS_EXACT)


def explain_enriched(path: Path, award_id: str) -> Explanation:
    """Return what an enriched file states of an award. Raises InputError for a file that cannot be read."""
    with enriched_file(path):
        return _stated(path, award_id)


def _stated(path: Path, award_id: str) -> Explanation:
    found = find_decision(path, award_id)
    if found is None:
        raise InputError(f"no award {award_id!r}", "give an award_id of the enriched file", path=path)
    decision, candidates = found
    has_candidates = read_header(path).has_candidates
    reason = None
    if decision.kind is DecisionKind.NONE:
        basis = Basis.NOTHING
        reason = None if has_candidates else NoLinkReason.NOT_REPORTED
    else:
        basis = Basis.IDENTIFIER if decision.method in _IDENTIFIERS else Basis.MODEL
    return Explanation(
        *(award_id, Party(""), (), decision, basis, candidates, reason),
        is_stated=True,
        names_candidates=has_candidates,
    )


def explain_engine(
    effective: EffectiveSettings, award_ids: Sequence[str], edges: Edges, progress: Callable[[str], None]
) -> tuple[Explanation, ...]:
    """Run the enricher of the settings once on all awards, and return what it states of some of them.

    Raises InputError for an award that is not there, EnricherError for a run that fails or changes its input.
    """
    effective = unlabelled(effective)
    with scratch_folder("sbir-gate-explain-") as scratch, edges.keep_code():
        read = read_fixture(effective, edges, progress, scratch)
        profiles = {profile.award_id: profile for profile in read.profiles if profile.award_id in award_ids}
        check_ids(award_ids, read.profiles.award_ids, effective.settings.fixtures.awards)
        plan = replace(plan_of(effective, read, scratch), logs=None)
        seals = Seals(lambda: sealed_files(effective, plan))
        bench = Bench(plan, edges.launch, lambda: seals.check(Side.HEAD))
        progress("running the engine")

        def look(_process: ProcessResult, output: Path, metrics: Path) -> tuple[Explanation, ...]:
            try:
                return tuple(_stated(output, award_id) for award_id in award_ids)
            except EnricherError as error:
                raise with_placeholders(error, output, metrics) from error.__cause__

        stated = bench.run_with(look)
        return tuple(_named(found, profiles[found.award_id], read.recipients) for found in stated)


def _named(found: Explanation, profile: AwardProfile, recipients: RecipientIndex) -> Explanation:
    """Return the explanation with what awards and recipients hold, which an engine need not repeat."""
    decision = found.decision
    candidates = found.candidates
    if decision.recipient_id not in {"", *(each.recipient_id for each in candidates)}:
        own = ExplainedCandidate(
            decision.recipient_id, Party(""), decision.method, decision.score, decision.confidence
        )
        candidates = (own, *candidates)
    rows = recipients.facts_of(each.recipient_id for each in candidates).rows
    parties = {id_: Party(row.name, row.uei) for id_, row in rows.items()}
    return replace(
        found,
        firm=Party(profile.firm_name, profile.uei, profile.duns, state=profile.state),
        candidates=tuple(
            replace(each, party=parties.get(each.recipient_id, each.party)) for each in candidates
        ),
    )


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
    stage = lost_by(before.link, explanation.decision) if explanation.names_candidates else None
    return DecisionShift(run.started_at, before.decision, before.recipient_name, stage)
