# ruff: noqa: S608 -- the SQL is built from this package's names, and from names that are quoted
"""A fixture drawn from a team's own files: some awards, the recipients that matter to them, and labels."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from sbir_gate import __version__
from sbir_gate.datasets.drawing.award_draw import AwardDraw, draw_awards
from sbir_gate.datasets.drawing.earlier_labels import EarlierFixture, LabelFate
from sbir_gate.datasets.drawing.identifier_labels import identifier_labels
from sbir_gate.datasets.drawing.recipient_draw import (
    KEPT,
    RecipientDraw,
    draw_recipients,
    known_ids,
    load_recipients,
)
from sbir_gate.errors import InputError
from sbir_gate.model.diagnosis import Diagnosis
from sbir_gate.model.fixture_draw import DrawnFrom, FixtureDraw, ids_digest
from sbir_gate.model.labelling import AwardLabel
from sbir_gate.reading.award_table import profiles_of
from sbir_gate.reading.awards import AWARDS_TABLE, POSITION, ROWS_TABLE, AwardsRead, read_awards
from sbir_gate.reading.database import DatabaseOptions, open_database
from sbir_gate.reading.files import resolve_files
from sbir_gate.reading.handed_files import Cut, hand_awards, hand_recipients
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.reading.sources import digest_source, open_source
from sbir_gate.reading.truth import check_truth, read_labels, read_truth
from sbir_gate.sql_text import identifier

STRANGERS_PER_AWARD = 10
_EMAIL = "'[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+[.][A-Za-z]'"
# a column is about persons, and stays out of a repository, if its name has one of these words or parts
_PERSONAL_WORDS = frozenset(
    {"contact", "poc", "pi", "email", "mail", "phone", "telephone", "tel", "fax", "officer", "person"}
)
_PERSONAL_PARTS = ("email", "phone", "contact", "investigator", "officer", "firstname", "lastname", "birth")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """The files to draw from, about how many awards, and the seed that decides which.

    `truth` is None if there is none; `earlier_truth` is the one of an earlier draw, whose labels stay.
    `earlier` is the fixture that is drawn again: awards that people have labelled stay in it. `today` is the
    day of the draw.
    """

    awards: str
    recipients: str
    truth: Path | None
    count: int
    seed: int
    today: date
    earlier_truth: Path | None = None
    earlier: EarlierFixture | None = None


@dataclass(frozen=True, slots=True)
class DrawnFixture:
    """The files that were written, and what is known of the draw.

    `labels` are those of drawn awards, `given` of them by a truth or an earlier fixture, the others by
    identifier.
    `left_out` are the personal columns of awards and of recipients; `emails` counts the cells with an e-mail
    address in the other columns of awards. `findings` is what was seen while the sources were read. `fates`
    counts an earlier fixture's labels.
    """

    awards_file: Path
    recipients_file: Path
    awards: AwardDraw
    recipients: RecipientDraw
    draw: FixtureDraw
    labels: tuple[AwardLabel, ...]
    given: int
    left_out: tuple[tuple[str, ...], tuple[str, ...]]
    emails: Mapping[str, int]
    has_award_ids: bool
    findings: tuple[Diagnosis, ...]
    fates: Mapping[LabelFate, int]


def draw_fixture(
    request: DrawRequest,
    folder: Path,
    database: DatabaseOptions,
    options: ReadingOptions,
    progress: Callable[[str], None],
) -> DrawnFixture:
    """Draw the fixture and write its awards and recipients to files in `folder`, as their sources are.

    Raises InputError for what cannot be read, and for a truth of other files.
    """
    scratch = folder / "drawing"
    scratch.mkdir()
    with open_database(database, scratch) as connection:
        progress("reading the awards")
        read = read_awards(connection, request.awards, scratch, options)
        profiles = {profile.award_id: profile for profile in profiles_of(connection)}
        progress("reading the recipients")
        recipients_account = load_recipients(connection, request.recipients, scratch, options)
        known = known_ids(connection, request.earlier.named_recipients if request.earlier else ())
        held = request.earlier.usable(profiles, known) if request.earlier else {}
        labels = held | _given_labels(request, profiles.keys())
        progress("drawing")
        # a truth labels every award again, so its own need not stay
        keep = held.keys() if request.truth is None else held.keys() - read_truth(request.truth).keys()
        drawn = draw_awards(profiles.values(), request.count, request.seed, keep)
        ids = {award.award_id for award in drawn.drawn}
        given = {award_id: label for award_id, label in labels.items() if award_id in ids}
        recipients = _drawn_recipients(connection, request, drawn, given)
        _check_recipients(connection, request, given)
        progress("writing the fixture")
        files, left_out, emails = _write(connection, request, read, folder, options, ids)
    shutil.rmtree(scratch)
    by_identifier = identifier_labels(recipients.matches)
    merged = {**by_identifier, **given}
    return DrawnFixture(
        *files,
        drawn,
        recipients,
        _draw_document(request, drawn, recipients, options),
        tuple(merged[award.award_id] for award in drawn.drawn if award.award_id in merged),
        sum(label != by_identifier.get(award_id) for award_id, label in given.items()),
        left_out,
        emails,
        read.has_award_ids,
        (*read.findings, *recipients_account.diagnoses()),
        request.earlier.fates(profiles, known, ids, merged.keys()) if request.earlier else {},
    )


def _given_labels(request: DrawRequest, award_ids: Collection[str]) -> dict[str, AwardLabel]:
    """Return the labels in the truths. Raises InputError for a truth of other awards."""
    labels: dict[str, AwardLabel] = {}
    if request.earlier_truth is not None:
        labels |= read_labels(request.earlier_truth, may_be_empty=True)
    if request.truth is not None:
        truth = read_truth(request.truth)
        check_truth(request.truth, {award_id: frozenset() for award_id in truth}, award_ids, ())
        labels |= read_labels(request.truth)
    return labels


def _drawn_recipients(
    connection: duckdb.DuckDBPyConnection,
    request: DrawRequest,
    drawn: AwardDraw,
    given: Mapping[str, AwardLabel],
) -> RecipientDraw:
    labelled = {id_ for label in given.values() for id_ in label.recipient_ids}
    strangers = STRANGERS_PER_AWARD * len(drawn.drawn)
    return draw_recipients(connection, drawn.drawn, labelled, strangers, request.seed)


def _write(
    connection: duckdb.DuckDBPyConnection,
    request: DrawRequest,
    read: AwardsRead,
    folder: Path,
    options: ReadingOptions,
    award_ids: Collection[str],
) -> tuple[tuple[Path, Path], tuple[tuple[str, ...], tuple[str, ...]], Mapping[str, int]]:
    """Write awards and recipients; return their files, the columns left out, and cells with e-mail addresses.

    Raises InputError for a source that has no file to take the columns of.
    """
    connection.execute(
        f"DELETE FROM {AWARDS_TABLE} WHERE award_id NOT IN (SELECT unnest($ids::VARCHAR[]))",
        {"ids": sorted(award_ids)},
    )
    awards_file = hand_awards(connection, request.awards, read, folder, options, Cut(is_personal))
    emails = _emails(connection, read)
    # one thread writes: the bytes then depend on the rows alone
    connection.execute("SET threads = 1")
    columns = _columns(connection, request.recipients, folder / "drawing", options)
    recipients_file = hand_recipients(
        connection, request.recipients, folder, options, Cut(is_personal, KEPT), is_altered=True
    )
    if awards_file is None or recipients_file is None:
        raise InputError("cannot be drawn from", "name a file of awards", path=request.awards)
    left_out = (personal_columns(read.columns), personal_columns(columns))
    return (awards_file, recipients_file), left_out, emails


def _draw_document(
    request: DrawRequest, drawn: AwardDraw, recipients: RecipientDraw, options: ReadingOptions
) -> FixtureDraw:
    return FixtureDraw(
        seed=request.seed,
        count=request.count,
        drawn_on=request.today,
        tool_version=__version__,
        awards=_drawn_from(request.awards, drawn.awards, options),
        recipients=_drawn_from(request.recipients, recipients.recipients, options),
        strata=drawn.strata,
        award_ids_sha256=ids_digest(award.award_id for award in drawn.drawn),
        kept_ids=drawn.kept_ids,
    )


def _drawn_from(source: str, rows: int, options: ReadingOptions) -> DrawnFrom:
    """Return what is known of a source; not its folder, which is this machine's own."""
    size, digest = 0, hashlib.sha256()

    def update(block: bytes) -> None:
        nonlocal size
        size += len(block)
        digest.update(block)

    digest_source(source, options, update)
    return DrawnFrom(Path(source).name, rows, size, digest.hexdigest())


def _check_recipients(
    connection: duckdb.DuckDBPyConnection, request: DrawRequest, given: Mapping[str, AwardLabel]
) -> None:
    """Raise InputError if the truths name recipients that do not exist."""
    known = {str(row[0]) for row in connection.execute(f"FROM {KEPT}").fetchall()}
    truth = {award_id: frozenset(label.recipient_ids) for award_id, label in given.items()}
    path = request.truth or request.earlier_truth
    if path is not None and request.truth is not None:
        own = read_truth(path)
        truth = {award_id: ids for award_id, ids in truth.items() if award_id in own}
    if path is not None:
        check_truth(path, truth, truth.keys(), known)


def _columns(
    connection: duckdb.DuckDBPyConnection, source: str, folder: Path, options: ReadingOptions
) -> list[str]:
    columns: list[str] = []
    for file in resolve_files(source):
        with open_source(connection, file, folder, options) as raw:
            columns += raw.columns
    return columns


def _emails(connection: duckdb.DuckDBPyConnection, read: AwardsRead) -> Mapping[str, int]:
    """Count the cells with an e-mail address among the drawn awards, in the columns that stay."""
    stay = [column for column in read.columns if not is_personal(column)]
    counts = ", ".join(
        f"count(*) FILTER (regexp_matches(r.{identifier(column)}, {_EMAIL}))" for column in stay
    )
    found = connection.execute(
        f"SELECT {counts} FROM {ROWS_TABLE} r JOIN {AWARDS_TABLE} a USING ({POSITION})"
    ).fetchall()[0]
    return {column: cells for column, cells in zip(stay, found, strict=True) if cells}


def is_personal(column: str) -> bool:
    """Say whether the name of a column is one of persons: `Contact Email`, `PI Name`, `officer_1_name`."""
    words = [word.casefold() for word in _WORD.findall(column)]
    joined = "".join(words)
    return not _PERSONAL_WORDS.isdisjoint(words) or any(part in joined for part in _PERSONAL_PARTS)


def personal_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that are about persons, each once."""
    return tuple(dict.fromkeys(filter(is_personal, columns)))
