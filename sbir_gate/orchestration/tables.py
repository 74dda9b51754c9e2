"""A file of an asset as what another asset asks for by its annotation: a table of some library, or the path.

The library is loaded only then: who annotates its type has imported it already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import duckdb

from sbir_gate.errors import UsageError

_PARQUET = ".parquet"


class Read(Protocol):
    """Reads a Parquet file with the library that it is given."""

    def __call__(self, path: str) -> object:
        """Return the whole file, or what reads it when it is needed."""


def _frame(path: str) -> object:
    return duckdb.connect().read_parquet(path).df()


def _relation(path: str) -> object:
    return duckdb.connect().read_parquet(path)


def _library(module: str, function: str) -> Read:
    """Return the reader of a library that is loaded when it is called."""

    def read(path: str) -> object:
        reader: Callable[[str], object] = getattr(import_module(module), function)
        return reader(path)

    return read


# by the name of the library and of its type, and the extra that holds the library
_READERS: Mapping[tuple[str, str], tuple[Read, str]] = MappingProxyType(
    {
        ("pandas", "DataFrame"): (_frame, ""),
        ("duckdb", "DuckDBPyRelation"): (_relation, ""),
        ("pyarrow", "Table"): (_library("pyarrow.parquet", "read_table"), "arrow"),
        ("polars", "DataFrame"): (_library("polars", "read_parquet"), "polars"),
        ("polars", "LazyFrame"): (_library("polars", "scan_parquet"), "polars"),
    }
)
KNOWN = ("pathlib.Path", *(f"{library}.{name}" for library, name in _READERS))
_PATHS = (None, Any, object, Path)


def loaded_as(wanted: object, path: Path) -> object:
    """Return a Parquet file as the type that an annotation wants, its path without any.

    Raises UsageError for a type that is none of `KNOWN`, for another kind of file, and for a library that is
    not installed.
    """
    if wanted in _PATHS:
        return path
    library = getattr(wanted, "__module__", "").partition(".")[0]
    name = f"{library}.{getattr(wanted, '__qualname__', wanted)}"
    read, extra = _READERS.get((library, name.partition(".")[2]), (None, ""))
    if read is None:
        raise UsageError(f"cannot be loaded as {name}", f"annotate {', '.join(KNOWN)}", path=path)
    if path.suffix != _PARQUET:
        raise UsageError(f"is not a table: it cannot be loaded as {name}", "annotate pathlib.Path", path=path)
    try:
        return read(str(path))
    except ModuleNotFoundError as error:
        hint = f"pip install 'sbir-gate[{extra}]'"
        raise UsageError(
            f"cannot be loaded as {name}: {error.name} is not installed", hint, path=path
        ) from error
