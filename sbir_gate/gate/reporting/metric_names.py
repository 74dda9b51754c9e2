"""What people call a metric, and where docs/metrics.md explains it; one table for every channel.

A test holds the names, the page and its anchors together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from sbir_gate.gate.reporting.plain_text import plain

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "wall_seconds": "Wall time",
        "first_run_seconds": "First run time",
        "cpu_seconds": "CPU time",
        "seconds_per_record": "Time per award",
        "records_per_second": "Awards per second",
        "peak_rss_mib": "Peak memory",
        "memory_delta_mib": "Memory growth",
        "match_rate": "Match rate",
        "population_match_rate": "Match rate of all awards",
        "precision": "Precision",
        "recall": "Recall",
        "f1": "F1 score",
        "blocking_recall": "Blocking recall",
        "scoring_recall": "Scoring recall",
        "calibration_error": "Calibration error",
        "rows_missing": "Missing rows",
        "rows_doubled": "Duplicate rows",
        "rows_unknown": "Rows of unknown awards",
        "recipients_unknown": "Unknown recipient ids",
        "rows_rejected": "Rejected rows",
        "disagreements": "Disagreements between repeats",
        "records": "Awards read",
        "work/recipients_scanned": "Recipients scanned",
        "work/awards_read": "Award rows read",
        "work/awards_kept": "Award rows kept",
        "work/recipients_read": "Recipient rows read",
        "work/recipients_kept": "Recipient rows kept",
        "work/candidates_generated": "Candidates generated",
        "work/pairs_scored": "Pairs scored",
        "work/queries": "Queries",
        "work/firms": "Firms",
        "links/uei-exact": "Links by UEI",
        "links/duns-exact": "Links by DUNS",
        "links/name-exact": "Links by exact name",
        "links/name-fuzzy": "Links by fuzzy name",
        "links/alias": "Links by alias",
    }
)

# the names of a group's other members, and the anchor that explains them
GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "links/": "Links by {}",
        "work/": "Counter {}",
        "stage_seconds/": "Time of stage {}",
        "stage_peak_mib/": "Peak memory of stage {}",
    }
)

_OF_OWN_ANCHOR = frozenset({
    "work/recipients_scanned",
    "work/awards_read",
    "work/awards_kept",
    "work/recipients_read",
    "work/recipients_kept",
})  # fmt: skip
_NAME_CHARACTERS = 80
_NOT_IN_AN_ANCHOR = re.compile(r"[^a-z0-9_-]+")


def metric_name(metric: str) -> str:
    """Return what people call the metric: "Wall time"; the key itself where it has no name."""
    if metric in NAMES:
        return NAMES[metric]
    for group, name in GROUPS.items():
        if metric.startswith(group):
            return plain(name.format(metric.removeprefix(group).replace("_", " ")), _NAME_CHARACTERS)
    return plain(metric, _NAME_CHARACTERS)


def metric_anchor(metric: str) -> str:
    """Return the anchor of docs/metrics.md that explains the metric; empty for one that it does not know."""
    for group in GROUPS:
        if metric.startswith(group) and metric not in _OF_OWN_ANCHOR:
            return group.rstrip("/")
    return _NOT_IN_AN_ANCHOR.sub("-", metric) if metric in NAMES else ""
