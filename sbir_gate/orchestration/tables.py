"""A file of an asset as what another asset asks for by its annotation: a table of some library, or the path.

The library is loaded only then: whoever annotates its type has it, and nobody else needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import duckdb

from sbir_gate.errors import UsageError


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
_PATHS = (None, object, Path)


def loaded_as(wanted: object, path: Path) -> object:
    """Return a Parquet file as the type that an annotation wants.

    Raises UsageError for a type that is none of `KNOWN`, and for a library that is not installed.
    """
    if wanted in _PATHS or not isinstance(wanted, type):
        return path
    name = f"{wanted.__module__.partition('.')[0]}.{wanted.__qualname__}"
    found = _READERS.get((wanted.__module__.partition(".")[0], wanted.__qualname__))
    if found is None:
        raise UsageError(
            f"{path.stem} cannot be loaded as {name}", f"annotate one of {', '.join(KNOWN)}", path=path
        )
    read, extra = found
    try:
        return read(str(path))
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{path.stem} cannot be loaded as {name}: {error.name} is not installed",
            f"pip install 'sbir-gate[{extra}]'",
            path=path,
        ) from error
