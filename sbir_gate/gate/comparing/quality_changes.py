"""Two quality reports side by side: whose match rate differs, and by how much."""

from __future__ import annotations

from sbir_gate.model.proportion import Proportion
from sbir_gate.model.quality_report import Dimension, QualityComparison, QualityReport, SegmentChange


def compare_quality(before: QualityReport, after: QualityReport) -> QualityComparison:
    """Return the segments whose links or awards differ, all awards first, then the largest difference.

    Merged segments are left out: they may be of other values.
    """
    whole = SegmentChange(None, "", before.match_rate, after.match_rate)
    old, new = _by_value(before), _by_value(after)
    changes = [SegmentChange(*key, old.get(key), new.get(key)) for key in dict.fromkeys([*old, *new])]
    differing = [change for change in changes if change.before != change.after]
    return QualityComparison(before, after, (whole, *sorted(differing, key=_order)))


def _by_value(report: QualityReport) -> dict[tuple[Dimension, str], Proportion]:
    return {
        (segment.dimension, segment.value): segment.match_rate
        for segment in report.segments
        if not segment.merged
    }


def _order(change: SegmentChange) -> tuple[float, str, str]:
    # a segment that one report lacks comes first
    size = 2.0 if change.delta is None else abs(change.delta)
    return (-size, str(change.dimension), change.value)
