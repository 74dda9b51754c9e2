"""Which definition of each metric this version measures: values of different definitions are not compared."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FIRST_VERSION = 1

# Metrics whose definition has changed since format 2 of the documents, by the version in force. Raise the
# number whenever what a metric counts, how it is measured or what it is calibrated by changes, and say so in
# docs/metrics.md.
METRIC_VERSIONS: Mapping[str, int] = MappingProxyType(
    {
        # 2: children that are not waited for count; calibrated by processor time
        "cpu_seconds": 2,
        # 2: pages that processes share count once; memory in memfd and tmpfs counts
        "peak_rss_mib": 2,
        "memory_delta_mib": 2,
    }
)


# The set of metrics that a Run of this version holds. Raise it whenever the program, or its own engine, no
# longer reports a metric, stage or counter: what only an older Run has is then not treated as gone.
DEFINITIONS = 2
FIRST_DEFINITIONS = 1


def metric_version(name: str) -> int:
    """Return the version of the definition by which this program measures a metric."""
    return METRIC_VERSIONS.get(name, FIRST_VERSION)
