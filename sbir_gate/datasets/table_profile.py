# ruff: noqa: S608 -- the SQL is built from the names of the columns c0, c1, ... and from numbers
"""The profile of a table of a dump, built up block by block, in memory that does not grow with the table.

Distinct values are counted by a sketch: the KEPT smallest distinct hashes of a column (k minimum values).
The sketch of two sets is the smallest of both sketches together, so rows may come in any parts and any
order. If hashes are spread evenly over 0..1 and u is the k-th smallest, (k - 1) / u estimates the number of
distinct values without bias, with a relative standard error of about 1 / sqrt(k - 2): 3.1% here, so 95 of
100 estimates are within 6.3%. Below k values the count is exact, but for hashes of 64 bits that collide.
Source: Bar-Yossef et al., "Counting distinct elements in a data stream" (2002); Beyer et al., "On synopses
for distinct-value estimation under multiset operations" (2007).
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import duckdb
import numpy as np
import numpy.typing as npt

from sbir_gate.model.profile import ColumnProfile, ColumnProgress, ProfileProgress, TableProfile
from sbir_gate.reading.copy_text import LineBlock
from sbir_gate.reading.dump_rows import DumpRows
from sbir_gate.reading.loading import RAW_TABLE

SAMPLES = 3
SAMPLE_CHARACTERS = 60
HASHING = f"DuckDB {duckdb.__version__}"
"""What makes the hashes: another version may make others, which must not be mixed with these."""

_LARGEST_HASH = 2**64 - 1
KEPT = 1024
Hashes = npt.NDArray[np.uint64]
_RANGE = 2.0**64


def no_hashes() -> Hashes:
    """Return the sketch of no values."""
    return np.empty(0, dtype=np.uint64)


def merged(sketch: Hashes, hashes: Hashes) -> Hashes:
    """Return the sketch of both: sorted, distinct, at most KEPT."""
    return np.union1d(sketch, hashes)[:KEPT].astype(np.uint64)


def distinct_count(sketch: Hashes) -> tuple[int, bool]:
    """Return the number of distinct values, and whether it is exact."""
    if len(sketch) < KEPT:
        return len(sketch), True
    return round((KEPT - 1) * _RANGE / (float(sketch[-1]) + 1.0)), False


def encoded(sketch: Hashes) -> str:
    """Return the sketch as text."""
    return base64.b64encode(sketch.astype("<u8").tobytes()).decode("ascii")


def decoded(text: str) -> Hashes:
    """Return the sketch that was encoded. Raises ValueError for any other text."""
    try:
        sketch = np.frombuffer(base64.b64decode(text, validate=True), dtype="<u8").astype(np.uint64)
    except binascii.Error as error:
        raise ValueError(f"no hashes: {error}") from error
    if len(sketch) > KEPT or not np.all(sketch[1:] > sketch[:-1]):
        raise ValueError("no hashes of a sketch: too many, or not in order")
    return sketch


@dataclass(slots=True)
class _Column:
    name: str
    nulls: int = 0
    min_length: int | None = None
    max_length: int | None = None
    sketch: Hashes = field(default_factory=no_hashes)
    samples: dict[int, str] = field(default_factory=dict)

    def limit(self) -> int:
        """The hash from which on a value cannot change the sketch."""
        return int(self.sketch[-1]) if len(self.sketch) == KEPT else _LARGEST_HASH


class ProfileBuilder:
    """Takes the blocks of `rows` one after the other; `progress` is what an earlier builder had come to.

    Raises ValueError for a progress that is not of these columns, or whose hashes cannot be read.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, rows: DumpRows, progress: ProfileProgress | None = None
    ) -> None:
        self.rows = 0
        self._connection = connection
        self._source = rows
        self._unpacked_bytes = self._crc32 = 0
        self._columns = [_Column(name) for name in rows.columns]
        if progress is not None:
            self._resume(progress)

    def add(self, block: LineBlock) -> None:
        """Take the next block. Raises InputError for a damaged one."""
        indexes = range(len(self._columns))
        self._source.load(block, indexes)
        self._add_counts(indexes)
        self._add_hashes(indexes)
        self.rows += block.lines
        self._unpacked_bytes += len(block.text)
        self._crc32 = zlib.crc32(block.text, self._crc32)

    def progress(self, is_finished: bool = False) -> ProfileProgress:
        """Return what is known so far, to be saved."""
        table = self._source.table
        return ProfileProgress(
            table=table.full_name,
            fingerprint=table.fingerprint,
            hashing=HASHING,
            unpacked_bytes=self._unpacked_bytes,
            crc32=self._crc32,
            rows=self.rows,
            is_finished=is_finished,
            columns=tuple(
                ColumnProgress(
                    column.name,
                    column.nulls,
                    column.min_length,
                    column.max_length,
                    encoded(column.sketch),
                    tuple(column.samples.values()),
                )
                for column in self._columns
            ),
        )

    def profile(self) -> TableProfile:
        """Return the profile of the rows that were taken."""
        table = self._source.table
        columns = []
        for column in self._columns:
            distinct, is_exact = distinct_count(column.sketch)
            columns.append(
                ColumnProfile(
                    name=column.name,
                    nulls=column.nulls,
                    # an estimate may go beyond what is possible
                    distinct=min(distinct, self.rows - column.nulls),
                    is_distinct_exact=is_exact,
                    min_length=column.min_length,
                    max_length=column.max_length,
                    samples=tuple(column.samples.values()),
                )
            )
        return TableProfile(
            table.entry.schema,
            table.entry.tag,
            table.member,
            table.size_bytes or 0,
            self.rows,
            tuple(columns),
        )

    def _resume(self, progress: ProfileProgress) -> None:
        if [column.name for column in progress.columns] != [column.name for column in self._columns]:
            raise ValueError("it is of other columns")
        self.rows = progress.rows
        self._unpacked_bytes, self._crc32 = progress.unpacked_bytes, progress.crc32
        for column, known in zip(self._columns, progress.columns, strict=True):
            column.nulls = known.nulls
            column.min_length, column.max_length = known.min_length, known.max_length
            column.sketch = decoded(known.hashes)
            first = column.sketch[:SAMPLES].tolist()
            column.samples = dict(zip(first, known.samples, strict=True))

    def _add_counts(self, indexes: Sequence[int]) -> None:
        parts = ", ".join(
            f"count(*) - count(c{index}), min(length(c{index})), max(length(c{index}))" for index in indexes
        )
        found = self._connection.execute(f"SELECT {parts} FROM {RAW_TABLE}").fetchall()[0]
        for index, column in enumerate(self._columns):
            nulls, shortest, longest = found[3 * index : 3 * index + 3]
            column.nulls += nulls
            if shortest is not None:
                column.min_length = min(
                    shortest, column.min_length if column.min_length is not None else shortest
                )
                column.max_length = max(longest, column.max_length or 0)

    def _add_hashes(self, indexes: Sequence[int]) -> None:
        parts = " UNION ALL ".join(
            f"SELECT {index} AS place, hashed "
            f"FROM (SELECT DISTINCT hash(c{index}) AS hashed FROM {RAW_TABLE} "
            f"WHERE c{index} IS NOT NULL AND hash(c{index}) <= {self._columns[index].limit()}::UBIGINT "
            f"ORDER BY hashed LIMIT {KEPT})"
            for index in indexes
        )
        found = self._connection.execute(parts).fetchnumpy()
        places = np.asarray(found["place"])
        hashes = np.asarray(found["hashed"], dtype=np.uint64)
        for index, column in enumerate(self._columns):
            column.sketch = merged(column.sketch, hashes[places == index])
            self._draw_samples(index, column)

    def _draw_samples(self, index: int, column: _Column) -> None:
        wanted = column.sketch[:SAMPLES].tolist()
        new = [hashed for hashed in wanted if hashed not in column.samples]
        if new:
            listed = ", ".join(map(str, new))
            found = self._connection.execute(
                f"SELECT hash(c{index}), min(left(c{index}, {SAMPLE_CHARACTERS})) FROM {RAW_TABLE} "
                f"WHERE c{index} IS NOT NULL AND hash(c{index}) IN ({listed}) GROUP BY ALL"
            ).fetchall()
            known = column.samples | dict(found)
            column.samples = {hashed: known[hashed] for hashed in wanted}


def unread_chunks(chunks: Iterator[bytes], progress: ProfileProgress) -> Iterator[bytes] | None:
    """Return what follows in a member after the part that the progress covers; None if that part differs.

    A gzip stream has no index: the part is unpacked again, held against its checksum, and dropped.
    """
    left, crc32 = progress.unpacked_bytes, 0
    while left:
        chunk = next(chunks, b"")
        if not chunk:
            return None
        crc32 = zlib.crc32(chunk[:left], crc32)
        if len(chunk) > left:
            chunks = chain([chunk[left:]], chunks)
        left -= min(left, len(chunk))
    return chunks if crc32 == progress.crc32 else None
