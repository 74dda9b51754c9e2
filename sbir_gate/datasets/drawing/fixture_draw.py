# ruff: noqa: S608 -- the SQL is built from this package's names, and from names that are quoted
"""A fixture drawn from a team's own files: some awards, the recipients that matter to them, and labels."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sbir_gate.datasets.drawing.award_draw import AwardDraw, draw_awards
from sbir_gate.datasets.drawing.identifier_labels import identifier_labels
from sbir_gate.datasets.drawing.personal_columns import is_personal, personal_columns
from sbir_gate.datasets.drawing.recipient_draw import KEPT, RecipientDraw, draw_recipients
from sbir_gate.errors import InputError
from sbir_gate.model.labelling import AwardLabel
from sbir_gate.reading.award_table import profiles_of
from sbir_gate.reading.awards import AWARDS_TABLE, POSITION, ROWS_TABLE, AwardsRead, read_awards
from sbir_gate.reading.database import DatabaseOptions, open_database
from sbir_gate.reading.files import resolve_files
from sbir_gate.reading.handed_files import Cut, hand_awards, hand_recipients
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.reading.sources import open_source
from sbir_gate.reading.truth import check_truth, read_labels, read_truth
from sbir_gate.sql_text import identifier

STRANGERS_PER_AWARD = 10
_EMAIL = "'[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+[.][A-Za-z]'"


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """The files to draw from, about how many awards, and the seed that decides which.

    `truth` is None if there is none; `earlier_truth` is the one of an earlier draw, whose labels stay.
    """

    awards: str
    recipients: str
    truth: Path | None
    count: int
    seed: int
    earlier_truth: Path | None = None


@dataclass(frozen=True, slots=True)
class DrawnFixture:
    """The files that were written, and what is known of the draw.

    `labels` are those of drawn awards, `given` of them by a truth alone, the others by identifier. `left_out`
    are the personal columns of awards and of recipients; `emails` counts the cells with an e-mail address
    in the other columns of awards.
    """

    awards_file: Path
    recipients_file: Path
    awards: AwardDraw
    recipients: RecipientDraw
    labels: tuple[AwardLabel, ...]
    given: int
    left_out: tuple[tuple[str, ...], tuple[str, ...]]
    emails: Mapping[str, int]
    has_award_ids: bool


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
        profiles = profiles_of(connection)
        drawn = draw_awards(profiles, request.count, request.seed)
        ids = [award.award_id for award in drawn.drawn]
        given = _given_labels(request, {profile.award_id for profile in profiles}, set(ids))
        connection.execute(
            f"DELETE FROM {AWARDS_TABLE} WHERE award_id NOT IN (SELECT unnest($ids::VARCHAR[]))", {"ids": ids}
        )
        cut = Cut(is_personal)
        awards_file = hand_awards(connection, request.awards, read, folder, options, cut)
        emails = _emails(connection, read)
        progress("reading the recipients")
        labelled = {id_ for label in given.values() for id_ in label.recipient_ids}
        strangers = STRANGERS_PER_AWARD * len(ids)
        recipients = draw_recipients(
            connection, request.recipients, scratch, options, drawn.drawn, labelled, strangers, request.seed
        )
        _check_recipients(connection, request, given)
        progress("writing the fixture")
        # one thread writes: the bytes then depend on the rows alone
        connection.execute("SET threads = 1")
        left_out = personal_columns(_columns(connection, request.recipients, scratch, options))
        recipients_file = hand_recipients(
            connection, request.recipients, folder, options, Cut(is_personal, KEPT), is_altered=True
        )
    shutil.rmtree(scratch)
    if awards_file is None or recipients_file is None:
        raise InputError("cannot be drawn from", "name a file of awards", path=request.awards)
    by_identifier = identifier_labels(recipients.matches)
    labels = {**by_identifier, **given}
    ordered = tuple(labels[award_id] for award_id in ids if award_id in labels)
    columns = (personal_columns(read.columns), left_out)
    return DrawnFixture(
        awards_file,
        recipients_file,
        drawn,
        recipients,
        ordered,
        sum(label != by_identifier.get(award_id) for award_id, label in given.items()),
        columns,
        emails,
        read.has_award_ids,
    )


def _given_labels(request: DrawRequest, award_ids: set[str], drawn_ids: set[str]) -> Mapping[str, AwardLabel]:
    """Return the labels of drawn awards in the truths. Raises InputError for a truth of other awards."""
    labels: dict[str, AwardLabel] = {}
    if request.earlier_truth is not None:
        labels |= read_labels(request.earlier_truth, may_be_empty=True)
    if request.truth is not None:
        truth = read_truth(request.truth)
        check_truth(request.truth, {award_id: frozenset() for award_id in truth}, award_ids, ())
        labels |= read_labels(request.truth)
    return {award_id: label for award_id, label in labels.items() if award_id in drawn_ids}


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
