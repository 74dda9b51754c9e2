"""What the findings of a verdict add to its rows: limits, reasons without a row of their own, and notes."""

from __future__ import annotations

from collections.abc import Iterable

from sbir_gate.gate.reporting.messages import fix, text
from sbir_gate.gate.reporting.plain_text import plain, plain_line
from sbir_gate.gate.reporting.quantities import MINUS, NOTHING, p_value_text, percent_text, plain_quantity
from sbir_gate.model.finding import ABSOLUTE, Finding, LimitKind, OnFixture, Rule, Severity
from sbir_gate.model.verdict import Change, Direction, Limit, Verdict

OPEN = frozenset({Severity.FAIL, Severity.WARN, Severity.INCONCLUSIVE})

_UNIT_CHARACTERS = 60
_SIGNS = {LimitKind.MINIMUM: "\N{GREATER-THAN OR EQUAL TO}", LimitKind.MAXIMUM: "\N{LESS-THAN OR EQUAL TO}"}
# with these a message says more than the row of the metric
_TELLING_FACTS = frozenset({"examples", "recipient_ids", "ids_are_floats", "ids_are_padded"})


def limit_text(change: Change) -> str:
    """Return the limits that decided about the metric, else those that it has; a dash for none."""
    if not change.is_measured:
        return "not judged"
    limits = change.broken or change.limits
    if not change.broken and any(limit.kind is LimitKind.FAIL for limit in limits):
        limits = tuple(limit for limit in limits if limit.kind is not LimitKind.WARN)
    return ", ".join(_limit_text(limit, change) for limit in limits) or NOTHING


def _limit_text(limit: Limit, change: Change) -> str:
    """Return one limit: "+25%", "≥ 0.700" if absolute, with "(warn)" if it is kept and only warns."""
    is_mild = limit.severity is Severity.WARN and limit not in change.broken
    softness = f" ({limit.severity})" if is_mild else ""
    if limit.kind in ABSOLUTE:
        value = plain_quantity(limit.value, plain(change.unit, _UNIT_CHARACTERS))
        return f"{_SIGNS[limit.kind]} {value}{softness}"
    sign = "+" if change.direction is Direction.LOWER_IS_BETTER else MINUS
    return f"{sign}{percent_text(limit.value)}{softness}"


def limit_value(change: Change) -> float | None:
    """Return the value beyond which the metric fails, in its unit; None where no raw value says so.

    Between machines the multiple of the calibration workload is judged, not the raw value.
    """
    is_lower_better = change.direction is Direction.LOWER_IS_BETTER
    values = [
        limit.value
        if limit.kind in ABSOLUTE
        else (change.reference or 0.0) * (1 + (limit.value if is_lower_better else -limit.value) / 100)
        for limit in (*change.limits, *change.broken)
        if limit.severity is Severity.FAIL
        and (limit.kind in ABSOLUTE or (change.reference is not None and not change.is_calibrated))
    ]
    return (min if is_lower_better else max)(values, default=None)


def breaks_absolute(change: Change) -> bool:
    """Say whether what decided about the metric is an absolute limit."""
    return any(limit.kind in ABSOLUTE for limit in change.broken)


def own_findings(verdict: Verdict) -> tuple[Finding, ...]:
    """Return the findings that no row of a metric and no list of awards says in full."""
    rows = {change.metric for change in verdict.changes if change.severity in OPEN and change.is_sound}
    return tuple(finding for finding in verdict.deciding if not _is_in_a_row(finding, rows))


def own_reasons(verdict: Verdict) -> tuple[str, ...]:
    """Return the messages of `own_findings`, each once."""
    return messages(own_findings(verdict))


def messages(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return the messages of the findings, each once."""
    return tuple(dict.fromkeys(map(text, findings)))


def first_fix(verdict: Verdict) -> str:
    """Return what to do about the first finding that has no row; empty where there is none."""
    return next((fix(finding) for finding in own_findings(verdict) if finding.waiver is None), "")


def awards_limit(verdict: Verdict) -> str:
    """Return the limit that the awards break: how many may worsen, or what chance explains."""
    finding = next((each for each in verdict.findings if each.rule is Rule.AWARDS_WORSENED), None)
    if finding is None or finding.limit is None:
        return NOTHING
    p_value = finding.facts.get("mcnemar_p")
    return f"chance, p = {p_value_text(p_value)}" if isinstance(p_value, float) else f"{finding.limit:,.0f}"


def doubt_of(verdict: Verdict) -> Finding | None:
    """Return the finding that leaves the verdict undecided, None where nothing does."""
    return next((each for each in verdict.findings if each.rule is Rule.POSSIBLE_REGRESSION), None)


def log_of(verdict: Verdict) -> tuple[str, ...]:
    """Return the last lines that a broken enricher printed."""
    logs = (finding.facts.get("log") for finding in verdict.findings if finding.rule is Rule.ERROR)
    log = next((each for each in logs if isinstance(each, tuple)), ())
    return tuple(plain_line(line) for line in log)


def _is_in_a_row(finding: Finding, rows: set[str]) -> bool:
    # of a waiver that reaches, the table of waivers says all
    is_too_small = finding.waiver is not None and finding.severity is Severity.FAIL
    if finding.rule is Rule.AWARDS_WORSENED:
        return not is_too_small
    if finding.rule is Rule.DRIFT or finding.fixture is OnFixture.OWN or finding.metric not in rows:
        return False
    return not (is_too_small or finding.excuse or finding.award_ids or _TELLING_FACTS & finding.facts.keys())
