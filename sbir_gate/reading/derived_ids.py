"""Cells of any type as text, and the ids of rows that come without one, made of that text.

Both depend on the row alone: not on the machine's time zone or locale, nor on how a version of a library
writes a number. The rule of the ids has a version, which is printed; it changes if a row gets another id.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import duckdb

from sbir_gate.reading.cleaning import short_hash
from sbir_gate.reading.database import register_function
from sbir_gate.reading.layout import column_key
from sbir_gate.sql_text import literal

ID_VERSION = 1
TEXT_TYPE = "VARCHAR"
_DOUBLE_FUNCTION = "sbir_gate_double_text"
_FLOAT_FUNCTION = "sbir_gate_float_text"
_ZONED = "TIMESTAMP WITH TIME ZONE"
_PLAIN_TIMES = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS")
_NESTED = ("[", "STRUCT", "MAP", "UNION", "BLOB", "INTERVAL", "VARIANT", "GEOMETRY")

RECIPIENT_ID = (
    "coalesce(own_id, 'U' || uei, 'D' || left(duns, 9), 'N' || "
    + short_hash("concat_ws(chr(31), name, coalesce(city, ''), coalesce(state, ''), zip5)")
    + ")"
)
"""SQL: the id of a clean recipient: its own, else of its UEI, its first DUNS, or its name and place."""


def cell_text(column: str, type_: str) -> str:
    """SQL: a cell as text; times are in UTC, and written in one way."""
    if type_ == TEXT_TYPE:
        return column
    if type_ == _ZONED:
        return f"{_time_text(f'make_timestamp(epoch_us({column}))')} || '+00'"
    if type_ in _PLAIN_TIMES:
        return _time_text(f"CAST({column} AS TIMESTAMP)")
    return f"CAST({column} AS VARCHAR)"


def _time_text(time: str) -> str:
    fraction = f"rtrim(strftime({time}, '.%f'), '0.')"
    return (
        f"CASE WHEN isfinite({time}) THEN strftime({time}, '%Y-%m-%d %H:%M:%S') || "
        f"CASE WHEN {fraction} = '' THEN '' ELSE {fraction} END ELSE CAST({time} AS VARCHAR) END"
    )


def award_id(columns: Sequence[str], types: Sequence[str]) -> str:
    """SQL: 'A' and 16 hexadecimal digits over all cells by sorted column name; empty cells don't count.

    Lists, structures and binary data don't count either: there is no one way to write them.
    """
    keyed = sorted((column_key(column), index) for index, column in enumerate(columns))
    cells = ", ".join(
        f"{literal(key + '=')} || {_id_text(index, types[index])}"
        for key, index in keyed
        if not any(mark in types[index] for mark in _NESTED)
    )
    return f"'A' || {short_hash(f'concat_ws(chr(31), {cells})')}" if cells else "'A'"


def _id_text(index: int, type_: str) -> str:
    function = {"DOUBLE": _DOUBLE_FUNCTION, "FLOAT": _FLOAT_FUNCTION}.get(type_)
    return f"{function}(c{index})" if function else f"c{index}"


def double_text(text: str) -> str:
    """Return the shortest text of a double, as Python writes it, from any text that means it."""
    return repr(float(text))


def float_text(text: str) -> str:
    """Return the shortest text of a single-precision number, from any text that means it."""
    packed = struct.pack("f", float(text))
    (number,) = struct.unpack("f", packed)
    for digits in range(1, 10):
        short = float(f"{number:.{digits}g}")
        if struct.pack("f", short) == packed:
            return repr(short)
    return repr(float(number))


def register_texts(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions of numbers known to the connection's database."""
    register_function(connection, _DOUBLE_FUNCTION, double_text)
    register_function(connection, _FLOAT_FUNCTION, float_text)
