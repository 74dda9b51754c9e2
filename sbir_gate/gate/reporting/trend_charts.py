"""The course of a metric as a chart that GitHub draws from Markdown (mermaid's xychart).

It sets its own colours, which can be read on GitHub's light and dark theme. The judged Run is a bar, and
the limit is a red line.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from sbir_gate.gate.reporting.metric_names import metric_name
from sbir_gate.model.publication import TrendSeries

FEWEST_POINTS = 2
MOST_POINTS = 30
MOST_LABELS = 6
# mermaid drops blanks from a label, but not this; it takes no room
_BLANK = "\N{ZERO WIDTH SPACE}"
THIS_RUN = "this Run"

# what a label may hold of data: nothing that ends a string, a list or the block
_OTHER = re.compile(r"[^A-Za-z0-9 _.,:/+-]+")
_LABEL_CHARACTERS = 20
_TITLE_CHARACTERS = 80
# the axis reaches a little beyond the values, and a steady metric is not drawn as a jagged one
_MARGIN = 0.1
_LEAST_SHARE = 0.02
_WIDTH, _HEIGHT = 820, 260

_GREY, _RUN, _COURSE, _LIMIT = "#808a94", "#bf6a02", "#3b82f6", "#d1242f"
_TEXTS = ("titleColor", "xAxisLabelColor", "xAxisTitleColor", "yAxisLabelColor", "yAxisTitleColor")
_LINES = ("xAxisTickColor", "xAxisLineColor", "yAxisTickColor", "yAxisLineColor")


def trend_charts(trends: Sequence[TrendSeries]) -> tuple[str, ...]:
    """Return a chart of each course that has enough points for one."""
    return tuple(filter(None, map(trend_chart, trends)))


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
    limit = series.limit if series.limit is not None and math.isfinite(series.limit) else None
    low, high = _bounds([*values, *([limit] if limit is not None else [])])
    # a bar below the axis is not drawn: only that of this Run is
    bars = [low - (high - low)] * (len(values) - 1) + [values[-1]]
    lines = [
        _colours(has_limit=limit is not None),
        "xychart-beta",
        f'    title "{_title(series, limit)}"',
        f"    x-axis [{', '.join(_labels([label for label, _ in points]))}]",
        f"    y-axis {_number(low)} --> {_number(high)}",
        f"    bar [{', '.join(map(_number, bars))}]",
        f"    line [{', '.join(map(_number, values))}]",
    ]
    if limit is not None:
        lines.append(f"    line [{', '.join([_number(limit)] * len(values))}]")
    return "\n".join(lines)


def _title(series: TrendSeries, limit: float | None) -> str:
    unit = f", {series.unit}" if series.unit and series.unit not in {"ratio", "count"} else ""
    remark = f", {series.remark}" if series.remark else ""
    drawn = f", limit {_number(limit)} in red" if limit is not None else ""
    return _harmless(f"{metric_name(series.metric)}{unit}{drawn}{remark}", _TITLE_CHARACTERS)


def _labels(labels: Sequence[str]) -> list[str]:
    """Return a label for each point: every n-th of the past, and the last; the others are blank.

    mermaid takes equal labels for one place on the axis, so no two of them are equal.
    """
    step = max(1, math.ceil((len(labels) - 1) / MOST_LABELS))
    found = []
    for place, label in enumerate(labels[:-1]):
        is_shown = place % step == 0 and len(labels) - 1 - place > step // 2
        found.append(f"{_harmless(label, _LABEL_CHARACTERS)}" if is_shown else "")
    texts: list[str] = []
    for text in (*found, THIS_RUN):
        unique = text
        while unique in texts or not unique:
            unique += _BLANK
        texts.append(unique)
    return [f'"{text}"' for text in texts]


def _colours(*, has_limit: bool) -> str:
    """Return the directive that gives the chart its colours and size."""
    chart: dict[str, str] = {"backgroundColor": "transparent", **dict.fromkeys((*_TEXTS, *_LINES), _GREY)}
    chart["plotColorPalette"] = ", ".join((_RUN, _COURSE, *([_LIMIT] if has_limit else [])))
    settings = {
        "theme": "base",
        "xyChart": {"width": _WIDTH, "height": _HEIGHT, "titleFontSize": 16, "yAxis": {"labelFontSize": 12}},
        "themeVariables": {"xyChart": chart},
    }
    return f"%%{{init: {json.dumps(settings)}}}%%"


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
