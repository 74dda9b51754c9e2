"""Ids of rows that come without one: the same on every machine and with every version of a library."""

import math
import struct

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.reading.awards import read_awards
from sbir_gate.reading.derived_ids import ID_VERSION, double_text, float_text
from sbir_gate.reading.recipients import iterate_recipients
from tests.step_options import reading_options

TYPED = (
    "SELECT 'Alpha Optics' AS Company, TIMESTAMPTZ '2020-06-01 00:30:00.250+00' AS loaded, "
    "TIMESTAMP '2020-06-01 00:30:00' AS seen, DATE '2020-06-01' AS day, 100000.5::DOUBLE AS amount, "
    "0.1::FLOAT AS share, 12.50::DECIMAL(9,2) AS price, true AS flag, 7 AS n, [1.5] AS list"
)


def award_ids(path, folder, zone="UTC"):
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = '{zone}'")
        read_awards(connection, path, folder, reading_options())
        return [row[0] for row in connection.execute("SELECT award_id FROM awards").fetchall()]


def test_an_id_of_text_is_what_version_one_makes_of_it(tmp_path):
    """Saved truths and baselines name these ids: another rule must be another version."""
    path = tmp_path / "awards.csv"
    path.write_text("Company,UEI,Award Title\nAlpha Optics,QNT4K8W2J6H5,\n", encoding="utf-8")
    assert ID_VERSION == 1
    assert award_ids(path, tmp_path) == ["A6ece62bd244abde1"]
    path.write_text("Company,UEI\nAlpha Optics,QNT4K8W2J6H5\n", encoding="utf-8")
    with duckdb.connect() as connection:
        batches = iterate_recipients(connection, path, tmp_path, reading_options())
        next(batches)
        rows = connection.execute("SELECT recipient_id FROM recipient_batch").fetchall()
        batches.close()
    assert rows == [("UQNT4K8W2J6H5",)]


def test_an_id_of_typed_cells_does_not_depend_on_the_time_zone(tmp_path):
    path = tmp_path / "awards.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({TYPED}) TO '{path}'")
    found = {tuple(award_ids(path, tmp_path, zone)) for zone in ("UTC", "America/New_York", "Asia/Kolkata")}
    assert found == {("A73e54b568504d195",)}


@pytest.mark.parametrize(
    ("text", "double", "single"),
    [("0.1", "0.1", "0.1"), ("1e+16", "1e+16", "1e+16"), ("2139", "2139.0", "2139.0"), ("nan", "nan", "nan")],
)
def test_numbers_are_written_in_one_way(text, double, single):
    assert (double_text(text), float_text(text)) == (double, single)


@given(st.floats(allow_nan=False))
def test_any_text_of_a_double_gives_one_text(number):
    assert double_text(f"{number:.17g}") == repr(number) == double_text(repr(number))


@given(st.floats(width=32, allow_nan=False))
def test_any_text_of_a_single_precision_number_gives_one_text(number):
    short = float_text(repr(number))
    assert float_text(f"{number:.9g}") == short
    assert struct.pack("f", float(short)) == struct.pack("f", number) or math.isinf(number)
