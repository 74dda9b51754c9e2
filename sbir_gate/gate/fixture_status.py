"""`sbir-gate fixture status`: the fixture beside the latest full run; nothing is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sbir_gate.documents import load_quality, load_run
from sbir_gate.errors import DocumentError
from sbir_gate.gate.comparing.fixture_shares import (
    blind_strata,
    compare_shares,
    least_seen_loss,
    values_of,
)
from sbir_gate.gate.dashboard import history_of
from sbir_gate.gate.fixture import describe_fixture, draw_of, read_profiles
from sbir_gate.gate.quality_history import is_any
from sbir_gate.gate.storing.baselines import load_baseline
from sbir_gate.model.fixture_status import Counts, FixtureStatus, FullData, ShareOf
from sbir_gate.model.history import HistoryEntry, HistoryQuery
from sbir_gate.model.matches import Method
from sbir_gate.model.quality_report import Dimension, QualityReport
from sbir_gate.model.run import Run
from sbir_gate.reading.truth import read_labels
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.judgement import policy
from sbir_gate.settings.schema import Settings

_LINKS, _RECORDS = "links/", "records"
_DIMENSIONS = {
    ShareOf.PHASE: Dimension.PHASE,
    ShareOf.YEAR: Dimension.YEAR,
    ShareOf.IDENTIFIER_TYPE: Dimension.IDENTIFIER_TYPE,
}


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """Where the full run is: a saved Run or quality report, else in the history.

    Strata with fewer than `least` awards are listed; None lists those that cannot fail the gate alone.
    """

    full: Path | None = None
    history: str | None = None
    least: int | None = None


def fixture_status(request: StatusRequest, effective: EffectiveSettings, today: date) -> FixtureStatus:
    """Return what the fixture of the settings shows.

    Raises InputError or DocumentError for a fixture, a full run or a history that cannot be read.
    """
    settings = effective.settings
    awards = read_profiles(effective)
    draw = draw_of(effective, awards)
    truth = settings.fixtures.truth
    full = load_full(request.full) if request.full is not None else _newest_full(request.history, settings)
    values = values_of(awards, _methods(effective, len(awards)))
    seen_from = least_seen_loss(policy(settings))
    least = seen_from if request.least is None else request.least
    strata, blind = blind_strata(awards, draw, seen_from, least)
    known = full.counts.keys() & values.keys() if full is not None else set()
    return FixtureStatus(
        awards=len(awards),
        labelled=0 if truth is None else len(read_labels(truth, may_be_empty=True)),
        draw=draw,
        age_days=(today - draw.drawn_on).days if draw is not None else None,
        full=full,
        shares=compare_shares(awards, values, draw, full.counts) if full is not None else (),
        unknown=tuple(each for each in ShareOf if each not in known) if full is not None else (),
        seen_from=seen_from,
        least=least,
        strata=strata,
        blind=blind,
    )


def load_full(path: Path) -> FullData:
    """Return the full run of a saved Run or quality report. Raises DocumentError for anything else."""
    try:
        run = load_run(path)
    except DocumentError as error:
        try:
            return _of_report(load_quality(path), str(path))
        except DocumentError:
            raise error from None
    return _of_run(run, str(path))


def _newest_full(source: str | None, settings: Settings) -> FullData | None:
    """Return the newest full run that the history knows; a quality report knows more than an entry."""
    gate = settings.checklist.full_gate
    with history_of(source, settings) as (history, reports_of):
        report = reports_of((gate,), is_any).get(gate)
        if report is not None:
            return _of_report(report, gate)
        rows = history.rows(HistoryQuery(gate=gate, limit=1))
        entry = next((history.entry(row) for row in rows), None)
    return _of_entry(entry) if entry is not None else None


def _of_run(run: Run, name: str) -> FullData:
    counts: dict[ShareOf, Mapping[str, int]] = {
        ShareOf.METHOD: _with_none(run.quality.links_by_method, run.quality.awards)
    }
    for dimension in (ShareOf.PHASE, ShareOf.IDENTIFIER_TYPE):
        strata = [stratum for stratum in run.quality.strata if stratum.dimension == dimension]
        if strata:
            counts[dimension] = {stratum.value: stratum.awards for stratum in strata}
    return FullData(name, run.started_at, run.quality.awards, counts)


def _of_report(report: QualityReport, name: str) -> FullData:
    counts: dict[ShareOf, Mapping[str, int]] = {
        share: {
            segment.value: segment.match_rate.whole
            for segment in report.segments_of(dimension)
            if not segment.merged
        }
        for share, dimension in _DIMENSIONS.items()
    }
    counts[ShareOf.METHOD] = _with_none(report.quality.links_by_method, report.quality.awards)
    known: Counts = {share: found for share, found in counts.items() if found}
    return FullData(name, report.made_at, report.match_rate.whole, known)


def _of_entry(entry: HistoryEntry) -> FullData:
    values = {metric.name: round(metric.values[0]) for metric in entry.metrics if len(metric.values) == 1}
    awards = values.get(_RECORDS, 0)
    links = {name.removeprefix(_LINKS): count for name, count in values.items() if name.startswith(_LINKS)}
    counts: Counts = {ShareOf.METHOD: _with_none(links, awards)} if awards and links else {}
    return FullData(entry.gate, entry.started_at, awards, counts)


def _with_none(links: Mapping[str, int], awards: int) -> Mapping[str, int]:
    return {**links, Method.NONE.value: max(0, awards - sum(links.values()))}


def _methods(effective: EffectiveSettings, awards: int) -> Mapping[str, str] | None:
    """Return the method of each award in the gate's baseline; None where it is of another fixture."""
    gate = effective.settings.gate
    baseline = load_baseline(gate.baselines_folder, gate.name)
    if baseline is None or baseline.fixture.fingerprint != describe_fixture(effective, awards).fingerprint:
        return None
    methods = {award.award_id: Method.NONE.value for award in baseline.awards}
    return methods | {award.award_id: award.decision.method for award in baseline.awards if award.link}
