"""The out-of-core database that tables are read into and joined in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

# DuckDB's own buffers get this share of the budget; Python, names and arrays live in the rest.
_DATABASE_SHARE = 0.48
_LEAST_MIB = 32


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """What a database may use: the memory budget of the whole process in MiB, and threads (0: every core)."""

    budget_mib: int
    threads: int


@contextmanager
def open_database(options: DatabaseOptions, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database within the budget; what does not fit goes to `folder`."""
    connection = duckdb.connect(
        config={
            "memory_limit": f"{max(int(options.budget_mib * _DATABASE_SHARE), _LEAST_MIB)}MiB",
            "threads": options.threads or available_cores(),
            "temp_directory": str(folder / "spill"),
        }
    )
    try:
        yield connection
    finally:
        connection.close()


def available_cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
