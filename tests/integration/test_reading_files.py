# ruff: noqa: S608 -- the SQL names fixed tables and files of the test
"""Whole files through reading: what is written comes back, and damage costs only what it touches."""

import codecs
import csv
import gzip
import io
import random

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sbir_gate.reading.files import resolve_files
from sbir_gate.reading.loading import RAW_TABLE, RawFile
from tests.step_options import reading_options

# each example loads many blocks: the examples are few, their cells nasty
EXAMPLES = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CELLS = st.text(st.sampled_from('ab,;"\n\t é\\|'), max_size=6)


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reading")
    with duckdb.connect() as connection:

        def run(data, chunk_size, name="table.csv"):
            path = folder / name
            path.write_bytes(data)
            rows, rejects = [], []
            options = reading_options(chunk_size=chunk_size, max_record_mib=1)
            with RawFile(connection, resolve_files(path)[0], folder, options) as raw:
                for block in raw.blocks(range(len(raw.columns))):
                    found = connection.execute(
                        f"SELECT * EXCLUDE (rowid) FROM {RAW_TABLE} ORDER BY rowid"
                    ).fetchall()
                    assert len(found) == block.rows
                    rows += [tuple(cell or "" for cell in row) for row in found]
                    rejects += block.rejects
            return rows, rejects

        yield run


def written(rows, **dialect):
    buffer = io.StringIO()
    columns = len(rows[0]) if rows else 2
    csv.writer(buffer, **dialect).writerows([[f"column {number}" for number in range(columns)], *rows])
    return buffer.getvalue()


def holds_rows(rows):
    """A cell that looks like swallowed rows is rejected by design (`holds_swallowed_rows`)."""
    return any(cell.count("\n") > 2 for row in rows for cell in row)


@EXAMPLES
@given(
    rows=st.integers(2, 5).flatmap(lambda n: st.lists(st.tuples(*[CELLS] * n), min_size=1, max_size=8)),
    chunk_size=st.integers(1, 7),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_a_csv_writer_wrote_reads_back_equal(read, rows, chunk_size, line_end, encoding):
    if holds_rows(rows):
        return
    data = written(rows, lineterminator=line_end).encode(encoding)
    found, rejects = read(data, chunk_size)
    assert found == rows
    assert rejects == []


@EXAMPLES
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8),
    places=st.lists(st.integers(0, 10**6), min_size=1, max_size=3),
    byte=st.sampled_from([b'"', b",", b"\n", b"", b"\xff", b" ", b"\x00"]),
    chunk_sizes=st.tuples(st.integers(1, 3), st.integers(4, 50)),
)
def test_damage_is_seen_the_same_whatever_the_block_size(read, rows, places, byte, chunk_sizes):
    data = written(rows).encode()
    body = data.index(b"\n") + 1
    for place in places:
        position = body + place % max(len(data) - body, 1)
        data = data[:position] + byte + data[position + (byte != b'"') :]
    small, large = (read(data, chunk_size) for chunk_size in chunk_sizes)
    assert small == large


@EXAMPLES
@given(
    rows=st.integers(8, 30),
    damaged=st.integers(0, 10**6),
    place=st.integers(0, 10**6),
    chunk_size=st.integers(1, 12),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_a_stray_quote_costs_at_most_its_own_row(read, rows, damaged, place, chunk_size, quoting):
    table = [(f"R{number}", f"FIRM {number}, INC", "MA", f"{number:05}") for number in range(rows)]
    lines = written(table, quoting=quoting, lineterminator="\n").splitlines(keepends=True)
    hit = 1 + damaged % rows
    position = place % len(lines[hit])
    lines[hit] = lines[hit][:position] + '"' + lines[hit][position:]
    found, rejects = read("".join(lines).encode(), chunk_size)
    assert set(table) - {table[hit - 1]} <= set(found)
    assert len(found) + len(rejects) == rows
    assert all(reject.line == hit + 1 for reject in rejects)


@EXAMPLES
@example(data=codecs.BOM_UTF8, chunk_size=1)
@given(data=st.binary(max_size=300), chunk_size=st.integers(1, 5))
def test_random_bytes_are_rows_rejects_or_blank_never_lost(read, data, chunk_size):
    # no quote: then every line is one record, and all of them can be counted
    data = data.replace(b'"', b"'").replace(b"\r", b"\n").replace(b"\0", b"\n")
    found, rejects = read(b"first,second\n" + data, chunk_size)
    # byte order marks are dropped, also where files were joined: a line of nothing else is blank
    lines = data.replace(codecs.BOM_UTF8, b"").split(b"\n")
    assert len(found) + len(rejects) == sum(1 for line in lines if line.strip(b" "))


def test_large_tables_agree_with_pythons_own_reader(read):
    draw = random.Random(7)
    rows = [
        (
            f"R{number}",
            draw.choice(["ACME, INC", 'THE "BEST" LLC', "5 IN\nPIPE", "É & SÖHNE"]),
            "MA",
            "x" * (number % 90),
        )
        for number in range(25_000)
    ]
    data = written(rows).encode()
    found, rejects = read(gzip.compress(data), 10_000, "table.csv.gz")
    assert found == rows
    assert rejects == []


def test_a_quote_open_for_megabytes_costs_one_line(read):
    lines = ["id,name", *(f"{number},FIRM {number} OF THE NORTH" for number in range(60_000))]
    lines[3] = '2,"FIRM 2 OF THE NORTH'
    found, rejects = read("\n".join(lines).encode(), 10_000)
    assert len(found) == 59_999
    assert [reject.line for reject in rejects] == [4]
