"""Names, texts and paths as DuckDB's SQL takes them: quoted, so that nothing in them ends the quote."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path


def literal(text: str) -> str:
    """Return the text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return the name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def file_literal(path: Path) -> str:
    """Return the path as a string literal to read from: in brackets a pattern character is literal."""
    return literal(glob.escape(str(path)))


def file_relation(paths: Sequence[Path]) -> str:
    """Return what SQL selects the rows of these Parquet files from."""
    return f"read_parquet([{', '.join(map(file_literal, paths))}])"
