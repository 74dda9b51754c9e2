"""One view of a verdict: all that a report shows, already worded, for every channel.

Everything that comes from data has been through `plain`; a channel only has to escape it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from sbir_gate.model.run import Run
from sbir_gate.model.verdict import AwardChange, Change, Outcome, RecordChanges, Severity, Verdict
from sbir_gate.reporting.plain_text import plain
from sbir_gate.reporting.quantities import NOTHING, bar, difference, quantity, rate, relative_change

MAX_AWARDS_LISTED = 50
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

_OUTCOMES = {
    Outcome.PASS: ("✅", "Nothing got worse beyond its limit"),
    Outcome.WARN: ("⚠️", "Worse, but not beyond what may pass"),
    Outcome.FAIL: ("❌", "Worse than may pass"),
    Outcome.INCONCLUSIVE: ("❔", "The measurements are too noisy to tell"),
    Outcome.INCOMPARABLE: ("🚫", "The reference measured something else, so nothing was compared"),
    Outcome.NO_BASELINE: ("🆕", "Nothing to compare with yet; the absolute limits hold"),
    Outcome.ERROR: ("💥", "The benchmark did not finish"),
}


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
class AwardRow:
    """One award whose link differs; `truth` says what became of it, empty where nobody knows."""

    award_id: str
    firm_name: str
    before: str
    after: str
    truth: str


@dataclass(frozen=True, slots=True)
class AwardList:
    """Awards under one title; `more` says how many are not listed, empty if none."""

    title: str
    rows: tuple[AwardRow, ...]
    more: str


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

    `sensitivity` says which regressions of the gated noisy metrics could be seen; empty if there is none.
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
    sensitivity: str = ""


def build_view(run: Run | None, verdict: Verdict) -> View:
    """Return the view of a verdict; without the Run that it judges, without quality and machine."""
    symbol, headline = _OUTCOMES[verdict.outcome]
    ordered = sorted(verdict.changes, key=lambda change: _ROW_ORDER.index(change.severity))
    return View(
        gate=plain(verdict.gate, _NAME_CHARACTERS),
        outcome=verdict.outcome,
        symbol=symbol,
        headline=headline,
        reasons=_capped(verdict.reasons),
        notes=_capped(verdict.notes),
        rows=tuple(_metric_row(change) for change in ordered if change.severity is not Severity.INFO),
        info_rows=tuple(_metric_row(change) for change in ordered if change.severity is Severity.INFO),
        records=_records_line(verdict.records),
        award_lists=_award_lists(verdict.records),
        quality=_quality_facts(run) if run else (),
        strata=_strata(run) if run else (),
        reliability=_reliability(run) if run else (),
        environment=(*_verdict_facts(verdict), *(_environment_facts(run) if run else ())),
        sensitivity=_sensitivity_line(ordered),
    )


def _capped(lines: Sequence[str]) -> tuple[str, ...]:
    shown = tuple(plain(line) for line in lines[:MAX_REASONS])
    return (*shown, f"and {len(lines) - MAX_REASONS:,} more") if len(lines) > MAX_REASONS else shown


def _metric_row(change: Change) -> MetricRow:
    unit = plain(change.unit, _ID_CHARACTERS)
    return MetricRow(
        symbol=SYMBOLS[change.severity],
        severity=change.severity,
        metric=plain(change.metric, _NAME_CHARACTERS),
        reference=quantity(change.reference, unit),
        head=quantity(change.head, unit),
        delta=difference(change.delta, unit),
        change=relative_change(change),
        limit=plain(change.limit) or NOTHING,
    )


def _sensitivity_line(changes: Sequence[Change]) -> str:
    shown = [
        f"{plain(change.metric, _NAME_CHARACTERS)} {change.smallest_detectable * 100:.1f} %"
        for change in changes
        if change.severity is not Severity.INFO and change.smallest_detectable is not None
    ]
    return f"Smallest regression that could be seen: {', '.join(shown)}" if shown else ""


def _records_line(records: RecordChanges) -> str:
    if not (records.lost or records.gained or records.relinked or records.worsened or records.improved):
        return ""
    return (
        f"{len(records.lost):,} lost, {len(records.gained):,} gained, {len(records.relinked):,} re-linked; "
        f"{records.worsened:,} worsened, {records.improved:,} improved "
        f"(exact McNemar test: p = {records.mcnemar_p:.2g})"
    )


def _award_lists(records: RecordChanges) -> tuple[AwardList, ...]:
    titled = (("Lost", records.lost), ("Re-linked", records.relinked), ("Gained", records.gained))
    return tuple(
        AwardList(
            title=f"{title} links ({len(changes):,})",
            rows=tuple(_award_row(change) for change in changes[:MAX_AWARDS_LISTED]),
            more=f"and {len(changes) - MAX_AWARDS_LISTED:,} more" if len(changes) > MAX_AWARDS_LISTED else "",
        )
        for title, changes in titled
        if changes
    )


def _award_row(change: AwardChange) -> AwardRow:
    return AwardRow(
        award_id=plain(change.award_id, _ID_CHARACTERS),
        firm_name=plain(change.firm_name, _NAME_CHARACTERS) or NOTHING,
        before=_link_words(change.before_recipient_id, change.before_method),
        after=_link_words(change.after_recipient_id, change.after_method),
        truth=_truth_words(change.was_right, change.is_right),
    )


def _link_words(recipient_id: str, method: str) -> str:
    words = plain(method, _ID_CHARACTERS)
    return f"{plain(recipient_id, _ID_CHARACTERS)} ({words})" if recipient_id else words or NOTHING


def _truth_words(was_right: bool | None, is_right: bool | None) -> str:
    if was_right is None or is_right is None:
        return NOTHING
    if was_right == is_right:
        return "right before and now" if is_right else "not right, before or now"
    return "now right" if is_right else "no longer right"


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
    return tuple(facts)


def _moment(started_at: str, commit: str) -> str:
    words = plain(started_at, _ID_CHARACTERS)
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
        "repeats": str(len(run.samples)),
        "sbir-gate": run.tool_version,
    }
    notes = sorted(run.engine_notes.items())
    return tuple(
        Fact(plain(name, _NAME_CHARACTERS), plain(value)) for name, value in (*facts.items(), *notes) if value
    )
