# ruff: noqa: S608 -- the SQL is built from this package's expressions, and from names and paths that are quoted
"""Recipients: a stream of batches of clean records, never all in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from sbir_gate.errors import InputError
from sbir_gate.model.chunks import Chunk
from sbir_gate.reading import cleaning
from sbir_gate.reading.database import count_rows
from sbir_gate.reading.files import resolve_files
from sbir_gate.reading.layout import RECIPIENTS, require_fields
from sbir_gate.reading.loading import RAW_TABLE
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.reading.rejects import RejectLog, RejectTally
from sbir_gate.reading.sources import open_source, source_bytes, source_name
from sbir_gate.reading.spelling import register_repair

BATCH_TABLE = "recipient_batch"


@dataclass(frozen=True, slots=True)
class RecipientBatch:
    """One batch, now in `table`: columns recipient_id, name, uei, duns, city, state, zip5, in source order.

    `first_line` is the 1-based line (in Parquet, the row) of its first record, `share_read` (0..1) how
    much of the source has been read with it. `chunk` says which piece of the source it is, for a later
    run to pass over. `has_padded_ids` looks, until the next batch is asked for, whether blanks stand
    around ids in the source; the table has none.
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
) -> Iterator[RecipientBatch]:
    """Yield the recipients of files, or of a dump's table, in batches of about `options.chunk_size` rows.

    A batch is in the temporary table `table` until the next one is asked for; VARCHAR columns,
    NULL where unknown. recipient_id is the file's own, else 'U' + UEI, else 'D' + first DUNS, else
    'N' + 16 hexadecimal digits over name, city, state and zip5.

    The chunks `finished` were read before, of the same files: they are passed over, and count as read.
    `chunk_size` is asked before each batch; without it the options' holds.

    Raises InputError for a source that is missing, damaged, of an unknown layout, without rows (an empty
    table must not look like a match rate of 0%), or with too many rejects; OutputError when
    the work folder cannot be written.
    """
    tally = RejectTally(rejects if rejects is not None else RejectLog())
    register_repair(connection)
    wanted_size = chunk_size or (lambda: options.chunk_size)
    index, totals, bytes_before = 0, _Totals(tally), 0
    files = resolve_files(source)
    bytes_in_all = max(sum(source_bytes(file, options) for file in files), 1)
    for number, file in enumerate(files):
        with open_source(connection, file, work_folder, options) as raw:
            fields = require_fields(RECIPIENTS, raw.columns, source_name(file))
            select = _clean_records(fields)
            done = _in_order(finished, number)
            raw.chunk_size = wanted_size()
            for block in raw.blocks(sorted(set(fields.values())), [chunk.span for chunk in done]):
                while done and done[0].span.start < block.span.start:
                    totals.add(done.pop(0))
                rows = _create_batch(connection, table, select)
                chunk = Chunk(number, block.span, block.rows, rows, block.rejects)
                totals.add(chunk)
                share = min((bytes_before + raw.bytes_read) / bytes_in_all, 1.0)
                is_padded = partial(_has_padded_ids, connection, fields)
                yield RecipientBatch(index, str(file.path), block.first_line, table, share, chunk, is_padded)
                index += 1
                raw.chunk_size = wanted_size()
            for chunk in done:
                totals.add(chunk)
        bytes_before += source_bytes(file, options)
    totals.check(source, options)


def count_recipients(
    source: str | Path, chunks: Iterable[Chunk], options: ReadingOptions, rejects: RejectLog
) -> None:
    """Take note of chunks, in their order, that are all of the source: it is not opened.

    Raises InputError as `iterate_recipients` does for a source without rows, or with too many rejects.
    """
    totals = _Totals(RejectTally(rejects))
    for chunk in chunks:
        totals.add(chunk)
    totals.check(source, options)


class _Totals:
    """What all chunks hold together, those read before included."""

    def __init__(self, tally: RejectTally) -> None:
        self.read = 0
        self.kept = 0
        self._tally = tally

    def add(self, chunk: Chunk) -> None:
        self._tally.add_all(chunk.rejects)
        self.read += chunk.rows
        self.kept += chunk.kept

    def check(self, source: str | Path, options: ReadingOptions) -> None:
        """Raise InputError for too many rejects, or where nothing is left."""
        self._tally.check(self.read, options.max_reject_percent)
        if not self.read:
            raise self._tally.nothing_read(f"{source}", "recipients")
        if not self.kept:
            hint = "check that the columns hold what their names say"
            raise InputError(f"none of {self.read:,} rows has a name, UEI or DUNS", hint, path=source)


def _in_order(finished: Sequence[Chunk], file: int) -> list[Chunk]:
    """Return the finished chunks of one file in the order of their spans, those without a span left out."""
    return sorted(
        (chunk for chunk in finished if chunk.file == file and chunk.span.stop > chunk.span.start),
        key=lambda chunk: chunk.span.start,
    )


def check_recipients(source: str | Path, options: ReadingOptions) -> None:
    """Raise InputError unless the recipients exist, their layout is known, and a first row can be read.

    Cheap: reads the header of each file, and rows up to the first that is readable.
    """
    tally = RejectTally(RejectLog())
    with duckdb.cursor() as connection, TemporaryDirectory(prefix="sbir-gate-") as folder:
        has_row = False
        for file in resolve_files(source):
            with open_source(connection, file, Path(folder), options) as raw:
                fields = require_fields(RECIPIENTS, raw.columns, source_name(file))
                for block in raw.blocks(sorted(set(fields.values()))):
                    tally.add_all(block.rejects)
                    has_row = has_row or block.rows > 0
                    if has_row:
                        break
        if not has_row:
            raise tally.nothing_read(f"{source}", "recipients")


def _create_batch(connection: duckdb.DuckDBPyConnection, table: str, select: str) -> int:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {select}")
    return count_rows(connection, table)


def _has_padded_ids(connection: duckdb.DuckDBPyConnection, fields: Mapping[str, int]) -> bool:
    if "recipient_id" not in fields:
        return False
    cell = f"c{fields['recipient_id']}"
    found = connection.execute(f"SELECT bool_or({cell} <> {cleaning.own_id(cell)}) FROM {RAW_TABLE}")
    return bool(found.fetchall()[0][0])


def identified_rows(fields: Mapping[str, int], kept: Iterable[int] = ()) -> str:
    """Return SQL for all rows of RAW_TABLE: `position`, the cells of the `kept` columns, and recipient_id."""
    cells = "".join(f"c{index}, " for index in kept)
    clean = _clean(fields, f"rowid AS position, {cells}")
    return f"WITH {clean} SELECT position, {cells}{_ID} AS recipient_id FROM clean"


def _clean_records(fields: Mapping[str, int]) -> str:
    return (
        f"WITH {_clean(fields)} SELECT {_ID} AS recipient_id, name, uei, duns, city, state, zip5 FROM clean "
        "WHERE name IS NOT NULL OR uei IS NOT NULL OR duns IS NOT NULL"
    )


_HASHED = cleaning.short_hash("concat_ws(chr(31), name, coalesce(city, ''), coalesce(state, ''), zip5)")
_ID = f"coalesce(own_id, 'U' || uei, 'D' || left(duns, 9), 'N' || {_HASHED})"


def _clean(fields: Mapping[str, int], others: str = "") -> str:
    def cell(field: str) -> str:
        return f"c{fields[field]}" if field in fields else "CAST(NULL AS VARCHAR)"

    return (
        # materialised, or the expressions would be worked out again for the filter; rows keep their order
        "clean AS MATERIALIZED ("
        f"SELECT {others}{cleaning.own_id(cell('recipient_id'))} AS own_id, "
        f"{cleaning.name_text(cell('name'))} AS name, {cleaning.uei(cell('uei'))} AS uei, "
        f"{cleaning.duns(cell('duns'))} AS duns, {cleaning.city(cell('city'))} AS city, "
        f"{cleaning.state(cell('state'))} AS state, {cleaning.zip5(cell('zip'))} AS zip5 FROM {RAW_TABLE})"
    )
