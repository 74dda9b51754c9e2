"""Small PostgreSQL dumps in directory format, written byte by byte, of any archive version."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

VERSIONS = tuple((1, minor) for minor in range(10, 17))
COMPRESSIONS = {"none": 0, "gzip": 1, "lz4": 2, "zstd": 3}

# the columns of USAspending's tables, in the order of its models
LOOKUP_COLUMNS = [
    "id",
    "recipient_hash",
    "legal_business_name",
    "duns",
    "address_line_1",
    "address_line_2",
    "business_types_codes",
    "city",
    "congressional_district",
    "country_code",
    "parent_duns",
    "parent_legal_business_name",
    "state",
    "zip4",
    "zip5",
    "alternate_names",
    "source",
    "update_date",
    "uei",
    "parent_uei",
]
PROFILE_COLUMNS = [
    "id",
    "recipient_level",
    "recipient_hash",
    "recipient_unique_id",
    "recipient_name",
    "recipient_affiliations",
    "award_types",
    "last_12_months",
    "last_12_contracts",
    "last_12_direct_payments",
    "last_12_grants",
    "last_12_loans",
    "last_12_months_count",
    "last_12_other",
    "uei",
    "parent_uei",
]
DUNS_COLUMNS = [
    "awardee_or_recipient_uniqu",
    "legal_business_name",
    "ultimate_parent_unique_ide",
    "ultimate_parent_legal_enti",
    "broker_duns_id",
    "update_date",
    "address_line_1",
    "address_line_2",
    "city",
    "congressional_district",
    "country_code",
    "state",
    "zip",
    "zip4",
    "business_types_codes",
    "dba_name",
    "entity_structure",
    "uei",
    "ultimate_parent_uei",
]


def escaped(cell: str | None) -> str:
    """Return a cell as COPY writes it: one character at a time, unlike the reader."""
    if cell is None:
        return "\\N"
    named = {
        "\\": "\\\\",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
    }
    return "".join(named.get(character, character) for character in cell)


def copy_text(rows: Iterable[Sequence[str | None]]) -> bytes:
    """Return rows as pg_dump writes them, with the closing line and the empty lines after it."""
    lines = ("\t".join(map(escaped, row)) + "\n" for row in rows)
    return ("".join(lines) + "\\.\n\n\n").encode()


def quoted(name: str) -> str:
    """Return a name as pg_dump writes it."""
    is_plain = name.isascii() and name.replace("_", "a").isalnum() and name == name.lower()
    return name if is_plain and not name[0].isdigit() else '"' + name.replace('"', '""') + '"'


@dataclass
class Table:
    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | None]] = ()
    schema: str = "rpt"
    content: bytes | None = None
    has_data: bool = True
    statement: str | None = None
    file_name: str | None = None

    def copy_statement(self) -> str:
        if self.statement is not None:
            return self.statement
        columns = ", ".join(map(quoted, self.columns))
        return f"COPY {quoted(self.schema)}.{quoted(self.name)} ({columns}) FROM stdin;\n"

    def copied(self) -> bytes:
        return copy_text(self.rows) if self.content is None else self.content


@dataclass
class TocWriter:
    """Writes a `toc.dat`; every field that tests change can be set."""

    version: tuple[int, int] = (1, 14)
    compression: str = "gzip"
    format_number: int = 3
    integer_bytes: int = 4
    encoding: str = "UTF8"
    magic: bytes = b"PGDMP"
    count: int | None = None
    _parts: list[bytes] = field(default_factory=list)

    def integer(self, value: int) -> None:
        self._parts.append(bytes([value < 0]) + abs(value).to_bytes(self.integer_bytes, "little"))

    def text(self, value: str | None) -> None:
        if value is None:
            self.integer(-1)
            return
        self.integer(len(value.encode()))
        self._parts.append(value.encode())

    def written(self, tables: Sequence[Table]) -> bytes:
        self._parts.clear()
        self._header()
        entries: list[tuple[str, Table | None]] = [("ENCODING", None)]
        for table in tables:
            entries += [("TABLE", table), *([("TABLE DATA", table)] if table.has_data else [])]
        self.integer(len(entries) if self.count is None else self.count)
        for number, (description, table) in enumerate(entries, start=1):
            self._entry(number, description, table)
        return b"".join(self._parts)

    def _header(self) -> None:
        numbers = [*self.version, 0, self.integer_bytes, 8, self.format_number]
        self._parts.append(self.magic + bytes(numbers))
        if self.version >= (1, 15):
            self._parts.append(bytes([COMPRESSIONS[self.compression]]))
        else:
            self.integer(0 if self.compression == "none" else -1)
        for value in (5, 4, 3, 2, 0, 126, 0):  # 2026-01-02 03:04:05
            self.integer(value)
        for value in ("usaspending", "13.10", "14.3"):
            self.text(value)

    def _entry(self, number: int, description: str, table: Table | None) -> None:
        is_data = description == "TABLE DATA"
        self.integer(number)
        self.integer(is_data)
        self.text("1259")
        self.text(str(16_000 + number))
        self.text(table.name if table else "ENCODING")
        self.text(description)
        if self.version >= (1, 11):
            self.integer(3 if is_data else 2)
        self.text("" if table else f"SET client_encoding = '{self.encoding}';\n")
        self.text(None if is_data else "DROP ...;")
        self.text(table.copy_statement() if table and is_data else None)
        self.text(table.schema if table else None)
        self.text(None)
        if self.version >= (1, 14):
            self.text(None if is_data else "heap")
        if self.version >= (1, 16):
            self.integer(ord("r") if table else 0)
        self.text("postgres")
        self.text("false")
        for dependency in [str(number - 1)] if is_data else []:
            self.text(dependency)
        self.text(None)
        name = f"{number}.dat" if is_data else ""
        self.text(table.file_name if table and is_data and table.file_name is not None else name)


def write_dump(folder: Path, *tables: Table, toc: TocWriter | None = None) -> Path:
    """Write a dump into the folder and return it; members are gzipped unless the compression is none."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = toc or TocWriter()
    (folder / "toc.dat").write_bytes(writer.written(tables))
    for table, number in _numbered(tables):
        if writer.compression == "none":
            (folder / f"{number}.dat").write_bytes(table.copied())
        else:
            (folder / f"{number}.dat.gz").write_bytes(gzip.compress(table.copied(), 1, mtime=0))
    return folder


def member_of(folder: Path) -> Path:
    """Return the (only) gzipped member."""
    (member,) = folder.glob("*.dat.gz")
    return member


def _numbered(tables: Sequence[Table]) -> list[tuple[Table, int]]:
    number, found = 1, []
    for table in tables:
        number += 1
        if table.has_data:
            number += 1
            found.append((table, number))
    return found


def zipped(folder: Path, prefix: str = "", method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Pack a dump, its files under the prefix, into a zip beside it, and return that."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, prefix + file.name)
    return path
