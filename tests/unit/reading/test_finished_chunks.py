"""What was read before is passed over, whatever the size of the chunks then and now."""

import gzip
import tempfile
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbir_gate.model.chunks import Span
from sbir_gate.reading.loading import remaining
from sbir_gate.reading.recipients import iterate_recipients
from sbir_gate.reading.rejects import RejectLog
from tests.factories_dumps import Table, write_dump
from tests.step_options import reading_options
from tests.tiers import tiered

ROWS = [
    (f"R{number}", f'ACME "{number}"\nLABS' if number % 7 == 0 else f"ACME {number}") for number in range(60)
]


def write_csv(folder):
    lines = [f'{key},"{name.replace(chr(34), chr(34) * 2)}"\n' for key, name in ROWS]
    lines.insert(20, "too,many,cells,here\n")
    lines.insert(41, 'R,stray" quote\n')
    path = folder / "recipients.csv"
    path.write_text("recipient_id,recipient_name\n" + "".join(lines), "utf-8")
    return path


def write_gzip(folder):
    plain = write_csv(folder)
    path = folder / "recipients.csv.gz"
    path.write_bytes(gzip.compress(plain.read_bytes()))
    return path


def write_parquet(folder):
    path = folder / "recipients.parquet"
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE r (recipient_id VARCHAR, recipient_name VARCHAR)")
        connection.executemany("INSERT INTO r VALUES (?, ?)", ROWS)
        connection.table("r").write_parquet(str(path), row_group_size=2048)
    return path


def write_table(folder):
    columns = ["recipient_hash", "legal_business_name"]
    return write_dump(folder / "dump", Table("recipient_lookup", columns, [list(row) for row in ROWS]))


def read(path, chunk_size, finished=()):
    """Return the rows by chunk, the chunks, and the rejects, of one pass."""
    options = reading_options(chunk_size=chunk_size, max_reject_percent=100)
    rejects = RejectLog()
    read_rows, chunks = [], []
    with duckdb.connect() as connection, tempfile.TemporaryDirectory() as work:
        for batch in iterate_recipients(connection, path, Path(work), options, rejects, finished=finished):
            rows = connection.table(batch.table).select("recipient_id", "name").fetchall()
            read_rows.append(rows)
            chunks.append(batch.chunk)
    return read_rows, chunks, [(reject.line, reject.reason) for reject in rejects.first]


@pytest.fixture(scope="module", params=tiered(write_csv, write_table, slow=(write_gzip, write_parquet)))
def path(request, tmp_path_factory):
    return request.param(tmp_path_factory.mktemp("source"))


# few examples: each reads the source twice, chunk by chunk
@settings(max_examples=settings.default.max_examples // 5)
@given(data=st.data(), before=st.integers(6, 25), now=st.integers(5, 80))
def test_what_is_left_and_what_was_finished_are_together_each_row_once(path, data, before, now):
    rows, chunks, rejects = read(path, before)
    everything = sorted(row for batch in rows for row in batch)
    kept = data.draw(st.sets(st.sampled_from(range(len(chunks)))))
    finished = [chunks[number] for number in sorted(kept)]
    others, other_chunks, other_rejects = read(path, now, finished)
    done = [row for number in kept for row in rows[number]]
    assert sorted([*done, *(row for batch in others for row in batch)]) == everything
    assert other_rejects == rejects
    spans = sorted((chunk.span.start, chunk.span.stop) for chunk in [*finished, *other_chunks])
    assert all(first[1] == second[0] for first, second in pairwise(spans))


@given(
    st.integers(0, 50),
    st.integers(0, 50),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=6),
)
def test_what_remains_of_a_span_is_what_no_finished_span_holds(start, length, lengths):
    done, end = [], 0
    for gap, size in lengths:
        done.append(Span(end + gap, end + gap + size))
        end += gap + size
    pieces = remaining(Span(start, start + length), done)
    held = {row for span in done for row in range(span.start, span.stop)}
    wanted = [row for row in range(start, start + length) if row not in held]
    assert [row for piece in pieces for row in range(piece.start, piece.stop)] == wanted
