"""Time and memory as charts: what changed, by stage, by repeat, and over past Runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import median

from sbir_gate.gate.reporting.metric_names import metric_name
from sbir_gate.gate.reporting.metric_rows import metric_row
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quantities import counted, quantities, quantity
from sbir_gate.model.finding import Severity
from sbir_gate.model.publication import TrendSeries
from sbir_gate.model.run import MetricKind, Run
from sbir_gate.model.verdict import Change
from sbir_gate.pages.blocks import Axis, Cell, Chart, Column, Mark, Scale, Series, Table, Tone

BASE, HEAD = "base", "head"
_STAGES = (
    ("stage_seconds/", "Time by stage", "wall_seconds"),
    ("stage_peak_mib/", "Peak memory by stage", "peak_rss_mib"),
)
_WHOLE_RUN = "whole run"
_BAR_PIXELS, _AXES_PIXELS = 44, 90
_NAME_CHARACTERS = 80
_FEWEST_POINTS = 2
_SAME = 1e-9
_TONES = {
    Severity.FAIL: Tone.BAD,
    Severity.WARN: Tone.WARN,
    Severity.INCONCLUSIVE: Tone.WARN,
    Severity.OK: Tone.GOOD,
}


def performance_charts(
    changes: Sequence[Change], head: Run, others: Sequence[Run], trends: Sequence[TrendSeries]
) -> Iterator[Chart]:
    """Yield the charts of time and memory; `others` are the Runs that head was compared with."""
    if chart := _change_chart(changes):
        yield chart
    for start, title, total in _STAGES:
        if chart := _stage_chart(changes, start, title, total, (head, *others)):
            yield chart
    for _, _, metric in _STAGES:
        if chart := _repeat_chart(changes, metric, head, others):
            yield chart
    for number, series in enumerate(trends):
        if len(series.values) >= _FEWEST_POINTS:
            yield _trend_chart(f"trend-{number}", series)


def tone_of(severity: Severity) -> Tone:
    """Return the color of a severity."""
    return _TONES.get(severity, Tone.PLAIN)


def _change_chart(changes: Sequence[Change]) -> Chart | None:
    """Return the change of each noisy metric as a point with its interval; None where none has one."""
    shown = [
        change
        for change in changes
        if change.kind is MetricKind.NOISY
        and change.ratio is not None
        and change.ratio_low is not None
        and change.ratio_high is not None
    ]
    if not shown:
        return None
    rows = [metric_row(change) for change in shown]
    table = Table(
        "changes",
        "Change of time and memory",
        (Column("metric"), Column("change"), Column("base → head"), Column("limit")),
        tuple(
            (row.name, Cell(row.change, tone=tone_of(row.severity)), row.values, row.limit) for row in rows
        ),
    )
    series = Series(
        "change",
        Mark.POINTS,
        tuple(row.name for row in rows),
        tuple(_percent(change.ratio) for change in shown),
        low=tuple(_percent(change.ratio_low) for change in shown),
        high=tuple(_percent(change.ratio_high) for change in shown),
        texts=tuple(f"{row.name}\n{row.change} ({row.values})\nlimit: {row.limit}" for row in rows),
        tones=tuple(tone_of(row.severity) for row in rows),
    )
    beyond = sum(change.is_significant for change in shown)
    return Chart(
        "chart-changes",
        "Change of time and memory",
        f"{beyond:,} of {counted(len(shown), 'metric')} changed beyond the noise. Bars are the intervals.",
        (series,),
        table,
        x=Axis(scale=Scale.CATEGORY),
        y=Axis("change", suffix="%"),
        is_wide=True,
    )


def _percent(ratio: float | None) -> float | None:
    return None if ratio is None else (ratio - 1) * 100


def _stage_chart(
    changes: Sequence[Change], start: str, title: str, total: str, runs: Sequence[Run]
) -> Chart | None:
    """Return each stage as two bars, from the whole run down; None where head has no stage."""
    stages = [change for change in changes if change.metric.startswith(start)]
    if all(change.head is None for change in stages):
        return None
    shown = [*(change for change in changes if change.metric == total), *stages]
    names = [_stage_name(change, start) for change in shown]
    unit = plain(shown[-1].unit, _NAME_CHARACTERS)
    key = start.rstrip("/").replace("_", "-")
    sides = (
        (BASE, Tone.QUIET, [change.reference for change in shown]),
        (HEAD, Tone.PLAIN, [change.head for change in shown]),
    )
    longest = max(stages, key=lambda change: change.head or 0.0)
    return Chart(
        f"chart-{key}",
        title,
        f"Most in {_stage_name(longest, start)}: {_values(longest)}. Thin lines reach over all repeats.",
        tuple(
            _side_bars(side, tone, names, shown, values, runs)
            for side, tone, values in sides
            if any(value is not None for value in values)
        ),
        Table(
            key,
            title,
            (
                Column("stage"),
                Column(BASE, is_number=True),
                Column(HEAD, is_number=True),
                Column("change", is_number=True),
            ),
            tuple(
                (
                    name,
                    Cell(quantity(change.reference, unit), change.reference),
                    Cell(quantity(change.head, unit), change.head),
                    Cell(metric_row(change).change, _percent(change.ratio)),
                )
                for name, change in zip(names, shown, strict=True)
            ),
        ),
        x=Axis(scale=Scale.CATEGORY),
        y=Axis(suffix=f" {unit}"),
        height_pixels=_AXES_PIXELS + _BAR_PIXELS * len(shown),
        is_horizontal=True,
    )


def _side_bars(
    side: str,
    tone: Tone,
    names: Sequence[str],
    shown: Sequence[Change],
    values: Sequence[float | None],
    runs: Sequence[Run],
) -> Series:
    repeats = [
        repeats_of(change.metric, value, runs) or (() if value is None else (value,))
        for change, value in zip(shown, values, strict=True)
    ]
    return Series(
        side,
        Mark.BAR,
        tuple(names),
        tuple(values),
        low=tuple(min(found, default=None) for found in repeats),
        high=tuple(max(found, default=None) for found in repeats),
        texts=tuple(
            f"{name}, {side}: {quantity(value, plain(change.unit, _NAME_CHARACTERS))}"
            for name, change, value in zip(names, shown, values, strict=True)
        ),
        tone=tone,
    )


def _stage_name(change: Change, start: str) -> str:
    if not change.metric.startswith(start):
        return _WHOLE_RUN
    return plain(change.metric.removeprefix(start), _NAME_CHARACTERS)


def _values(change: Change) -> str:
    unit = plain(change.unit, _NAME_CHARACTERS)
    if change.reference is None:
        return quantity(change.head, unit)
    return quantities(change.reference, change.head, unit)


def repeats_of(metric: str, value: float | None, runs: Sequence[Run]) -> tuple[float, ...]:
    """Return the repeats behind a value: those of the first Run whose median it is; none if none has it."""
    found = (each.values for run in runs for each in run.metrics if each.name == metric)
    return next(
        (
            values
            for values in found
            if value is not None and values and math.isclose(median(values), value, rel_tol=_SAME)
        ),
        (),
    )


def _repeat_chart(changes: Sequence[Change], metric: str, head: Run, others: Sequence[Run]) -> Chart | None:
    """Return each repeat as a point, with the medians as lines; None where head's are not at hand."""
    change = next((each for each in changes if each.metric == metric), None)
    if change is None:
        return None
    old = change.renamed_from or metric
    sides = (
        (BASE, Tone.QUIET, change.reference, repeats_of(old, change.reference, others)),
        (HEAD, Tone.PLAIN, change.head, repeats_of(metric, change.head, (head, *others))),
    )
    known = [each for each in sides if each[3]]
    if not sides[-1][-1] or max(len(repeats) for *_, repeats in known) < _FEWEST_POINTS:
        return None
    row, unit, key = metric_row(change), plain(change.unit, _NAME_CHARACTERS), metric.replace("_", "-")
    longest = max(len(repeats) for *_, repeats in known)
    numbers = tuple(str(number) for number in range(1, longest + 1))
    return Chart(
        f"chart-{key}",
        f"{row.name} by repeat",
        f"{row.values}, change {row.change}, limit {row.limit}. Lines are the medians.",
        tuple(
            series
            for side, tone, value, repeats in known
            for series in (
                Series(side, Mark.POINTS, numbers[: len(repeats)], repeats, tone=tone),
                Series(
                    f"median of {side}", Mark.LINE, numbers, (value,) * longest, tone=tone, is_dashed=True
                ),
            )
        ),
        Table(
            key,
            f"{row.name} by repeat",
            (Column("repeat", is_number=True), *(Column(side, is_number=True) for side, *_ in known)),
            tuple(
                (number, *(_repeat_cell(repeats, place, unit) for *_, repeats in known))
                for place, number in enumerate(numbers)
            ),
        ),
        x=Axis("repeat", scale=Scale.CATEGORY),
        y=Axis(suffix=f" {unit}"),
    )


def _repeat_cell(repeats: Sequence[float], place: int, unit: str) -> Cell:
    value = repeats[place] if place < len(repeats) else None
    return Cell(quantity(value, unit), value)


def _trend_chart(key: str, series: TrendSeries) -> Chart:
    """Return the course over past Runs; the last point is the Run that is judged."""
    unit, name = plain(series.unit, _NAME_CHARACTERS), metric_name(series.metric)
    labels = tuple(
        f"{number}. {plain(label, _NAME_CHARACTERS)}" for number, label in enumerate(series.labels, start=1)
    )
    texts = tuple(
        f"{label}: {quantity(value, unit)}" for label, value in zip(labels, series.values, strict=True)
    )
    course = Series(name, Mark.LINE_AND_POINTS, labels, series.values, texts=texts)
    own = Series("this Run", Mark.POINTS, labels[-1:], series.values[-1:], texts=texts[-1:], tone=Tone.WARN)
    limit = Series("limit", Mark.LINE, labels, (series.limit,) * len(labels), tone=Tone.BAD, is_dashed=True)
    past = series.values[:-1]
    said = f"This Run: {quantity(series.values[-1], unit)}; past Runs: median {quantity(median(past), unit)}"
    return Chart(
        f"chart-{key}",
        f"{name} over past Runs",
        f"{said}{f', {plain(series.remark)}' if series.remark else ''}.",
        (course, own, *((limit,) if series.limit is not None else ())),
        Table(
            key,
            f"{name} over past Runs",
            (Column("Run"), Column("value", is_number=True)),
            tuple(
                (label, Cell(quantity(value, unit), value))
                for label, value in zip(labels, series.values, strict=True)
            ),
        ),
        x=Axis(scale=Scale.CATEGORY),
        y=Axis(suffix="" if unit in {"ratio", "count"} else f" {unit}"),
    )
