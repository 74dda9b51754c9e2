"""The main job with a base commit at hand: base and head measured in turn on this machine, and judged.

Both run on head's fixture files, so that a change of the fixture leaves their times comparable. Where head
edits the fixture, both also run once on the base's, and there the links are compared. The verdict compares
head with the base's Runs of this session; the stored baseline is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sbir_gate.errors import SbirGateError
from sbir_gate.gate.base_side import (
    BaseSide,
    base_plan_of,
    check_code,
    find_gap,
    head_place,
    places_of,
    prepare_base,
)
from sbir_gate.gate.commit_files import PolicyRequest, operator_layers
from sbir_gate.gate.comparing.deciding import is_failed_exactly, undecided
from sbir_gate.gate.conclusion import GateResult, conclude, discard_verdict, leave_error_verdict
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.edited_fixture import measured_on_base
from sbir_gate.gate.engine_sources import timing_beside
from sbir_gate.gate.enricher_plan import plan_of, sealed_files, subject_line
from sbir_gate.gate.fixture import ReadFixture, read_fixture
from sbir_gate.gate.measuring.base_environment import import_folders, side_environment
from sbir_gate.gate.measuring.benchmark import BenchmarkPlan, BenchmarkResult, run_benchmark
from sbir_gate.gate.measuring.checkout import base_checkout, cautions
from sbir_gate.gate.measuring.interleaving import (
    Budget,
    CheckSide,
    Side,
    SidesResult,
    blamed_on,
    run_side_by_side,
)
from sbir_gate.gate.measuring.seals import Seals, files_in
from sbir_gate.gate.policy import Judgement, commit_judgement, own_judgement
from sbir_gate.gate.quality import report_on_measured
from sbir_gate.gate.run import Measured, Progress, measure, refuse_blind_setup, run_of, wrong_input_explained
from sbir_gate.gate.side_notes import budget_notes, notes_of_sides
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.merge_base import BaseName, MergeBase, find_base
from sbir_gate.gate.storing.scratch import scratch_folder
from sbir_gate.model.companions import Companions, OnBaseFixture
from sbir_gate.model.finding import Rule, note
from sbir_gate.model.run import Run, Source, Timing, enricher_name
from sbir_gate.model.verdict import Policy, Verdict
from sbir_gate.settings.base_settings import Given
from sbir_gate.settings.effective import EffectiveSettings


def run_beside_base(
    effective: EffectiveSettings,
    given: Given,
    named: BaseName,
    git: Git,
    edges: Edges,
    progress: Progress,
    policy_from: PolicyRequest | None = None,
    *,
    by_own_policy: bool = False,
) -> GateResult:
    """Measure head beside the base, judge, and write both Runs, the verdict and the Markdown report.

    `named` leads to the base, the merge base of it and HEAD. `given` is what `effective` was made of beyond
    the defaults. What judges comes from the base, or from where `policy_from` says: the judge is not the
    accused. With `by_own_policy` it is the working tree's, as in a run against the stored baseline. `git`
    runs in the current folder. Like `run_gate`, whatever goes wrong leaves no older verdict behind. A
    base that breaks is an error that names the base: it is not head's fault, and not a pass. A gate
    that is new, or a base that lacks what the command names, is judged without the base.
    """
    discard_verdict(effective.settings.reports.folder)
    try:
        found = find_base(git, named)
        request = policy_from or PolicyRequest(
            named, Path.cwd(), given.config_file, given.environment, given.options, given.assignments
        )
        if by_own_policy:
            judgement = own_judgement(effective, has_baseline=False)
        else:
            effective, judgement = commit_judgement(request, effective, has_baseline=False)
            discard_verdict(effective.settings.reports.folder)
        progress(subject_line(effective))
        gap = find_gap(found, given, effective, operator_layers(request))
        if gap is None and not judgement.outdated:
            refuse_blind_setup(effective, judgement.rules.policy, is_side_by_side=True)
            with edges.keep_code():
                measured, companions = _measured(effective, judgement, given, found, git, edges, progress)
                head = measured.run
        else:
            here = head_place(found)
            environment = side_environment(here, here, None, given.environment)
            with edges.keep_code():
                measured = measure(effective, edges, progress, environment)
            head = replace(measured.run, base_gap=gap)
            companions = Companions()
        if by_own_policy:
            head = replace(
                head, has_own_policy=True, warnings=(note(Rule.BASELINE_REMEASURED), *head.warnings)
            )
    except SbirGateError as error:
        leave_error_verdict(effective, edges, error, "" if by_own_policy else named.ref or "")
        raise
    head = judgement.marked(head)

    def judge() -> Verdict:
        return judgement.verdict(head, edges.now().date(), companions)

    return conclude(head, judge, effective, edges, judgement, companions, measured.quality)


def is_decided(verdict: Verdict, rules: Policy) -> bool:
    """Say whether more pairs could change nothing.

    What is exact has failed, or every metric that noise blurs is clear of its limits.
    """
    return is_failed_exactly(verdict) or not undecided(verdict.changes, rules)


def _measured(
    effective: EffectiveSettings,
    judgement: Judgement,
    given: Given,
    found: MergeBase,
    git: Git,
    edges: Edges,
    progress: Progress,
) -> tuple[Measured, Companions]:
    """Return head's Run, and those that were measured beside it."""
    progress(f"checking out the base, {found.commit[:12]}")
    with scratch_folder("sbir-gate-base-") as scratch, base_checkout(git, found.commit, scratch) as tree:
        read = read_fixture(effective, edges, progress, scratch)
        of_commit = files_in(tree)
        sides = places_of(found, tree)
        base = prepare_base(effective, given, sides, edges, progress)
        head_plan = replace(
            plan_of(effective, read, _folder(scratch / "head")),
            environment=side_environment(sides.head, sides.head, None, given.environment),
        )
        theirs = base.settings
        timing, timing_notes = timing_beside(
            effective.settings,
            found.revision.git,
            found.commit,
            import_folders(sides.head, effective.settings.enricher.command or (), given.environment),
            is_other=bool(base.locks or theirs.differing or theirs.unknown)
            or theirs.command != effective.settings.enricher.command,
        )
        if timing is not Timing.MEASURED:
            head_plan = replace(head_plan, warmups=0)
        base_plan = base_plan_of(head_plan, base, _folder(scratch / "of-base"))
        check_code(base_plan, base, edges)
        session = _Session(effective, judgement, edges, read, found, base, edges.new_session(), timing)
        seals = Seals(lambda: (*sealed_files(effective, head_plan, base_plan), *of_commit), tree)
        result = _side_by_side(session, head_plan, base_plan, progress, seals.check)
        seals.check_at_the_end()
        progress("measuring quality")
        head_run, base_run = session.runs(result.head, result.base)
        quality = report_on_measured(head_run, read)
        notes = (
            *head_run.warnings,
            *timing_notes,
            *notes_of_sides(found, head_run, base, cautions(git, tree)),
            *budget_notes(result, session.budget),
        )
        head_run, on_base = measured_on_base(
            head_run,
            judgement.fixture,
            effective,
            edges,
            progress,
            lambda there: _on_base(session, there, head_plan, scratch, progress),
        )
    return Measured(replace(head_run, warnings=notes), quality), Companions(base_run, on_base)


def _on_base(
    session: _Session, effective: EffectiveSettings, head: BenchmarkPlan, scratch: Path, progress: Progress
) -> OnBaseFixture:
    """Run base and head once on the base's fixture: exact metrics need no repeats."""
    read = read_fixture(effective, session.edges, progress, scratch)
    plan = replace(
        plan_of(effective, read, _folder(scratch / "head-there")),
        environment=head.environment,
        repeats=1,
        warmups=0,
    )
    base_plan = base_plan_of(plan, session.base, _folder(scratch / "base-there"))
    edges = session.edges
    seals = Seals(lambda: sealed_files(effective, plan, base_plan))

    def run_once(plan: BenchmarkPlan, side: Side) -> BenchmarkResult:
        with blamed_on(side):
            return run_benchmark(
                plan, edges.launch, edges.calibrate, lambda *_: None, lambda: seals.check(side)
            )

    base_result = run_once(base_plan, Side.BASE)
    head_result = run_once(plan, Side.HEAD)
    seals.check_at_the_end()
    return OnBaseFixture(*replace(session, effective=effective, read=read).runs(head_result, base_result))


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


@dataclass(frozen=True, slots=True)
class _Session:
    """What turns results into Runs: all that they share, and what is the base's own."""

    effective: EffectiveSettings
    judgement: Judgement
    edges: Edges
    read: ReadFixture
    found: MergeBase
    base: BaseSide
    session: str
    timing: Timing

    @property
    def budget(self) -> Budget:
        benchmark = self.effective.settings.benchmark
        if self.timing is not Timing.MEASURED:
            return Budget(1, 1, benchmark.max_seconds)
        return Budget(benchmark.min_pairs, benchmark.max_pairs, benchmark.max_seconds)

    def runs(self, head: BenchmarkResult, base: BenchmarkResult) -> tuple[Run, Run]:
        """Return the Runs of head and base, which know that they belong together."""
        head_run, base_run = (
            replace(run_of(self.effective, self.edges, self.read, result, self.timing), session=self.session)
            for result in (head, base)
        )
        settings = self.base.settings
        return head_run, replace(
            base_run,
            source=Source(self.found.commit, self.found.ref, is_dirty=False),
            enricher=enricher_name(settings.command),
            settings_digest=settings.digest,
        )


def _side_by_side(
    session: _Session, head: BenchmarkPlan, base: BenchmarkPlan, progress: Progress, check_side: CheckSide
) -> SidesResult:
    settings, edges, budget = session.effective.settings, session.edges, session.budget

    def is_enough(head_result: BenchmarkResult, base_result: BenchmarkResult) -> bool:
        head_run, base_run = session.runs(head_result, base_result)
        judgement = session.judgement
        verdict = judgement.verdict(head_run, edges.now().date(), Companions(base_run))
        return is_decided(verdict, judgement.rules.policy)

    with wrong_input_explained(is_built_in=settings.enricher.command is None):
        return run_side_by_side(
            head,
            base,
            budget,
            edges.launch,
            edges.calibrate,
            edges.clock,
            is_enough,
            lambda pair, side: progress(_pair_text(pair, side, budget)),
            check_side,
        )


def _pair_text(pair: int, side: Side, budget: Budget) -> str:
    if pair == 0:
        return f"warming up: {side}"
    if budget.min_pairs == budget.max_pairs:
        return f"pair {pair} of {budget.max_pairs}: {side}"
    if pair <= budget.min_pairs:
        return f"pair {pair} of at least {budget.min_pairs}: {side}"
    return f"pair {pair} of at most {budget.max_pairs}: {side}"
