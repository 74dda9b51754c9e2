"""What must not be missing: slices that emptied, stages that no longer run, a reference without content."""

from __future__ import annotations

from collections.abc import Mapping

from sbir_gate.gate.comparing.backing import is_emptied_for_the_worse
from sbir_gate.model.finding import Fact, Finding, Rule, Severity
from sbir_gate.model.run import Measurement, Metric, Run, Stratum
from sbir_gate.model.verdict import RecordChanges

_STAGE_PREFIXES = ("stage_seconds/", "stage_peak_mib/")


def reference_fault(reference: Run) -> Finding | None:
    """Return why the reference is not a measurement at all, None if it is one.

    What is cut down to a valid but empty document would let everything pass.
    """
    for is_missing, what in (
        (not reference.awards or reference.quality.awards == 0, "awards"),
        (not reference.samples, "repeats"),
        (not reference.metrics, "metrics"),
    ):
        if is_missing:
            return Finding(Rule.REFERENCE_EMPTY, Severity.FAIL, facts={"missing": what})
    return None


def emptied_strata(head: Run, reference: Run, records: RecordChanges) -> tuple[Finding, ...]:
    """Return one finding for each segment of the awards that held awards, or links, and holds none now.

    A rate over nothing is not a rate; and a slice that lost all its links can hide in the sum. Where all that
    it lost were wrong links, it is better off. Where nothing at all is linked any more, that is said once.
    """
    now = {(stratum.dimension, stratum.value): stratum for stratum in head.quality.strata}
    faults = (
        _emptied(before, now.get((before.dimension, before.value)), is_emptied_for_the_worse(before, records))
        for before in reference.quality.strata
    )
    found = [fault for fault in faults if fault is not None]
    unlinked = [fault for fault in found if fault.rule is Rule.SEGMENT_UNLINKED]
    if not unlinked or head.quality.links:
        return tuple(found)
    others = [fault for fault in found if fault not in unlinked]
    facts = {"links": reference.quality.links}
    return (Finding(Rule.ALL_UNLINKED, Severity.FAIL, facts=facts), *others)


def _emptied(before: Stratum, now: Stratum | None, is_worse: bool) -> Finding | None:
    segment: Mapping[str, Fact] = {"dimension": before.dimension, "value": before.value}
    if before.awards and (now is None or not now.awards):
        return Finding(Rule.SEGMENT_GONE, Severity.FAIL, facts={**segment, "awards": before.awards})
    if is_worse and before.links and (now is None or not now.links):
        return Finding(Rule.SEGMENT_UNLINKED, Severity.FAIL, facts={**segment, "links": before.links})
    return None


def is_other_engines_stage(metric_name: str, head: Measurement, reference: Measurement) -> bool:
    """Say whether a metric is of a stage, and another enricher was measured: its stages are its own."""
    return metric_name.startswith(_STAGE_PREFIXES) and head.enricher != reference.enricher


def stage_fault(head: Metric, reference: Metric) -> Finding | None:
    """Return the fault of a stage that ran in every repeat of the reference, and not in all of head's.

    A stage that did not run in a repeat is measured as no time at all.
    """
    if not head.name.startswith("stage_seconds/") or not head.values or not reference.values:
        return None
    skipped = sum(value == 0 for value in head.values)
    if skipped and min(reference.values) > 0:
        facts = {"skipped": skipped, "repeats": len(head.values)}
        return Finding(Rule.STAGE_SKIPPED, Severity.FAIL, metric=head.name, facts=facts)
    return None
