# ruff: noqa: S608 -- the SQL names fixed tables and files of the test
import gzip
import re

import duckdb
import pytest

from sbir_gate.errors import InputError
from sbir_gate.reading.files import resolve_files
from sbir_gate.reading.layout import RECIPIENTS
from sbir_gate.reading.loading import RawFile
from sbir_gate.reading.recipients import check_table, iterate_recipients
from sbir_gate.reading.rejects import RejectLog
from tests.step_options import reading_options
from tests.tiers import first_fast, tiered


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def read(connection, tmp_path):
    """All rows of all batches, and the batches."""

    def run(source, chunk_size=10_000, rejects=None, **options):
        rows, batches = [], []
        settings = reading_options(chunk_size=chunk_size, **options)
        for batch in iterate_recipients(connection, source, tmp_path, settings, rejects):
            found = connection.execute(f"SELECT * FROM {batch.table}").fetchall()
            assert len(found) == batch.rows
            rows += found
            batches.append(batch)
        return rows, batches

    return run


def write(folder, text, name="recipients.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


LOOKUP = (
    "recipient_hash,legal_business_name,uei,duns,city,state,zip5\n"
    "h1,ACME  INC,CSQJZSE9KFD9,133709001,Boston,MA,02139\n"
    ",FOO LLC,CSQJZSE9KFD9,,,,\n"
    ",BAR LLC,,133709001; 81315312,,,\n"
    ",BAZ LLC,,,Austin,TX,\n"
    ",,,,Nowhere,TX,\n"
)


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 100])
def test_recipients_have_an_id_whatever_they_come_with(read, tmp_path, chunk_size):
    rows, batches = read(write(tmp_path, LOOKUP), chunk_size)
    assert rows[0] == ("h1", "ACME INC", "CSQJZSE9KFD9", "133709001", "BOSTON", "MA", "02139")
    assert [row[0] for row in rows[1:3]] == ["UCSQJZSE9KFD9", "D133709001"]
    assert rows[2][3] == "133709001 081315312"
    assert len(rows) == 4
    assert re.fullmatch("N[0-9a-f]{16}", rows[3][0])
    assert sum(batch.empty_rows for batch in batches) == 1
    assert [batch.index for batch in batches] == list(range(len(batches)))


def test_batches_know_their_file_and_first_line(read, tmp_path):
    write(tmp_path, 'name\nA\n"B"\nC\n', "1.csv")
    write(tmp_path, "name\nD\n", "2.csv")
    rows, batches = read(str(tmp_path / "*.csv"), chunk_size=2)
    assert [row[1] for row in rows] == ["A", "B", "C", "D"]
    assert [(batch.file[-5:], batch.first_line) for batch in batches] == [
        ("1.csv", 2),
        ("1.csv", 4),
        ("2.csv", 2),
    ]


def test_blank_lines_of_a_single_column_are_no_rows(read, tmp_path):
    rows, batches = read(write(tmp_path, "name\nA\n\n  \nB\n\n"))
    assert [row[1] for row in rows] == ["A", "B"]
    assert sum(batch.empty_rows for batch in batches) == 0


def test_a_download_of_usaspending_is_understood(read, tmp_path):
    text = (
        "award_id,recipient_uei,recipient_duns,recipient_name,recipient_city_name,recipient_state_code,"
        "recipient_zip_4_code\n7,CSQJZSE9KFD9,,ACME INC,BOSTON,MA,021391234\n"
    )
    rows, _ = read(write(tmp_path, text))
    assert rows == [("UCSQJZSE9KFD9", "ACME INC", "CSQJZSE9KFD9", None, "BOSTON", "MA", "02139")]


@pytest.mark.parametrize("chunk_size", tiered(2, 100, slow=(1, 5)))
@pytest.mark.parametrize("row_group_size", first_fast([2048, 4096]))
def test_parquet_gives_every_row_once_in_order(connection, read, tmp_path, chunk_size, row_group_size):
    path = tmp_path / "recipients.parquet"
    count = 5000 if chunk_size == 100 else 7
    connection.execute(
        f"COPY (SELECT 'R' || i AS recipient_id, 'FIRM ' || i AS name FROM range({count}) t(i)) "
        f"TO '{path}' (ROW_GROUP_SIZE {row_group_size})"
    )
    rows, batches = read(path, chunk_size)
    assert [row[0] for row in rows] == [f"R{number}" for number in range(count)]
    assert all(batch.rows <= chunk_size for batch in batches)
    assert [batch.first_line for batch in batches] == [
        1 + sum(batch.rows for batch in batches[:index]) for index in range(len(batches))
    ]


@pytest.mark.parametrize("row_group_size", [2048, 4096, 8192, 20_480])
def test_chunks_do_not_depend_on_the_row_groups_of_a_file(connection, tmp_path, row_group_size):
    path = tmp_path / "recipients.parquet"
    connection.execute(
        f"COPY (SELECT 'FIRM ' || i AS name FROM range(20_000) t(i)) "
        f"TO '{path}' (ROW_GROUP_SIZE {row_group_size})"
    )
    options = reading_options(chunk_size=3_900)
    chunks = [batch.chunk for batch in iterate_recipients(connection, path, tmp_path, options)]
    assert [chunk.rows for chunk in chunks] == [3_900] * 5 + [500]
    rest = iterate_recipients(connection, path, tmp_path, options, finished=chunks[1:3])
    assert [batch.rows for batch in rest] == [3_900, 3_900, 3_900, 500]


def test_rejects_are_reported_with_their_line(read, tmp_path):
    log = RejectLog()
    text = "name,uei\n" + "".join(f"FIRM {number},\n" for number in range(200))
    path = write(tmp_path, text.replace("FIRM 100,", '"FIRM 100,'))
    rows, batches = read(path, chunk_size=30, rejects=log)
    assert len(rows) == 199
    assert sum(batch.rejects for batch in batches) == 1
    assert (log.first[0].line, log.first[0].value) == (102, '"FIRM 100,')


def test_two_connections_read_side_by_side(connection, tmp_path):
    path = write(tmp_path, "name\n" + "\n".join("ABCDEFGH") + "\n")
    options = reading_options(chunk_size=3)
    other = connection.cursor()
    pairs = zip(
        iterate_recipients(connection, path, tmp_path, options),
        iterate_recipients(other, path, tmp_path, options, table="second"),
        strict=True,
    )
    for first, second in pairs:
        mine = connection.execute(f"SELECT name FROM {first.table}").fetchall()
        assert other.execute(f"SELECT name FROM {second.table}").fetchall() == mine


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("name,uei\n", "holds no recipients, only a header"),
        ("name,uei\nA\n", "none of 1 recipients could be read; the first: "),
        ("foo,bar\n1,2\n", "not a table of recipients"),
        ("Company,UEI,Phase\nACME,,I\n", "not a table of recipients"),
    ],
)
def test_what_holds_no_recipients_is_refused_before_and_while_reading(read, tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=message):
        check_table(path, reading_options(), RECIPIENTS)
    with pytest.raises(InputError, match=message):
        read(path, max_reject_percent=100.0)


def test_a_table_of_empty_rows_only_is_refused(read, tmp_path):
    with pytest.raises(InputError, match="none of 2 rows has a name, UEI or DUNS"):
        read(write(tmp_path, "name,uei\n,\nN/A,\n"))


def test_a_sound_table_passes_the_check(tmp_path):
    path = tmp_path / "recipients.csv.gz"
    path.write_bytes(gzip.compress(LOOKUP.encode()))
    check_table(path, reading_options(), RECIPIENTS)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_the_share_that_has_been_read_rises_to_one(connection, tmp_path, suffix):
    source = tmp_path / f"recipients{suffix}"
    connection.execute(
        f"COPY (SELECT 'R' || i AS recipient_id, 'ACME ' || i AS name FROM range(50000) t(i)) TO '{source}'"
    )
    options = reading_options(chunk_size=10_000)
    shares = [batch.share_read for batch in iterate_recipients(connection, source, tmp_path, options)]
    assert shares == sorted(shares)
    assert 0 < shares[0] <= shares[-1] == 1.0


def test_the_share_is_of_all_files_together(connection, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for number in (1, 2):
        rows = "".join(f"R{number}{row:05},ACME\n" for row in range(1000))
        (folder / f"{number}.csv").write_text("recipient_id,name\n" + rows)
    shares = [
        batch.share_read for batch in iterate_recipients(connection, folder, tmp_path, reading_options())
    ]
    assert shares == [0.5, 1.0]


@pytest.mark.parametrize("chunk_size", [100, 10_000])
def test_a_damaged_page_of_parquet_is_the_error_of_its_file(connection, read, tmp_path, chunk_size):
    """Whether its rows are copied before they are cleaned (a small chunk) or not."""
    path = tmp_path / "recipients.parquet"
    rows = "SELECT 'h' || range AS recipient_id, 'ACME ' || hash(range) AS recipient_name FROM range(9000)"
    connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    content = bytearray(path.read_bytes())
    content[len(content) // 4 : len(content) // 2] = bytes(len(content) // 4)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"recipients\.parquet: cannot be read as Parquet"):
        read(path, chunk_size)


def test_an_error_that_is_not_the_files_stays_what_it_is(connection, tmp_path):
    path = tmp_path / "recipients.parquet"
    rows = "SELECT 'h' || range AS recipient_id FROM range(5000)"
    connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    error = duckdb.IOException("no room")
    [file] = resolve_files(path)
    raw = RawFile(connection, file, tmp_path, reading_options())
    assert next(raw.blocks([0], is_read_once=True)).rows == 5000
    assert raw.__exit__(None, error, None) is None


def test_large_row_groups_are_streamed_one_at_a_time(connection, tmp_path):
    """Each that is read holds its pages in memory, and those of wide columns are large."""
    path = tmp_path / "awards.parquet"
    connection.execute(f"COPY (SELECT range AS n FROM range(5000)) TO '{path}' (ROW_GROUP_SIZE 2048)")
    [file] = resolve_files(path)
    with RawFile(connection, file, tmp_path, reading_options(chunk_size=100)) as raw:
        spans = [(block.span.start, block.rows) for block in raw.blocks([0], is_streamed=True)]
    assert spans == [(0, 2048), (2048, 2048), (4096, 904)]


def test_files_of_all_kinds_are_read_one_after_the_other(connection, read, tmp_path):
    text = write(tmp_path, "recipient_id,recipient_name\nh1,ACME\nh2,FOO\n")
    parquet = tmp_path / "recipients.parquet"
    query = "SELECT 'h' || range AS recipient_id, 'BAR' AS recipient_name FROM range(5000)"
    connection.execute(f"COPY ({query}) TO '{parquet}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    for chunk_size in (1000, 10_000):
        assert [len(read(path, chunk_size)[0]) for path in (text, parquet, text)] == [2, 5000, 2]
