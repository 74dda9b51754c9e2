"""What breaks a limit and passes: the base breaks it too, or a fall in links harms no award."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from sbir_gate.gate.comparing.limits import absolute_findings, relative_findings
from sbir_gate.gate.comparing.ratios import RELATIVE_TOLERANCE, Pair, Ratio, exact_ratio
from sbir_gate.model.finding import Excuse, Finding, Rule, Severity
from sbir_gate.model.verdict import Direction, MetricLimit
from sbir_gate.model.waiver import NEVER_WAIVED

# Absolute limits that hold although the base breaks them too: what says that the enricher did its work, and
# the threshold of the match rate.
ALWAYS_HELD = NEVER_WAIVED | {"records", "match_rate"}

Findings = tuple[Finding, ...]


def excused(
    limit: MetricLimit,
    pair: Pair,
    ratio: Ratio,
    absolute: Findings,
    relative: Findings,
    harmless: float | None,
) -> tuple[Findings, Excuse | None]:
    """Return the findings, milder where there is an excuse, and the excuse.

    `harmless` is head's value without what did no harm (`judged_values`), None where all of a change counts.
    """
    excuse = None
    before = median(pair.reference)
    if absolute and _is_already_so(limit, ratio, before):
        excuse = Excuse.ALREADY_SO
        absolute = tuple(map(_already_so, absolute))
    if relative and harmless is not None:
        judged = exact_ratio(Pair(pair.name, (harmless,), pair.reference))
        harmful = relative_findings(limit, judged, harmless, before)
        if not harmful:
            excuse = excuse or Excuse.HARMLESS
            relative = (_harmless(relative[0], harmless, before),)
        elif harmful[0].severity is not relative[0].severity:
            relative = (_counted(harmful[0]),)
    return (*absolute, *relative), excuse


def _harmless(finding: Finding, harmless: float, before: float) -> Finding:
    """Return the finding as a note; `worsened_value` is what is left of the change, None for nothing."""
    is_nothing = harmless >= before * (1 - RELATIVE_TOLERANCE)
    left = {} if is_nothing else {"worsened_value": harmless}
    return replace(
        finding,
        rule=Rule.HARMLESS,
        severity=Severity.INFO,
        excuse=Excuse.HARMLESS,
        facts={**finding.facts, **left},
    )


def _counted(finding: Finding) -> Finding:
    return replace(finding, facts={**finding.facts, "counts_only_worsened": 1})


def _is_already_so(limit: MetricLimit, ratio: Ratio, reference: float) -> bool:
    """Say whether the reference breaks the absolute limits too, and head is not worse than it.

    A team can then adopt the gate and improve towards a limit. Noise is not held against head.
    """
    if limit.name in ALWAYS_HELD or not absolute_findings(limit, reference):
        return False
    towards_worse = 1 if limit.direction is Direction.LOWER_IS_BETTER else -1
    is_worse = ratio.judged_delta * towards_worse > 0
    is_noise = ratio.low is not None and not ratio.is_significant
    return not is_worse or is_noise


def _already_so(finding: Finding) -> Finding:
    return replace(finding, severity=Severity.WARN, excuse=Excuse.ALREADY_SO)
