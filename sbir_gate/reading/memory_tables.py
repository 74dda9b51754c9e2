"""Tables in memory: written to a Parquet file that the readers take, and loaded from one by some library.

A library is loaded only when a table of it is asked for: whoever hands a table in has imported it already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import duckdb

from sbir_gate.errors import InputError, UsageError
from sbir_gate.files import error_reason, unwritable
from sbir_gate.reading.database import WORK_HINT
from sbir_gate.sql_text import file_relation, identifier

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    Table: TypeAlias = (
        pd.DataFrame
        | pl.DataFrame
        | pl.LazyFrame
        | pa.Table
        | pa.RecordBatch
        | pa.RecordBatchReader
        | duckdb.DuckDBPyRelation
    )

PARQUET = ".parquet"
# Parquet has no integers of 128 bits, and DuckDB would write the nearest floating-point number
_WIDE_INTEGERS = ("HUGEINT", "UHUGEINT")
_WIDE_DECIMAL = "DECIMAL(38, 0)"


def write_table(table: object, path: Path, what: str) -> None:
    """Write a table in memory to a Parquet file with its types; `what` is what messages call it.

    The table is not changed; a reader of record batches is read to its end. The index of a pandas DataFrame
    is left out. Raises UsageError for what is not a table, InputError for one without columns or rows, with
    two columns of a name, or with a column that has no one type; OutputError if it cannot be written.
    """
    write = next((_WRITERS[name] for name in _type_names(table) if name in _WRITERS), None)
    if write is None:
        raise UsageError(
            f"{what}: is a {type(table).__module__}.{type(table).__qualname__}",
            f"give a path or a table: {', '.join(_WRITERS)}",
        )
    try:
        write(table, path, what)
        is_empty = not _relation(str(path)).limit(1).fetchall()
    except (duckdb.IOException, OSError) as error:
        raise unwritable(path, error, WORK_HINT) from error
    except duckdb.Error as error:
        raise InputError(
            f"the table cannot be read ({error_reason(error)})", "convert its columns first", path=what
        ) from error
    if is_empty:
        raise InputError("the table has no rows", "give at least one row", path=what)


def _type_names(table: object) -> Iterable[str]:
    """Yield the type of a table and those that it is made of, as `KNOWN_TABLES` spells them."""
    for kind in type(table).__mro__:
        yield f"{kind.__module__.partition('.')[0]}.{kind.__name__}"


def _write_frame(frame: pd.DataFrame, path: Path, what: str) -> None:
    _check_names(list(frame.columns), what)
    for position, (name, dtype) in enumerate(frame.dtypes.items()):
        if dtype.name == "object":
            _check_one_type(frame.iloc[:, position], str(name), what)
    with duckdb.connect() as connection:
        # whether an object column is dates, decimals or text is decided by all of its cells
        connection.execute("SET pandas_analyze_sample = ?", [max(len(frame), 1)])
        try:
            _write_rows(connection.from_df(frame), path)
        except duckdb.NotImplementedException as error:
            raise InputError(
                f"a column has a type that cannot be written ({error_reason(error)})",
                "convert it first, such as frame[name].astype('string')",
                path=what,
            ) from error


def _check_one_type(column: pd.Series, name: str, what: str) -> None:
    kinds = Counter(map(type, column[column.notna()]))
    if len(kinds) > 1:
        found = ", ".join(f"{kind.__name__}: {count:,}" for kind, count in kinds.most_common())
        raise InputError(
            f"the column has values of several types ({found})",
            f"convert it first: frame[{name!r}].astype('string')",
            path=what,
            column=name,
        )


def _write_polars(frame: pl.DataFrame | pl.LazyFrame, path: Path, what: str) -> None:
    whole = frame.lazy().collect()  # a DataFrame is not copied
    _check_names(whole.columns, what)
    whole.write_parquet(path)


def _write_arrow(table: pa.Table | pa.RecordBatch | pa.RecordBatchReader, path: Path, what: str) -> None:
    _check_names(table.schema.names, what)
    with duckdb.connect() as connection:
        _write_rows(connection.from_arrow(table), path)


def _write_relation(relation: duckdb.DuckDBPyRelation, path: Path, what: str) -> None:
    _check_names(relation.columns, what)
    _write_rows(relation, path)


def _write_rows(relation: duckdb.DuckDBPyRelation, path: Path) -> None:
    names = [identifier(name) for name in relation.columns]
    cells = [
        f"CAST({name} AS {_WIDE_DECIMAL}) AS {name}" if str(kind) in _WIDE_INTEGERS else name
        for name, kind in zip(names, relation.types, strict=True)
    ]
    relation.select(", ".join(cells)).write_parquet(str(path))


def _check_names(names: list[object] | list[str], what: str) -> None:
    if not names:
        raise InputError("the table has no columns", "give a table with named columns", path=what)
    for name in names:
        if not isinstance(name, str):
            raise InputError("the name of a column is not text", "rename the column", path=what, value=name)
    twice = [name for name, count in Counter(str(name).casefold() for name in names).items() if count > 1]
    if twice:
        same = [str(name) for name in names if str(name).casefold() == twice[0]]
        raise InputError(
            f"{len(same)} columns have this name",
            "rename or drop one: names must differ in more than case",
            path=what,
            column=same[0],
        )


Write = Callable[..., None]
_WRITERS: Mapping[str, Write] = MappingProxyType(
    {
        "pandas.DataFrame": _write_frame,
        "pyarrow.Table": _write_arrow,
        "pyarrow.RecordBatch": _write_arrow,
        "pyarrow.RecordBatchReader": _write_arrow,
        "polars.DataFrame": _write_polars,
        "polars.LazyFrame": _write_polars,
        "duckdb.DuckDBPyRelation": _write_relation,
    }
)


def _frame(path: str) -> object:
    """Return a DataFrame whose decimals are decimals and whose dates are dates."""
    relation = _relation(path)
    frame = relation.df()
    for name, kind in zip(relation.columns, relation.types, strict=True):
        if str(kind) == "DATE" or str(kind).startswith("DECIMAL"):
            frame[name] = [cell for (cell,) in relation.select(identifier(name)).fetchall()]
    return frame


def _relation(path: str) -> duckdb.DuckDBPyRelation:
    return _connected().from_query(f"FROM {file_relation([Path(path)])}")


def loaded_relation(path: Path) -> duckdb.DuckDBPyRelation:
    """Return the rows of a Parquet file as a relation that does not need the file any more."""
    connection = _connected()
    connection.execute(f"CREATE TABLE enriched AS FROM {file_relation([path])}")
    return connection.table("enriched")


def _connected() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")  # times with a zone must not depend on the machine's
    return connection


def _library(module: str, function: str) -> Callable[[str], object]:
    """Return the reader of a library that is loaded when it is called."""

    def read(path: str) -> object:
        reader: Callable[[str], object] = getattr(import_module(module), function)
        return reader(path)

    return read


# by the name of a type, what reads a Parquet file as it, and the extra that has the library
_READERS: Mapping[str, tuple[Callable[[str], object], str]] = MappingProxyType(
    {
        "pandas.DataFrame": (_frame, ""),
        "duckdb.DuckDBPyRelation": (_relation, ""),
        "pyarrow.Table": (_library("pyarrow.parquet", "read_table"), "arrow"),
        "polars.DataFrame": (_library("polars", "read_parquet"), "polars"),
        "polars.LazyFrame": (_library("polars", "scan_parquet"), "polars"),
    }
)
KNOWN_TABLES = tuple(_READERS)


def load_table(name: str, path: Path) -> object:
    """Return a Parquet file as the type of this name, one of `KNOWN_TABLES`.

    Raises UsageError for another kind of file, and for a library that is not installed.
    """
    read, extra = _READERS[name]
    if path.suffix != PARQUET:
        raise UsageError(f"is not Parquet: it cannot be loaded as {name}", "name a .parquet file", path=path)
    try:
        return read(str(path))
    except ModuleNotFoundError as error:
        hint = f"pip install 'sbir-gate[{extra}]'"
        raise UsageError(
            f"cannot be loaded as {name}: {error.name} is not installed", hint, path=path
        ) from error
