"""What breaks a limit and passes: the base breaks it too, or a fall in links harms no award."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from statistics import median

from sbir_gate.gate.comparing.limits import absolute_findings, relative_findings
from sbir_gate.gate.comparing.ratios import RELATIVE_TOLERANCE, Pair, Ratio, exact_ratio
from sbir_gate.model.finding import Excuse, Fact, Finding, Rule, Severity
from sbir_gate.model.verdict import Direction, MetricLimit
from sbir_gate.model.waiver import NEVER_WAIVED

# Absolute limits that hold although the base breaks them too: what says that the enricher did its work, and
# the threshold of the match rate.
ALWAYS_HELD = NEVER_WAIVED | {"records", "match_rate", "population_match_rate"}

Findings = tuple[Finding, ...]


def excused(
    limit: MetricLimit,
    pair: Pair,
    ratio: Ratio,
    absolute: Findings,
    relative: Findings,
    harmless: float | None,
) -> tuple[Findings, Excuse | None, Ratio]:
    """Return the findings, milder where there is an excuse, the excuse, and the ratio that is judged.

    `harmless` is head's value without what did no harm (`judged_values`), None where all of a change counts.
    """
    excuse = None
    now, before = median(pair.head), median(pair.reference)
    if absolute and _is_already_so(limit, ratio, before):
        excuse = Excuse.ALREADY_SO
        absolute = tuple(replace(each, severity=Severity.WARN, excuse=excuse) for each in absolute)
    if relative and harmless is not None:
        judged = exact_ratio(Pair(pair.name, (harmless,), pair.reference))
        harmful = relative_findings(limit, judged, now, before)
        left: Mapping[str, Fact] = {"worsened_value": harmless}
        if not harmful:
            excuse = excuse or Excuse.HARMLESS
            is_nothing = harmless >= before * (1 - RELATIVE_TOLERANCE)
            note = replace(relative[0], rule=Rule.HARMLESS, severity=Severity.INFO)
            relative = (_excused(note, Excuse.HARMLESS, {} if is_nothing else left),)
        elif harmful[0].severity is not relative[0].severity:
            excuse, ratio = Excuse.PARTLY_HARMLESS, judged
            relative = (_excused(harmful[0], excuse, left),)
    return (*absolute, *relative), excuse, ratio


def _excused(finding: Finding, excuse: Excuse, facts: Mapping[str, Fact]) -> Finding:
    return replace(finding, excuse=excuse, facts={**finding.facts, **facts})


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
