"""The main job: benchmark, compare, verdict, reports; and the same again from saved documents."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sbir_gate import __version__
from sbir_gate.errors import ConfigurationError, EnricherError, ExitStatus, InputError, SbirGateError
from sbir_gate.gate.commit_files import PolicyRequest
from sbir_gate.gate.comparing.feasibility import pairs_fault, repeats_fault
from sbir_gate.gate.conclusion import GateResult, conclude, discard_verdict, leave_error_verdict
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.edited_fixture import measured_on_base
from sbir_gate.gate.engine_sources import timing_against_baseline, timing_of
from sbir_gate.gate.enricher_plan import plan_of, sealed_files, settings_digest, subject_line
from sbir_gate.gate.fixture import ReadFixture, known_recipients, read_fixture
from sbir_gate.gate.measuring.benchmark import BenchmarkPlan, BenchmarkResult, CheckRun, run_benchmark
from sbir_gate.gate.measuring.interleaving import BaseFailure, Side
from sbir_gate.gate.measuring.metrics import derive_metrics
from sbir_gate.gate.measuring.quality import award_records, measure_quality
from sbir_gate.gate.measuring.seals import Seals
from sbir_gate.gate.policy import commit_judgement, judged_with_history, own_judgement
from sbir_gate.gate.quality import report_on_measured
from sbir_gate.gate.reporting.messages import diagnosis_texts
from sbir_gate.gate.storing.scratch import scratch_folder
from sbir_gate.model.companions import Companions, OnBaseFixture
from sbir_gate.model.definitions import DEFINITIONS
from sbir_gate.model.finding import Finding, Rule, note
from sbir_gate.model.quality_report import QualityReport
from sbir_gate.model.run import MetricKind, Run, Timing, enricher_name
from sbir_gate.model.verdict import Policy, Verdict
from sbir_gate.settings.display import overrides
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.judgement import renamed
from sbir_gate.settings.repository_file import name_from

_MOST_UNKNOWN = 5
Progress = Callable[[str], None]
"""Called with a message on the current step."""


def run_gate(
    effective: EffectiveSettings,
    edges: Edges,
    progress: Progress,
    policy_from: PolicyRequest | None = None,
    *,
    is_merged: bool = False,
) -> GateResult:
    """Measure, compare with the baseline, judge, and write Run, verdict and Markdown report.

    With `policy_from` everything that judges comes from its commit, `effective` is what head has. `is_merged`
    says that it is the main branch that is measured: what was merged may start a new baseline.
    Whatever goes wrong, no older verdict stays behind to be taken for this one's; an error that has a
    name leaves a verdict `error` and a report of it, and is raised.
    """
    discard_verdict(effective.settings.reports.folder)
    try:
        # first, because a damaged baseline makes all the measuring useless
        if policy_from is None:
            judgement = own_judgement(effective, is_merged=is_merged)
        else:
            effective, judgement = commit_judgement(policy_from, effective)
            discard_verdict(effective.settings.reports.folder)
        progress(subject_line(effective))
        if judgement.rules.baseline is not None:  # else there is nothing that a time could be compared with
            refuse_blind_setup(effective, judgement.rules.policy, is_side_by_side=False)
        timing, notes = timing_against_baseline(effective.settings, policy_from)
        with edges.keep_code():
            measured = measure(effective, edges, progress, timing=timing)
            run, on_base = measured_on_base(
                measured.run,
                judgement.fixture,
                effective,
                edges,
                progress,
                lambda there: OnBaseFixture(measure(there, edges, progress, timing=timing).run),
                judgement.rules.baseline,
            )
    except SbirGateError as error:
        leave_error_verdict(effective, edges, error)
        raise
    run = judgement.marked(replace(run, warnings=(*run.warnings, *notes)))
    companions = Companions(on_base=on_base)

    def judge() -> Verdict:
        return judged_with_history(judgement, run, companions, effective.settings, edges.now().date())

    return conclude(run, judge, effective, edges, judgement, companions, measured.quality)


@dataclass(frozen=True, slots=True)
class Measured:
    """A Run, and the quality report of its decisions."""

    run: Run
    quality: QualityReport


def measure(
    effective: EffectiveSettings,
    edges: Edges,
    progress: Progress,
    environment: Mapping[str, str] = os.environ,
    timing: Timing | None = None,
) -> Measured:
    """Benchmark the enricher on the fixtures and return the Run; `environment` is what it may see of.

    Without `timing` time is measured if the settings ask for it.
    Raises InputError for fixtures that cannot be read, EnricherError for an enricher that breaks.
    """
    settings = effective.settings
    with scratch_folder("sbir-gate-run-") as scratch:
        read = read_fixture(effective, edges, progress, scratch)
        plan = replace(plan_of(effective, read, scratch), environment=environment)
        if timing is Timing.ENGINE_UNCHANGED:
            plan = replace(plan, repeats=1, warmups=0)
        seals = Seals(lambda: sealed_files(effective, plan))
        is_built_in = settings.enricher.command is None
        result = _benchmark(plan, edges, progress, lambda: seals.check(Side.HEAD), is_built_in=is_built_in)
        seals.check_at_the_end()
        progress("measuring quality")
        run = run_of(effective, edges, read, result, timing)
        return Measured(run, report_on_measured(run, read))


def refuse_blind_setup(effective: EffectiveSettings, judged: Policy, *, is_side_by_side: bool) -> None:
    """Raise ConfigurationError for a set-up whose limits on time and memory can never fail anything.

    A number of repeats that is set for one call only is a look, and its report says that time was not judged.
    """
    benchmark = effective.settings.benchmark
    if not benchmark.is_timed:
        return
    fault = None
    if is_side_by_side:
        fault = pairs_fault(judged, benchmark.max_pairs, effective.place_of)
    elif effective.is_from_file("benchmark.repeats"):
        fault = repeats_fault(judged, benchmark.repeats, effective.place_of)
    if fault is not None:
        problem, hint = diagnosis_texts(fault)
        raise ConfigurationError(problem, hint, path=fault.place)


def run_of(
    effective: EffectiveSettings,
    edges: Edges,
    read: ReadFixture,
    result: BenchmarkResult,
    timing: Timing | None = None,
) -> Run:
    """Return the Run of what was measured on the fixture; without `timing` as the settings ask for."""
    settings = effective.settings
    truth, timing = read.truth, timing or timing_of(settings)
    quality = measure_quality(result.decisions, read.profiles, truth, read.draw)
    known = known_recipients(read, result.decisions)
    metrics = derive_metrics(
        result,
        quality,
        len(read.profiles),
        rejected=read.rejected,
        unknown=len(known.unknown),
    )
    if timing is not Timing.MEASURED:
        metrics = tuple(metric for metric in metrics if metric.kind is MetricKind.EXACT)
    return Run(
        gate=settings.gate.name,
        started_at=read.started_at.replace(microsecond=0),
        tool_version=__version__,
        machine=edges.machine(),
        source=edges.source(),
        fixture=read.fixture,
        enricher=enricher_name(settings.enricher.command),
        settings_digest=settings_digest(effective),
        samples=result.samples,
        metrics=metrics,
        quality=quality,
        awards=award_records(result.decisions, read.profiles, truth, known.linked),
        has_truth=truth is not None,
        calibration_seconds=tuple(timing.wall_seconds for timing in result.calibrations),
        calibration_cpu_seconds=tuple(timing.cpu_seconds for timing in result.calibrations),
        definitions=DEFINITIONS,
        first_run=result.first_run,
        engine_notes=result.notes,
        entities=known.entities,
        reject_examples=read.reject_examples,
        unknown_recipient_ids=known.unknown[:_MOST_UNKNOWN],
        unknown_award_ids=result.faults.unknown[:_MOST_UNKNOWN],
        settings_file=name_from(Path.cwd(), effective.file),
        overrides=overrides(effective),
        renamed=renamed(settings),
        timing=timing,
        warnings=tuple(_notes_of(read)),
    )


def _notes_of(read: ReadFixture) -> Iterator[Finding]:
    shared = read.recipients.shared_ids
    if shared.count:
        yield note(Rule.RECIPIENT_IDS_SHARED, count=shared.count, examples=shared.examples)


def _benchmark(
    plan: BenchmarkPlan, edges: Edges, progress: Progress, check_run: CheckRun, *, is_built_in: bool
) -> BenchmarkResult:
    def report(repeat: int, repeats: int) -> None:
        progress(f"repeat {repeat} of {repeats}" if repeat else "warming up")

    with wrong_input_explained(is_built_in=is_built_in):
        return run_benchmark(plan, edges.launch, edges.calibrate, report, check_run)


@contextmanager
def wrong_input_explained(*, is_built_in: bool) -> Iterator[None]:
    """Raise the built-in engine's error of its input as its own: it reports the facts beside its status."""
    try:
        yield
    except BaseFailure:
        raise
    except EnricherError as error:
        if not is_built_in or error.status != ExitStatus.WRONG_INPUT:
            raise
        reported = error.__cause__
        if isinstance(reported, InputError):
            raise reported from None
        raise InputError(error.message, error.hint) from error
