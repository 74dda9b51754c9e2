"""The headline: outcome and the one reason that matters; beside it the figures, and what was not judged."""

from __future__ import annotations

from collections.abc import Iterator

from sbir_gate.gate.reporting.awards_view import awards_phrase, outcome_of_awards
from sbir_gate.gate.reporting.improvements import gain_words, harmless_words, improvement_words
from sbir_gate.gate.reporting.judgement import awards_limit, limit_text, messages, own_findings
from sbir_gate.gate.reporting.messages import short_text
from sbir_gate.gate.reporting.metric_names import metric_name
from sbir_gate.gate.reporting.metric_rows import change_phrase, ranked
from sbir_gate.gate.reporting.plain_text import cut, plain
from sbir_gate.gate.reporting.quantities import (
    NO_CHANGE,
    NOTHING,
    change_text,
    difference,
    percent_text,
    quantity,
    rate,
)
from sbir_gate.model.finding import Severity
from sbir_gate.model.run import MetricKind, PopulationRate, Run, Timing
from sbir_gate.model.verdict import (
    Change,
    Direction,
    Outcome,
    Verdict,
    kind_of,
    not_judged,
)

JOINT = " · "
USUAL_GATE = "enrichment"
MAX_COLUMNS = 120

MARKS = {
    Outcome.PASS: "✅",
    Outcome.WARN: "⚠️",
    Outcome.FAIL: "❌",
    Outcome.INCONCLUSIVE: "❓",
    Outcome.INCOMPARABLE: "🚫",
    Outcome.NO_BASELINE: "🆕",
    Outcome.ERROR: "💥",
}
_LABELS = {Outcome.NO_BASELINE: "no baseline yet"}
_NOT_TIMED = {
    Timing.ENGINE_UNCHANGED: "Time and memory were not measured: the engine is unchanged",
    Timing.QUICK: "Time and memory were not measured: this was a quick run",
}
_SEVERITIES = {
    Outcome.FAIL: Severity.FAIL,
    Outcome.INCONCLUSIVE: Severity.INCONCLUSIVE,
    Outcome.WARN: Severity.WARN,
}
_COSTS = {"wall_seconds": "time", "peak_rss_mib": "memory"}
_NAME_CHARACTERS = 80


def product(gate: str) -> str:
    """Return what a headline begins with: the gate is named where it is not the usual one."""
    name = plain(gate, _NAME_CHARACTERS)
    return "sbir-gate" if name == USUAL_GATE else f"sbir-gate {name}"


def headline(verdict: Verdict) -> str:
    """Return "fail · 7 awards lost a correct link (limit 5)", in at most MAX_COLUMNS."""
    label = _LABELS.get(verdict.outcome, verdict.outcome.value)
    reason = f"{_reason(verdict)}{gain_words(verdict)}{_not_judged_words(verdict)}"
    return cut(f"{label}{JOINT}{reason}", MAX_COLUMNS) if reason else label


def _reason(verdict: Verdict) -> str:
    """Return the one reason that matters: a fault, then the awards, then the metrics."""
    if verdict.outcome is Outcome.PASS:
        return _good_news(verdict)
    if verdict.outcome is Outcome.NO_BASELINE:
        return "absolute limits met"
    severity = _SEVERITIES.get(verdict.outcome)
    own, reasons = own_findings(verdict), messages(verdict.deciding)
    has_fault = any(finding.severity is Severity.FAIL and finding.waiver is None for finding in own)
    if severity is None or (severity is Severity.FAIL and has_fault):
        return next(iter([*map(short_text, own), *reasons]), "")
    if verdict.records.severity is severity:
        return awards_phrase(verdict.records, awards_limit(verdict))
    worst = [change for change in ranked(verdict.changes) if change.severity is severity]
    if worst and severity is Severity.INCONCLUSIVE:
        return _doubt_phrase(worst[0])
    return change_phrase(worst[0]) if worst else (reasons[0] if reasons else "")


def _good_news(verdict: Verdict) -> str:
    better = improvement_words(verdict) or harmless_words(verdict)
    if better or not verdict.reference_started_at:
        return better or "all limits met"
    return outcome_of_awards(verdict.records)


def _doubt_phrase(change: Change) -> str:
    """Return how bad the metric may be: "Wall time may be up to 140% higher (limit +25%)"."""
    name, limit = metric_name(change.metric), limit_text(change)
    is_lower_better = change.direction is Direction.LOWER_IS_BETTER
    worst = change.ratio_high if is_lower_better else change.ratio_low
    if worst is None:
        return f"{name} could not be judged (limit {limit})"
    reach = f"{percent_text((worst - 1) * 100)} {'higher' if is_lower_better else 'lower'}"
    return f"{name} may be up to {reach} (limit {limit})"


def _not_judged_words(verdict: Verdict) -> str:
    if verdict.timing is not Timing.MEASURED:
        unchanged = "; engine unchanged" if verdict.timing is Timing.ENGINE_UNCHANGED else ""
        return f"{unchanged}; time not judged"
    blind = [plain(kind, _NAME_CHARACTERS) for kind in not_judged(verdict.changes)]
    return f"; {' and '.join(blind)} not judged" if blind else ""


def blind_lines(verdict: Verdict) -> tuple[str, ...]:
    """Return what was not judged, and what that may hide, a line for each kind of metric."""
    if verdict.timing is not Timing.MEASURED:
        return (_NOT_TIMED[verdict.timing],)
    lines = []
    for kind in not_judged(verdict.changes):
        hidden = [
            change for change in ranked(verdict.changes) if not change.is_judged and kind_of(change) == kind
        ]
        known = [change for change in hidden if change.ratio_high is not None] or hidden
        name = plain(kind, _NAME_CHARACTERS).capitalize()
        lines.append(f"{name} was not judged: {_doubt_phrase(known[0])}")
    return tuple(lines)


def figures(run: Run | None, verdict: Verdict) -> tuple[str, ...]:
    """Return the main figures: awards linked, of all awards too, links lost, precision, time and memory."""
    if verdict.outcome is Outcome.ERROR:
        return ()
    changes = {change.metric: change for change in verdict.changes}
    return tuple(_figures(run, verdict, changes))


def _figures(run: Run | None, verdict: Verdict, changes: dict[str, Change]) -> Iterator[str]:
    match_rate = changes.get("match_rate")
    if match_rate is not None and match_rate.head is not None:
        text = f"match rate {rate(match_rate.head)}{_rate_change(match_rate)}"
        if run is not None:
            text = f"{run.quality.links:,} of {run.quality.awards:,} awards linked ({text})"
        yield text
    # without an interval nothing is estimated: the fixture is all awards
    if verdict.population is not None and verdict.population.low < verdict.population.high:
        yield f"of all awards {population_text(verdict.population)}"
    if verdict.reference_started_at and verdict.outcome is not Outcome.INCOMPARABLE:
        yield outcome_of_awards(verdict.records)
    precision = changes.get("precision")
    if precision is not None and precision.head is not None:
        yield f"precision {rate(precision.head)}{_rate_change(precision, is_short=True)}"
    for metric, label in _COSTS.items():
        change = changes.get(metric)
        if change is not None and change.head is not None:
            yield f"{label} {_cost(change)}"


def population_text(found: PopulationRate) -> str:
    """Return the estimate for all awards with its interval: "0.842 [0.815, 0.866]"."""
    return f"{rate(found.rate)} [{rate(found.low)}, {rate(found.high)}]"


def _rate_change(change: Change, *, is_short: bool = False) -> str:
    """Return ", +0.70 pp" or ", unchanged"; `is_short` leaves the latter out."""
    if change.delta is None:
        return ""
    if change_text(change) in {NO_CHANGE, NOTHING}:
        return "" if is_short else ", unchanged"
    text = difference(change.delta, change.unit)
    return f" ({text})" if is_short else f", {text}"


def _cost(change: Change) -> str:
    if change.ratio is None or change.kind is MetricKind.EXACT:
        return quantity(change.head, plain(change.unit, _NAME_CHARACTERS))
    return change_text(change, is_shown=True)
