# ruff: noqa: S608 -- the SQL is built from this package's expressions, and from names and paths that are quoted
"""Files as a sequence of DuckDB tables of raw text cells, a block of rows at a time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import duckdb

from sbir_gate.errors import InputError, OutputError, ToolError
from sbir_gate.files import unwritable
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
from sbir_gate.reading.parquet import execute, groups_of, loads, parquet_columns, row_groups
from sbir_gate.reading.records import Dialect, holds_swallowed_rows, record_lines
from sbir_gate.reading.sam_extract import is_extract, sam_table
from sbir_gate.reading.text import text_chunks
from sbir_gate.sql_text import file_literal, identifier, literal

RAW_TABLE = "reading_block"
_TEXT_TABLE = "reading_text"
_PARQUET_TABLE = "reading_row_groups"
# no file holds this cell: it says that DuckDB came to the end of the block, with no quote left open
_END_CELL = "\x1esbir-gate end of block\x1e"
_LINE_SLACK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class RawBlock:
    """Rows of one file, now in the temporary view RAW_TABLE: columns c0, c1, ... of VARCHAR, and a `rowid`.

    Empty cells are NULL; `rowid` counts from 0. `first_line` is the 1-based line of the first row, in Parquet
    the row. `span` is the part of the file in the block, with its rejects. `row_lines` finds the lines of
    the rows where a row may be more than one.
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
        self._read_directly: Sequence[int] = ()
        self.findings: tuple[Diagnosis, ...] = ()
        self.hint = ""
        self._chunks = _table_chunks(file, options, self._note)
        if self._is_parquet:
            self.columns, self.types = parquet_columns(connection, file.path)
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

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        self.close()
        # an output that could not be written may be a block that could not be read
        if self._is_parquet and isinstance(error, (duckdb.Error, OutputError)):
            self._check_block()

    def _check_block(self) -> None:
        """Raise InputError where it is the block itself that cannot be read, and not what was made of it."""
        if self._read_directly:
            hashes = ", ".join(f"bit_xor(hash(c{index}))" for index in self._read_directly)
            with suppress(duckdb.Error):
                execute(self._connection, f"SELECT {hashes} FROM {RAW_TABLE}", self.path)

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
        self,
        wanted: Sequence[int],
        done: Sequence[Span] = (),
        *,
        is_read_once: bool = False,
        is_streamed: bool = False,
    ) -> Iterator[RawBlock]:
        """Yield the rows, block by block, with the columns of the `wanted` indexes only.

        RAW_TABLE has the cells of Parquet with their types too, as t0, t1, ... What is in the spans `done`
        (in their order) is passed over. `chunk_size` may be changed between two blocks. A block may have no
        rows, only rejects. RAW_TABLE holds one until the next is asked for. If it `is_read_once`, as a whole,
        Parquet need not be copied before: each query reads the file, and the error of a damaged one becomes
        an InputError where the context of this file ends. The same if it `is_streamed`, by a query that holds
        few rows at a time: then a large row group of Parquet is one block.
        """
        if not self._is_parquet:
            return self._text_blocks(wanted, done)
        self._read_directly = wanted if is_read_once or is_streamed else ()
        return self._parquet_blocks(wanted, done, is_read_once=is_read_once, is_streamed=is_streamed)

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

    def _parquet_blocks(
        self, wanted: Sequence[int], done: Sequence[Span], *, is_read_once: bool, is_streamed: bool
    ) -> Iterator[RawBlock]:
        groups = row_groups(self._connection, self.path)
        bytes_per_row = file_bytes(self.path) / max(sum(groups), 1)
        for gap in remaining(Span(0, sum(groups)), done):
            for span in loads(groups, gap, lambda: self.chunk_size):
                # a row group is read by one thread: what is made of it is made by several from a table
                is_shown = is_read_once and span.stop - span.start <= self.chunk_size
                if is_streamed or (is_shown and groups_of(span, groups) > 1):
                    pieces = self._shown(span, wanted)
                else:
                    pieces = self._slices(span, wanted)
                for piece in pieces:
                    self._position = int(bytes_per_row * piece.stop)
                    yield RawBlock(piece.start + 1, piece.stop - piece.start, piece)
        self._connection.execute(f"DROP TABLE IF EXISTS {_PARQUET_TABLE}")

    def _shown(self, span: Span, wanted: Sequence[int]) -> Iterator[Span]:
        """Show the rows in RAW_TABLE as they are in the file."""
        show_block(self._connection, f"SELECT *, {self._cells(wanted)} FROM ({self._rows_of(span, wanted)})")
        yield span

    def _slices(self, loaded: Span, wanted: Sequence[int]) -> Iterator[Span]:
        """Load the rows at once, and show them in RAW_TABLE in pieces not larger than asked for."""
        rows = f"SELECT * EXCLUDE (rowid) FROM ({self._rows_of(loaded, wanted)})"
        execute(self._connection, f"CREATE OR REPLACE TEMP TABLE {_PARQUET_TABLE} AS {rows}", self.path)
        start = loaded.start
        while start < loaded.stop:
            piece = Span(start, min(start + self.chunk_size, loaded.stop))
            first = piece.start - loaded.start
            show_block(
                self._connection,
                f"SELECT *, {self._cells(wanted)}, rowid - {first} AS rowid FROM {_PARQUET_TABLE} "
                f"WHERE rowid >= {first} AND rowid < {piece.stop - loaded.start}",
            )
            yield piece
            start = piece.stop

    def _rows_of(self, span: Span, wanted: Sequence[int]) -> str:
        """SQL: the rows of the span with their `rowid` in it, and the wanted cells as they are."""
        typed = ", ".join(f"{identifier(self.columns[index])} AS t{index}" for index in wanted)
        return (
            f"SELECT {typed}, file_row_number - {span.start} AS rowid "
            f"FROM read_parquet({file_literal(self.path)}, file_row_number = true) "
            f"WHERE file_row_number >= {span.start} AND file_row_number < {span.stop}"
        )

    def _cells(self, wanted: Sequence[int]) -> str:
        texts = {index: cell_text(f"t{index}", self.types[index]) for index in wanted}
        return ", ".join(f"nullif({text}, '') AS c{index}" for index, text in texts.items())


def show_block(connection: duckdb.DuckDBPyConnection, rows: str) -> None:
    """Make RAW_TABLE the view of some rows: SQL with their cells and a `rowid` from 0."""
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {RAW_TABLE} AS {rows}")


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
                f"CREATE OR REPLACE TEMP TABLE {_TEXT_TABLE} AS SELECT {self._wanted} "
                f"FROM read_csv({file_literal(path)}, auto_detect = false, header = false, "
                f"columns = {self._columns}, delim = {delimiter}, quote = '\"', escape = '\"', comment = '', "
                f"new_line = '\\n', nullstr = '', strict_mode = true, parallel = false, "
                f"max_line_size = {buffer_size}, buffer_size = {buffer_size})"
            )
        except duckdb.InvalidInputException:
            return None
        last = self._connection.execute(
            f"SELECT rowid, {self._first} FROM {_TEXT_TABLE} ORDER BY rowid DESC LIMIT 1"
        ).fetchall()
        if not last or last[0][1] != _END_CELL:
            return None
        rows = int(last[0][0])
        self._connection.execute(f"DELETE FROM {_TEXT_TABLE} WHERE rowid = {rows}")
        show_block(self._connection, f"SELECT *, rowid FROM {_TEXT_TABLE}")
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
