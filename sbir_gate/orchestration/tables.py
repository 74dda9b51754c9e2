"""A file of an asset as what another asset asks for by its annotation: a table, or the path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sbir_gate.errors import UsageError
from sbir_gate.reading.memory_tables import KNOWN_TABLES, PARQUET, load_table

KNOWN = ("pathlib.Path", *KNOWN_TABLES)
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
    if name not in KNOWN_TABLES:
        raise UsageError(f"cannot be loaded as {name}", f"annotate {', '.join(KNOWN)}", path=path)
    if path.suffix != PARQUET:
        raise UsageError(f"is not a table: it cannot be loaded as {name}", "annotate pathlib.Path", path=path)
    return load_table(name, path)
