"""The course of a metric as a chart that GitHub draws from Markdown (mermaid's xychart)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from sbir_gate.model.publication import TrendSeries

FEWEST_POINTS = 2
MOST_POINTS = 30

# what a label may hold of data: nothing that ends a string, a list or the block
_OTHER = re.compile(r"[^A-Za-z0-9 _.,:/+-]+")
_LABEL_CHARACTERS = 20
_TITLE_CHARACTERS = 60
# the axis reaches a little beyond the values, and a steady metric is not drawn as a jagged one
_MARGIN = 0.1
_LEAST_SHARE = 0.02


def trend_chart(series: TrendSeries) -> str:
    """Return the lines of one chart, without the fence around them; an empty text for too few points.

    Points that are not finite are left out, and of more than MOST_POINTS the oldest. Labels may be anything.
    """
    points = [
        (label, value)
        for label, value in zip(series.labels, series.values, strict=True)
        if math.isfinite(value)
    ][-MOST_POINTS:]
    if len(points) < FEWEST_POINTS:
        return ""
    values = [value for _, value in points]
    low, high = _bounds(values)
    title = _harmless(f"{series.metric}, {series.unit}" if series.unit else series.metric, _TITLE_CHARACTERS)
    labels = ", ".join(f'"{_harmless(label, _LABEL_CHARACTERS)}"' for label, _ in points)
    return "\n".join(
        (
            "xychart-beta",
            f'    title "{title}"',
            f"    x-axis [{labels}]",
            f"    y-axis {_number(low)} --> {_number(high)}",
            f"    line [{', '.join(map(_number, values))}]",
        )
    )


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = max((high - low) * _MARGIN, max(abs(low), abs(high)) * _LEAST_SHARE, 1e-9)
    return (max(low - margin, 0.0) if low >= 0 else low - margin), high + margin


def _harmless(text: str, most: int) -> str:
    return _OTHER.sub(" ", text)[:most].strip() or "?"


def _number(value: float) -> str:
    """Return a number as mermaid reads it: without an exponent."""
    digits = max(0, 5 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:.{min(digits, 15)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
