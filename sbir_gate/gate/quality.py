"""The quality report of an enriched file of any engine, or of a Run; and where reports are kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sbir_gate.documents import save_quality
from sbir_gate.errors import EnricherError, InputError, OutputError
from sbir_gate.files import near_miss, open_file
from sbir_gate.gate.fixture import ReadFixture
from sbir_gate.gate.measuring.output import read_decisions
from sbir_gate.gate.measuring.quality import award_records, measure_quality
from sbir_gate.gate.measuring.quality_report import Provenance, quality_report
from sbir_gate.gate.measuring.rows import read_header
from sbir_gate.gate.quality_history import quality_folder
from sbir_gate.model.award_columns import uncollected
from sbir_gate.model.matches import Decision, names_candidates
from sbir_gate.model.quality_report import QualityReport
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, LinkedRecipient, Phase
from sbir_gate.model.run import Run
from sbir_gate.reading.award_table import profiles_of
from sbir_gate.reading.awards import read_fields
from sbir_gate.reading.database import open_database
from sbir_gate.reading.named_recipients import named_recipients
from sbir_gate.reading.recipient_index import RecipientFacts, index_recipients, with_whole_entities
from sbir_gate.reading.truth import check_truth, other_ids, read_truth
from sbir_gate.settings.reading import database_options, reading_options
from sbir_gate.settings.schema import Settings

# nine times the awards that there are: a file with more rows is not one of enriched awards
MOST_ROWS = 2_000_000
_NO_FACTS = RecipientFacts({}, {})
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class QualityRequest:
    """An enriched file, and what is known besides.

    `awards` are the awards that the engine was given, for an output without their columns; `recipients` the
    table that it linked them to, for an output without names and so that rows of one entity count as one.
    """

    enriched: Path
    truth: Path | None = None
    recipients: str | None = None
    awards: str | None = None


def report_on_file(
    request: QualityRequest, settings: Settings, now: datetime, progress: Progress, warn: Progress
) -> QualityReport:
    """Return the quality report of an enriched file: of the awards that it holds, or of those it was made of.

    `warn` is called with what makes the figures doubtful.

    Raises InputError for files that cannot be read, are too large, or do not belong together.
    """
    with uncollected():
        decisions = _decisions(request, progress)
        truth = read_truth(request.truth) if request.truth is not None else None
        with (
            tempfile.TemporaryDirectory(prefix="sbir-gate-") as name,
            open_database(database_options(settings), Path(name)) as connection,
        ):
            options, folder = reading_options(settings), Path(name)
            progress("reading the awards")
            source = request.awards or request.enriched
            read_fields(connection, source, folder, options)
            profiles = _distinct(profiles_of(connection))
            if request.awards is None:  # what the file holds, as it holds it
                profiles = _of_decisions(decisions, profiles)
            if not profiles:
                raise InputError("there is no award", "name a file with a header and rows", path=source)
            if request.recipients is None:
                names = named_recipients(connection, request.enriched, folder, options)
                facts = replace(_NO_FACTS, rows=names)
            else:
                progress("reading the recipients")
                index = index_recipients(connection, request.recipients, folder, options)
                facts = index.facts_of(_ids_of(decisions, truth))
        if request.truth is not None and truth is not None:
            own_ids = {id_ for right in truth.values() for id_ in right}
            known_ids = facts.rows.keys() if request.recipients is not None else own_ids
            check_truth(request.truth, truth, {profile.award_id for profile in profiles}, known_ids)
            truth = with_whole_entities(truth, facts.entities)
            if doubt := other_ids(truth, _ids_of(decisions, None)):
                warn(doubt)
        progress("counting")
        return quality_report(
            measure_quality(decisions, profiles, truth),
            award_records(decisions, profiles, truth, facts.rows),
            profiles,
            facts.rows,
            Provenance(now, str(request.enriched)),
            has_candidates=_has_candidates(decisions, request.enriched),
        )


def _decisions(request: QualityRequest, progress: Progress) -> Sequence[Decision]:
    with enriched_file(request.enriched):
        progress("reading the decisions")
        decisions = read_decisions(request.enriched, most=MOST_ROWS)
    return decisions if request.awards is not None else tuple(map(_trimmed, decisions))


def _has_candidates(decisions: Sequence[Decision], enriched: Path) -> bool:
    with enriched_file(enriched):
        return read_header(enriched).has_candidates or names_candidates(decisions)


def report_on_run(
    run: Run,
    profiles: Sequence[AwardProfile],
    names: Mapping[str, LinkedRecipient],
    enriched: Path | None = None,
) -> QualityReport:
    """Return the quality report of a Run; `profiles` are its awards, `names` its recipients by their ids.

    Without its `enriched` file, an engine of which no award has a candidate is one that names none.
    """
    decisions = [award.decision for award in run.awards]
    report = quality_report(
        run.quality,
        run.awards,
        profiles,
        names,
        Provenance(run.started_at, str(enriched or run.fixture.awards_path)),
        has_candidates=_has_candidates(decisions, enriched) if enriched else names_candidates(decisions),
    )
    return replace(
        report,
        gate=run.gate,
        enricher=run.enricher,
        source=run.source,
        fixture=run.fixture.fingerprint,
        tool_version=run.tool_version,
    )


def report_on_measured(run: Run, read: ReadFixture) -> QualityReport:
    """Return the quality report of a Run that was just measured on this fixture."""
    decisions = [award.decision for award in run.awards]
    return report_on_run(run, read.profiles, read.recipients.facts_of(_ids_of(decisions, None)).rows)


def report_on_saved(
    run: Run, profiles: Sequence[AwardProfile], enriched: Path, settings: Settings
) -> QualityReport:
    """Return the quality report of a Run that was saved, whose enriched file is still there.

    Raises InputError for an enriched file that cannot be read.
    """
    with (
        tempfile.TemporaryDirectory(prefix="sbir-gate-") as name,
        open_database(database_options(settings), Path(name)) as connection,
    ):
        names = named_recipients(connection, enriched, Path(name), reading_options(settings))
    return report_on_run(run, profiles, names, enriched)


def keep_quality(report: QualityReport | None, settings: Settings) -> tuple[str, ...]:
    """Save the report of a Run beside the others; return warnings, none if all went well.

    What cannot be written takes nothing from the verdict.
    """
    if report is None:
        return ()
    try:
        save_quality(quality_folder(settings), report)
    except OutputError as error:
        return (f"the quality report was not kept: {error.message}",)
    return ()


@contextmanager
def enriched_file(path: Path) -> Iterator[None]:
    """Read an enriched file that a user names: what is wrong with it is wrong input. Raises InputError."""
    try:
        open_file(path).close()
        yield
    except FileNotFoundError as error:
        raise InputError(
            "no such file", near_miss(path) or "name the file that the engine wrote", path=path
        ) from error
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror or error})",
            "name a CSV, CSV.gz or Parquet file that you may read",
            path=path,
        ) from error
    except EnricherError as error:
        refused = error.within("", InputError)
        refused.faults = tuple(replace(fault, path=str(path)) for fault in refused.faults)
        raise refused from error


def _distinct(profiles: Sequence[AwardProfile]) -> tuple[AwardProfile, ...]:
    """Return the first profile of each award."""
    firsts: dict[str, AwardProfile] = {}
    for profile in profiles:
        firsts.setdefault(profile.award_id, profile)
    return tuple(firsts.values())


def _trimmed(decision: Decision) -> Decision:
    """Return the decision with the award's id as reading spells it: without blanks around it."""
    award_id = decision.award_id.strip()
    return decision if award_id == decision.award_id else replace(decision, award_id=award_id)


def _of_decisions(
    decisions: Sequence[Decision], profiles: Sequence[AwardProfile]
) -> tuple[AwardProfile, ...]:
    """Return the profiles of the awards that were decided; nothing but its id of one that has none."""
    known = {profile.award_id: profile for profile in profiles}
    award_ids = dict.fromkeys(decision.award_id for decision in decisions)
    return tuple(known.get(award_id) or _bare(award_id) for award_id in award_ids)


def _bare(award_id: str) -> AwardProfile:
    return AwardProfile(award_id, "", Phase.OTHER, CompanySize.UNKNOWN, IdentifierType.NEITHER)


def _ids_of(decisions: Sequence[Decision], truth: Mapping[str, frozenset[str]] | None) -> set[str]:
    """Return the recipients that decisions, their candidates and the truth name."""
    named = {decision.recipient_id for decision in decisions}
    named.update(id_ for decision in decisions for id_ in decision.candidate_ids)
    return named.union(*(truth or {}).values()) - {""}
