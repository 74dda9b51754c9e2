"""What is learned of the tables of a dump: the list of them, profiles, and how far a profile has come."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableListing:
    """A table of a dump; `size_bytes` is that of its compressed member, None if it is missing."""

    schema: str
    name: str
    member: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column: `distinct` is exact or an estimate; lengths count characters, None without any value.

    `samples` are a few of the distinct values, drawn by a hash: the same whatever the order of the rows.
    """

    name: str
    nulls: int
    distinct: int
    is_distinct_exact: bool
    min_length: int | None
    max_length: int | None
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableProfile:
    """All columns of one table, over all of its rows."""

    schema: str
    name: str
    member: str
    size_bytes: int
    rows: int
    columns: tuple[ColumnProfile, ...]


@dataclass(frozen=True, slots=True)
class ColumnProgress:
    """What is known of a column so far; `hashes` is its sketch as base64 of little-endian 64-bit numbers."""

    name: str
    nulls: int
    min_length: int | None
    max_length: int | None
    hashes: str
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProfileProgress:
    """How far the profile of a table has come.

    `unpacked_bytes` of the member have been read, whose CRC-32 is `crc32`. What is known holds only for
    the same `table`, `fingerprint` of the member and `hashing` (the program that made the hashes).
    """

    table: str
    fingerprint: str
    hashing: str
    unpacked_bytes: int
    crc32: int
    rows: int
    is_finished: bool
    columns: tuple[ColumnProgress, ...]
