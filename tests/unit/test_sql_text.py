from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sbir_gate
from sbir_gate.sql_text import file_relation, identifier, literal

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(TEXTS)
def test_a_literal_is_the_text_again(text):
    assert duckdb.sql(f"SELECT {literal(text)}").fetchall() == [(text,)]


@given(TEXTS.filter(bool))
def test_an_identifier_is_the_name_again(name):
    assert duckdb.sql(f"SELECT 1 AS {identifier(name)}").columns == [name]


@pytest.mark.parametrize("name", ["it's.parquet", "a*.parquet", "[ab].parquet", '"x?".parquet'])
def test_a_path_means_its_file_alone(tmp_path, name):
    for number, each in enumerate((name, "ab.parquet", "a.parquet", "b.parquet")):
        duckdb.sql(f"COPY (SELECT {number} AS n) TO {literal(str(tmp_path / each))} (FORMAT parquet)")
    assert duckdb.sql(f"FROM {file_relation([tmp_path / name])}").fetchall() == [(0,)]


def test_nothing_else_quotes():
    folder = Path(sbir_gate.__file__).parent
    others = [path for path in folder.rglob("*.py") if path.name != "sql_text.py"]
    marks = ('replace("\'", "\'\'")', "replace('\"', '\"\"')", "glob.escape")
    found = [f"{path}: {mark}" for path in others for mark in marks if mark in path.read_text("utf-8")]
    assert found == []
