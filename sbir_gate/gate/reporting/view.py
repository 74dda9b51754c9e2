"""One view of a verdict: all that a report shows, already worded, for every channel.

Everything that comes from data has been through `plain`; a channel only has to escape it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from sbir_gate.gate.reporting.awards_view import (
    AwardsView,
    SliceRow,
    awards_view,
    kept_lines,
    slice_rows,
    worsened_title,
)
from sbir_gate.gate.reporting.headline import (
    MARKS,
    blind_lines,
    figures,
    headline,
    population_text,
    product,
)
from sbir_gate.gate.reporting.improvements import improvement_line
from sbir_gate.gate.reporting.judgement import OPEN, awards_limit, log_of, messages, own_reasons
from sbir_gate.gate.reporting.metric_names import metric_name
from sbir_gate.gate.reporting.metric_rows import MARKS as ROW_MARKS
from sbir_gate.gate.reporting.metric_rows import MetricRow, in_order, metric_rows
from sbir_gate.gate.reporting.next_steps import NextSteps, next_steps
from sbir_gate.gate.reporting.plain_text import plain
from sbir_gate.gate.reporting.policy_view import (
    PolicyBanner,
    WaiverRow,
    policy_banner,
    policy_words,
    waiver_rows,
)
from sbir_gate.gate.reporting.quality_words import interval_text, place_name, share_text
from sbir_gate.gate.reporting.quantities import NOTHING, bar, counted, quantity, rate
from sbir_gate.model.finding import Severity
from sbir_gate.model.moments import moment_text
from sbir_gate.model.publication import Links, Subjects
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Outcome, Verdict

MAX_REASONS = 50
LOST_AWARDS_ANCHOR = "awards-one-by-one"

_NAME_CHARACTERS = 80
_ID_CHARACTERS = 60
_COMMIT_CHARACTERS = 12
_SHORT_COMMIT = 7
_ALREADY_SHOWN = frozenset({"match_rate", "population_match_rate"})


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class StratumRow:
    """Quality within one segment of the awards."""

    dimension: str
    value: str
    awards: str
    links: str
    match_rate: str
    precision: str
    recall: str


@dataclass(frozen=True, slots=True)
class LinkRow:
    """The links of one method and place, the precision that they state, and the measured one."""

    method: str
    place: str
    links: str
    stated: str
    precision: str
    interval: str


@dataclass(frozen=True, slots=True)
class ReliabilityRow:
    """The stated confidence of the links in one bin, and the share of them that is correct."""

    confidence: str
    count: str
    stated: str
    correct: str
    bar: str


@dataclass(frozen=True, slots=True)
class CommitView:
    """A commit as a reader knows it: short, with its subject where that is known."""

    commit: str
    subject: str
    address: str


@dataclass(frozen=True, slots=True)
class View:
    """A report, before it takes the shape of a channel.

    `rows` are the metrics with a limit and the awards, worst first; `info_rows` have no limit. `figures` are
    the main ones, `blind` is what was not judged, `reasons` are those without a row. `more_rows` is how many
    rows are left out, empty if none. `own_rows` are of the change's own fixture, if it was judged on another.
    `log` is the end of what a broken enricher printed. `has_all` is False where only the open rows are kept.
    """

    gate: str
    product: str
    outcome: Outcome
    mark: str
    headline: str
    figures: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()
    improvement: str = ""
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    rows: tuple[MetricRow, ...] = ()
    info_rows: tuple[MetricRow, ...] = ()
    own_rows: tuple[MetricRow, ...] = ()
    more_rows: str = ""
    awards: AwardsView = field(default_factory=AwardsView)
    slices: tuple[SliceRow, ...] = ()
    kept: tuple[str, ...] = ()
    banner: PolicyBanner | None = None
    waivers: tuple[WaiverRow, ...] = ()
    next: NextSteps = field(default_factory=NextSteps)
    base: CommitView | None = None
    head: CommitView | None = None
    quality: tuple[Fact, ...] = ()
    strata: tuple[StratumRow, ...] = ()
    links: tuple[LinkRow, ...] = ()
    reliability: tuple[ReliabilityRow, ...] = ()
    environment: tuple[Fact, ...] = ()
    log: tuple[str, ...] = ()
    has_all: bool = True

    @property
    def open_rows(self) -> tuple[MetricRow, ...]:
        """The rows that fail, warn or are undecided."""
        return tuple(row for row in self.rows if row.is_open)

    @property
    def metric_rows(self) -> tuple[MetricRow, ...]:
        """The rows of metrics with a limit, without that of the awards."""
        return tuple(row for row in self.rows if row.key)

    @property
    def is_all_doubt(self) -> bool:
        """Say whether only undecided metrics are shown, which show estimate and interval apart."""
        return bool(self.open_rows) and all(row.severity is Severity.INCONCLUSIVE for row in self.open_rows)

    @property
    def notes_title(self) -> str:
        """How many notes there are."""
        return counted(len(self.notes), "note")

    @property
    def all_title(self) -> str:
        """What the fold with everything else holds."""
        parts = (
            f"All {counted(len(self.metric_rows), 'metric')}" if self.has_all and self.metric_rows else "",
            f"{len(self.info_rows):,} not judged" if self.info_rows else "",
            "quality" if self.quality else "",
            "environment" if self.environment else "",
        )
        title = " · ".join(filter(None, parts))
        return title[:1].upper() + title[1:]


def build_view(
    run: Run | None,
    verdict: Verdict,
    links: Links | None = None,
    subjects: Subjects | None = None,
    against: str = "",
) -> View:
    """Return the view of a verdict; without the Run that it judges, without quality and machine.

    `against` is the saved Run that it was compared with, where a user named one.
    """
    links, subjects = links or Links(), subjects or Subjects()
    gated = [change for change in verdict.changes if change.severity is not Severity.INFO]
    others = [change for change in verdict.changes if change.severity is Severity.INFO]
    better, title = improvement_line(verdict), headline(verdict)
    return View(
        gate=plain(verdict.gate, _NAME_CHARACTERS),
        product=product(verdict.gate),
        outcome=verdict.outcome,
        mark=MARKS[verdict.outcome],
        headline=title,
        figures=figures(run, verdict),
        blind=blind_lines(verdict),
        improvement="" if verdict.outcome is Outcome.PASS else better,
        # what the headline says is not said again
        reasons=few(tuple(text for text in own_reasons(verdict) if text not in title), MAX_REASONS),
        notes=few(messages(verdict.notes), MAX_REASONS),
        rows=in_order((*_awards_row(verdict), *metric_rows(gated))),
        info_rows=metric_rows(others),
        own_rows=metric_rows(verdict.own_fixture_changes),
        awards=awards_view(verdict.records),
        slices=slice_rows(verdict.records),
        kept=kept_lines(verdict.records),
        banner=policy_banner(verdict),
        waivers=waiver_rows(verdict),
        next=next_steps(run, verdict, links.pull_request, against),
        base=_commit(verdict.reference_commit, subjects.base, links.base_commit),
        head=_commit(verdict.head_commit, subjects.head, links.commit),
        quality=_quality_facts(run) if run else (),
        strata=_strata(run) if run else (),
        links=_links(run) if run else (),
        reliability=_reliability(run) if run else (),
        environment=(*_verdict_facts(verdict), *(_environment_facts(run) if run else ())),
        log=log_of(verdict),
    )


def few(lines: tuple[str, ...], most: int) -> tuple[str, ...]:
    """Return at most `most` lines; one more counts the others."""
    return (*lines[:most], f"and {len(lines) - most:,} more") if len(lines) > most else lines


def _awards_row(verdict: Verdict) -> tuple[MetricRow, ...]:
    """Return the row of the awards that worsened; none where they exceed no limit."""
    records = verdict.records
    if records.severity not in OPEN:
        return ()
    return (
        MetricRow(
            mark=ROW_MARKS[records.severity],
            severity=records.severity,
            name=worsened_title(records),
            key="",
            anchor=LOST_AWARDS_ANCHOR,
            change=counted(records.worsened, "award"),
            values=NOTHING,
            limit=awards_limit(verdict),
        ),
    )


def _commit(commit: str, subject: str, address: str) -> CommitView | None:
    if not commit:
        return None
    return CommitView(plain(commit[:_SHORT_COMMIT]), plain(subject, _NAME_CHARACTERS), address)


def _quality_facts(run: Run) -> tuple[Fact, ...]:
    quality = run.quality
    methods = ", ".join(
        f"{plain(method, _ID_CHARACTERS)} {count:,}"
        for method, count in sorted(quality.links_by_method.items())
    )
    facts = [
        Fact(
            "links", f"{quality.links:,} of {quality.awards:,} awards (match rate {rate(quality.match_rate)})"
        ),
        Fact("by method", plain(methods) or NOTHING),
    ]
    if quality.labelled is not None or not run.has_truth:
        facts.append(Fact("labels", f"{quality.labelled or 0:,} of {quality.awards:,} awards labelled"))
    if quality.population is not None:
        estimate = (
            f"{population_text(quality.population)}, estimated for {quality.population.awards:,} awards"
        )
        facts.append(Fact("match rate of all awards", estimate))
    if (absent := quality.absent_linked) is not None and absent.whole:
        linked = f"{absent.part:,} of {absent.whole:,} ({share_text(absent.rate)})"
        facts.append(Fact("firms without a recipient that have a link", linked))
    others = (item for item in quality.rates().items() if item[0] not in _ALREADY_SHOWN)
    return (*facts, *(Fact(metric_name(name), rate(value)) for name, value in others))


def _strata(run: Run) -> tuple[StratumRow, ...]:
    return tuple(
        StratumRow(
            dimension=plain(stratum.dimension, _ID_CHARACTERS),
            value=plain(stratum.value, _ID_CHARACTERS),
            awards=f"{stratum.awards:,}",
            links=f"{stratum.links:,}",
            match_rate=rate(stratum.match_rate),
            precision=rate(stratum.precision),
            recall=rate(stratum.recall),
        )
        for stratum in run.quality.strata
    )


def _links(run: Run) -> tuple[LinkRow, ...]:
    return tuple(
        LinkRow(
            method=plain(stratum.method, _ID_CHARACTERS),
            place=place_name(stratum.place),
            links=f"{stratum.links:,}",
            stated=rate(stratum.stated),
            precision=rate(stratum.precision.rate),
            interval=interval_text(stratum.precision),
        )
        for stratum in run.quality.link_strata
    )


def _reliability(run: Run) -> tuple[ReliabilityRow, ...]:
    return tuple(
        ReliabilityRow(
            confidence=f"{bin_.low:.2f} to {bin_.high:.2f}",
            count=f"{bin_.count:,}",
            stated=rate(bin_.mean_confidence),
            correct=rate(bin_.share_right),
            bar=bar(bin_.share_right),
        )
        for bin_ in run.quality.reliability
        if bin_.count
    )


def _verdict_facts(verdict: Verdict) -> tuple[Fact, ...]:
    facts = [Fact("head", _moment(verdict.head_started_at, verdict.head_commit))]
    if verdict.reference_started_at:
        facts.append(Fact("base", _moment(verdict.reference_started_at, verdict.reference_commit)))
    if verdict.policy_commit:
        facts.append(Fact("policy", policy_words(verdict)))
    return tuple(facts)


def _moment(started_at: datetime, commit: str) -> str:
    words = moment_text(started_at)
    return f"{words}, commit {plain(commit[:_COMMIT_CHARACTERS])}" if commit else words


def _environment_facts(run: Run) -> tuple[Fact, ...]:
    machine, fixture = run.machine, run.fixture
    calibration = quantity(median(run.calibration_seconds), "s") if run.calibration_seconds else "not timed"
    size = f"{machine.cores} cores, {machine.memory_mib:,} MiB"
    facts = {
        "branch": run.source.branch + (" (with uncommitted changes)" if run.source.is_dirty else ""),
        "machine": f"{machine.cpu_model}, {size}, {machine.system}",
        "Python": machine.python_version,
        "calibration workload": calibration,
        "fixture": f"{fixture.awards:,} awards, {fixture.fingerprint[:12]}",
        "enricher": run.enricher,
        "settings file": run.settings_file,
        "repeats": str(len(run.samples)),
        "sbir-gate": run.tool_version,
    }
    engine = sorted(run.engine_notes.items())
    return tuple(
        Fact(plain(name, _NAME_CHARACTERS), plain(value))
        for name, value in (*facts.items(), *engine)
        if value
    )
