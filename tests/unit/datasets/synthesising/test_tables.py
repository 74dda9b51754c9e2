"""A table appears whole or not at all."""

import gzip
import os

import duckdb
import pytest

from sbir_gate.datasets.synthesising.options import FileFormat
from sbir_gate.datasets.synthesising.tables import open_table
from sbir_gate.errors import OutputError

COLUMNS = ("id", "text")
ROWS = [("1", 'two\nlines, "quoted"'), ("2", ""), ("3", "Müller")]
TEXT = 'id,text\n1,"two\nlines, ""quoted"""\n2,\n3,Müller\n'


def write(path, file_format):
    with open_table(path, COLUMNS, file_format) as append:
        append(ROWS[:2])
        append(ROWS[2:])


def break_off(path, file_format):
    with open_table(path, COLUMNS, file_format) as append:
        append(ROWS)
        raise KeyError


def test_csv_is_utf8_with_plain_line_ends(tmp_path):
    write(tmp_path / "t.csv", FileFormat.CSV)

    assert (tmp_path / "t.csv").read_bytes() == TEXT.encode()


def test_gzip_holds_the_same_text_and_no_time(tmp_path):
    write(tmp_path / "a.csv.gz", FileFormat.CSV_GZ)
    write(tmp_path / "b.csv.gz", FileFormat.CSV_GZ)
    packed = (tmp_path / "a.csv.gz").read_bytes()

    assert gzip.decompress(packed).decode() == TEXT
    assert packed == (tmp_path / "b.csv.gz").read_bytes()
    assert packed[4:8] == bytes(4)


def test_parquet_keeps_rows_in_order_as_text(tmp_path):
    write(tmp_path / "t.parquet", FileFormat.PARQUET)
    with duckdb.connect() as connection:
        found = connection.read_parquet(str(tmp_path / "t.parquet")).fetchall()

    assert found == [("1", 'two\nlines, "quoted"'), ("2", None), ("3", "Müller")]


@pytest.mark.parametrize("file_format", list(FileFormat))
def test_nothing_else_is_left_behind(tmp_path, file_format):
    write(tmp_path / "t", file_format)

    assert [path.name for path in tmp_path.iterdir()] == ["t"]


@pytest.mark.parametrize("file_format", list(FileFormat))
def test_a_broken_off_table_leaves_the_old_one(tmp_path, file_format):
    path = tmp_path / "t"
    path.write_text("old")

    with pytest.raises(KeyError):
        break_off(path, file_format)

    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["t"]


def test_a_place_that_cannot_be_written_is_an_error_with_a_cure(tmp_path):
    with pytest.raises(OutputError, match=r"t\.csv: cannot be written") as caught:
        write(tmp_path / "missing" / "t.csv", FileFormat.CSV)

    assert "may be written" in caught.value.hint


def test_a_pipe_is_not_waited_for_nor_replaced(tmp_path):
    pipe = tmp_path / "table.csv"
    os.mkfifo(pipe)
    with (
        pytest.raises(OutputError, match="a pipe, not a regular file"),
        open_table(pipe, ("a",), FileFormat.CSV),
    ):
        pass
    assert pipe.is_fifo()
