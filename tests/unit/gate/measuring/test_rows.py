import gzip
import os
import shutil

import duckdb
import pytest

from sbir_gate.errors import EnricherError
from sbir_gate.gate.measuring.rows import Cells, read_rows

HEADER = "award_id,recipient_id,match_method,match_score\n"
ROW = Cells("A1", "R1", "uei-exact", "100")


@pytest.fixture
def rows_of(tmp_path):
    def read(content):
        path = tmp_path / "enriched.parquet"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return list(read_rows(path))

    return read


def parquet(folder, select):
    path = folder / "made.parquet"
    duckdb.sql(select).write_parquet(str(path))
    return path.read_bytes()


def test_the_content_tells_the_format_not_the_name(rows_of, tmp_path):
    text = HEADER + "A1,R1,uei-exact,100\n"
    select = "SELECT 'A1' AS award_id, 'R1' AS recipient_id, 'uei-exact' AS match_method, 100 AS match_score"
    for content in (text, gzip.compress(text.encode()), parquet(tmp_path, select)):
        assert rows_of(content) == [ROW]


def test_byte_order_mark_line_ends_case_and_other_columns_do_no_harm(rows_of):
    text = "\ufeffAbstract, AWARD_ID ,recipient_id,match_method,match_score\r\n"
    text += '"two\nlines, and ""quotes""",A1,R1,uei-exact,100\r\n\r\n'
    assert rows_of(text) == [ROW]


def test_a_cell_longer_than_the_default_of_the_csv_module_is_read(rows_of):
    assert rows_of(HEADER.replace("\n", ",x\n") + "A1,R1,uei-exact,100," + "y" * 300_000 + "\n") == [ROW]


@pytest.mark.parametrize("content", ["", HEADER, HEADER + "A1,R1,x,1\n"])
def test_a_line_without_an_end_is_not_read_to_its_end(tmp_path, content):
    path = tmp_path / "enriched.csv"
    path.write_text(content)
    os.truncate(path, 10 * 2**30)
    with pytest.raises(EnricherError, match=r"enriched\.csv: .* a row is longer than 16,777,216 characters"):
        list(read_rows(path))


def test_a_damaged_byte_elsewhere_does_not_lose_the_row(rows_of):
    assert rows_of(HEADER.replace("\n", ",x\n").encode() + b"A1,R1,uei-exact,100,\x9b\n") == [ROW]


def test_numbers_lists_and_nulls_of_parquet_become_text(rows_of, tmp_path):
    select = """SELECT 7 AS award_id, NULL::VARCHAR AS recipient_id, 'none' AS match_method,
                99.5::DOUBLE AS match_score, ['R1', 'R2'] AS match_candidates"""
    (row,) = rows_of(parquet(tmp_path, select))
    assert row.award_id == "7"
    assert row.recipient_id == ""
    assert row.match_score == "99.5"
    assert row.match_candidates == '["R1","R2"]'


def test_zero_in_parquet_is_not_taken_for_missing(rows_of, tmp_path):
    select = "SELECT 'A1' AS award_id, 0 AS recipient_id, 'x' AS match_method, 0.0::DOUBLE AS match_score"
    (row,) = rows_of(parquet(tmp_path, select))
    assert (row.recipient_id, row.match_score) == ("0", "0.0")


def test_a_path_with_pattern_characters_names_itself_only(tmp_path):
    folder = tmp_path / "a [b] *"
    folder.mkdir()
    select = "SELECT 'A1' AS award_id, 'R1' AS recipient_id, 'x' AS match_method, 1 AS match_score"
    (tmp_path / "made").mkdir()
    (folder / "e?.parquet").write_bytes(parquet(tmp_path / "made", select))
    shutil.copy(folder / "e?.parquet", folder / "e2.parquet")
    assert len(list(read_rows(folder / "e?.parquet"))) == 1


def test_a_header_alone_has_no_rows(rows_of):
    assert rows_of(HEADER) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("\n", "award_id: the enriched file lacks this column; it has none"),
        (
            "award_id;recipient_id\n",
            "award_id: the enriched file lacks this column; it has 'award_id;recipient_id'",
        ),
        ("award_id," + HEADER, "award_id: the enriched file has this column twice"),
        (HEADER + "A1,R1,x,1\nA2,R2\n", "parquet:3: row 2: the row has 2 cells, the header 4"),
        (HEADER + "A1,R1,x,1,y\n", "parquet:2: row 1: the row has 5 cells, the header 4"),
        (HEADER + '"A1,R1,x,1\n', "unexpected end of data"),
        (b"PAR1 and no more", "No magic bytes found at end of file"),
        (b"\x1f\x8b and no more", "cannot be read"),
        (gzip.compress(HEADER.encode() * 9, mtime=0)[:-9], "cannot be read"),
    ],
)
def test_a_damaged_file_is_refused_with_the_reason(rows_of, content, message):
    with pytest.raises(EnricherError) as caught:
        rows_of(content)
    assert caught.value.message.startswith("enriched.parquet:")
    assert message in caught.value.message
    assert "\n" not in caught.value.message


def test_ids_that_became_floating_point_numbers_are_refused(rows_of, tmp_path):
    select = "SELECT 1.0::DOUBLE AS award_id, 'R1' AS recipient_id, 'x' AS match_method, 1 AS match_score"
    with pytest.raises(EnricherError, match="award_id: holds floating-point numbers"):
        rows_of(parquet(tmp_path, select))


def test_no_file_and_a_folder_in_its_place(tmp_path):
    with pytest.raises(EnricherError, match="wrote no output"):
        list(read_rows(tmp_path / "absent.csv"))
    with pytest.raises(EnricherError, match="a folder, not a regular file"):
        list(read_rows(tmp_path))
