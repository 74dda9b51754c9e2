# ruff: noqa: S608 -- the SQL is built from this package's expressions, and from names and paths that are quoted
"""Files as a sequence of DuckDB tables of raw text cells, a block of rows at a time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import duckdb

from sbir_gate.errors import InputError, ToolError
from sbir_gate.files import error_reason, open_file, unreadable, unwritable
from sbir_gate.model.chunks import Span
from sbir_gate.model.diagnosis import Diagnosis
from sbir_gate.model.records import Reject
from sbir_gate.reading.blocks import Block, BlockCutter
from sbir_gate.reading.database import WORK_HINT
from sbir_gate.reading.derived_ids import TEXT_TYPE, cell_text
from sbir_gate.reading.files import FileKind, SourceFile, file_bytes
from sbir_gate.reading.headers import take_header
from sbir_gate.reading.json_rows import json_table
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.reading.records import Dialect, holds_swallowed_rows, record_lines
from sbir_gate.reading.sam_extract import is_extract, sam_table
from sbir_gate.reading.text import text_chunks
from sbir_gate.remote_paths import is_remote
from sbir_gate.sql_text import file_literal, file_relation, identifier, literal

RAW_TABLE = "reading_block"
_PARQUET_TABLE = "reading_row_groups"
# no file holds this cell: it says that DuckDB came to the end of the block, with no quote left open
_END_CELL = "\x1esbir-gate end of block\x1e"
_LINE_SLACK_BYTES = 4096
_LARGE_GROUP_BLOCKS = 4
_PARQUET_ERRORS = (
    duckdb.BinderException,  # a column named like DuckDB's own row number
    duckdb.InvalidInputException,
    duckdb.IOException,
    duckdb.SerializationException,
)


@dataclass(frozen=True, slots=True)
class RawBlock:
    """Rows of one file, now in the temporary table RAW_TABLE: columns c0, c1, ... of VARCHAR, in rowid order.

    Empty cells are NULL. `first_line` is the 1-based line of the first row; in Parquet, the row. `span` is
    the part of the file in the block, with its rejects. `row_lines` finds the lines of the rows where a row
    may be more than one.
    """

    first_line: int
    rows: int
    span: Span
    rejects: tuple[Reject, ...] = ()
    row_lines: Callable[[], Sequence[int]] | None = None

    def lines_of(self, rows: Sequence[int]) -> list[int]:
        """Return the 1-based lines of some rows, which are counted from 0."""
        if self.row_lines is None or not rows:
            return [self.first_line + row for row in rows]
        lines = self.row_lines()
        return [lines[row] for row in rows]


class RawFile:
    """One file of data: its header, and its rows as blocks. Read it once, from the start, and close it."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        file: SourceFile,
        work_folder: Path,
        options: ReadingOptions,
    ) -> None:
        self.path = file.path
        self.chunk_size = options.chunk_size
        self._connection = connection
        self._work_folder = work_folder
        self._options = options
        self._is_parquet = file.kind is FileKind.PARQUET
        self._delimiter = b","
        self._position = 0
        self.findings: tuple[Diagnosis, ...] = ()
        self.hint = ""
        self._chunks = _table_chunks(file, options, self._note)
        if self._is_parquet:
            self.columns, self.types = _parquet_columns(connection, file.path)
        else:
            self._cutter = BlockCutter(
                _name(file),
                self._chunks,
                options.chunk_size,
                options.max_record_bytes,
                # the header is not in the file, so it has no line
                0 if file.is_json else 1,
            )
            header = take_header(self._cutter, _name(file), is_searched=options.find_header)
            self.columns, self._delimiter = header.columns, header.delimiter
            self.findings, self.hint = header.findings, header.hint
            self.types = [TEXT_TYPE] * len(self.columns)
        if not any(self.columns):
            self.close()
            raise InputError("the file is empty", "give a file with a header and rows", path=file.path)

    def __enter__(self) -> RawFile:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _note(self, position: int) -> None:
        self._position = position

    @property
    def delimiter(self) -> str:
        """What stands between the cells of delimited text."""
        return self._delimiter.decode()

    @property
    def bytes_read(self) -> int:
        """How much of the file has been read: of Parquet, as many of its bytes as of its rows."""
        return self._position

    def close(self) -> None:
        """Close the file, wherever reading stands."""
        self._chunks.close()

    def blocks(
        self, wanted: Sequence[int], done: Sequence[Span] = (), *, is_typed: bool = False
    ) -> Iterator[RawBlock]:
        """Yield the rows, block by block, with the columns of the `wanted` indexes only.

        If `is_typed`, RAW_TABLE has the cells of Parquet with their types too, as t0, t1, ... What is in the
        spans `done` (in their order) is passed over. `chunk_size` may be changed between two blocks. A block
        may have no rows, only rejects. RAW_TABLE holds one until the next is asked for.
        """
        if not self._is_parquet:
            return self._text_blocks(wanted, done)
        return self._parquet_blocks(self._parquet_cells(wanted, is_typed), done)

    def _text_blocks(self, wanted: Sequence[int], done: Sequence[Span]) -> Iterator[RawBlock]:
        dialect = Dialect(self._delimiter, len(self.columns))
        loader = _TextLoader(
            self._connection, self._work_folder, dialect, wanted, self._options.max_record_bytes
        )
        position, ahead = 0, list(done)
        while not self._cutter.is_done():
            if ahead and ahead[0].start == position:
                span = ahead.pop(0)
                self._cutter.skip(span.stop - span.start)
                position = span.stop
                continue
            self._cutter.block_lines = self.chunk_size
            self._cutter.stop_within(ahead[0].start - position if ahead else None)
            block = self._cutter.candidate()
            rows = loader.load(block) if block is not None else None
            if block is None or rows is None:
                block = self._cutter.examine(dialect)
                rows = loader.load(block)
                if rows is None or rows != block.records:
                    raise ToolError(
                        f"lines {block.first_line:,} to {block.first_line + block.lines - 1:,}: "
                        f"{block.records:,} rows were found, but {rows or 'not all'} read",
                        "this is a fault of sbir-gate: please report it with these lines",
                        path=self.path,
                    )
            stop = position + block.consumed_bytes
            row_lines = None if rows == block.lines else partial(_lines, block, dialect)
            yield RawBlock(block.first_line, rows, Span(position, stop), block.rejects, row_lines)
            self._cutter.take(block)
            position = stop

    def _parquet_cells(self, wanted: Sequence[int], is_typed: bool) -> str:
        names = {index: identifier(self.columns[index]) for index in wanted}
        cells = [
            f"nullif({cell_text(name, self.types[index])}, '') AS c{index}" for index, name in names.items()
        ]
        typed = [f"{name} AS t{index}" for index, name in names.items()] if is_typed else []
        return ", ".join([*cells, *typed])

    def _parquet_blocks(self, cells: str, done: Sequence[Span]) -> Iterator[RawBlock]:
        groups = _row_groups(self._connection, self.path)
        rows = sum(groups)
        bytes_per_row = file_bytes(self.path) / max(rows, 1)
        for gap in remaining(Span(0, rows), done):
            for span in _loads(groups, gap, lambda: self.chunk_size):
                _execute(
                    self._connection,
                    f"CREATE OR REPLACE TEMP TABLE {_PARQUET_TABLE} AS SELECT {cells} "
                    f"FROM read_parquet({file_literal(self.path)}, file_row_number = true) "
                    f"WHERE file_row_number >= {span.start} AND file_row_number < {span.stop}",
                    self.path,
                )
                for piece in self._slices(span):
                    self._position = int(bytes_per_row * piece.stop)
                    yield RawBlock(piece.start + 1, piece.stop - piece.start, piece)
        self._connection.execute(f"DROP TABLE IF EXISTS {_PARQUET_TABLE}")

    def _slices(self, loaded: Span) -> Iterator[Span]:
        """Put the rows that were loaded at once into RAW_TABLE, in pieces not larger than asked for."""
        if loaded.stop - loaded.start <= self.chunk_size:
            self._connection.execute(f"DROP TABLE IF EXISTS {RAW_TABLE}")
            self._connection.execute(f"ALTER TABLE {_PARQUET_TABLE} RENAME TO {RAW_TABLE}")
            yield loaded
            return
        start = loaded.start
        while start < loaded.stop:
            piece = Span(start, min(start + self.chunk_size, loaded.stop))
            self._connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {RAW_TABLE} AS SELECT * FROM {_PARQUET_TABLE} "
                f"WHERE rowid >= {piece.start - loaded.start} AND rowid < {piece.stop - loaded.start}"
            )
            yield piece
            start = piece.stop


def _name(file: SourceFile) -> str:
    return f"{file.path}: {file.member}" if file.member else str(file.path)


def _table_chunks(
    file: SourceFile, options: ReadingOptions, on_position: Callable[[int], None]
) -> Generator[bytes, None, None]:
    """Yield the text of a file as a delimited table with a header, whatever it is written as."""
    opened = partial(text_chunks, file.path, options.retrying, on_position=on_position, member=file.member)
    if file.is_json:
        yield from json_table(opened, _name(file))
        return
    with closing(opened()) as chunks:
        first = next(chunks, b"")
        whole = chain([first], chunks)
        is_sam = is_extract(first.partition(b"\n")[0])
        yield from sam_table(whole, _name(file)) if is_sam else whole


class _TextLoader:
    """Loads blocks of text into RAW_TABLE, or says that a block is not clean."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        work_folder: Path,
        dialect: Dialect,
        wanted: Sequence[int],
        max_record_bytes: int,
    ) -> None:
        self._connection = connection
        self._work_folder = work_folder
        self._dialect = dialect
        self._max_record_bytes = max_record_bytes
        self._wanted = ", ".join(f"c{index}" for index in wanted)
        self._first = f"c{wanted[0]}"
        cells = dialect.delimiter.join([_END_CELL.encode()] * dialect.columns)
        self._end = cells + b"\n"
        types = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(dialect.columns))
        self._columns = "{" + types + "}"

    def load(self, block: Block) -> int | None:
        """Load the block; return its number of rows, or None when it cannot be trusted."""
        is_examined = block.records is not None
        if self._dialect.columns == 1 and not is_examined:
            return None  # DuckDB reads a blank line as a row
        with work_file(self._work_folder, block.text + self._end) as path:
            rows = self._read(path, len(block.text))
        if rows is None or is_examined or rows == block.lines:
            return rows
        return None if holds_swallowed_rows(block.text, self._dialect) else rows

    def _read(self, path: Path, size: int) -> int | None:
        buffer_size = min(size, self._max_record_bytes) + _LINE_SLACK_BYTES + len(self._end)
        delimiter = literal(self._dialect.delimiter.decode())
        try:
            self._connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {RAW_TABLE} AS SELECT {self._wanted} "
                f"FROM read_csv({file_literal(path)}, auto_detect = false, header = false, "
                f"columns = {self._columns}, delim = {delimiter}, quote = '\"', escape = '\"', comment = '', "
                f"new_line = '\\n', nullstr = '', strict_mode = true, parallel = false, "
                f"max_line_size = {buffer_size}, buffer_size = {buffer_size})"
            )
        except duckdb.InvalidInputException:
            return None
        last = self._connection.execute(
            f"SELECT rowid, {self._first} FROM {RAW_TABLE} ORDER BY rowid DESC LIMIT 1"
        ).fetchall()
        if not last or last[0][1] != _END_CELL:
            return None
        rows = int(last[0][0])
        self._connection.execute(f"DELETE FROM {RAW_TABLE} WHERE rowid = {rows}")
        return rows


def _lines(block: Block, dialect: Dialect) -> Sequence[int]:
    return block.record_lines or record_lines(block.text, block.first_line, dialect)


@contextmanager
def work_file(folder: Path, content: bytes) -> Iterator[Path]:
    """Yield a file of this content, which is there while the block reads it. Raises OutputError."""
    path = folder / f"block-{uuid.uuid4().hex}.txt"
    try:
        path.write_bytes(content)
        yield path
    except (OSError, duckdb.IOException) as error:
        raise unwritable(folder, error, WORK_HINT) from error
    finally:
        path.unlink(missing_ok=True)


def _execute(connection: duckdb.DuckDBPyConnection, sql: str, path: Path) -> list[tuple[object, ...]]:
    try:
        return connection.execute(sql).fetchall()
    except _PARQUET_ERRORS as error:
        hint = "the file is damaged, cut short, or not Parquet: write it again"
        raise InputError(f"cannot be read as Parquet ({error_reason(error)})", hint, path=path) from error
    except duckdb.Error:
        if is_remote(path):
            _check_readable(path)
        raise


def _check_readable(path: Path) -> None:
    """Raise InputError for what keeps a file from being read: the database does not pass errors on."""
    try:
        with open_file(path) as file:
            file.read(1)
    except OSError as error:
        raise unreadable(path, error) from error


def _parquet_columns(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[list[str], list[str]]:
    """Return the names and the types of the columns."""
    described = _execute(connection, f"DESCRIBE SELECT * FROM {file_relation([path])}", path)
    return [str(row[0]) for row in described], [str(row[1]) for row in described]


def _row_groups(connection: duckdb.DuckDBPyConnection, path: Path) -> list[int]:
    """Return the number of rows of each row group."""
    groups = _execute(
        connection,
        "SELECT DISTINCT row_group_id, row_group_num_rows "
        f"FROM parquet_metadata({file_literal(path)}) ORDER BY row_group_id",
        path,
    )
    return [int(str(rows)) for _, rows in groups]


def parquet_spans(connection: duckdb.DuckDBPyConnection, path: Path, most: int) -> list[Span]:
    """Return the file in pieces of `most` rows, or of a row group that is much larger. Raises InputError."""
    groups = _row_groups(connection, path)
    return list(_loads(groups, Span(0, sum(groups)), lambda: most))


def _loads(groups: Sequence[int], gap: Span, most: Callable[[], int]) -> Iterator[Span]:
    """Yield what is loaded at once of the rows `gap`: `most` rows, wherever the row groups end.

    The processing of a block is parallel only if it has enough rows, and the size of row groups is up to
    whoever wrote the file. To begin within a row group costs little, but not nothing: one that is much larger
    than a block is loaded once, as a whole.
    """
    start, end = gap.start, 0
    for rows in groups:
        end += rows
        stop = min(end, gap.stop)
        if start < stop and rows > _LARGE_GROUP_BLOCKS * most():
            yield Span(start, stop)
            start = stop
        while stop - start >= (size := most()):
            yield Span(start, start + size)
            start += size
    if start < gap.stop:
        yield Span(start, gap.stop)


def remaining(span: Span, done: Sequence[Span]) -> list[Span]:
    """Return the pieces of `span` that are in none of `done`, which are in their order."""
    pieces, start = [], span.start
    for finished in done:
        if start < finished.start < span.stop:
            pieces.append(Span(start, finished.start))
        if finished.start < span.stop:
            start = max(start, finished.stop)
    if start < span.stop:
        pieces.append(Span(start, span.stop))
    return pieces
