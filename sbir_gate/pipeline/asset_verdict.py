"""What the gate says of the saved Run of the assets, and whether it becomes their baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sbir_gate.documents import load_run, save_alerts
from sbir_gate.errors import InputError, OutputError, SbirGateError, ToolError
from sbir_gate.gate.comparing.other_data import judge_step
from sbir_gate.gate.comparing.promotion import baseline_obstacle
from sbir_gate.gate.comparing.run_checks import is_refused, run_findings, single_run_policy
from sbir_gate.gate.comparing.small_samples import with_chance
from sbir_gate.gate.conclusion import ALERTS_NAME, VERDICT_NAME, error_verdict, write_verdict
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.history import (
    StepReference,
    consult_history,
    drift_before_promotion,
    noise_of_history,
)
from sbir_gate.gate.kept_runs import keep_run
from sbir_gate.gate.policy import own_judgement
from sbir_gate.gate.quality import keep_quality, report_on_saved
from sbir_gate.gate.reporting.notices import obstacle_text
from sbir_gate.gate.storing.baselines import load_baseline, promote
from sbir_gate.gate.trends import trends_of
from sbir_gate.model.alert import AlertList
from sbir_gate.model.asset_check import CheckFinding
from sbir_gate.model.run import MetricKind, Run
from sbir_gate.model.verdict import Verdict
from sbir_gate.model.waiver import Waivers
from sbir_gate.pipeline.asset_files import (
    AssetFiles,
    EnrichedFiles,
    asset_settings,
    files_around,
    judged_by_own_rate,
    unfollowed,
    with_reports_in,
)
from sbir_gate.pipeline.asset_run import RESUMED
from sbir_gate.pipeline.places import Place, drafted, settle
from sbir_gate.reading.award_table import load_profiles
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.schema import Settings


@dataclass(frozen=True, slots=True)
class Enriched:
    """Enriched awards as they were recorded."""

    files: EnrichedFiles
    award_year: int | None = None

    @property
    def assets(self) -> AssetFiles:
        """What they share with the other results of the same assets, whatever the settings say now."""
        return files_around(self.files)

    def settings(self, effective: EffectiveSettings) -> EffectiveSettings:
        """Return the settings for what is shared."""
        return asset_settings(effective, self.assets, self.award_year)


@dataclass(frozen=True, slots=True)
class Judged:
    """A Run, what it was held against, the verdict with drift, and the answers to the checks.

    `report` is the place of the verdict and its report, None where they were not to be kept.
    """

    run: Run
    reference: Run | None
    verdict: Verdict
    alerts: AlertList
    findings: tuple[CheckFinding, ...]
    warnings: tuple[str, ...]
    report: Place | None = None

    @property
    def is_refused(self) -> bool:
        """Say whether what was made may not be used."""
        return is_refused(self.verdict)

    def kept_report(self) -> Place:
        """Return the place of the verdict that was kept."""
        if self.report is None:
            raise ToolError("the verdict was not kept", "this is a fault of the program: please report it")
        return self.report


def judge_assets(effective: EffectiveSettings, enriched: Enriched, edges: Edges) -> Judged:
    """Judge the saved Run of the assets against their baseline; nothing is written.

    `effective` are the settings as they are loaded: the baseline that is committed lies where they say. It is
    the reference until the assets have one of their own, if it is of the same data; its times and sizes, of
    another kind of process, are left out. So are those of a Run that resumed. What one repeat cannot show of
    the noise, the history does. Raises DocumentError for a Run or a baseline that cannot be read.
    """
    judgement = own_judgement(judged_by_own_rate(effective), has_baseline=False)
    rules = single_run_policy(judgement.rules.policy)
    run = load_run(enriched.files.run)
    reference = _reference(run, enriched.assets, effective.settings)
    waivers = Waivers(judgement.rules.waivers, edges.now().date())
    settings = enriched.settings(effective).settings
    timed = _without_cost(reference) if reference is not None and RESUMED in run.engine_notes else reference
    spread = noise_of_history(run, timed, rules, settings)
    verdict = judge_step(run, timed, rules, waivers=waivers, spread=spread)
    if enriched.award_year is not None:
        verdict = with_chance(verdict, run, reference, rules)
    past = consult_history(run, verdict, settings, of_step=StepReference(reference))
    return Judged(
        run,
        reference,
        past.verdict,
        past.alerts,
        run_findings(run, reference, rules, past.verdict),
        (*unfollowed(settings, _made_of(run)), *past.warnings),
    )


def _made_of(run: Run) -> Mapping[str, str]:
    fixture = run.fixture
    return {
        "awards": fixture.awards_path,
        "recipients": fixture.recipients_path,
        "truth": fixture.truth_path,
    }


def conclude_assets(
    effective: EffectiveSettings, enriched: Enriched, edges: Edges, *, is_final: bool
) -> Judged:
    """Judge the saved Run, and keep the verdict if it `is_final`, or refused: then no report follows.

    Whatever breaks leaves a verdict `error`, and is raised.
    """
    assets = enriched.settings(effective)
    with _report_place(enriched.assets) as (draft, settled):
        own = with_reports_in(assets, draft)
        with error_verdict(own, edges, f"the Run is saved: {enriched.files.run}"):
            judged = judge_assets(effective, enriched, edges)
            if is_final or judged.is_refused:
                _record(judged, own.settings, edges)
    judged = replace(judged, report=next(iter(settled), None))
    if not is_final:
        return judged
    return replace(judged, warnings=(*judged.warnings, *_keep_quality(judged, enriched, assets.settings)))


@contextmanager
def _report_place(assets: AssetFiles) -> Iterator[tuple[Path, list[Place]]]:
    """Give a draft for a verdict, and a list that holds its place afterwards if one was written."""
    settled: list[Place] = []
    with drafted(assets.reports) as draft:
        try:
            yield draft, settled
        finally:
            if (draft / VERDICT_NAME).is_file():
                settled.append(settle(draft))
                assets.show_report(settled[0].folder)


def _keep_quality(judged: Judged, enriched: Enriched, settings: Settings) -> tuple[str, ...]:
    """Write the quality report of the enriched awards beside the verdict; return warnings."""
    try:
        profiles = load_profiles(enriched.files.profiles)
        report = report_on_saved(judged.run, profiles, enriched.files.awards, settings)
    except InputError as error:
        return (f"the quality report was not made: {error.message}",)
    return keep_quality(report, settings)


def _record(judged: Judged, settings: Settings, edges: Edges) -> None:
    """Write verdict, report and alerts to the folder of reports, and keep the Run in the history."""
    folder = settings.reports.folder
    trends = trends_of(judged.run, settings, judged.verdict.changes)
    write_verdict(folder, judged.run, judged.verdict, edges.subject, trends)
    save_alerts(folder / ALERTS_NAME, judged.alerts)
    keep_run(_comparable(judged.run), judged.verdict.outcome, edges.tags(), settings, judged.alerts)


def store_baseline(judged: Judged, effective: EffectiveSettings, enriched: Enriched) -> str:
    """Make the Run the next baseline if it qualifies; return a message with the result.

    It is not if it failed or broke (`baseline_obstacle`), or if it drifted: a baseline that moves with every
    step of a slow decline hides it. Of a Run that resumed what another began the times are left out.
    """
    settings = enriched.settings(effective).settings
    if not settings.orchestration.stores_baseline:
        return "not stored: orchestration.stores_baseline is false"
    obstacle = _obstacle(judged, settings)
    if obstacle:
        return f"not stored: {obstacle}"
    try:
        path = promote(_comparable(judged.run), enriched.assets.baselines)
    except (InputError, OutputError) as error:
        return f"not stored: {error.message}"
    return f"stored: {path}"


def _obstacle(judged: Judged, settings: Settings) -> str:
    obstacle = baseline_obstacle(judged.verdict)
    if (
        obstacle is None
        and judged.reference is not None
        and judged.reference.started_at > judged.run.started_at
    ):
        return "a later Run is the baseline"
    if obstacle is None:
        try:
            drift = drift_before_promotion(_comparable(judged.run), settings)
        except SbirGateError as error:
            return f"drift cannot be judged ({error.message})"
        obstacle = baseline_obstacle(judged.verdict, drift)
    return "" if obstacle is None else obstacle_text(obstacle)


def _comparable(run: Run) -> Run:
    """Return the Run with what may be compared with other Runs: one that resumed did less work."""
    return _without_cost(run) if RESUMED in run.engine_notes else run


def _without_cost(run: Run) -> Run:
    return replace(run, metrics=tuple(metric for metric in run.metrics if metric.kind is MetricKind.EXACT))


def _reference(run: Run, files: AssetFiles, settings: Settings) -> Run | None:
    own = load_baseline(files.baselines, run.gate)
    if own is not None:
        return own
    committed = load_baseline(settings.gate.baselines_folder, run.gate)
    if committed is None or committed.fixture.fingerprint != run.fixture.fingerprint:
        return None
    return _without_cost(committed)
