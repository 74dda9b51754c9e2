# ruff: noqa: S608 -- the SQL is built from this package's expressions, and from names and paths that are quoted
"""Recipients: a stream of batches of clean records, never all in memory."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from sbir_gate.errors import InputError
from sbir_gate.model.chunks import Chunk, Observation, Remark, Span
from sbir_gate.model.records import Reject
from sbir_gate.reading import cleaning
from sbir_gate.reading.accounts import Account, ColumnLog
from sbir_gate.reading.derived_ids import RECIPIENT_ID
from sbir_gate.reading.field_cells import (
    NOTHING,
    clean_cell,
    name_cells,
    observe_columns,
    observe_identifiers,
    unused_cells,
)
from sbir_gate.reading.files import FileKind, SourceFile, resolve_files
from sbir_gate.reading.layout import IDENTIFIERS, NAME, RECIPIENTS, Fields, Layout, columns_of, require_fields
from sbir_gate.reading.loading import RAW_TABLE, RawBlock, remaining
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.reading.parquet import parquet_spans
from sbir_gate.reading.rejects import RejectLog, RejectTally
from sbir_gate.reading.sources import check_content, open_source, source_bytes, source_name
from sbir_gate.reading.spelling import register_repair
from sbir_gate.remote_paths import read_remotely

BATCH_TABLE = "recipient_batch"
_ROWS_TABLE = "recipient_rows"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the recipients that is read by itself: rows of a Parquet file, or the whole of another file.

    `number` counts the files of the source from 0 in their order; `size_bytes` is about what is read.
    """

    number: int
    file: SourceFile
    span: Span | None
    size_bytes: int

    def to_read(self, finished: Sequence[Chunk]) -> bool:
        """Say whether there may be more of it than these finished chunks of the source."""
        done = [chunk.span for chunk in _in_order(finished, self.number)]
        return self.span is None or bool(remaining(self.span, done))

    def passed_over(self, finished: Sequence[Chunk]) -> list[Span]:
        """Return the spans of the file that are not to be read, in their order."""
        done = [chunk.span for chunk in _in_order(finished, self.number)]
        if self.span is None:
            return done
        start, stop = self.span.start, self.span.stop
        clipped = [Span(max(span.start, start), min(span.stop, stop)) for span in done]
        within = [span for span in clipped if span.start < span.stop]
        return [Span(0, start), *within, Span(stop, sys.maxsize)]


def cut_recipients(
    connection: duckdb.DuckDBPyConnection, source: str | Path, options: ReadingOptions
) -> list[Piece]:
    """Return the pieces of a source, of about `options.chunk_size` rows where the kind of file allows it.

    Raises InputError for a source that is missing or damaged.
    """
    pieces: list[Piece] = []
    for number, file in enumerate(resolve_files(source)):
        size = source_bytes(file, options)
        if file.kind is not FileKind.PARQUET:
            pieces.append(Piece(number, file, None, size))
            continue
        check_content(file)
        read_remotely(connection, [file.path], options.retrying)
        spans = parquet_spans(connection, file.path, options.chunk_size)
        rows = spans[-1].stop if spans else 0
        pieces += [Piece(number, file, span, size * (span.stop - span.start) // rows) for span in spans]
    return pieces


@dataclass(frozen=True, slots=True)
class RecipientBatch:
    """One batch, now in `table`: columns recipient_id, name, uei, duns, city, state, zip5, in source order.

    `first_line` is the 1-based line (in Parquet, the row) of its first record, `share_read` (0..1) how
    much of the source has been read with it. `chunk` says which piece of the source it is, for a later
    run to pass over. `has_padded_ids` looks, until the next batch is asked for, whether blanks stand
    around ids in the source; the table has none. With a placeholder name a row is in the table too: it is a
    recipient, but matches nothing, so it counts as left out.
    """

    index: int
    file: str
    first_line: int
    table: str
    share_read: float
    chunk: Chunk
    has_padded_ids: Callable[[], bool]

    @property
    def rows(self) -> int:
        """What the table holds."""
        return self.chunk.kept

    @property
    def rejects(self) -> int:
        """Rows that could not be read."""
        return len(self.chunk.rejects)

    @property
    def empty_rows(self) -> int:
        """Rows without a name and identifier, which are left out."""
        return self.chunk.rows - self.chunk.kept


def iterate_recipients(
    connection: duckdb.DuckDBPyConnection,
    source: str | Path,
    work_folder: Path,
    options: ReadingOptions,
    rejects: RejectLog | None = None,
    table: str = BATCH_TABLE,
    finished: Sequence[Chunk] = (),
    chunk_size: Callable[[], int] | None = None,
    on_account: Callable[[Account], None] = lambda _account: None,
) -> Iterator[RecipientBatch]:
    """Yield the recipients of files, or of a dump's table, in batches of about `options.chunk_size` rows.

    A batch is in the temporary table `table` until the next one is asked for; VARCHAR columns,
    NULL where unknown. recipient_id is the file's own, else 'U' + UEI, else 'D' + first DUNS, else
    'N' + 16 hexadecimal digits over name, city, state and zip5.

    The chunks `finished` were read before, of the same files: they are passed over, and count as read.
    `chunk_size` is asked before each batch; without it the options' holds. `on_account` is called at the end
    with the account of every row.

    Raises InputError for a source that is missing, damaged, of an unknown layout, without rows (an empty
    table must not look like a match rate of 0%), or with too many rejects; OutputError when
    the work folder cannot be written.
    """
    tally = RejectTally(rejects if rejects is not None else RejectLog())
    register_repair(connection)
    wanted_size = chunk_size or (lambda: options.chunk_size)
    index, totals, bytes_before = 0, _Totals(tally), 0
    columns = ColumnLog(RECIPIENTS)
    files = resolve_files(source)
    bytes_in_all = max(sum(source_bytes(file, options) for file in files), 1)
    for number, file in enumerate(files):
        with open_source(connection, file, work_folder, options) as raw:
            fields = require_fields(RECIPIENTS, raw.columns, source_name(file))
            columns.add(source_name(file), raw.columns, fields, raw.findings)
            totals.hint(raw.hint)
            done = _in_order(finished, number)
            raw.chunk_size = wanted_size()
            spans = [chunk.span for chunk in done]
            for block in raw.blocks(columns_of(fields), spans, is_read_once=True):
                while done and done[0].span.start < block.span.start:
                    totals.add(done.pop(0))
                chunk = _create_batch(connection, table, fields, block, number, source_name(file))
                totals.add(chunk)
                share = min((bytes_before + raw.bytes_read) / bytes_in_all, 1.0)
                is_padded = partial(_has_padded_ids, connection, fields)
                yield RecipientBatch(index, str(file.path), block.first_line, table, share, chunk, is_padded)
                index += 1
                raw.chunk_size = wanted_size()
            for chunk in done:
                totals.add(chunk)
        bytes_before += source_bytes(file, options)
    on_account(totals.account(source, options, columns))


def iterate_piece(
    connection: duckdb.DuckDBPyConnection,
    piece: Piece,
    work_folder: Path,
    options: ReadingOptions,
    finished: Sequence[Chunk],
    chunk_size: Callable[[], int],
) -> Iterator[RecipientBatch]:
    """Yield the recipients of a piece, but for those of `finished`, as `iterate_recipients` does."""
    register_repair(connection)
    name = source_name(piece.file)
    with open_source(connection, piece.file, work_folder, options) as raw:
        fields = require_fields(RECIPIENTS, raw.columns, name)
        raw.chunk_size = chunk_size()
        passed_over = piece.passed_over(finished)
        for index, block in enumerate(raw.blocks(columns_of(fields), passed_over, is_read_once=True)):
            chunk = _create_batch(connection, BATCH_TABLE, fields, block, piece.number, name)
            share = min(raw.bytes_read / max(source_bytes(piece.file, options), 1), 1.0)
            is_padded = partial(_has_padded_ids, connection, fields)
            yield RecipientBatch(
                index, str(piece.file.path), block.first_line, BATCH_TABLE, share, chunk, is_padded
            )
            raw.chunk_size = chunk_size()


def count_recipients(
    connection: duckdb.DuckDBPyConnection,
    source: str | Path,
    work_folder: Path,
    options: ReadingOptions,
    rejects: RejectLog,
    chunks: Sequence[Chunk],
) -> Account:
    """Return the account of chunks that are all of the source, of which the headers alone are read again.

    Raises InputError as `iterate_recipients` does.
    """
    totals, columns = _Totals(RejectTally(rejects)), ColumnLog(RECIPIENTS)
    for number, file in enumerate(resolve_files(source)):
        with open_source(connection, file, work_folder, options) as raw:
            fields = require_fields(RECIPIENTS, raw.columns, source_name(file))
            columns.add(source_name(file), raw.columns, fields, raw.findings)
            totals.hint(raw.hint)
        for chunk in _in_order(chunks, number):
            totals.add(chunk)
    return totals.account(source, options, columns)


class _Totals:
    """What all chunks hold together, those read before included."""

    def __init__(self, tally: RejectTally) -> None:
        self.read = 0
        self.kept = 0
        self.observations: list[Observation] = []
        self._tally = tally

    def hint(self, hint: str) -> None:
        """Take note of what a file's header says about its rejects."""
        self._tally.hint = hint or self._tally.hint

    def add(self, chunk: Chunk) -> None:
        self._tally.add_all(chunk.rejects, chunk.left_out)
        self.observations += chunk.observations
        self.read += chunk.rows
        self.kept += chunk.kept

    def account(self, source: str | Path, options: ReadingOptions, columns: ColumnLog) -> Account:
        """Return the account of every row. Raises InputError for too many rejects, or if nothing is left."""
        self._tally.check(self.read, options.max_reject_percent)
        if not self.read:
            raise self._tally.nothing_read(f"{source}", "recipients")
        if not self.kept:
            hint = "check that the columns hold what their names say"
            raise InputError(f"none of {self.read:,} rows has a name, UEI or DUNS", hint, path=source)
        return Account(
            RECIPIENTS.what, self.read, self._tally.count, tuple(self.observations), columns.diagnoses()
        )


def _in_order(finished: Sequence[Chunk], file: int) -> list[Chunk]:
    """Return the finished chunks of one file in the order of their spans, those without a span left out."""
    return sorted(
        (chunk for chunk in finished if chunk.file == file and chunk.span.stop > chunk.span.start),
        key=lambda chunk: chunk.span.start,
    )


def check_table(source: str | Path, options: ReadingOptions, layout: Layout) -> None:
    """Raise InputError unless the rows exist, their layout is known, and a first one can be read.

    Cheap: reads the header of each file, and rows up to the first that is readable.
    """
    tally = RejectTally(RejectLog())
    with duckdb.cursor() as connection, TemporaryDirectory(prefix="sbir-gate-") as folder:
        has_row = False
        for file in resolve_files(source):
            with open_source(connection, file, Path(folder), options) as raw:
                fields = require_fields(layout, raw.columns, source_name(file))
                for block in raw.blocks(columns_of(fields)):
                    tally.add_all(block.rejects)
                    has_row = has_row or block.rows > 0
                    if has_row:
                        break
        if not has_row:
            raise tally.nothing_read(f"{source}", layout.what)


def _create_batch(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    fields: Fields,
    block: RawBlock,
    file: int,
    source: str,
) -> Chunk:
    """Make the batch of the block in RAW_TABLE, and return the chunk that it is."""
    # all rows, each with the number of its raw row, and a view of those that are recipients
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_ROWS_TABLE} AS {_rows(fields)}")
    unused = [f"count({field}_text)" for field in IDENTIFIERS if field in fields]
    kept, left, *texts = connection.execute(
        f"SELECT {', '.join(['count(*) FILTER (is_kept)', 'count(*) FILTER (is_left_out)', *unused])} "
        f"FROM {_ROWS_TABLE}"
    ).fetchall()[0]
    condition = "" if kept == block.rows else " WHERE is_kept"
    connection.execute(f"DROP VIEW IF EXISTS {table}")
    connection.execute(f"CREATE TEMP VIEW {table} AS SELECT {_COLUMNS} FROM {_ROWS_TABLE}{condition}")
    left_out: tuple[Reject, ...] = ()
    if left:
        left_out = tuple(_left_out(connection, block, source))
    seen = [
        Observation(_REMARKS[reason], "", count)
        for reason, count in Counter(row.reason for row in left_out).items()
    ]
    seen += observe_columns(connection, fields)
    if any(texts):
        seen += observe_identifiers(connection, fields, f"FROM {_ROWS_TABLE}")
    return Chunk(file, block.span, block.rows, kept, block.rejects, left_out, tuple(seen))


_COLUMNS = "recipient_id, name, uei, duns, city, state, zip5"
_REASONS = {
    Remark.NAMELESS: "left out: no name and no identifier",
    Remark.PLACEHOLDER_NAME: "left out: a placeholder name, which matches nothing",
}
_REMARKS = {reason: remark for remark, reason in _REASONS.items()}


def _left_out(connection: duckdb.DuckDBPyConnection, block: RawBlock, source: str) -> Iterator[Reject]:
    """Yield the rows of the block that match nothing, in their order."""
    rows = connection.execute(
        f"SELECT place, name_text, name IS NULL FROM {_ROWS_TABLE} WHERE is_left_out ORDER BY place"
    ).fetchall()
    lines = block.lines_of([place for place, _, _ in rows])
    for line, (_, name, is_nameless) in zip(lines, rows, strict=True):
        remark = Remark.NAMELESS if is_nameless else Remark.PLACEHOLDER_NAME
        yield Reject(source, line, "", name or "", _REASONS[remark])


def _has_padded_ids(connection: duckdb.DuckDBPyConnection, fields: Fields) -> bool:
    if "recipient_id" not in fields:
        return False
    cell = f"c{fields['recipient_id'][0]}"
    found = connection.execute(f"SELECT bool_or({cell} <> {cleaning.own_id(cell)}) FROM {RAW_TABLE}")
    return bool(found.fetchall()[0][0])


def identified_rows(fields: Fields, kept: Iterable[int] = ()) -> str:
    """Return SQL for all rows of RAW_TABLE: `position`, the cells of the `kept` columns, and recipient_id."""
    cells = "".join(f"c{index}, " for index in kept)
    clean = _clean(fields, f"rowid AS position, {cells}")
    return f"WITH {clean} SELECT position, {cells}{RECIPIENT_ID} AS recipient_id FROM clean"


def _rows(fields: Fields) -> str:
    """SQL: the clean rows of RAW_TABLE, which is read once: with the text of what is not used of them."""
    texts = sorted({index for field in (NAME, *IDENTIFIERS) for index in fields.get(field, ())})
    cells = [f"c{index}" for index in texts]
    marked = (
        f"SELECT *, {cleaning.is_placeholder_firm('name')} AS is_generic, "
        "name IS NOT NULL OR uei IS NOT NULL OR duns IS NOT NULL AS is_kept, "
        "NOT is_kept OR is_generic AS is_left_out FROM clean"
    )
    others = "".join(f"{cell}, " for cell in ["rowid AS place", *cells])
    unused = "".join(f", {cell}" for cell in unused_cells(fields))
    return (
        f"WITH {_clean(fields, others)}, marked AS ({marked}) "
        f"SELECT {RECIPIENT_ID} AS recipient_id, * EXCLUDE ({', '.join(['own_id', 'is_generic', *cells])}), "
        f"CASE WHEN is_left_out THEN {name_cells(fields)} END AS name_text{unused} FROM marked"
    )


def _clean(fields: Fields, others: str = "") -> str:
    # the id of a row is that of one column: an id of another kind is not another spelling of it
    own = f"c{fields['recipient_id'][0]}" if "recipient_id" in fields else NOTHING
    return (
        "clean AS ("
        f"SELECT {others}{cleaning.own_id(own)} AS own_id, "
        f"{clean_cell(fields, 'name')} AS name, {clean_cell(fields, 'uei')} AS uei, "
        f"{clean_cell(fields, 'duns')} AS duns, {clean_cell(fields, 'city')} AS city, "
        f"{clean_cell(fields, 'state')} AS state, {clean_cell(fields, 'zip')} AS zip5 FROM {RAW_TABLE})"
    )
