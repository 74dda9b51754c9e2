"""A chart as the data that `charts.js` draws: no colors in it, for those follow the reader's scheme."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sbir_gate.pages.blocks import Axis, Chart, Json, Series, Tone


def chart_data(chart: Chart) -> Json:
    """Return what the script needs to draw the chart; a value that is not finite is a gap."""
    return {
        "series": [_series(series) for series in chart.series],
        "x": _axis(chart.x),
        "y": _axis(chart.y),
        "height": chart.height_pixels,
        "stacked": chart.is_stacked,
        "horizontal": chart.is_horizontal,
        "title": chart.title,
    }


def _series(series: Series) -> Json:
    data: dict[str, Json] = {
        "name": series.name,
        "mark": series.mark.value,
        "x": [_finite(value) for value in series.x],
        "y": _numbers(series.y),
        "low": _numbers(series.low),
        "high": _numbers(series.high),
        "base": _numbers(series.base),
        "texts": list(series.texts),
        "tone": series.tone.value if series.tone is not Tone.PLAIN else "",
        "tones": [tone.value for tone in series.tones],
        "dashed": series.is_dashed,
    }
    return {key: value for key, value in data.items() if value not in ([], "", False) or key == "name"}


def _axis(axis: Axis) -> Json:
    return {
        "title": axis.title,
        "scale": axis.scale.value,
        "suffix": axis.suffix,
        "ends": None if axis.ends is None else list(axis.ends),
    }


def _numbers(values: Sequence[float | None]) -> list[Json]:
    return [_finite(value) for value in values]


def _finite(value: str | float | None) -> Json:
    return None if isinstance(value, float) and not math.isfinite(value) else value
