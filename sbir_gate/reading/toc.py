"""The table of contents of a PostgreSQL dump (`toc.dat`), parsed from its bytes; no file is touched here.

What the bytes are (PostgreSQL's own name for them is the archive header and TOC):

- `PGDMP`, then one byte each: major, minor and revision of the archive version, the size of an
  integer, the size of a file offset, and the format (a directory dump says 3, the number of tar, whose
  files it shares; custom says 1).
- An integer is a sign byte and then that number of bytes, lowest first. A string is its length as an integer
  and its bytes; a length below 0 is NULL.
- The compression: up to version 1.14 the level as an integer (0 is none, all else gzip), from 1.15 one
  byte: 0 none, 1 gzip, 2 lz4, 3 zstd.
- Seven integers of the time of creation (as C's `struct tm`), then the strings database, version of
  the server, version of pg_dump.
- The number of entries, and the entries. Fields that came later: `section` with 1.11, `table_am` with
  1.14, `relkind` with 1.16. An entry ends with its dependencies, a list of strings closed by NULL, and,
  in a directory dump, the name of the file that holds its data.
"""

from __future__ import annotations

from dataclasses import dataclass

from sbir_gate.errors import InputError
from sbir_gate.wrong_input import did_you_mean

RECIPIENT_TABLES = ("recipient_lookup", "recipient_profile", "duns")
"""The tables of USAspending that hold recipients, the best first."""

NO_DATA_HINT = "recreate the dump without --schema-only and --exclude-table-data, or name another table"
_DAMAGE_HINT = "copy or download the dump again"
_SHOWN_TABLES = 12

MAGIC = b"PGDMP"
OLDEST_VERSION = (1, 10)
NEWEST_VERSION = (1, 16)
_DIRECTORY_FORMAT = 3
_FORMAT_NAMES = {1: "custom", 4: "plain", 5: "directory"}
_COMPRESSION_NAMES = {0: "none", 1: "gzip", 2: "lz4", 3: "zstd"}
_MAX_INTEGER_BYTES = 32
_DATA = "TABLE DATA"


@dataclass(frozen=True, slots=True)
class TocEntry:
    """One object of the dump; `file_name` is the member with its data as pg_dump names it, before `.gz`."""

    dump_id: int
    has_data: bool
    table_oid: str
    oid: str
    tag: str
    description: str
    section: int
    definition: str
    drop_statement: str
    copy_statement: str
    schema: str
    tablespace: str
    table_am: str
    relation_kind: str
    owner: str
    has_oids: bool
    dependencies: tuple[int, ...]
    file_name: str

    @property
    def full_name(self) -> str:
        """The name with its schema."""
        return f"{self.schema}.{self.tag}" if self.schema else self.tag


@dataclass(frozen=True, slots=True)
class Toc:
    """A whole table of contents. `created` is the dump's own local time as ISO text, without a zone."""

    version: tuple[int, int, int]
    compression: str
    created: str
    database: str
    server_version: str
    dump_version: str
    entries: tuple[TocEntry, ...]

    @property
    def encoding(self) -> str:
        """The encoding of the data, as PostgreSQL names it; UTF8 where the dump does not say."""
        for entry in self.entries:
            if entry.description == "ENCODING":
                return entry.definition.partition("'")[2].partition("'")[0]
        return "UTF8"

    @property
    def tables(self) -> tuple[TocEntry, ...]:
        """The tables whose data the dump should hold, in its own order."""
        return tuple(entry for entry in self.entries if entry.description == _DATA)

    def find(self, name: str | None, origin: str) -> TocEntry:
        """Return the table of this name, plain or with its schema; for None the first of RECIPIENT_TABLES.

        `origin` names the dump in errors. Raises InputError for none, or several in different schemas.
        """
        names = RECIPIENT_TABLES if name is None else (name,)
        matches = ([found for found in self.tables if one in {found.tag, found.full_name}] for one in names)
        found = next(filter(None, matches), [])
        if len(found) == 1:
            return found[0]
        if found:
            hint = f"say which one: {', '.join(entry.full_name for entry in found)}"
            raise InputError(f"holds {len(found)} tables named {name or found[0].tag!r}", hint, path=origin)
        known = sorted(entry.full_name for entry in self.tables)
        more = f" and {len(known) - _SHOWN_TABLES:,} more" if len(known) > _SHOWN_TABLES else ""
        shown = ", ".join(known[:_SHOWN_TABLES]) + more if known else "no table with data"
        if name is None:
            problem = f"holds no data of a known table of recipients ({', '.join(names)}); it has {shown}"
            raise InputError(problem, "name its table: 'DUMP#schema.table', or --table", path=origin)
        if any(
            entry.description == "TABLE" and entry.tag == name.rpartition(".")[2] for entry in self.entries
        ):
            raise InputError(f"has the table {name!r}, but no data of it", NO_DATA_HINT, path=origin)
        near = [*(entry.tag for entry in self.tables), *known]
        hint = did_you_mean(name, near) or "'sbir-gate data profile' lists the tables"
        raise InputError(f"holds no table {name!r}; it has {shown}", hint, path=origin)


def parse_toc(content: bytes, origin: str) -> Toc:
    """Return the table of contents in the bytes of a `toc.dat`; `origin` names the file in errors.

    Raises InputError for anything but a whole table of contents of a directory dump, of an archive
    version from 1.10 (PostgreSQL 8.0) to 1.16 (PostgreSQL 17 and later).
    """
    cursor = _Cursor(content, origin)
    if cursor.take(len(MAGIC)) != MAGIC:
        problem = "is not a table of contents of a PostgreSQL dump (it does not start with PGDMP)"
        hint = "give the folder, or the zip of it, that 'pg_dump --format=directory' wrote"
        raise InputError(problem, hint, path=origin)
    version = (cursor.byte(), cursor.byte(), cursor.byte())
    if not OLDEST_VERSION <= version[:2] <= NEWEST_VERSION:
        raise InputError(
            f"archive version {version[0]}.{version[1]} is not supported, "
            f"only {_dotted(OLDEST_VERSION)} to {_dotted(NEWEST_VERSION)}",
            "make the dump with a pg_dump of PostgreSQL 9.1 to 18, or upgrade sbir-gate",
            path=origin,
        )
    cursor.integer_bytes = cursor.byte()
    if not 0 < cursor.integer_bytes <= _MAX_INTEGER_BYTES:
        raise cursor.damaged(f"an integer of {cursor.integer_bytes} bytes")
    cursor.byte()  # the size of a file offset: directory dumps hold no offsets
    _check_format(cursor.byte(), origin)
    compression = _compression(cursor, version[:2])
    created = _created([cursor.integer() for _ in range(7)])
    database, server, dumper = cursor.text(), cursor.text(), cursor.text()
    count = cursor.integer()
    if count < 0:
        raise cursor.damaged(f"{count} entries")
    entries = tuple(_entry(cursor, version[:2], number, count) for number in range(1, count + 1))
    if cursor.position != len(content):
        raise cursor.damaged(f"{len(content) - cursor.position:,} bytes after its last entry")
    return Toc(version, compression, created, database, server, dumper, entries)


class _Cursor:
    """Takes integers and strings off the bytes, and says where they end too early."""

    def __init__(self, content: bytes, origin: str) -> None:
        self.integer_bytes = 4
        self.position = 0
        self.reading = "its header"
        self._content = content
        self._origin = origin

    def take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self._content):
            problem = f"is cut short after {len(self._content):,} bytes, in {self.reading}"
            raise InputError(problem, _DAMAGE_HINT, path=self._origin)
        taken = self._content[self.position : end]
        self.position = end
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def integer(self) -> int:
        is_negative = self.byte() != 0
        value = int.from_bytes(self.take(self.integer_bytes), "little")
        return -value if is_negative else value

    def text_or_none(self) -> str | None:
        size = self.integer()
        # names of a foreign encoding are shown as far as they can be
        return None if size < 0 else self.take(size).decode("utf-8", "replace")

    def text(self) -> str:
        return self.text_or_none() or ""

    def damaged(self, found: str) -> InputError:
        return InputError(f"is damaged: {found} at byte {self.position:,}", _DAMAGE_HINT, path=self._origin)


def _check_format(number: int, origin: str) -> None:
    if number == _DIRECTORY_FORMAT:
        return
    name = _FORMAT_NAMES.get(number, "unknown")
    problem = f"is a dump of the {name} format (number {number}), not of the directory format"
    hint = "make it with 'pg_dump --format=directory'"
    raise InputError(problem, hint, path=origin)


def _compression(cursor: _Cursor, version: tuple[int, ...]) -> str:
    if version >= (1, 15):
        number = cursor.byte()
        return _COMPRESSION_NAMES.get(number, f"unknown (number {number})")
    return "none" if cursor.integer() == 0 else "gzip"


def _created(fields: list[int]) -> str:
    second, minute, hour, day, month, year, _ = fields
    return f"{year + 1900:04}-{month + 1:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"


def _entry(cursor: _Cursor, version: tuple[int, ...], number: int, count: int) -> TocEntry:
    cursor.reading = f"entry {number:,} of {count:,}"
    dump_id = cursor.integer()
    if dump_id <= 0:
        raise cursor.damaged(f"entry {number:,} has the number {dump_id}")
    # keyword arguments are worked out in this order, which is that of the bytes
    return TocEntry(
        dump_id=dump_id,
        has_data=cursor.integer() != 0,
        table_oid=cursor.text(),
        oid=cursor.text(),
        tag=cursor.text(),
        description=cursor.text(),
        section=cursor.integer() if version >= (1, 11) else 0,
        definition=cursor.text(),
        drop_statement=cursor.text(),
        copy_statement=cursor.text(),
        schema=cursor.text(),
        tablespace=cursor.text(),
        table_am=cursor.text() if version >= (1, 14) else "",
        relation_kind=_letter(cursor.integer()) if version >= (1, 16) else "",
        owner=cursor.text(),
        has_oids=cursor.text() == "true",
        dependencies=_dependencies(cursor),
        file_name=cursor.text(),
    )


def _letter(number: int) -> str:
    """Return the letter of `pg_class.relkind`; it is kept as the number of the letter."""
    return chr(number) if 0 < number < 128 else ""


def _dependencies(cursor: _Cursor) -> tuple[int, ...]:
    found = []
    while (text := cursor.text_or_none()) is not None:
        if not text.isdecimal():
            raise cursor.damaged(f"a dependency {text[:20]!r}")
        found.append(int(text))
    return tuple(found)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
