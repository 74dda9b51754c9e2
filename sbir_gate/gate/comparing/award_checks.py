"""The checks before anything is matched: enough awards that can be matched, none twice, and recipients."""

from __future__ import annotations

from sbir_gate.gate.comparing.wording import counted, number_text
from sbir_gate.model.asset_check import AssetCheck, CheckFinding
from sbir_gate.model.records import AwardTable
from sbir_gate.model.verdict import Severity

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
    return CheckFinding(RECIPIENTS.name, severity, fault or "a first row of them could be read")


def _pass_rate(table: AwardTable, max_reject_percent: float) -> CheckFinding:
    rows = table.awards + table.rejects
    percent = 100 * table.awards / rows if rows else 0.0
    least = 100 - max_reject_percent
    is_enough = table.awards > 0 and percent >= least
    words = f"{table.awards:,} of {counted(rows, 'row')} could be read ({number_text(percent)} %)"
    first = f": {table.reject_examples[0]}" if table.reject_examples else ""
    return CheckFinding(
        PASS_RATE.name,
        Severity.OK if is_enough else Severity.FAIL,
        words if is_enough else f"{words}, at least {number_text(least)} % must be{first}",
        metric="pass_rate",
        value=percent,
        unit="%",
        limit=f"minimum {number_text(least)}",
        facts={"awards": table.awards, "rejects": table.rejects},
        examples=table.reject_examples,
    )


def _completeness(table: AwardTable, min_complete_percent: float) -> CheckFinding:
    percent = 100 * table.complete / table.awards if table.awards else 0.0
    is_enough = table.awards > 0 and percent >= min_complete_percent
    words = (
        f"{table.complete:,} of {counted(table.awards, 'award')} can be matched ({number_text(percent)} %)"
    )
    return CheckFinding(
        COMPLETENESS.name,
        Severity.OK if is_enough else Severity.FAIL,
        words if is_enough else f"{words}, at least {number_text(min_complete_percent)} % must be",
        metric="complete",
        value=percent,
        unit="%",
        limit=f"minimum {number_text(min_complete_percent)}",
        facts={
            "complete": table.complete,
            "named": table.named,
            "identified": table.identified,
            "awards": table.awards,
        },
    )


def _uniqueness(table: AwardTable) -> CheckFinding:
    doubled = table.awards - table.distinct_ids
    severity, words = Severity.OK, f"{counted(table.distinct_ids, 'award id')}, none twice"
    if table.repeated_ids:
        severity = Severity.WARN
        words = f"the source repeats {counted(table.repeated_ids, 'award id')}; each repeat was given its own"
    if doubled:
        severity, words = Severity.FAIL, f"{counted(doubled, 'award')} with an id that another has"
    return CheckFinding(
        UNIQUENESS.name,
        severity,
        words,
        metric="doubled_ids",
        value=float(doubled),
        unit="count",
        limit="maximum 0",
        facts={"distinct_ids": table.distinct_ids, "repeated_ids": table.repeated_ids},
    )
