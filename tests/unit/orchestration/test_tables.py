import sys
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from sbir_gate.errors import UsageError
from sbir_gate.orchestration.io_manager import KNOWN, loaded_as

# they are in requirements-dev.lock; an environment of before has them not yet
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

ROWS = "SELECT * FROM (VALUES ('A1', 'R1', 99.5), ('A2', NULL, 0)) AS t(award_id, recipient_id, match_score)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "enriched_sbir_awards.parquet"
    duckdb.sql(ROWS).write_parquet(str(path))
    return path


def ids_of(table: object) -> list[str]:
    if isinstance(table, pl.LazyFrame):
        table = table.collect()
    if isinstance(table, duckdb.DuckDBPyRelation):
        return [row[0] for row in table.fetchall()]
    if isinstance(table, pa.Table):
        return table["award_id"].to_pylist()
    assert isinstance(table, pd.DataFrame | pl.DataFrame)
    return list(table["award_id"])


@pytest.mark.parametrize(
    "wanted", [pd.DataFrame, pa.Table, pl.DataFrame, pl.LazyFrame, duckdb.DuckDBPyRelation]
)
def test_a_file_is_loaded_as_the_type_that_is_wanted(path, wanted):
    table = loaded_as(wanted, path)
    assert isinstance(table, wanted)
    assert ids_of(table) == ["A1", "A2"]


@pytest.mark.parametrize("wanted", [Path, Any, object, None])
def test_without_a_type_of_a_table_it_is_the_path(path, wanted):
    assert loaded_as(wanted, path) == path


@pytest.mark.parametrize("wanted", [int, dict, pl.Series, pd.DataFrame | None], ids=repr)
def test_another_type_is_refused_with_those_that_are_known(path, wanted):
    with pytest.raises(UsageError) as raised:
        loaded_as(wanted, path)
    assert all(name in raised.value.hint for name in KNOWN)


def test_a_file_that_is_not_a_table_can_only_be_a_path(tmp_path):
    with pytest.raises(
        UsageError, match=r"report\.md: is not a table: it cannot be loaded as pandas\.DataFrame"
    ):
        loaded_as(pd.DataFrame, tmp_path / "report.md")


@pytest.mark.parametrize(
    ("wanted", "module", "extra"),
    [(pl.DataFrame, "polars", "polars"), (pa.Table, "pyarrow.parquet", "arrow")],
    ids=["polars", "pyarrow"],
)
def test_a_library_that_is_missing_is_named_with_the_line_that_installs_it(
    path, monkeypatch, wanted, module, extra
):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match="is not installed") as raised:
        loaded_as(wanted, path)
    assert raised.value.hint == f"pip install 'sbir-gate[{extra}]'"
