"""The checks before anything is matched: enough awards that can be matched, none twice, and recipients."""

from __future__ import annotations

from dataclasses import replace

from sbir_gate.model.asset_check import AssetCheck, CheckFinding
from sbir_gate.model.finding import Fact, Finding, LimitKind, Rule, Severity
from sbir_gate.model.records import AwardTable
from sbir_gate.model.verdict import Limit

PASS_RATE = AssetCheck("pass_rate", "Enough of the rows could be read (reading.max_reject_percent).", True)
COMPLETENESS = AssetCheck(
    "completeness",
    "Enough of the awards have what it takes to match them: a firm's name, a UEI or a DUNS"
    " (orchestration.min_complete_percent).",
    True,
)
UNIQUENESS = AssetCheck(
    "uniqueness", "Every award has an id of its own; ids that the source repeats are a warning.", True
)
RECIPIENTS = AssetCheck(
    "recipients",
    "There are recipients to link the awards to: their columns are known, and a row of them can be read.",
    True,
)
_SOUND = (Rule.ROWS_READ, Rule.AWARDS_COMPLETE)

INPUT_CHECKS = (PASS_RATE, COMPLETENESS, UNIQUENESS, RECIPIENTS)


def award_findings(
    table: AwardTable, max_reject_percent: float, min_complete_percent: float
) -> tuple[CheckFinding, ...]:
    """Return the answers to PASS_RATE, COMPLETENESS and UNIQUENESS. No rows at all fail the first two."""
    return (
        _pass_rate(table, max_reject_percent),
        _completeness(table, min_complete_percent),
        _uniqueness(table),
    )


def recipients_finding(fault: str) -> CheckFinding:
    """Return the answer to RECIPIENTS; `fault` is why they cannot be read, empty where they can."""
    severity = Severity.FAIL if fault else Severity.OK
    rule = Rule.RECIPIENTS_UNREADABLE if fault else Rule.RECIPIENTS_READ
    facts: dict[str, Fact] = {"fault": fault} if fault else {}
    return CheckFinding(RECIPIENTS.name, severity, (Finding(rule, severity, facts=facts),))


def _pass_rate(table: AwardTable, max_reject_percent: float) -> CheckFinding:
    rows = table.awards + table.rejects
    percent = 100 * table.awards / rows if rows else 0.0
    least = 100 - max_reject_percent
    is_enough = table.awards > 0 and percent >= least
    facts: dict[str, Fact] = {"awards": table.awards, "rows": rows}
    if table.reject_examples and not is_enough:
        facts["examples"] = table.reject_examples
    rule = Rule.ROWS_READ if is_enough else Rule.ROWS_UNREADABLE
    return replace(
        _of_share(PASS_RATE, "pass_rate", rule, percent, least, facts),
        facts={"awards": table.awards, "rejects": table.rejects},
        examples=table.reject_examples,
    )


def _completeness(table: AwardTable, min_complete_percent: float) -> CheckFinding:
    percent = 100 * table.complete / table.awards if table.awards else 0.0
    is_enough = table.awards > 0 and percent >= min_complete_percent
    rule = Rule.AWARDS_COMPLETE if is_enough else Rule.AWARDS_INCOMPLETE
    counts: dict[str, Fact] = {"complete": table.complete, "awards": table.awards}
    return replace(
        _of_share(COMPLETENESS, "complete", rule, percent, min_complete_percent, counts),
        facts={
            "complete": table.complete,
            "named": table.named,
            "identified": table.identified,
            "awards": table.awards,
        },
    )


def _of_share(
    check: AssetCheck, metric: str, rule: Rule, percent: float, least: float, facts: dict[str, Fact]
) -> CheckFinding:
    """Return the answer about a share of the rows, in percent, that must not be below `least`."""
    severity = Severity.OK if rule in _SOUND else Severity.FAIL
    finding = Finding(
        rule,
        severity,
        metric=metric,
        unit="%",
        measured=percent,
        limit=least,
        limit_kind=LimitKind.MINIMUM,
        facts=facts,
    )
    limits = (Limit(LimitKind.MINIMUM, least),)
    return CheckFinding(
        check.name, severity, (finding,), metric=metric, value=percent, unit="%", limits=limits
    )


def _uniqueness(table: AwardTable) -> CheckFinding:
    doubled = table.awards - table.distinct_ids
    severity, rule, facts = Severity.OK, Rule.IDS_UNIQUE, {"ids": table.distinct_ids}
    if table.repeated_ids:
        severity, rule, facts = Severity.WARN, Rule.IDS_REPEATED, {"ids": table.repeated_ids}
    if doubled:
        severity, rule, facts = Severity.FAIL, Rule.IDS_DOUBLED, {"awards": doubled}
    return CheckFinding(
        UNIQUENESS.name,
        severity,
        (Finding(rule, severity, metric="doubled_ids", measured=float(doubled), facts=dict(facts)),),
        metric="doubled_ids",
        value=float(doubled),
        unit="count",
        limits=(Limit(LimitKind.MAXIMUM, 0.0),),
        facts={"distinct_ids": table.distinct_ids, "repeated_ids": table.repeated_ids},
    )
