"""Metrics that were measured by another definition or method: they are not compared, and the row says so."""

from __future__ import annotations

from dataclasses import replace

from sbir_gate.model.definitions import DEFINITIONS
from sbir_gate.model.finding import Finding, Rule, Severity
from sbir_gate.model.run import BUILT_IN, Measurement, Metric
from sbir_gate.model.verdict import Change, MetricLimit, NotCompared

# what an engine reports or decides; all other metrics are sbir-gate's own
_OF_THE_ENGINE = ("stage_seconds/", "stage_peak_mib/", "work/", "links/")


def definition_obstacle(head: Metric, reference: Metric) -> NotCompared | None:
    """Return why the two values may not be compared, None if they may."""
    if head.version > reference.version:
        return NotCompared.OLDER_DEFINITION
    if head.version < reference.version:
        return NotCompared.NEWER_DEFINITION
    return NotCompared.OTHER_METHOD if head.method != reference.method else None


_RULES = {
    NotCompared.OLDER_DEFINITION: Rule.OLDER_DEFINITION,
    NotCompared.NEWER_DEFINITION: Rule.NEWER_DEFINITION,
    NotCompared.OTHER_METHOD: Rule.OTHER_METHOD,
}


def not_compared_row(
    row: Change, obstacle: NotCompared, head: Metric, reference: Metric
) -> tuple[Change, Finding]:
    """Return the row without a reference, and why; its absolute limits are still to be judged."""
    finding = Finding(
        _RULES[obstacle],
        Severity.INFO,
        metric=row.metric,
        facts={
            "reference_version": reference.version,
            "head_version": head.version,
            "reference_method": reference.method or "unknown",
            "head_method": head.method or "unknown",
        },
    )
    return replace(row, reference=None, not_compared=obstacle), finding


def method_fault(head: Metric, reference: Metric, *, is_paired: bool) -> Finding | None:
    """Return the fault of two sides that were measured in turn, and yet in different ways.

    One machine measures both sides alike: what differs there was brought about by what is measured.
    """
    if not is_paired or (head.version, head.method) == (reference.version, reference.method):
        return None
    return Finding(
        Rule.METHOD_DIFFERS,
        Severity.FAIL,
        metric=head.name,
        facts={"head_method": head.method, "reference_method": reference.method},
    )


def is_retired(name: str, limit: MetricLimit | None, head: Measurement, reference: Measurement) -> bool:
    """Say whether only the reference has the metric because this version of the program measures it no more.

    What an outside engine reports is the engine's: it does not go with a version of this program. Neither
    does what the policy requires.
    """
    if not reference.definitions < head.definitions <= DEFINITIONS:
        return False
    is_own = not name.startswith(_OF_THE_ENGINE) or head.enricher == reference.enricher == BUILT_IN
    return is_own and (limit is None or not limit.is_required)
