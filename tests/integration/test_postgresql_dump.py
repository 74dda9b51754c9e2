# ruff: noqa: S608 -- the SQL names fixed tables
"""A real PostgreSQL dumps tables of hostile contents, and every cell is read back as it was."""

import contextlib
import csv
import os
import pwd
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from sbir_gate.engine.enrichment import EnrichRequest, link_and_write
from sbir_gate.errors import ExitStatus
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.reading.dump_rows import DumpRows
from sbir_gate.reading.loading import RAW_TABLE
from sbir_gate.reading.recipients import iterate_recipients
from tests.factories_dumps import LOOKUP_COLUMNS, zipped
from tests.factories_matching import UEIS, Award, make_settings, write_tables
from tests.step_options import reading_options

pytestmark = pytest.mark.slow

SECONDS = 120
PROGRAMS = ("initdb", "pg_ctl", "psql", "pg_dump")
HOSTILE = [
    None,
    "",
    "NULL",
    "\\N",
    "\\.",
    "\\",
    "\\\\",
    "\\n",
    "a\tb",
    "a\nb\n\n",
    "\n\\.\n",
    "a\rb\r\n",
    "\b\f\v",
    "".join(map(chr, range(1, 32))) + "\x7f\x85\xa0\u2028\ufeff",
    "\ufeffmark",
    "'single' \"double\" \"\" '' `",
    '"',
    " leading and trailing ",
    "#comment",
    "// --",
    "😀 𐍈 é 漢字 \U0010ffff",
    "\\x41\\101\\u0041",
    "x" * 100_000 + "\t" + "é" * 10_000,
    "{a,b}",
    ",;|",
]
QUOTED_COLUMNS = ["Upper Case", 'quo"te', "select", "größe", "a, b", "(x)", "1st"]


def binaries():
    """Return the folder with all of the server's programs, the newest version, or None."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(versions, key=lambda folder: folder.parent.name.zfill(3), reverse=True)
    complete = (folder for folder in folders if all((folder / name).exists() for name in PROGRAMS))
    return next(complete, None)


@dataclass(frozen=True)
class Server:
    folder: Path
    programs: Path
    user: str | None

    def run(self, program, *arguments):
        as_user = ["runuser", "-u", self.user, "--"] if self.user else []
        done = subprocess.run(
            [*as_user, str(self.programs / program), *map(str, arguments)],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "PGHOST": str(self.folder), "PGUSER": "owner", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def query(self, sql):
        path = self.folder / "query.sql"
        path.write_text(sql, encoding="utf-8")
        path.chmod(0o644)
        return self.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-f", path)

    def dump(self, name, *arguments):
        path = self.folder / name
        self.run("pg_dump", "--format=directory", "-d", "postgres", "-f", path, *arguments)
        return path


@pytest.fixture(scope="module")
def server():
    """Start a server of its own on a socket, as a user that is not root: initdb refuses root."""
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server here: 'apt-get install postgresql' brings one")
    user = None
    folder = Path(tempfile.mkdtemp(prefix="sbir-gate-pg-"))
    if os.geteuid() == 0:
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if "postgres" in names else "nobody"
        shutil.chown(folder, user)
    started = Server(folder, programs, user)
    try:
        started.run("initdb", "-D", folder / "data", "-U", "owner", "-E", "UTF8", "--no-sync", "-A", "trust")
        options = f"-F -c listen_addresses='' -c unix_socket_directories={folder}"
        started.run("pg_ctl", "-D", folder / "data", "-o", options, "-l", folder / "log", "-w", "start")
        yield started
    finally:
        with contextlib.suppress(AssertionError):
            started.run("pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def literal(cell):
    return "NULL" if cell is None else f"convert_from(decode('{cell.encode().hex()}', 'hex'), 'UTF8')"


def create(server, table, columns, rows):
    names = ['"' + column.replace('"', '""') + '"' for column in columns]
    values = ",\n".join("(" + ", ".join(map(literal, row)) + ")" for row in rows)
    server.query(
        f"CREATE TABLE {table} ({', '.join(name + ' text' for name in names)});\n"
        f"INSERT INTO {table} VALUES {values};\n"
    )


def lookup_rows():
    draw = random.Random(7)
    rows = [[draw.choice(HOSTILE) for _ in LOOKUP_COLUMNS] for _ in range(400)]
    rows[0] = [f"h{number}" for number in range(len(LOOKUP_COLUMNS))]
    at = {name: index for index, name in enumerate(LOOKUP_COLUMNS)}
    rows[1][at["legal_business_name"]], rows[1][at["uei"]] = "Zentrox\tInc.", UEIS[0]
    rows[1][at["recipient_hash"]] = "the-right-one"
    rows[1][at["city"]], rows[1][at["state"]], rows[1][at["zip5"]] = "BOSTON", "MA", "02139"
    return rows


ROWS = {
    "rpt.recipient_lookup": (LOOKUP_COLUMNS, lookup_rows()),
    'rpt."Quoted ""Name"" (x) FROM stdin;"': (
        QUOTED_COLUMNS,
        [[cell] * len(QUOTED_COLUMNS) for cell in HOSTILE],
    ),
    "public.one": (["only"], [[cell] for cell in HOSTILE]),
    "public.nothing": (["a", "b"], []),
}


@pytest.fixture(scope="module", params=["default", "plain"])
def dump(request, server):
    """Return a dump of all tables, compressed as pg_dump does by itself, and not at all."""
    if not server.query("\\t on\nSELECT 1 FROM pg_namespace WHERE nspname = 'rpt'").strip():
        server.query("CREATE SCHEMA rpt;")
        for table, (columns, rows) in ROWS.items():
            create(server, table, columns, rows or [[None] * len(columns)])
            if not rows:
                server.query(f"TRUNCATE {table};")
        server.query(
            "CREATE TABLE rpt.typed (a text[], t timestamp, d date, n numeric(23,2), b boolean, u uuid, "
            "g int GENERATED ALWAYS AS (1) STORED);"
            "INSERT INTO rpt.typed VALUES (ARRAY['a b', 'c\"d', NULL, 'e\\f', ''], "
            "'2024-02-29 12:34:56.789', '2024-02-29', 12345678901234.50, true, "
            "'00000000-0000-0000-0000-000000000001');"
        )
    return server.dump(request.param, *(["-Z0"] if request.param == "plain" else []))


def read(path, table, chunk_size):
    rows = []
    with (
        duckdb.connect() as connection,
        tempfile.TemporaryDirectory() as folder,
        DumpRows(connection, path, table, Path(folder), reading_options(chunk_size=chunk_size)) as raw,
    ):
        for _ in raw.blocks(range(len(raw.columns))):
            rows += connection.execute(f"SELECT * EXCLUDE (rowid) FROM {RAW_TABLE} ORDER BY rowid").fetchall()
        return raw.columns, rows


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("packing", ["folder", "zip"])
@pytest.mark.parametrize("chunk_size", [7, 10_000])
def test_every_cell_is_read_back_as_it_was(dump, name, packing, chunk_size):
    columns, rows = ROWS[name]
    path = dump if packing == "folder" else zipped(dump, "pruned_data_store/")
    plain_name = name.replace('""', "\0").replace('"', "").replace("\0", '"')
    found_columns, found = read(path, plain_name, chunk_size)
    assert found_columns == list(columns)
    # a server puts a small row where an earlier one left room: the order of insertion is not kept
    assert Counter(found) == Counter(tuple(row) for row in rows)


def test_arrays_times_and_numbers_are_the_text_that_postgresql_writes(dump):
    columns, rows = read(dump, "typed", 10)
    assert columns == ["a", "t", "d", "n", "b", "u"]
    assert rows == [
        (
            '{"a b","c\\"d",NULL,"e\\\\f",""}',
            "2024-02-29 12:34:56.789",
            "2024-02-29",
            "12345678901234.50",
            "t",
            "00000000-0000-0000-0000-000000000001",
        )
    ]


def test_recipients_are_found_without_being_named(dump, tmp_path):
    with duckdb.connect() as connection:
        ids = [
            row[0]
            for batch in iterate_recipients(connection, dump, tmp_path, reading_options())
            for row in connection.execute(f"SELECT recipient_id FROM {batch.table}").fetchall()
        ]
    assert "the-right-one" in ids


@pytest.mark.parametrize("table", ["", "#recipient_lookup", "#rpt.recipient_lookup"])
def test_awards_are_linked_to_recipients_of_the_dump(dump, tmp_path, table):
    awards, _ = write_tables(
        tmp_path, [Award("A1", "Zentrox, Inc.", UEIS[0], "", "BOSTON", "MA", "02139")], []
    )
    output = tmp_path / "out.csv"
    request = EnrichRequest(str(awards), f"{dump}{table}", output)
    link_and_write(request, make_settings(), PerformanceMonitor(), lambda *_: None)
    with output.open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["recipient_id"], row["match_method"]) == ("the-right-one", "uei-exact")
    assert row["recipient_name"].upper() == "ZENTROX INC."


def damaged(dump, tmp_path, damage):
    copy = shutil.copytree(dump, tmp_path / "copy")
    members = sorted(copy.glob("*.dat*"), key=lambda path: path.stat().st_size)
    largest = members[-1] if members[-1].name != "toc.dat" else members[-2]
    if damage == "truncated":
        largest.write_bytes(largest.read_bytes()[:-100])
    elif damage == "missing":
        largest.unlink()
    else:
        (copy / "toc.dat").write_bytes(b"foreign" * 100)
    return copy


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("truncated", "is damaged after|is cut short after"),
        ("missing", "rpt.recipient_lookup: its data, .*, is missing"),
        ("foreign", "does not start with PGDMP"),
    ],
)
def test_a_damaged_dump_ends_the_program_with_the_reason(dump, tmp_path, damage, reason):
    awards, _ = write_tables(tmp_path, [Award("A1", "Zentrox")], [])
    command = [sys.executable, "-m", "sbir_gate", "enrich", "--awards", str(awards), "--quiet"]
    command += ["--recipients", str(damaged(dump, tmp_path, damage)), "--output", str(tmp_path / "out.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == ExitStatus.WRONG_INPUT
    assert re.search(reason, done.stderr)
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out.csv").exists()
