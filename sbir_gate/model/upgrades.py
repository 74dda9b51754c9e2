"""How documents of older formats are read: one pure step from each format to the next.

A step takes what the JSON holds and returns it as the next format has it. What is damaged it leaves alone:
the codec says what is wrong. A field that has a default needs no step (CONTRIBUTING.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

Content = Mapping[str, object]

# Runs up to format 3 may repeat the recall under these names where the engine reports no candidates.
_OF_CANDIDATES = frozenset({"blocking_recall", "scoring_recall"})


def upgraded(kind: str, content: object, version: int) -> object:
    """Return the content of a document of an older format as the newest one has it."""
    if not isinstance(content, Mapping):
        return content
    for format_version, steps in _STEPS.items():
        if format_version >= version and kind in steps:
            content = steps[kind](content)
    return content


def _verdict_of_3(content: Content) -> Content:
    """A verdict without a reference said so by an empty time."""
    return {**content, "reference_started_at": content.get("reference_started_at") or None}


def _run_of_3(content: Content) -> Content:
    """A Run held the metrics of candidates for every engine."""
    metrics, decisions = content.get("metrics"), content.get("decisions")
    if not isinstance(metrics, list) or not isinstance(decisions, list) or not decisions:
        return content
    if any(_names_candidates(decision) for decision in decisions):
        return content
    kept = [
        metric
        for metric in metrics
        if not (isinstance(metric, Mapping) and metric.get("name") in _OF_CANDIDATES)
    ]
    return {**content, "metrics": kept}


def _names_candidates(decision: object) -> bool:
    return not isinstance(decision, Mapping) or bool(
        decision.get("candidate_ids") or decision.get("kind") == "candidate"
    )


# By the format that a step reads, then by the kind of document. Formats 1 and 2 only lack what has a default.
_STEPS: Mapping[int, Mapping[str, Callable[[Content], Content]]] = MappingProxyType(
    {3: {"verdict": _verdict_of_3, "run": _run_of_3}}
)
