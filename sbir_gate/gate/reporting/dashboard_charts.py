"""The links of the latest Run as charts: methods, scores, and unmatched awards by phase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sbir_gate.gate.reporting.dashboard_data import NAME_CHARACTERS
from sbir_gate.gate.reporting.metric_names import metric_name
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quantities import NOTHING, counted, percent_text
from sbir_gate.model.dashboard import LatestQuality
from sbir_gate.pages.blocks import Axis, Cell, Chart, Column, Mark, Scale, Series, Table, Tone


def quality_charts(latest: LatestQuality, key: str) -> Iterator[Chart]:
    """Yield the charts of what is known of the links; `key` begins the keys of the charts."""
    if any(latest.methods.values()):
        yield _methods_chart(latest, key)
    if latest.scores:
        yield _score_chart(latest, key)
    if latest.phases:
        yield _phase_chart(latest, key)


def _methods_chart(latest: LatestQuality, key: str) -> Chart:
    methods = sorted(latest.methods.items(), key=lambda pair: -pair[1])
    names = tuple(metric_name(f"links/{method}") for method, _ in methods)
    counts = tuple(float(count) for _, count in methods)
    shares = tuple(percent_text(100 * count / latest.links) if latest.links else NOTHING for count in counts)
    rows = tuple(
        (name, Cell(f"{count:,.0f}", count), Cell(share, count))
        for name, count, share in zip(names, counts, shares, strict=True)
    )
    texts = tuple(
        f"{name}\n{count:,.0f} ({share})" for name, count, share in zip(names, counts, shares, strict=True)
    )
    columns = (Column("Method"), Column("Links", is_number=True), Column("Share", is_number=True))
    return Chart(
        f"{key}-methods",
        "Links by method",
        f"{latest.links:,} links of the latest Run.",
        (Series("", Mark.PIE, names, counts, texts=texts),),
        Table(f"{key}-methods-figures", "Links by method", columns, rows),
    )


def _score_chart(latest: LatestQuality, key: str) -> Chart:
    labels = tuple(f"{each.low:g} to {each.high:g}" for each in latest.scores)
    links = tuple(float(each.links) for each in latest.scores)
    candidates = tuple(float(each.candidates) for each in latest.scores)
    middles = tuple((each.low + each.high) / 2 for each in latest.scores)
    rows = tuple(
        (label, Cell(f"{linked:,.0f}", linked), Cell(f"{kept:,.0f}", kept))
        for label, linked, kept in zip(labels, links, candidates, strict=True)
    )
    columns = (Column("Score"), Column("Links", is_number=True), Column("Candidates", is_number=True))
    return Chart(
        f"{key}-scores",
        "Scores",
        f"Links ({sum(links):,.0f}) and candidates for review ({sum(candidates):,.0f}) of the latest Run.",
        (
            Series(
                "Links",
                Mark.BAR,
                middles,
                links,
                texts=_texts("Score", labels, links, "link"),
                tone=Tone.GOOD,
            ),
            Series(
                "Candidates",
                Mark.BAR,
                middles,
                candidates,
                texts=_texts("Score", labels, candidates, "candidate"),
                tone=Tone.WARN,
            ),
        ),
        Table(f"{key}-scores-figures", "Scores of links and candidates", columns, rows),
        x=Axis("score"),
        y=Axis("awards"),
        is_stacked=True,
    )


def _phase_chart(latest: LatestQuality, key: str) -> Chart:
    names = tuple(plain(each.phase, NAME_CHARACTERS) or "not known" for each in latest.phases)
    counts = tuple(float(each.unmatched) for each in latest.phases)
    shares = [
        percent_text(100 * each.unmatched / each.awards) if each.awards else NOTHING for each in latest.phases
    ]
    rows = tuple(
        (name, Cell(f"{count:,.0f}", count), Cell(f"{each.awards:,}", each.awards), Cell(share))
        for name, count, each, share in zip(names, counts, latest.phases, shares, strict=True)
    )
    columns = (
        Column("Phase"),
        Column("Unmatched", is_number=True),
        Column("Awards", is_number=True),
        Column("Share", is_number=True),
    )
    texts = tuple(
        f"{name}\n{count:,.0f} of {each.awards:,} ({share})"
        for name, count, each, share in zip(names, counts, latest.phases, shares, strict=True)
    )
    return Chart(
        f"{key}-phases",
        "Unmatched awards by phase",
        f"{sum(counts):,.0f} awards of the latest Run have no link.",
        (Series("", Mark.BAR, names, counts, texts=texts),),
        Table(f"{key}-phases-figures", "Unmatched awards by phase", columns, rows),
        x=Axis("", Scale.CATEGORY),
        y=Axis("awards"),
    )


def _texts(what: str, labels: Sequence[str], counts: Sequence[float], unit: str) -> tuple[str, ...]:
    return tuple(
        f"{what} {label}\n{counted(int(count), unit)}" for label, count in zip(labels, counts, strict=True)
    )
