"""The report of a verdict as a page: the same view as the comment and the console, with charts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from sbir_gate.gate.reporting.awards_view import CHANGED_AWARDS_NAME, ChangedAward, changed_awards
from sbir_gate.gate.reporting.metric_rows import MetricRow
from sbir_gate.gate.reporting.next_steps import WAIVERS_FILE
from sbir_gate.gate.reporting.performance_charts import performance_charts, tone_of
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.quantities import NO_CHANGE, NOTHING, counted
from sbir_gate.gate.reporting.view import CommitView, View, build_view
from sbir_gate.gate.reporting.view import Fact as ViewFact
from sbir_gate.model.finding import Severity
from sbir_gate.model.publication import Background, Subjects
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Outcome, Verdict
from sbir_gate.pages.blocks import (
    Block,
    Cell,
    Column,
    Fact,
    Page,
    Paragraph,
    Section,
    Table,
    Tone,
)
from sbir_gate.pages.page import render_page

# a table of more rows is slow to lay out; changed-awards.csv has them all
MOST_AWARDS = 2000
_MAIN = ("match_rate", "precision", "recall", "wall_seconds", "peak_rss_mib")
_OUTCOME_TONES = {
    Outcome.PASS: Tone.GOOD,
    Outcome.NO_BASELINE: Tone.GOOD,
    Outcome.WARN: Tone.WARN,
    Outcome.INCONCLUSIVE: Tone.WARN,
}
_TILE_REMARKS = {NO_CHANGE: "unchanged", NOTHING: ""}
_SEVERITIES = {Severity.INCONCLUSIVE: "open", Severity.INFO: "no limit"}
_METRIC_COLUMNS = ("metric", "state", "change", "base → head", "limit")


def render_report_page(
    run: Run | None, verdict: Verdict, background: Background, subjects: Subjects | None = None
) -> str:
    """Return the report as one HTML file with charts, which works offline; without a Run something broke."""
    return render_page(report_page(run, verdict, background, subjects))


def report_page(
    run: Run | None, verdict: Verdict, background: Background, subjects: Subjects | None = None
) -> Page:
    """Return the report as a page; each chart has its figures as a table."""
    view = build_view(run, verdict, subjects=subjects, against=background.against)
    charts: tuple[Block, ...] = ()
    made_of = "Made of a verdict without a Run"
    if run is not None:
        charts = tuple(performance_charts(verdict.changes, run, background.runs, background.trends))
        made_of = f"Made of a saved Run by sbir-gate {plain(run.tool_version)}"
    sections = (
        Section("verdict", "Verdict", tuple(_verdict_blocks(view))),
        Section("performance", "Time and memory", charts),
        Section("awards", "Changed awards", tuple(_award_blocks(view, changed_awards(verdict.records)))),
        Section("metrics", "All metrics", tuple(_metric_blocks(view))),
        Section("quality", "Quality", tuple(_quality_blocks(view))),
        Section("environment", "Environment", tuple(_fact_table("environment-facts", view.environment))),
        Section("notes", "Notes", tuple(map(Paragraph, view.notes))),
    )
    return Page(
        title=f"{view.product}: {view.gate}",
        lead=view.headline,
        facts=tuple(_tiles(view)),
        sections=tuple(section for section in sections if section.blocks),
        notes=(f"{made_of}.",),
    )


def _tiles(view: View) -> Iterator[Fact]:
    yield Fact("Outcome", view.outcome.value, tone=_OUTCOME_TONES.get(view.outcome, Tone.BAD))
    rows = {row.key: row for row in (*view.rows, *view.info_rows) if row.values != NOTHING}
    for metric in _MAIN:
        if metric in rows:
            row = rows[metric]
            tone = tone_of(row.severity) if row.is_open else Tone.PLAIN
            yield Fact(row.name, row.values, _TILE_REMARKS.get(row.change, row.change), tone)
    for name, commit in (("Base", view.base), ("Head", view.head)):
        if commit is not None:
            yield _commit_tile(name, commit)


def _commit_tile(name: str, commit: CommitView) -> Fact:
    return Fact(name, commit.commit, commit.subject)


def _verdict_blocks(view: View) -> Iterator[Block]:
    """Yield what decided, in the order of the comment."""
    if view.banner:
        banner = view.banner
        yield Paragraph(f"{banner.title}. {banner.outcomes}", Tone.BAD)
        yield from (Paragraph(line) for line in (banner.fixture, banner.more) if line)
        if banner.rows:
            rows = tuple((Cell(row.what, is_code=True), row.before, row.after) for row in banner.rows)
            columns = (Column("policy"), Column("base"), Column("this change"))
            yield Table("policy", "What this change edits of its policy", columns, rows)
    if view.figures:
        yield Paragraph(" · ".join(view.figures))
    yield from (Paragraph(f"{line}.", Tone.WARN) for line in view.blind)
    if view.improvement:
        yield Paragraph(f"{view.improvement}.", Tone.GOOD)
    if view.log:
        yield _source("\n".join(view.log))
    yield from (Paragraph(reason, _OUTCOME_TONES.get(view.outcome, Tone.BAD)) for reason in view.reasons)
    if view.waivers:
        names = ("waived", "up to", "until", "owner", "reason", "agreed in")
        cells = tuple(
            (row.metric, row.cap, row.expires, row.owner, row.reason, row.pr) for row in view.waivers
        )
        yield Table("waivers", "Waivers in use", tuple(map(Column, names)), cells)
    if view.open_rows:
        yield _metric_table("decisive", "What fails, warns or is undecided", view.open_rows)
    yield from _next_blocks(view)


def _next_blocks(view: View) -> Iterator[Block]:
    steps = view.next
    yield from map(Paragraph, steps.advice)
    commands = (
        ("Measure the same again", steps.command),
        ("Explain a lost link", steps.explain),
    )
    rows = tuple((what, Cell(command, is_code=True)) for what, command in commands if command)
    if rows:
        yield Table("next", "Next steps", (Column("what"), Column("command")), rows)
    if steps.waivers:
        yield Paragraph(
            f"Intended? Add this entry to {WAIVERS_FILE} in a pull request of its own:"
            " a change cannot waive itself."
        )
        yield _source(steps.waivers)


def _source(text: str) -> Markup:
    """Return text as it stands, in an element that scrolls."""
    return Markup('<pre tabindex="0"><code>{}</code></pre>').format(text)


def _award_blocks(view: View, awards: Sequence[ChangedAward]) -> Iterator[Block]:
    if view.awards.summary:
        yield Paragraph(f"{view.awards.summary}.")
    if awards:
        if len(awards) > MOST_AWARDS:
            yield Paragraph(f"The first {MOST_AWARDS:,} are listed; all are in {CHANGED_AWARDS_NAME}.")
        yield _award_table(awards[:MOST_AWARDS])
    if view.slices:
        columns = (Column("segment", has_choices=True), Column("value"))
        counts = tuple(Column(name, is_number=True) for name in ("lost", "gained", "re-linked"))
        slices = tuple((row.dimension, row.value, row.lost, row.gained, row.relinked) for row in view.slices)
        title = "Changed links by method, stage and segment"
        yield Table("slices", title, (*columns, *counts), slices, has_filter=True)
    yield from (Paragraph(f"{line}.") for line in view.kept)


def _award_table(awards: Sequence[ChangedAward]) -> Table:
    chosen = ("change", "lost at", "phase", "company size", "identifiers")
    names = ("award", "change", "firm", "was linked to", "now", "lost at", *chosen[2:])
    return Table(
        "changed-awards",
        f"{counted(len(awards), 'award')} whose link differs",
        tuple(Column(name, has_choices=name in chosen) for name in names),
        tuple(
            (
                Cell(each.row.award_id, is_code=True),
                Cell(each.change, tone=Tone.BAD if each.is_worse else Tone.PLAIN),
                each.row.firm,
                str(each.row.before),
                str(each.row.after),
                each.row.lost_at,
                each.phase,
                each.company_size,
                each.identifier_type,
            )
            for each in awards
        ),
        has_filter=True,
    )


def _metric_blocks(view: View) -> Iterator[Table]:
    rows = (*view.metric_rows, *view.info_rows)
    if rows:
        yield _metric_table("all-metrics", "Metrics, worst first", rows, has_filter=True)
    if view.own_rows:
        title = "This change's own fixture, judged by the absolute limits"
        yield _metric_table("own-fixture", title, view.own_rows)


def _metric_table(key: str, title: str, rows: Sequence[MetricRow], *, has_filter: bool = False) -> Table:
    return Table(
        key,
        title,
        (
            *(Column(name, has_choices=has_filter and name == "state") for name in _METRIC_COLUMNS),
            *((Column("key"),) if has_filter else ()),
        ),
        tuple(
            (
                row.name,
                Cell(_SEVERITIES.get(row.severity, row.severity.value), tone=tone_of(row.severity)),
                row.change,
                row.values,
                row.limit,
                *((Cell(row.key, is_code=True),) if has_filter else ()),
            )
            for row in rows
        ),
        has_filter=has_filter,
    )


def _quality_blocks(view: View) -> Iterator[Table]:
    yield from _fact_table("quality-facts", view.quality)
    if view.strata:
        names = ("awards", "links", "match rate", "precision", "recall")
        rows = tuple(
            (row.dimension, row.value, row.awards, row.links, row.match_rate, row.precision, row.recall)
            for row in view.strata
        )
        columns = (Column("segment", has_choices=True), Column("value"))
        numbers = tuple(Column(name, is_number=True) for name in names)
        yield Table("segments", "Quality by segment", (*columns, *numbers), rows, has_filter=True)
    yield from _link_table(view)
    if view.reliability:
        heads = tuple(Column(name) for name in ("confidence", "decisions", "stated", "correct"))
        bins = tuple((row.confidence, row.count, row.stated, row.correct) for row in view.reliability)
        yield Table("reliability", "Stated confidence and share correct", heads, bins)


def _link_table(view: View) -> Iterator[Table]:
    if view.links:
        names = ("links", "stated", "precision", "95% interval")
        columns = (Column("method"), Column("place"), *(Column(name, is_number=True) for name in names))
        rows = tuple(
            (row.method, row.place, row.links, row.stated, row.precision, row.interval) for row in view.links
        )
        yield Table("link-strata", "Stated and measured precision by method and place", columns, rows)


def _fact_table(key: str, facts: Sequence[ViewFact]) -> Iterator[Table]:
    if facts:
        rows = tuple((fact.name, fact.value) for fact in facts)
        yield Table(key, "Names and values", (Column("name"), Column("value")), rows)
