"""Writes one table to disk, row by row, so that the file appears only when it is whole."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import duckdb

from sbir_gate.datasets.synthesising.options import FileFormat
from sbir_gate.files import create_file, output_target, place_durably, unwritable

RowWriter = Callable[[Iterable[Sequence[str]]], None]

_GZIP_LEVEL = 6


@contextmanager
def open_table(path: Path, columns: Sequence[str], file_format: FileFormat) -> Iterator[RowWriter]:
    """Yield a function that appends rows; `path` is replaced when the block ends without an error.

    CSV is UTF-8 with LF line ends, and its bytes are the same on every machine. Compressed files
    carry no time; their content is the same everywhere, their bytes for one version of the library.

    Raises OutputError where the file cannot be written.
    """
    try:
        target = output_target(path, may_be_device=False)
    except OSError as error:
        raise unwritable(path, error) from error
    part, rows = (target.with_name(target.name + ending) for ending in (".part", ".rows"))
    try:
        with _open_text(rows if file_format is FileFormat.PARQUET else part, file_format) as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(columns)
            yield writer.writerows
        if file_format is FileFormat.PARQUET:
            _copy_to_parquet(rows, part)
        place_durably(part, target)
    except (OSError, duckdb.Error) as error:
        raise unwritable(path, error) from error
    finally:
        part.unlink(missing_ok=True)
        rows.unlink(missing_ok=True)


@contextmanager
def _open_text(path: Path, file_format: FileFormat) -> Iterator[IO[str]]:
    if file_format is not FileFormat.CSV_GZ:
        with io.TextIOWrapper(create_file(path), encoding="utf-8", newline="") as stream:
            yield stream
        return
    with (
        create_file(path) as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=_GZIP_LEVEL, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as stream,
    ):
        yield stream


def _copy_to_parquet(rows: Path, target: Path) -> None:
    # one thread keeps the order of rows; every column stays text, as in CSV
    with duckdb.connect(config={"threads": 1}) as connection:
        table = connection.read_csv(
            str(rows), header=True, all_varchar=True, delimiter=",", quotechar='"', escapechar='"'
        )
        table.write_parquet(str(target), compression="zstd")
