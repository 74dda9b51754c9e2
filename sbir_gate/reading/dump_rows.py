# ruff: noqa: S608 -- the SQL is built from this package's expressions, and from names and paths that are quoted
"""One table of a PostgreSQL dump as a sequence of DuckDB tables of cells, like any other file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import duckdb

from sbir_gate.errors import Fault, InputError, ToolError
from sbir_gate.model.chunks import Span
from sbir_gate.model.diagnosis import Diagnosis
from sbir_gate.reading.copy_text import (
    UNESCAPE_FUNCTION,
    LineBlock,
    line_blocks,
    line_ends,
    row_fault,
    unescape,
)
from sbir_gate.reading.database import count_rows, register_function
from sbir_gate.reading.derived_ids import TEXT_TYPE
from sbir_gate.reading.dumps import Dump, DumpTable
from sbir_gate.reading.loading import RawBlock, remaining, show_block, work_file
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.sql_text import file_literal

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SLACK_BYTES = 4096
_ROWS_TABLE = "reading_dump_rows"


class DumpRows:
    """A table of a dump: its columns, and its rows as blocks. Read it once, from the start, and close it.

    Unlike in delimited files an empty cell is an empty text, and NULL is NULL: the dump distinguishes them.
    A dump is written by a machine, so there are no rejects: a row that is wrong is damage, an InputError.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        path: Path,
        table: str | None,
        work_folder: Path,
        options: ReadingOptions,
    ) -> None:
        self.path = path
        self.chunk_size = options.chunk_size
        self._connection = connection
        self._work_folder = work_folder
        self._options = options
        with ExitStack() as stack:
            dump = stack.enter_context(Dump(path, options.retrying))
            self.table = dump.find(table)
            self.columns = dump.columns(self.table)
            self._stream = stack.enter_context(dump.open_member(self.table))
            self._stack = stack.pop_all()
        self.types = [TEXT_TYPE] * len(self.columns)
        self.findings: tuple[Diagnosis, ...] = ()
        self.hint = ""
        register_function(connection, UNESCAPE_FUNCTION, unescape)

    def __enter__(self) -> DumpRows:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def bytes_read(self) -> int:
        """How much of the member has been read, of `bytes_total`."""
        return self._stream.bytes_read

    @property
    def bytes_total(self) -> int:
        """The compressed size of the member."""
        return self._stream.size_bytes

    @property
    def place(self) -> str:
        """The table and its dump, for messages."""
        return f"{self.path}: {self.table.full_name}"

    def close(self) -> None:
        """Close the dump, wherever reading stands."""
        self._stack.close()

    def chunks(self) -> Iterator[bytes]:
        """Yield the member's unpacked data, for a caller that cuts it into blocks itself."""
        return self._stream.chunks()

    def blocks(
        self,
        wanted: Sequence[int],
        done: Sequence[Span] = (),
        *,
        is_read_once: bool = False,  # noqa: ARG002 -- as of a file: here all is loaded
        is_streamed: bool = False,  # noqa: ARG002 -- as of a file
    ) -> Iterator[RawBlock]:
        """Yield the rows, block by block, with the columns of the `wanted` indexes only.

        Rows in the spans `done` (in their order) are passed over. `chunk_size` may be changed between two
        blocks. RAW_TABLE holds a block until the next is asked for. Raises InputError for a damaged member.
        """
        for whole in self.line_blocks(self.chunks()):
            first = whole.first_line - 1
            for span in remaining(Span(first, first + whole.lines), done):
                for piece in self._pieces(whole, span):
                    self.load(piece, wanted)
                    start = piece.first_line - 1
                    yield RawBlock(piece.first_line, piece.lines, Span(start, start + piece.lines))

    def _pieces(self, whole: LineBlock, span: Span) -> Iterator[LineBlock]:
        """Yield the rows of `span` in pieces that are not larger than asked for."""
        if span.stop - span.start == whole.lines <= self.chunk_size:
            yield whole
            return
        ends = line_ends(whole.text)
        first = whole.first_line - 1
        start = span.start
        while start < span.stop:
            stop = min(start + self.chunk_size, span.stop)
            begin = int(ends[start - first - 1]) if start > first else 0
            yield LineBlock(start + 1, stop - start, whole.text[begin : int(ends[stop - first - 1])])
            start = stop

    def line_blocks(self, chunks: Iterable[bytes], first_line: int = 1) -> Iterator[LineBlock]:
        """Yield the rows in `chunks`, which start at the row `first_line`, unparsed."""
        options = self._options
        return line_blocks(
            chunks, self._stream.origin, options.chunk_size, options.max_record_bytes, first_line
        )

    def load(self, block: LineBlock, wanted: Sequence[int]) -> None:
        """Put the `wanted` columns of a block into RAW_TABLE, all escapes decoded."""
        columns = len(self.columns)
        if (
            b"\r" in block.text
            or b"\0" in block.text
            or block.text.count(b"\t") != block.lines * (columns - 1)
        ):
            raise self._fault(block, "it does not hold what COPY writes")
        # DuckDB skips blank lines, which in a table of one column are rows: a second, empty cell keeps them
        is_single = columns == 1
        text = block.text.replace(b"\n", b"\t\n") if is_single else block.text
        if text.startswith(_BYTE_ORDER_MARK):
            text = _BYTE_ORDER_MARK + text  # of data that starts with one, DuckDB takes one away
        with work_file(self._work_folder, text) as path:
            try:
                rows = self._read(path, len(text), columns + is_single, wanted)
            except duckdb.InvalidInputException as error:
                raise self._fault(block, str(error).splitlines()[0]) from error
        if rows != block.lines:
            raise self._fault(block, f"{rows:,} rows were read")

    def _read(self, path: Path, size: int, columns: int, wanted: Sequence[int]) -> int:
        types = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(columns))
        buffer_size = min(size, self._options.max_record_bytes) + _SLACK_BYTES
        cells = ", ".join(_decoded(f"c{index}") for index in wanted)
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_ROWS_TABLE} AS SELECT {cells} "
            f"FROM read_csv({file_literal(path)}, auto_detect = false, header = false, "
            f"skip = 0, columns = {{{types}}}, delim = '\t', quote = '', escape = '', comment = '', "
            f"new_line = '\\n', nullstr = '\\N', strict_mode = true, null_padding = false, parallel = false, "
            f"max_line_size = {buffer_size}, buffer_size = {buffer_size})"
        )
        show_block(self._connection, f"SELECT *, rowid FROM {_ROWS_TABLE}")
        return count_rows(self._connection, _ROWS_TABLE)

    def _fault(self, block: LineBlock, reason: str) -> InputError | ToolError:
        """Return the error for a block that cannot be read: its first faulty row, or a fault of ours."""
        most = self._options.max_record_bytes
        for number, line in enumerate(block.text.split(b"\n")[:-1], start=block.first_line):
            fault = row_fault(line, self.columns)
            if not fault and len(line) > most:
                fault = Fault("is longer than reading.max_record_mib")
            if fault:
                return InputError(
                    fault.problem,
                    f"the data of {self.table.full_name} is damaged: copy or download the dump again",
                    path=self._stream.origin,
                    line=number,
                    column=fault.column,
                    value=fault.value,
                )
        last = block.first_line + block.lines - 1
        problem = f"lines {block.first_line:,} to {last:,} could not be read ({reason})"
        hint = "this is a fault of sbir-gate: please report it with these lines"
        return ToolError(problem, hint, path=self._stream.origin)


def _decoded(cell: str) -> str:
    """SQL: the cell with its escapes decoded; few cells have any, so few go through Python."""
    return f"CASE WHEN contains({cell}, '\\') THEN {UNESCAPE_FUNCTION}({cell}) ELSE {cell} END AS {cell}"


def table_files(path: Path, table: str | None, options: ReadingOptions) -> tuple[DumpTable, list[Path]]:
    """Return the table that `DumpRows` would read, and the files on disk that hold it."""
    with Dump(path, options.retrying) as dump:
        found = dump.find(table)
        return found, dump.paths(found)
