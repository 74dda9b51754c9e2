# ruff: noqa: S608 -- the SQL names fixed tables and files of the test
import csv
import gzip
from datetime import date

import duckdb
import pytest

from sbir_gate.errors import InputError, OutputError
from sbir_gate.model.diagnosis import Flaw
from sbir_gate.reading.awards import read_awards, read_fields
from sbir_gate.reading.rejects import RejectLog
from tests.step_options import reading_options

HEADER = "Company,Award Title,Phase,Duns,City,State,Zip,Number Employees,UEI"
ROWS = [
    "ACME INC,Lasers,Phase I,'133709001',Boston,MA,2139,12,",
    '"FOO, LLC","Two\nlines",Phase II,,Austin,Texas,77017-6559,,CSQJZSE9KFD9',
    ",No name,,,,,,,",
]


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def read(connection, tmp_path):
    def run(source, rejects=None, **options):
        work_folder = tmp_path / "work [1]"
        work_folder.mkdir(exist_ok=True)
        return read_awards(connection, source, work_folder, reading_options(**options), rejects)

    return run


@pytest.fixture
def write(tmp_path):
    def run(rows, name="awards.csv", header=HEADER):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path

    return run


def table(connection, name, columns="*"):
    return connection.execute(f"SELECT {columns} FROM {name} ORDER BY position").fetchall()


def repeats(result):
    return next(found.facts for found in result.findings if found.flaw is Flaw.READING_IDS_REPEAT)


def ids(connection):
    return [row[0] for row in table(connection, "awards", "award_id")]


def test_every_row_is_kept_clean_and_as_it_was(connection, read, write):
    result = read(write(ROWS))
    assert (result.rows, result.rejects, result.has_award_ids) == (3, 0, False)
    assert result.columns == tuple(HEADER.split(","))
    clean = table(connection, "awards", "* EXCLUDE (award_id, agency, program, year, is_placeholder)")
    assert clean == [
        (0, "ACME INC", None, "133709001", "BOSTON", "MA", "02139", "I", "small", "duns-only"),
        (1, "FOO, LLC", "CSQJZSE9KFD9", None, "AUSTIN", "TX", "77017", "II", "unknown", "uei-only"),
        (2, None, None, None, None, None, None, "other", "unknown", "neither"),
    ]
    assert table(connection, "award_rows", 'position, "Award Title", "Duns"') == [
        (0, "Lasers", "'133709001'"),
        (1, "Two\nlines", None),
        (2, "No name", None),
    ]


@pytest.mark.parametrize("chunk_size", [1, 2, 100])
def test_derived_ids_depend_on_the_cells_alone(connection, read, write, chunk_size):
    read(write(ROWS), chunk_size=chunk_size)
    first = ids(connection)
    assert all(len(award_id) == 17 and award_id.startswith("A") for award_id in first)
    read(write(ROWS[::-1]))
    assert ids(connection) == first[::-1]
    with write(ROWS).open(newline="") as stream:
        table_rows = list(csv.reader(stream))
    reordered = ["|".join(f'"{cell}"' for cell in reversed(row)) for row in table_rows]
    read(write(reordered[1:], header=reordered[0]))
    assert ids(connection) == first


def test_exact_duplicates_keep_distinct_ids_in_source_order(connection, read, write):
    result = read(write([ROWS[0], ROWS[1], ROWS[0], ROWS[0]]))
    first, other, second, third = ids(connection)
    assert [second, third] == [f"{first}-2", f"{first}-3"]
    assert other != first
    assert repeats(result) == {"count": 1, "example": repr(first)}


def test_own_ids_are_kept_and_their_repeats_numbered_even_into_each_other(connection, read, write):
    rows = ["X,a", "X,b", "X-2,c", "X-2,d", " Y ,e", ",f"]
    result = read(write(rows, header="award_id,Company"))
    found = ids(connection)
    assert found[0] == "X"
    assert found[4] == "Y"
    assert found[5].startswith("A")
    assert len(set(found)) == 6
    assert result.has_award_ids
    assert repeats(result)["example"] == "'X'"


def test_files_of_a_folder_are_one_table_with_all_columns(connection, read, write, tmp_path):
    write(["B,1"], name="in/2.csv", header="COMPANY,Extra")
    path = tmp_path / "in" / "1.csv.gz"
    path.write_bytes(gzip.compress(b"Company,Duns\r\nA,133709001\r\n"))
    result = read(tmp_path / "in")
    assert result.columns == ("Company", "Duns", "Extra")
    assert table(connection, "award_rows") == [(0, "A", "133709001", None), (1, "B", None, "1")]
    assert table(connection, "awards", "name, duns") == [("A", "133709001"), ("B", None)]


def test_a_column_called_position_and_repeated_names_are_kept_under_other_names(connection, read, write):
    result = read(write(["A,7,x,y"], header="Company,Position,Duns,DUNS"))
    assert result.columns == ("Company", "Position_2", "Duns", "DUNS_2")
    assert table(connection, "award_rows") == [(0, "A", "7", "x", "y")]
    renamed = [found.facts for found in result.findings if found.flaw is Flaw.READING_COLUMN_RENAMED]
    assert [(facts["number"], facts["name"]) for facts in renamed] == [(2, "Position_2"), (4, "DUNS_2")]


def test_the_columns_of_parquet_keep_their_types(connection, read, tmp_path):
    path = tmp_path / "a[1].parquet"
    connection.execute(
        "COPY (SELECT 'ACME' AS Company, 133709001::BIGINT AS Duns, 2139.0::DOUBLE AS Zip, "
        f"DATE '2024-05-07' AS Day, [1, 2] AS List FROM range(5)) TO '{path}' (ROW_GROUP_SIZE 2)"
    )
    result = read(path, chunk_size=2)
    assert result.rows == 5
    assert table(connection, "awards", "name, duns, zip5")[4] == ("ACME", "133709001", "02139")
    assert table(connection, "award_rows")[0] == (0, "ACME", 133709001, 2139.0, date(2024, 5, 7), [1, 2])


def test_a_column_whose_types_differ_between_files_is_text_and_this_is_said(connection, read, tmp_path):
    (tmp_path / "in").mkdir()
    for name, day in (("1", "DATE '2024-05-07'"), ("2", "'May 7'")):
        connection.execute(
            f"COPY (SELECT 'ACME' AS Company, {day} AS Day, 1 AS n) TO '{tmp_path}/in/{name}.parquet'"
        )
    result = read(tmp_path / "in")
    assert table(connection, "award_rows") == [(0, "ACME", "2024-05-07", 1), (1, "ACME", "May 7", 1)]
    (found,) = (each for each in result.findings if each.flaw is Flaw.READING_TYPES_DIFFER)
    assert found.facts == {"column": "Day", "types": ("DATE", "VARCHAR")}


def test_rejects_are_counted_logged_and_limited(read, write):
    log = RejectLog()
    path = write([*ROWS, "too,few"])
    assert read(path, log, max_reject_percent=25.0).rejects == 1
    (reject,) = log.first
    assert (reject.line, reject.value, reject.reason) == (6, "too,few", "2 columns, 9 expected")
    with pytest.raises(InputError, match=r"1 of 4 rows \(25.0%\) could not be read, at most 1%"):
        read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        ("Company,Duns\n", "holds no awards, only a header"),
        ("Company,Duns\nx\n", "none of 1 awards could be read"),
        ("foo,bar\n1,2\n", "not a table of awards"),
        ("recipient_name,uei\n1,2\n", "not a table of awards"),
    ],
)
def test_what_holds_no_awards_is_refused(read, tmp_path, text, message):
    path = tmp_path / "awards.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read(path, max_reject_percent=100.0)


def test_a_damaged_parquet_file_is_refused(read, tmp_path):
    path = tmp_path / "awards.parquet"
    path.write_bytes(b"PAR1 no parquet")
    with pytest.raises(InputError, match=r"awards\.parquet: cannot be read as Parquet"):
        read(path)


def test_a_damaged_page_of_a_column_that_is_only_kept_is_the_error_of_its_file(connection, read, tmp_path):
    path = tmp_path / "awards.parquet"
    rows = "SELECT 'A' || range AS award_id, 'ACME' AS Company, md5(range::VARCHAR) AS n FROM range(9000)"
    connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) * 3 // 4] = bytes(len(content) // 4)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"awards\.parquet: cannot be read as Parquet"):
        read(path)


@pytest.mark.parametrize("group", [2048, 1_000_000])
def test_rows_of_parquet_keep_their_positions_whatever_its_row_groups(connection, read, tmp_path, group):
    path = tmp_path / "awards.parquet"
    rows = "SELECT 'ACME ' || range AS Company, range AS n FROM range(50_000)"
    connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE {group})")
    assert read(path).rows == 50_000
    for name, position in (("award_rows", "n"), ("awards", "split_part(name, ' ', 2)::BIGINT")):
        counts = f"count(*), count(DISTINCT position), count(*) FILTER (position = {position})"
        assert connection.execute(f"SELECT {counts} FROM {name}").fetchall() == [(50_000,) * 3]


@pytest.mark.parametrize("chunk_size", [1, 3, 100])
def test_the_account_does_not_depend_on_the_chunks(read, write, chunk_size):
    numbers = ["1", "1", "1", "1", "12", "1", "123", "1234"]
    path = write([f"Acme,{number}" for number in numbers], header="Company,Duns")
    found = read(path, chunk_size=chunk_size).account.diagnoses()
    (facts,) = (each.facts for each in found if each.flaw is Flaw.READING_BAD_FORM)
    assert (facts["count"], facts["values"]) == (8, ("'1'", "'12'", "'123'"))


def test_a_work_folder_that_cannot_be_written_is_an_output_error(connection, write, tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        read_awards(connection, write(ROWS), tmp_path / "missing", reading_options())


GROUPED = "Award ID,Company,Agency,Program,Award Year,Phase,Duns"


def test_the_groups_of_an_award_are_clean(connection, read, write):
    rows = ["A1,Acme,  Department of\tDefense ,SBIR,2013,Phase I,", "A2,N/A,n/a,,10/22/2013,,", "A3,,,,13,,"]
    read(write([*rows, "A4,Multiple Recipients,,,2013 or 2014,,"], header=GROUPED))
    assert table(connection, "awards", "agency, program, year, is_placeholder") == [
        ("Department of Defense", "SBIR", "2013", False),
        (None, None, "2013", True),
        (None, None, None, False),
        (None, None, "2013", True),
    ]


def test_the_fields_alone_are_read_of_what_an_engine_wrote(connection, write, tmp_path):
    path = write(
        ["A1,R1,name-exact,99.5", " A1 ,R2,none,0"], header="award_id,recipient_id,match_method,phase"
    )
    assert read_fields(connection, path, tmp_path, reading_options()) == {"award_id", "phase"}
    assert ids(connection) == ["A1", "A1"]


def test_a_file_without_ids_of_awards_says_so(connection, write, tmp_path):
    with pytest.raises(InputError, match=r"awards\.csv: there is no column award_id"):
        read_fields(connection, write(["Acme"], header="Company"), tmp_path, reading_options())
