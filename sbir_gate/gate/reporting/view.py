"""One view of a verdict: all that a report shows, already worded, for every channel.

Everything that comes from data has been through `plain`; a channel only has to escape it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sbir_gate.gate.reporting.improvements import gain_words, improvement_line
from sbir_gate.gate.reporting.messages import limit_text, texts
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.policy_view import (
    PolicyBanner,
    WaiverRow,
    policy_banner,
    policy_words,
    waiver_rows,
)
from sbir_gate.gate.reporting.quantities import (
    NO_CHANGE,
    NOTHING,
    bar,
    judged_difference,
    quantity,
    rate,
    relative_change,
)
from sbir_gate.gate.reporting.records_view import (
    AwardList,
    SliceRow,
    award_lists,
    kept_lines,
    records_line,
    slice_rows,
)
from sbir_gate.model.finding import Rule, Severity
from sbir_gate.model.moments import moment_text
from sbir_gate.model.run import Run, Timing
from sbir_gate.model.verdict import Change, Outcome, Verdict, not_judged

MAX_REASONS = 50

_NAME_CHARACTERS = 80
_ID_CHARACTERS = 60
_COMMIT_CHARACTERS = 12

_ROW_ORDER = (Severity.FAIL, Severity.WARN, Severity.INCONCLUSIVE, Severity.OK, Severity.INFO)

SYMBOLS = {
    Severity.FAIL: "❌",
    Severity.WARN: "⚠️",
    Severity.INCONCLUSIVE: "❔",
    Severity.OK: "✅",
    Severity.INFO: "·",
}

OUTCOMES = {
    Outcome.PASS: ("✅", "Nothing got worse beyond its limit"),
    Outcome.WARN: ("⚠️", "Worse, but not beyond what may pass"),
    Outcome.FAIL: ("❌", "Worse than may pass"),
    Outcome.INCONCLUSIVE: ("❔", "The measurements are too noisy to tell"),
    Outcome.INCOMPARABLE: ("🚫", "Nothing was compared: the reference is not comparable"),
    Outcome.NO_BASELINE: ("🆕", "Nothing to compare with yet; the absolute limits hold"),
    Outcome.ERROR: ("💥", "The benchmark did not finish"),
}

_TIMINGS = {Timing.ENGINE_UNCHANGED: "; engine unchanged", Timing.QUICK: ""}


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric, ready to print; `severity` is for colours, `symbol` stands for it in Markdown."""

    symbol: str
    severity: Severity
    metric: str
    reference: str
    head: str
    delta: str
    change: str
    limit: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class StratumRow:
    """Quality within one slice of the awards."""

    dimension: str
    value: str
    awards: str
    links: str
    match_rate: str
    precision: str
    recall: str


@dataclass(frozen=True, slots=True)
class ReliabilityRow:
    """How sure the links of one bin were said to be, and how often they were right."""

    confidence: str
    count: str
    said: str
    right: str
    bar: str


@dataclass(frozen=True, slots=True)
class View:
    """A report, before it takes the shape of a channel. `rows` are gated, worst first.

    `more_rows` says how many of the rows are left out, empty if none. `steady_title` is what is said of the
    rows that show no change. `improvement` says what got better where that is not the headline. `kept` are
    changes of awards whose link is the same. `own_rows` are of head's own fixture, where it was judged on the
    base's.
    """

    gate: str
    outcome: Outcome
    symbol: str
    headline: str
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    rows: tuple[MetricRow, ...]
    info_rows: tuple[MetricRow, ...]
    records: str
    award_lists: tuple[AwardList, ...]
    quality: tuple[Fact, ...]
    strata: tuple[StratumRow, ...]
    reliability: tuple[ReliabilityRow, ...]
    environment: tuple[Fact, ...]
    banner: PolicyBanner | None = None
    waivers: tuple[WaiverRow, ...] = ()
    slices: tuple[SliceRow, ...] = ()
    improvement: str = ""
    kept: tuple[str, ...] = ()
    own_rows: tuple[MetricRow, ...] = ()
    more_rows: str = ""
    steady_title: str = ""

    @property
    def moved_rows(self) -> tuple[MetricRow, ...]:
        """The rows that somebody has to see: what is worse or unsure, and what changed for the better."""
        return tuple(row for row in self.rows if not _is_steady(row))

    @property
    def steady_rows(self) -> tuple[MetricRow, ...]:
        """The rows within their limits that show no change."""
        return tuple(row for row in self.rows if _is_steady(row))


def build_view(run: Run | None, verdict: Verdict) -> View:
    """Return the view of a verdict; without the Run that it judges, without quality and machine."""
    symbol, headline = OUTCOMES[verdict.outcome]
    better = improvement_line(verdict)
    is_headline = verdict.outcome is Outcome.PASS
    headline = better if better and is_headline else headline
    ordered = sorted(verdict.changes, key=lambda change: _ROW_ORDER.index(change.severity))
    return View(
        gate=plain(verdict.gate, _NAME_CHARACTERS),
        outcome=verdict.outcome,
        symbol=symbol,
        headline=f"{headline}{gain_words(verdict)}{not_judged_words(verdict)}",
        improvement="" if is_headline else better,
        reasons=_capped(texts(verdict.deciding)),
        notes=_capped((*_hints(verdict), *texts(verdict.notes))),
        rows=tuple(_metric_row(change) for change in ordered if change.severity is not Severity.INFO),
        info_rows=tuple(_metric_row(change) for change in ordered if change.severity is Severity.INFO),
        records=records_line(verdict.records),
        award_lists=award_lists(verdict.records),
        quality=_quality_facts(run) if run else (),
        strata=_strata(run) if run else (),
        reliability=_reliability(run) if run else (),
        environment=(*_verdict_facts(verdict), *(_environment_facts(run) if run else ())),
        banner=policy_banner(verdict),
        waivers=waiver_rows(verdict),
        slices=slice_rows(verdict.records),
        own_rows=tuple(map(_metric_row, verdict.own_fixture_changes)),
        kept=kept_lines(verdict.records),
        steady_title=_steady_title(verdict),
    )


def not_judged_words(verdict: Verdict) -> str:
    """Return what a headline adds for what was not judged: "; time not judged". Empty if all was."""
    if verdict.timing is not Timing.MEASURED:
        return f"{_TIMINGS[verdict.timing]}; time not judged"
    blind = [plain(kind, _NAME_CHARACTERS) for kind in not_judged(verdict.changes)]
    return f"; {' and '.join(blind)} not judged" if blind else ""


def _steady_title(verdict: Verdict) -> str:
    """Return what is true of the rows that show no change; without a reference nothing was compared."""
    if any(change.reference is not None for change in verdict.changes):
        return "metrics within their limits, without a change"
    return "metrics measured, none compared: only absolute limits were judged"


def _is_steady(row: MetricRow) -> bool:
    return row.severity is Severity.OK and row.change in {NO_CHANGE, NOTHING}


def _capped(lines: Sequence[str]) -> tuple[str, ...]:
    shown = tuple(plain(line) for line in lines[:MAX_REASONS])
    return (*shown, f"and {len(lines) - MAX_REASONS:,} more") if len(lines) > MAX_REASONS else shown


def _hints(verdict: Verdict) -> tuple[str, ...]:
    """Return what to do where there is no verdict at all."""
    errors = [finding for finding in verdict.findings if finding.rule is Rule.ERROR]
    return tuple(dict.fromkeys(str(error.facts["hint"]) for error in errors if error.facts.get("hint")))


def _limit_cell(change: Change) -> str:
    """Return the limits that decided; without any, all of them."""
    if not change.is_sound:
        return "must be sound"
    if not change.is_measured:
        return "not judged"
    return ", ".join(map(limit_text, change.broken or change.limits)) or NOTHING


def _metric_row(change: Change) -> MetricRow:
    unit = plain(change.unit, _ID_CHARACTERS)
    return MetricRow(
        symbol=SYMBOLS[change.severity],
        severity=change.severity,
        metric=_metric_name(change),
        reference=quantity(change.reference, unit),
        head=quantity(change.head, unit),
        delta=judged_difference(change, unit),
        change=relative_change(change),
        limit=_limit_cell(change),
    )


def _metric_name(change: Change) -> str:
    name = plain(change.metric, _NAME_CHARACTERS)
    old = plain(change.renamed_from, _NAME_CHARACTERS)
    return f"{name} (was {old})" if old else name


def _quality_facts(run: Run) -> tuple[Fact, ...]:
    quality = run.quality
    methods = ", ".join(
        f"{plain(method, _ID_CHARACTERS)} {count:,}"
        for method, count in sorted(quality.links_by_method.items())
    )
    facts = [
        Fact(
            "links", f"{quality.links:,} of {quality.awards:,} awards (match rate {quality.match_rate:.4f})"
        ),
        Fact("by method", plain(methods) or NOTHING),
    ]
    if quality.labelled is not None or not run.has_truth:
        facts.append(Fact("labels", f"{quality.labelled or 0:,} of {quality.awards:,} awards labelled"))
    rates = (
        ("precision", quality.precision),
        ("recall", quality.recall),
        ("F1", quality.f1),
        ("blocking recall", quality.blocking_recall),
        ("scoring recall", quality.scoring_recall),
        ("calibration error", quality.calibration_error),
    )
    return (*facts, *(Fact(name, f"{value:.4f}") for name, value in rates if value is not None))


def _strata(run: Run) -> tuple[StratumRow, ...]:
    return tuple(
        StratumRow(
            dimension=plain(stratum.dimension, _ID_CHARACTERS),
            value=plain(stratum.value, _ID_CHARACTERS),
            awards=f"{stratum.awards:,}",
            links=f"{stratum.links:,}",
            match_rate=rate(stratum.match_rate),
            precision=rate(stratum.precision),
            recall=rate(stratum.recall),
        )
        for stratum in run.quality.strata
    )


def _reliability(run: Run) -> tuple[ReliabilityRow, ...]:
    return tuple(
        ReliabilityRow(
            confidence=f"{bin_.low:.2f} to {bin_.high:.2f}",
            count=f"{bin_.count:,}",
            said=rate(bin_.mean_confidence),
            right=rate(bin_.share_right),
            bar=bar(bin_.share_right),
        )
        for bin_ in run.quality.reliability
        if bin_.count
    )


def _verdict_facts(verdict: Verdict) -> tuple[Fact, ...]:
    facts = [Fact("head", _moment(verdict.head_started_at, verdict.head_commit))]
    if verdict.reference_started_at:
        facts.append(Fact("reference", _moment(verdict.reference_started_at, verdict.reference_commit)))
    if verdict.policy_commit:
        facts.append(Fact("policy", policy_words(verdict)))
    return tuple(facts)


def _moment(started_at: datetime, commit: str) -> str:
    words = moment_text(started_at)
    return f"{words}, commit {plain(commit[:_COMMIT_CHARACTERS])}" if commit else words


def _environment_facts(run: Run) -> tuple[Fact, ...]:
    machine, fixture = run.machine, run.fixture
    calibration = f"{median(run.calibration_seconds):.4g} s" if run.calibration_seconds else "not timed"
    size = f"{machine.cores} cores, {machine.memory_mib:,} MiB"
    facts = {
        "branch": run.source.branch + (" (with changes not committed)" if run.source.is_dirty else ""),
        "machine": f"{machine.cpu_model}, {size}, {machine.system}",
        "Python": machine.python_version,
        "calibration workload": calibration,
        "fixture": f"{fixture.awards:,} awards, {fixture.fingerprint[:12]}",
        "enricher": run.enricher,
        "settings file": run.settings_file,
        "repeats": str(len(run.samples)),
        "sbir-gate": run.tool_version,
    }
    notes = sorted(run.engine_notes.items())
    return tuple(
        Fact(plain(name, _NAME_CHARACTERS), plain(value)) for name, value in (*facts.items(), *notes) if value
    )
