"""What happens to a measurement: saved before it is judged, with a verdict and a report whatever breaks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sbir_gate.documents import save_alerts, save_run, save_verdict
from sbir_gate.errors import (
    ConfigurationError,
    ExitStatus,
    OutputError,
    SbirGateError,
    ToolError,
)
from sbir_gate.files import save_text
from sbir_gate.gate.comparing.alerts import alerts_of
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.history import consult_history
from sbir_gate.gate.kept_runs import keep_error, keep_run
from sbir_gate.gate.policy import Judgement
from sbir_gate.gate.quality import keep_quality
from sbir_gate.gate.reporting.awards_view import CHANGED_AWARDS_NAME
from sbir_gate.gate.reporting.changed_awards import render_changed_awards
from sbir_gate.gate.reporting.junit import render_junit
from sbir_gate.gate.reporting.markdown import Surroundings, render_markdown
from sbir_gate.gate.reporting.messages import texts
from sbir_gate.gate.reporting.trend_charts import trend_charts
from sbir_gate.gate.reporting.view import build_view
from sbir_gate.gate.trends import trends_of
from sbir_gate.model.alert import AlertList
from sbir_gate.model.companions import Companions
from sbir_gate.model.finding import Finding, Place, Rule, Severity, place_of, recorded
from sbir_gate.model.publication import Subjects, TrendSeries
from sbir_gate.model.quality_report import QualityReport
from sbir_gate.model.run import Call, Run, enricher_name
from sbir_gate.model.verdict import Outcome, RecordChanges, Verdict
from sbir_gate.settings.display import overrides
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.repository_file import name_from

VERDICT_NAME = "verdict.json"
REPORT_NAME = "report.md"
ALERTS_NAME = "alerts.json"
JUNIT_NAME = "junit.xml"
LOGS_NAME = "logs"
_ALONE = Companions()
_REPORT_IT = "this is a fault of the program: please report it, with the Run"


@dataclass(frozen=True, slots=True)
class GateResult:
    """A Run, the verdict on it, the files that were written, and what went wrong with the history.

    `reference_path` is the base's Run, where it was measured beside this one. `compared` are the Runs that
    it was compared with.
    """

    run: Run
    verdict: Verdict
    run_path: Path
    verdict_path: Path
    report_path: Path
    alerts: AlertList
    warnings: tuple[str, ...]
    reference_path: Path | None = None
    compared: tuple[Run, ...] = ()


def conclude(
    head: Run,
    judge: Callable[[], Verdict],
    effective: EffectiveSettings,
    edges: Edges,
    judgement: Judgement,
    companions: Companions = _ALONE,
    quality: QualityReport | None = None,
) -> GateResult:
    """Save the Runs, judge, ask the history, write verdict, report and alerts, and keep head in the history.

    The Runs come first: whatever breaks from then on loses nothing that was measured. It leaves a verdict
    `error`, and is raised with a note of where the Run is.
    """
    folder = effective.settings.reports.folder / "benchmarks"
    with error_verdict(effective, edges):
        # head last: the newest saved Run is then head's
        paths = [save_run(folder, run) for run in companions.runs]
        run_path = save_run(folder, head)
    with error_verdict(effective, edges, f"the Run is saved: 'sbir-gate report {run_path}' judges it again"):
        concluded = _judged(head, judge(), run_path, effective, edges, judgement)
    return replace(
        concluded,
        reference_path=paths[-1] if companions.base is not None else None,
        compared=judgement.compared_with(companions),
        warnings=(*concluded.warnings, *keep_quality(quality, effective.settings)),
    )


def _judged(
    head: Run,
    verdict: Verdict,
    run_path: Path,
    effective: EffectiveSettings,
    edges: Edges,
    judgement: Judgement,
) -> GateResult:
    settings = effective.settings
    folder = settings.reports.folder
    past = consult_history(head, verdict, settings, judgement.history)
    trends = trends_of(head, settings, past.verdict.changes)
    verdict_path, report_path = write_verdict(folder, head, past.verdict, edges.subject, trends)
    save_alerts(folder / ALERTS_NAME, past.alerts)
    return GateResult(
        run=head,
        verdict=past.verdict,
        run_path=run_path,
        verdict_path=verdict_path,
        report_path=report_path,
        alerts=past.alerts,
        warnings=(
            *texts(judgement.warnings),
            *past.warnings,
            *keep_run(head, past.verdict.outcome, edges.tags(), settings, past.alerts),
        ),
    )


@contextmanager
def error_verdict(effective: EffectiveSettings, edges: Edges, note: str = "") -> Iterator[None]:
    """Leave a verdict `error` for whatever breaks, and raise it, with the note, as an error with a name."""
    try:
        yield
    except SbirGateError as error:
        _leave_noted(effective, edges, error, note)
        raise
    except Exception as error:
        broken = ToolError(f"the verdict broke: {type(error).__name__}: {error}", _REPORT_IT)
        _leave_noted(effective, edges, broken, note)
        raise broken from error


def _leave_noted(effective: EffectiveSettings, edges: Edges, error: SbirGateError, note: str) -> None:
    if note:
        error.add_note(note)
    # a disk that has no room for the report has none for this one either
    with suppress(SbirGateError, OSError):
        leave_error_verdict(effective, edges, error)


def write_verdict(
    folder: Path,
    run: Run | None,
    verdict: Verdict,
    subject: Callable[[str], str],
    trends: Sequence[TrendSeries] = (),
) -> tuple[Path, Path]:
    """Write the verdict, its reports and the changed awards to the folder of reports.

    `subject` gives the first line of a commit's message, `trends` are drawn in the report. Return the paths
    of verdict and report.
    """
    verdict_path, report_path = folder / VERDICT_NAME, folder / REPORT_NAME
    save_verdict(verdict_path, verdict)
    subjects = Subjects.of(verdict, subject)
    around = Surroundings(charts=trend_charts(trends))
    save_text(report_path, render_markdown(build_view(run, verdict, subjects=subjects), around))
    save_text(folder / CHANGED_AWARDS_NAME, render_changed_awards(verdict.records))
    save_text(folder / JUNIT_NAME, render_junit(verdict))
    return verdict_path, report_path


def discard_verdict(folder: Path) -> None:
    """Remove the verdict of an earlier run, and its logs. Raises OutputError if that cannot be done."""
    logs = folder / LOGS_NAME
    if logs.is_symlink():  # of a change: the logs would be written to wherever it leads
        logs.unlink()
    shutil.rmtree(logs, ignore_errors=True)
    for name in (VERDICT_NAME, REPORT_NAME, CHANGED_AWARDS_NAME, JUNIT_NAME, ALERTS_NAME):
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(
                f"the verdict of an earlier run cannot be removed ({error.strerror})",
                "name a folder that you may write to in reports.folder, or with --reports",
                path=folder / name,
            ) from error


def leave_error_verdict(
    effective: EffectiveSettings, edges: Edges, error: SbirGateError, base: str = ""
) -> None:
    """Write the verdict `error`, called with this `base`; where something broke, the history remembers it."""
    settings = effective.settings
    file = name_from(Path.cwd(), effective.file)
    call = Call(enricher_name(settings.enricher.command), file, base, overrides(effective))
    verdict, alerts = leave_error(settings.reports.folder, settings.gate.name, edges, error, call)
    if error.exit_status is ExitStatus.BROKEN:  # a slip of the hand is nothing to remember
        keep_error(verdict, edges.machine(), edges.source(), settings, alerts)


def leave_error(
    folder: Path, gate: str, edges: Edges, error: SbirGateError, call: Call | None = None
) -> tuple[Verdict, AlertList]:
    """Write verdict (`error`), report and alerts to the folder of reports; return verdict and alerts."""
    source = edges.source()
    verdict = Verdict(
        gate=gate,
        outcome=Outcome.ERROR,
        findings=tuple(error_findings(error)),
        changes=(),
        records=RecordChanges(),
        head_started_at=edges.now().replace(microsecond=0),
        head_commit=source.commit,
        call=call,
    )
    alerts = alerts_of(verdict, source.branch, None)
    write_verdict(folder, None, verdict, edges.subject)
    save_alerts(folder / ALERTS_NAME, alerts)
    return verdict, alerts


def error_findings(error: SbirGateError) -> Iterator[Finding]:
    """Yield a finding for each fault, with the place of those of settings, and notes on what to do."""
    error.seen_from(Path.cwd())
    for fault in error.faults:
        is_file = fault.path and not isinstance(error, ConfigurationError)
        place = Place(fault.path, fault.line or 0) if is_file else place_of(fault.place)
        yield Finding(Rule.ERROR, Severity.FAIL, place=place, facts=error.facts_of(fault))
    yield from map(recorded, getattr(error, "__notes__", ()))
