"""The policy of the gate, made from the settings."""

from __future__ import annotations

from dataclasses import replace

from sbir_gate.model.verdict import MetricLimit, Policy
from sbir_gate.settings.schema import MetricSettings, Settings

MATCH_RATE = "match_rate"
POPULATION_MATCH_RATE = "population_match_rate"


def policy(settings: Settings) -> Policy:
    """Return what the verdict depends on besides the Runs, with the limits in the order of the settings.

    The minimum of the match rate is `enrichment.performance.match_rate_threshold`, which stands
    nowhere else; `gate.match_rate_of` says of which one.
    """
    gate = settings.gate
    threshold = settings.enrichment.performance.match_rate_threshold
    limits = {name: _limit(name, metric) for name, metric in gate.metrics.items() if metric is not None}
    own = limits[MATCH_RATE]
    if gate.match_rate_of == "population":
        estimate = replace(own, name=POPULATION_MATCH_RATE, warn_percent=None, fail_percent=None)
        estimate = limits.get(POPULATION_MATCH_RATE, estimate)
        limits[POPULATION_MATCH_RATE] = replace(estimate, minimum=threshold, is_required=True)
    else:
        limits[MATCH_RATE] = replace(own, minimum=threshold)
    return Policy(
        limits=tuple(limits.values()),
        max_lost=gate.max_lost,
        significance=gate.significance,
        unjudged=tuple(name for name, metric in gate.metrics.items() if metric is None),
    )


def renamed(settings: Settings) -> dict[str, str]:
    """Return the new name of each metric that the change renames."""
    pairs = (entry.partition(" -> ") for entry in settings.gate.renamed)
    return {old: new for old, _, new in pairs}


def _limit(name: str, metric: MetricSettings) -> MetricLimit:
    return MetricLimit(
        name=name,
        unit=metric.unit,
        direction=metric.direction,
        kind=metric.kind,
        minimum=metric.minimum,
        maximum=metric.maximum,
        warn_percent=metric.warn_percent,
        fail_percent=metric.fail_percent,
        smallest_change=metric.smallest_change,
        absolute_severity=metric.absolute_severity,
        is_required=metric.is_required,
    )
