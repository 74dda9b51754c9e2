"""The out-of-core database that tables are read into and joined in, and what is written from it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
from duckdb.func import FunctionNullHandling

from sbir_gate.errors import LimitError
from sbir_gate.files import output_target, place_output, unwritable
from sbir_gate.remote_paths import is_remote, read_fault
from sbir_gate.sql_text import file_relation, literal

WORK_HINT = "make room there, or name another folder in enrichment.work_folder or TMPDIR"
# DuckDB's own buffers get this share of the budget; Python, names and arrays live in the rest.
_DATABASE_SHARE = 0.48
_LEAST_MIB = 32
PARQUET_OPTIONS = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480"
"""Small row groups: one is held in memory while it is written."""

SLICE_OPTIONS = (
    "FORMAT parquet, PARQUET_VERSION v2, ROW_GROUP_SIZE 10240, COMPRESSION lz4_raw, DICTIONARY_SIZE_LIMIT 999"
)
"""What is read once again: a dictionary of what is nearly distinct takes longer than it saves."""

_ROWS_AT_ONCE = 20_480


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """What a database may use: the memory budget of the whole process in MiB, and threads (0: every core)."""

    budget_mib: int
    threads: int


@contextmanager
def open_database(options: DatabaseOptions, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database within the budget; what does not fit goes to `folder`.

    Raises LimitError where the block needs more memory, or more room for what does not fit.
    """
    connection = duckdb.connect(
        config={
            "memory_limit": f"{max(int(options.budget_mib * _DATABASE_SHARE), _LEAST_MIB)}MiB",
            "threads": options.threads or available_cores(),
            "temp_directory": str(folder / "spill"),
        }
    )
    try:
        # times are written in UTC, whatever the time zone of the machine
        connection.execute("SET TimeZone = 'UTC'")
        # DuckDB prints one where it finds no script, as in a worker of a cluster
        connection.execute("SET enable_progress_bar = false")
        yield connection
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        raise LimitError(
            f"the budget of {options.budget_mib} MiB is too small for this data",
            "raise enrichment.performance.memory_threshold_mb, or give enrichment.work_folder more room",
        ) from error
    finally:
        connection.close()


def storage_fault(error: duckdb.Error) -> OSError | None:
    """Return the fault of remote storage that a query failed of; None where it failed of something else."""
    fault = read_fault()
    return fault if type(error) is duckdb.Error else None


def available_cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def count_rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """Return how many rows a table, or a table with a condition, has."""
    found = connection.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 -- of this package's names
    return int(found.fetchall()[0][0])


def register_function(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    function: Callable[[str], object],
    returned: str = "VARCHAR",
    nulls: FunctionNullHandling = FunctionNullHandling.DEFAULT,
) -> None:
    """Make a function of a text known to the connection's database; a second time does nothing."""
    # a function can be added only when the statement before has ended
    connection.execute("SELECT 1").fetchall()
    # to ask the catalogue first takes ten milliseconds
    with suppress(duckdb.CatalogException, duckdb.NotImplementedException):
        connection.create_function(name, function, ["VARCHAR"], returned, null_handling=nulls)


def copy_rows(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    path: Path,
    options: str = "FORMAT parquet",
    hint: str = WORK_HINT,
) -> None:
    """Write the rows of a query to a file. Raises OutputError, with the hint, where it cannot be written."""
    try:
        connection.execute(f"COPY ({query}) TO {literal(str(path))} ({options})")
    except duckdb.IOException as error:
        raise unwritable(path, error, hint) from error


@contextmanager
def written_in_order(
    connection: duckdb.DuckDBPyConnection,
    query: Callable[[str], str],
    rows: int,
    path: Path,
    folder: Path,
    options: str,
) -> Iterator[Path]:
    """Yield a file of the rows that `query` gives for a condition on their position; then place it at `path`.

    The rows go to files in `folder` first, a slice of their order each: no sort of them all. The file is
    placed like the output that a user names (`place_output`), whole or not at all. Raises OutputError.
    """
    partial = None
    threads = connection.execute("SELECT current_setting('threads')").fetchall()[0][0]
    try:
        target = output_target(path)
        is_copied = is_remote(target) or target.is_char_device()
        partial = (folder if is_copied else target.parent) / f".{target.name}.partial"
        slices = []
        for start in range(0, rows, _ROWS_AT_ONCE):
            slices.append(folder / f"slice-{start:010d}.parquet")
            part = query(f"position >= {start} AND position < {start + _ROWS_AT_ONCE}")
            connection.execute(f"COPY ({part}) TO {literal(str(slices[-1]))} ({SLICE_OPTIONS})")
        # one thread writes: the bytes then depend on the rows alone
        connection.execute("SET threads = 1")
        connection.execute(f"COPY (FROM {file_relation(slices)}) TO {literal(str(partial))} ({options})")
        yield partial
        place_output(partial, path)
    except (duckdb.IOException, OSError) as error:
        raise unwritable(
            path, error, "name a file in a folder that you may write to and that has room"
        ) from error
    finally:
        # on any failure or interrupt, no partial file stays
        with suppress(OSError):
            if partial is not None:
                partial.unlink(missing_ok=True)
        connection.execute(f"SET threads = {int(threads)}")
