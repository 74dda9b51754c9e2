"""Tables of pandas, polars, pyarrow and DuckDB become a Parquet file, with their types and as they are."""

import datetime
import sys
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pytest

from sbir_gate.errors import InputError, UsageError
from sbir_gate.reading.memory_tables import load_table, loaded_relation, write_table

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

COLUMNS = {
    "text": ["a", None],
    "whole": pd.array([2**60 + 1, None], dtype="Int64"),
    "number": [1.5, None],
    "day": [datetime.date(2020, 1, 2), None],
    "money": [Decimal("1.10"), None],
    "flag": pd.array([True, None], dtype="boolean"),
    "moment": pd.to_datetime(["2020-01-02", None]).tz_localize("US/Eastern"),
    "kind": pd.Categorical(["x", None]),
}
TYPES = [
    "VARCHAR",
    "BIGINT",
    "DOUBLE",
    "DATE",
    "DECIMAL(3,2)",
    "BOOLEAN",
    "TIMESTAMP WITH TIME ZONE",
    "VARCHAR",
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "[table].parquet"


def written(table, path):
    write_table(table, path, "awards")
    return load_table("duckdb.DuckDBPyRelation", path)


def test_a_frame_keeps_its_types_and_is_not_changed(path):
    frame = pd.DataFrame(COLUMNS, index=[7, 9])
    before = frame.copy(deep=True)
    assert [str(kind) for kind in written(frame, path).types] == TYPES
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # DuckDB's own call, for times with a zone
def test_a_frame_comes_back_with_its_types_and_a_new_index(path):
    write_table(pd.DataFrame(COLUMNS, index=[7, 9]), path, "awards")
    found = load_table("pandas.DataFrame", path)
    assert list(found.index) == [0, 1]
    first = found.iloc[0].to_dict()
    assert (first["whole"], first["day"], first["money"]) == (
        2**60 + 1,
        datetime.date(2020, 1, 2),
        Decimal("1.10"),
    )
    assert (str(found["whole"].dtype), str(found["flag"].dtype)) == ("Int64", "boolean")
    assert first["moment"] == pd.Timestamp("2020-01-02 05:00", tz="UTC")
    assert found.iloc[1].isna().all()


TABLES = {
    "pandas": pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
    "polars": pl.DataFrame({"a": [1, 2], "b": ["x", None]}),
    "lazy": pl.LazyFrame({"a": [1, 2], "b": ["x", None]}),
    "table": pa.table({"a": [1, 2], "b": ["x", None]}),
    "batch": pa.record_batch({"a": [1, 2], "b": ["x", None]}),
    "dictionary": pa.table({"a": [1, 2], "b": pa.array(["x", None]).dictionary_encode()}),
    "relation": duckdb.connect().query("SELECT * FROM (VALUES (1::BIGINT, 'x'), (2, NULL)) t(a, b)"),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_each_kind_of_table_gives_the_same_rows(table, path):
    found = written(table, path)
    assert [str(kind) for kind in found.types] == ["BIGINT", "VARCHAR"]
    assert found.fetchall() == [(1, "x"), (2, None)]
    write_table(table, path, "awards")  # and is still there


def test_batches_are_read_to_their_end(path):
    reader = pa.table({"a": list(range(5))}).to_reader(max_chunksize=2)
    assert written(reader, path).fetchall() == [(number,) for number in range(5)]


def test_a_subclass_is_what_it_is_made_of(path):
    class OwnFrame(pd.DataFrame):
        pass

    assert written(OwnFrame({"a": [1]}), path).fetchall() == [(1,)]


def test_integers_of_128_bits_stay_exact(path):
    relation = duckdb.connect().query("SELECT sum(x) AS total FROM (VALUES (9007199254740993), (0)) t(x)")
    assert written(relation, path).fetchall() == [(Decimal(9007199254740993),)]


def test_the_type_of_an_object_column_is_decided_by_all_of_its_cells(path):
    frame = pd.DataFrame({"a": pd.Series([None] * 3000 + [datetime.date(2020, 1, 2)], dtype=object)})
    assert [str(kind) for kind in written(frame, path).types] == ["DATE"]


ONE = {"a": [1]}
FAULTS = {
    "two of a name": (pd.DataFrame([[1, 2]], columns=["a", "a"]), "awards: a: 2 columns have this name"),
    "but for case": (pd.DataFrame([[1, 2]], columns=["a", "A"]), "awards: a: 2 columns have this name"),
    "two in arrow": (pa.table([pa.array([1])] * 2, names=["a", "a"]), "awards: a: 2 columns have this name"),
    "two in SQL": (duckdb.connect().query("SELECT 1 a, 2 a"), "awards: a: 2 columns have this name"),
    "two in polars": (pl.DataFrame({"a": [1], "A": [2]}), "awards: a: 2 columns have this name"),
    "numbers as names": (pd.DataFrame([[1]]), r"awards: the name of a column is not text \(0\)"),
    "levels of names": (
        pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])),
        "awards: the name of a column is not text",
    ),
    "no rows": (pd.DataFrame({"a": pd.Series(dtype="str")}), "awards: the table has no rows"),
    "no batches": (pa.table({"a": pa.array([], "string")}).to_reader(), "awards: the table has no rows"),
    "no columns": (pd.DataFrame(), "awards: the table has no columns"),
    "no columns in polars": (pl.DataFrame(), "awards: the table has no columns"),
    "text and numbers": (
        pd.DataFrame({"Duns": pd.Series(["1", 2, "3", None], dtype=object)}),
        r"awards: Duns: the column has values of several types \(str: 2, int: 1\)",
    ),
    "late": (
        pd.DataFrame({"Duns": pd.Series(["1"] * 5000 + [2], dtype=object)}),
        r"Duns: the column has values of several types \(str: 5,000, int: 1\)",
    ),
    "periods": (
        pd.DataFrame({"a": pd.period_range("2020", periods=1, freq="Y")}),
        "awards: a column has a type that cannot be written",
    ),
}


@pytest.mark.parametrize(("table", "problem"), FAULTS.values(), ids=FAULTS)
def test_what_no_file_could_hold_is_one_error_with_a_hint(table, problem, path):
    with pytest.raises(InputError, match=problem) as raised:
        write_table(table, path, "awards")
    assert raised.value.hint
    assert len(raised.value.faults) == 1


@pytest.mark.parametrize("thing", [5, [1], pd.Series([1]), np.array([1]), None], ids=repr)
def test_what_is_not_a_table_is_refused_with_those_that_are(thing, path):
    with pytest.raises(UsageError, match="awards: is a ") as raised:
        write_table(thing, path, "awards")
    assert "pandas.DataFrame" in raised.value.hint


def test_a_relation_of_a_closed_connection_is_an_error(path):
    connection = duckdb.connect()
    relation = connection.query("SELECT 1 AS a")
    connection.close()
    with pytest.raises(InputError, match="awards: the table cannot be read"):
        write_table(relation, path, "awards")


def test_a_loaded_relation_does_not_need_its_file(path):
    duckdb.connect().query("SELECT 1 AS a").write_parquet(str(path))
    found = loaded_relation(path)
    path.unlink()
    assert found.fetchall() == [(1,)]


def test_a_library_that_is_missing_is_named_with_the_line_that_installs_it(path, monkeypatch):
    write_table(pd.DataFrame(ONE), path, "awards")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UsageError, match="is not installed") as raised:
        load_table("pyarrow.Table", path)
    assert raised.value.hint == "pip install 'sbir-gate[arrow]'"


def test_only_parquet_is_loaded(tmp_path):
    with pytest.raises(UsageError, match=r"out\.csv: is not Parquet"):
        load_table("pandas.DataFrame", tmp_path / "out.csv")
