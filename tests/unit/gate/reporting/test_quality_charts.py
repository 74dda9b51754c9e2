"""The charts of the quality report, in words."""

import pytest

from sbir_gate.gate.reporting.quality_charts import segment_chart
from sbir_gate.model.proportion import Proportion
from sbir_gate.model.quality_report import Dimension, Segment


def chart_of(**links):
    """Return the chart of phases with so many links of ten awards."""
    segments = [
        Segment(Dimension.PHASE, phase, Proportion.of(count, 10), Proportion.of(0, 0), 0)
        for phase, count in links.items()
    ]
    return segment_chart(Dimension.PHASE, segments, has_truth=False)


@pytest.mark.parametrize(
    ("links", "summary"),
    [
        ({"I": 10, "II": 5}, "Phase I (100.0%) has the highest, Phase II (50.0%) the lowest."),
        ({"I": 10, "II": 10}, ""),
        ({"I": 10}, ""),
    ],
)
def test_equal_segments_have_no_highest_and_lowest(links, summary):
    assert chart_of(**links).summary == summary
