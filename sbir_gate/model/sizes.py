"""How much a saved document may hold: far more than any benchmark does, and no more than can be judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sbir_gate.model.history import HistoryEntry
from sbir_gate.model.run import Metric, Run

MOST_METRICS = 20_000
MOST_VALUES_OF_A_METRIC = 10_000
MOST_VALUES = 1_000_000
MOST_SAMPLES = 10_000
MOST_DECISIONS = 5_000_000
LONGEST_NAME = 200


def run_excess(run: Run) -> str:
    """Return a message on what the Run has too much of, with the limit; or an empty text."""
    return (
        metrics_excess(run.metrics)
        or _more("repeats", len(run.samples), MOST_SAMPLES)
        or _more("methods", len(run.quality.links_by_method), MOST_METRICS)
        or _longer(method for method in run.quality.links_by_method)
        or _longer(stage.name for sample in run.samples for stage in sample.stages)
        or _longer(name for sample in run.samples for name in sample.counters)
    )


def awards_excess(count: int) -> str:
    """Return what `run_excess` does, of a number of awards: before they are made of what a document holds."""
    return _more("decisions", count, MOST_DECISIONS)


def entry_excess(entry: HistoryEntry) -> str:
    """Return what `run_excess` does, of an entry of the history."""
    return metrics_excess(entry.metrics)


def metrics_excess(metrics: Sequence[Metric]) -> str:
    """Return what there is too much of among metrics, their values and names."""
    most = max((len(metric.values) for metric in metrics), default=0)
    return (
        _more("metrics", len(metrics), MOST_METRICS)
        or _more("values of one metric", most, MOST_VALUES_OF_A_METRIC)
        or _more("values of metrics", sum(len(metric.values) for metric in metrics), MOST_VALUES)
        or _longer(metric.name for metric in metrics)
    )


def _more(what: str, count: int, most: int) -> str:
    return f"{count:,} {what} are more than the {most:,} that are read" if count > most else ""


def _longer(names: Iterable[str]) -> str:
    longest = max(names, key=len, default="")
    if len(longest) <= LONGEST_NAME:
        return ""
    return f"the name {longest[:40]!r}... has {len(longest):,} characters, more than {LONGEST_NAME}"
