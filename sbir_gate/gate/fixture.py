"""The fixture, read once before anything is measured: what it holds, and what an engine is handed."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import duckdb

from sbir_gate.documents import load_fixture_draw
from sbir_gate.errors import ConfigurationError, InputError
from sbir_gate.gate.reporting.messages import diagnosis_texts
from sbir_gate.model.by_award import ByAward
from sbir_gate.model.diagnosis import Diagnosis, Flaw, Gravity
from sbir_gate.model.finding import Fact
from sbir_gate.model.fixture_draw import FixtureDraw, fixture_difference
from sbir_gate.model.matches import Decision
from sbir_gate.model.records import AwardProfile, LinkedRecipient, Reject
from sbir_gate.model.run import Fixture
from sbir_gate.reading.award_table import profiles_of
from sbir_gate.reading.awards import read_awards, thin_awards
from sbir_gate.reading.database import open_database
from sbir_gate.reading.handed_files import hand_awards, hand_recipients
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.reading.recipient_index import (
    RecipientIndex,
    index_recipients,
    with_whole_entities,
)
from sbir_gate.reading.rejects import RejectLog
from sbir_gate.reading.sources import digest_source
from sbir_gate.reading.truth import check_truth, read_truth
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.fixture_place import check_fixture_place
from sbir_gate.settings.reading import database_options, reading_options

_NEXT = b"\x00next\x00"
_READ_ONLY = 0o444


@dataclass(frozen=True, slots=True)
class ReadFixture:
    """What a benchmark needs of the fixture, read once; `started_at` is when that began.

    `truth` holds for all rows of an entity. `handed` are the files of awards and recipients that the engine
    gets, None where a step of a pipeline runs it itself. `rejected` counts the rows that could not be read,
    `reject_examples` names the first of awards and of recipients. `draw` says how the awards were drawn, None
    if it is not known. Awards without ids of their own have them in the handed file.
    """

    started_at: datetime
    profiles: ByAward[AwardProfile]
    truth: Mapping[str, frozenset[str]] | None
    fixture: Fixture
    recipients: RecipientIndex
    handed: tuple[Path, Path] | None
    rejected: int
    reject_examples: tuple[str, ...]
    draw: FixtureDraw | None = None
    has_award_ids: bool = True


class Clock(Protocol):
    """The edge that reading needs."""

    @property
    def now(self) -> Callable[[], datetime]:
        """The present time."""


def read_fixture(
    effective: EffectiveSettings,
    edges: Clock,
    progress: Callable[[str], None],
    scratch: Path,
    most_awards: int | None = None,
) -> ReadFixture:
    """Read awards, recipients and truth; what is written of them is in a new folder in `scratch`.

    Of more than `most_awards` awards only that number is taken, spread evenly; None takes all.
    Raises ConfigurationError where `population_fault` says why, InputError for what cannot be read. In a
    labelled fixture that is any row: a lost row would be a lost award, unnoticed.
    """
    check_fixture_place(effective)
    settings = effective.settings
    fixtures = settings.fixtures
    started_at = edges.now()
    if most_awards is None and (fault := population_fault(effective)) is not None:
        problem, hint = diagnosis_texts(fault)
        raise ConfigurationError(problem, hint, path=fault.place)
    progress("reading the fixtures")
    options = reading_options(settings)
    if fixtures.truth is not None:
        options = replace(options, max_reject_percent=100.0)
    folder = Path(tempfile.mkdtemp(dir=scratch, prefix="fixture-"))
    rejects = RejectLog()
    with open_database(database_options(settings), folder) as connection:
        profiles, has_award_ids, awards_path = _read_awards(
            connection, str(fixtures.awards), folder, options, rejects, most_awards
        )
        recipients = index_recipients(connection, str(fixtures.recipients), folder, options)
        is_altered = recipients.rejects > 0 or recipients.has_padded_ids
        recipients_path = hand_recipients(
            connection, str(fixtures.recipients), folder, options, is_altered=is_altered
        )
    for path in folder.iterdir():
        if path.is_file():
            path.chmod(_READ_ONLY)  # both sides of a comparison read them
    unread = UnreadAwards(rejects.count, next(iter(rejects.first), None))
    handed = (awards_path or fixtures.awards, recipients_path or fixtures.recipients)
    read = fixture_of(effective, started_at, profiles, unread, recipients, handed)
    read = replace(read, has_award_ids=has_award_ids)
    return read if most_awards is not None else replace(read, draw=draw_of(effective, profiles))


def unlabelled(effective: EffectiveSettings) -> EffectiveSettings:
    """Return the settings without truth and draw: what is read may be other awards than theirs."""
    fixtures = effective.settings.fixtures.model_copy(update={"truth": None, "draw": None})
    return replace(effective, settings=effective.settings.model_copy(update={"fixtures": fixtures}))


def population_fault(effective: EffectiveSettings) -> Diagnosis | None:
    """Return why the threshold cannot be held against the match rate of all awards; None if it can."""
    settings = effective.settings
    if settings.gate.match_rate_of != "population" or settings.fixtures.draw is not None:
        return None
    return Diagnosis(Gravity.ERROR, Flaw.POPULATION_UNKNOWN, effective.place_of("gate.match_rate_of"))


def draw_of(effective: EffectiveSettings, profiles: Sequence[AwardProfile]) -> FixtureDraw | None:
    """Return how the awards of the fixture were drawn, None if that is not known.

    Raises DocumentError for a file that is not a draw, InputError for the draw of another fixture.
    """
    path = effective.settings.fixtures.draw
    if path is None:
        return None
    draw = load_fixture_draw(path)
    if difference := fixture_difference(draw, profiles):
        raise InputError(
            f"this is not how the fixture was drawn: {difference}",
            "draw it again with 'sbir-gate fixture refresh', or set fixtures.draw to null",
            path=path,
        )
    return draw


@dataclass(frozen=True, slots=True)
class UnreadAwards:
    """The rows of awards that could not be read: how many, and the first."""

    count: int
    first: Reject | None = None


def fixture_of(
    effective: EffectiveSettings,
    started_at: datetime,
    profiles: ByAward[AwardProfile],
    unread: UnreadAwards,
    recipients: RecipientIndex,
    handed: tuple[Path, Path] | None = None,
    *,
    is_partial: bool = False,
    awards_digest: str = "",
) -> ReadFixture:
    """Return the fixture whose awards and recipients were read, with its truth.

    `awards_digest` is as in `describe_fixture`. `is_partial` says that the profiles are of some awards alone,
    a year say: then the truth of the others is left out. Raises InputError for a truth of another fixture,
    and for any row that could not be read where there is a truth.
    """
    truth, path = None, effective.settings.fixtures.truth
    rejects = tuple(filter(None, (unread.first, recipients.first_reject)))
    if path is not None:
        _refuse("awards", unread.count, len(profiles), unread.first)
        _refuse("recipients", recipients.rejects, recipients.rows, recipients.first_reject)
        truth = _checked_truth(path, profiles, recipients, is_partial=is_partial)
    return ReadFixture(
        started_at,
        profiles,
        truth,
        describe_fixture(effective, len(profiles), awards_digest),
        recipients,
        handed,
        unread.count + recipients.rejects,
        tuple(reject.text for reject in rejects),
    )


@dataclass(frozen=True, slots=True)
class KnownRecipients:
    """What the recipients hold of the decisions.

    `linked` are those that awards are linked to, by their ids, `entities` the entities among them with all
    their ids, and `unknown` the ids that are in no recipient.
    """

    linked: Mapping[str, LinkedRecipient]
    entities: Mapping[str, str]
    unknown: tuple[str, ...]


def known_recipients(read: ReadFixture, decisions: Sequence[Decision]) -> KnownRecipients:
    """Look up the recipients that the decisions name."""
    answers = ByAward.of(decisions).distinct
    named = {decision.recipient_id for decision in answers if decision.recipient_id}
    named.update(id_ for decision in answers for id_ in decision.candidate_ids if id_)
    facts = read.recipients.facts_of(named)
    linked = {decision.link for decision in answers if decision.link}
    touched = {facts.entities[id_] for id_ in linked if id_ in facts.entities}
    return KnownRecipients(
        linked={id_: facts.rows[id_] for id_ in linked if id_ in facts.rows},
        entities={id_: entity for id_, entity in facts.entities.items() if entity in touched},
        unknown=tuple(sorted(named - facts.rows.keys())),
    )


def shared_ids_of(read: ReadFixture, place: str) -> Iterator[Diagnosis]:
    """Yield that recipients of different firms share an id, where any do."""
    shared = read.recipients.shared_ids
    if shared.count:
        facts: dict[str, Fact] = {"count": shared.count, "examples": shared.examples}
        yield Diagnosis(Gravity.WARNING, Flaw.RECIPIENT_IDS_SHARED, place, facts)


def read_profiles(effective: EffectiveSettings) -> ByAward[AwardProfile]:
    """Read the fixture's awards and return what quality needs of each, in their order."""
    check_fixture_place(effective)
    settings = effective.settings
    with tempfile.TemporaryDirectory(prefix="sbir-gate-") as folder, duckdb.connect() as connection:
        read_awards(connection, str(settings.fixtures.awards), Path(folder), reading_options(settings))
        return profiles_of(connection)


def describe_fixture(effective: EffectiveSettings, awards: int, awards_digest: str = "") -> Fixture:
    """Return the fixture with the SHA-256 over the bytes of its files; that of its draw is one of them.

    `awards_digest` is that of the awards when they were read (`source_digest`). It takes their place if they
    have changed since: then the fixture is of no files that are there now.
    """
    fixtures = effective.settings.fixtures
    options = reading_options(effective.settings)
    digest = _digest_of_awards(fixtures.awards, options, awards_digest)
    for source in (fixtures.recipients, fixtures.truth, fixtures.draw):
        if source is not None:
            digest_source(source, options, digest.update)
            digest.update(_NEXT)
    return Fixture(
        fingerprint=digest.hexdigest(),
        awards_path=str(fixtures.awards),
        recipients_path=str(fixtures.recipients),
        truth_path=str(fixtures.truth or ""),
        awards=awards,
    )


def _digest_of_awards(source: Path, options: ReadingOptions, known: str) -> hashlib._Hash:
    whole, own = hashlib.sha256(), hashlib.sha256()

    def update(block: bytes) -> None:
        whole.update(block)
        own.update(block)

    try:
        digest_source(source, options, update)
        is_known = known in {"", own.hexdigest()}
    except InputError:
        if not known:
            raise
        is_known = False
    digest = whole if is_known else hashlib.sha256(known.encode())
    digest.update(_NEXT)
    return digest


def _read_awards(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    folder: Path,
    options: ReadingOptions,
    rejects: RejectLog,
    most: int | None,
) -> tuple[ByAward[AwardProfile], bool, Path | None]:
    """Return the profiles of the awards, whether they have ids of their own, and the file for the engine.

    There is no such file if the engine is handed the source.
    """
    with tempfile.TemporaryDirectory(dir=folder) as work:  # the rows as they were are needed only here
        read = read_awards(connection, source, Path(work), options, rejects)
        if most is not None:
            thin_awards(connection, read, most)
        handed = hand_awards(connection, source, read, folder, options)
        return profiles_of(connection), read.has_award_ids, handed


def _refuse(what: str, rejects: int, rows: int, first: Reject | None) -> None:
    if first is not None:
        raise InputError(
            f"{rejects:,} of {rows + rejects:,} {what} of the fixture could not be read, such as this one:"
            f" {first.reason}",
            "correct the rows: in a labelled fixture every row must be readable",
            path=first.file,
            line=first.line or None,
        )


def _checked_truth(
    path: Path, profiles: ByAward[AwardProfile], recipients: RecipientIndex, *, is_partial: bool
) -> Mapping[str, frozenset[str]]:
    truth = read_truth(path)
    award_ids = frozenset(profiles.award_ids)
    if is_partial:
        truth = {award_id: right for award_id, right in truth.items() if award_id in award_ids}
    facts = recipients.facts_of(id_ for right in truth.values() for id_ in right)
    check_truth(path, truth, award_ids, facts.rows.keys())
    return with_whole_entities(truth, facts.entities)
