"""Metrics that were measured by another definition or method: they are not compared, and the row says so."""

from __future__ import annotations

from dataclasses import replace

from sbir_gate.model.definitions import DEFINITIONS
from sbir_gate.model.run import Measurement, Metric
from sbir_gate.model.verdict import Change, MetricLimit, NotCompared

# what an engine reports of itself, or decides; all other metrics are sbir-gate's own
_OF_THE_ENGINE = ("stage_seconds/", "stage_peak_mib/", "work/", "links/")
_BUILT_IN = "built-in"


def definition_obstacle(head: Metric, reference: Metric) -> NotCompared | None:
    """Return why the two values may not be compared, None if they may."""
    if head.version > reference.version:
        return NotCompared.OLDER_DEFINITION
    if head.version < reference.version:
        return NotCompared.NEWER_DEFINITION
    return NotCompared.OTHER_METHOD if head.method != reference.method else None


def not_compared_row(row: Change, obstacle: NotCompared, head: Metric, reference: Metric) -> Change:
    """Return the row without a reference, with the reason; its absolute limits are still to be judged."""
    if obstacle is NotCompared.OTHER_METHOD:
        difference = f"by another method ({reference.method or 'unknown'}, now {head.method or 'unknown'})"
    else:
        age = "an older" if obstacle is NotCompared.OLDER_DEFINITION else "a newer"
        difference = f"by {age} definition (version {reference.version}, now {head.version})"
    reason = f"{row.metric} is not compared: the reference was measured {difference}"
    return replace(row, reference=None, not_compared=obstacle, reason=reason)


def method_fault(head: Metric, reference: Metric, *, is_paired: bool) -> str:
    """Return the fault of two sides that were measured in turn, and yet in different ways.

    One machine measures both sides alike: what differs there was brought about by what is measured.
    """
    if not is_paired or (head.version, head.method) == (reference.version, reference.method):
        return ""
    return f"was measured by {head.method!r}, and by {reference.method!r} for the reference beside it"


def is_retired(name: str, limit: MetricLimit | None, head: Measurement, reference: Measurement) -> bool:
    """Say whether only the reference has the metric because this version of the program measures it no more.

    What an outside engine reports is the engine's: it does not go with a version of this program. Neither
    does what the policy requires.
    """
    if not reference.definitions < head.definitions <= DEFINITIONS:
        return False
    is_own = not name.startswith(_OF_THE_ENGINE) or head.enricher == reference.enricher == _BUILT_IN
    return is_own and (limit is None or not limit.is_required)
