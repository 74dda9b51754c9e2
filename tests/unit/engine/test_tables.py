"""The engine from Python gives for tables in memory what it gives for their files."""

import gc

import duckdb
import pandas as pd
import pytest

from sbir_gate.engine import enrich
from sbir_gate.errors import InputError, OutputError, UsageError
from tests.factories_matching import Award, Recipient, make_settings, write_tables
from tests.tiers import tiered

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def files(tmp_path):
    """Return awards and recipients as Parquet, their columns typed."""
    awards, recipients = write_tables(
        tmp_path,
        [Award("A1", "ACME LABS", uei="ABCDEFGHJKL1"), Award("A2", "NOBODY INC")],
        [Recipient("R1", "ACME LABS LLC", uei="ABCDEFGHJKL1"), Recipient("R2", "OTHER CO")],
    )
    typed = tmp_path / "awards.parquet"
    extra = "DATE '2024-05-06' AS day, 1.25::DECIMAL(3,2) AS amount, 7 AS whole, TRUE AS flag"
    duckdb.read_csv(str(awards), all_varchar=True).select(f"*, {extra}").write_parquet(str(typed))
    plain = tmp_path / "recipients.parquet"
    duckdb.read_csv(str(recipients), all_varchar=True).write_parquet(str(plain))
    return typed, plain


READERS = {
    "pandas": pd.read_parquet,
    "polars": pl.read_parquet,
    "arrow": pa.read_table,
    "duckdb": lambda path: duckdb.connect().read_parquet(str(path)),
}


@pytest.mark.parametrize("kind", tiered("pandas", "duckdb", slow=("polars", "arrow")))
@pytest.mark.parametrize("suffix", tiered(".parquet", slow=(".csv",)))
def test_tables_give_the_bytes_of_their_files(files, kind, suffix, tmp_path):
    of_files, of_tables = tmp_path / f"files{suffix}", tmp_path / f"tables{suffix}"
    enrich(*files, of_files, settings=make_settings())
    found = enrich(*map(READERS[kind], files), of_tables, settings=make_settings())
    assert of_tables.read_bytes() == of_files.read_bytes()
    assert (found.path, found.summary.decisions["link"]) == (of_tables, 1)


def test_the_result_is_loaded_as_each_kind_of_table(files):
    found = enrich(*files, settings=make_settings())
    rows = found.relation.order("award_id").fetchall()
    assert [(row[0], row[-2]) for row in rows] == [("A1", "link"), ("A2", "none")]
    assert len(found.to_pandas()) == found.to_arrow().num_rows == found.to_polars().height == 2
    assert found.to_pandas()["amount"].map(str).tolist() == ["1.25", "1.25"]
    kept = [
        str(kind)
        for name, kind in zip(found.relation.columns, found.relation.types, strict=True)
        if name in {"day", "amount", "whole", "flag"}
    ]
    assert kept == ["DATE", "DECIMAL(3,2)", "INTEGER", "BOOLEAN"]


@pytest.mark.slow
def test_a_temporary_result_goes_with_its_object(files):
    found = enrich(*files, settings=make_settings())
    path, relation = found.path, found.relation
    assert path.is_file()
    del found
    gc.collect()
    assert not path.parent.exists()
    assert relation.count("*").fetchall() == [(2,)]


def test_a_call_leaves_nothing_behind(files, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    settings = make_settings()
    enrichment = settings.enrichment.model_copy(update={"work_folder": work})
    settings = settings.model_copy(update={"enrichment": enrichment})
    found = enrich(pd.read_parquet(files[0]), pd.read_parquet(files[1]), settings=settings)
    assert [path for path in work.rglob("*") if path.is_file()] == [found.path]
    with pytest.raises(InputError):
        enrich(pd.DataFrame({"x": [1]}), files[1], settings=settings)
    del found
    gc.collect()
    assert list(work.iterdir()) == []


@pytest.mark.slow
def test_the_input_is_not_changed(files):
    awards = pd.read_parquet(files[0])
    awards.index = [5, 9]
    before = awards.copy(deep=True)
    enrich(awards, files[1], settings=make_settings())
    pd.testing.assert_frame_equal(awards, before)


def test_an_error_names_the_table_and_not_its_temporary_file(files):
    with pytest.raises(InputError, match="awards: not a table of awards: columns found: 'x'") as raised:
        enrich(pd.DataFrame({"x": ["1"]}), files[1], settings=make_settings())
    assert "sbir-gate-" not in raised.value.message + raised.value.hint
    with pytest.raises(InputError, match="recipients: Name: the column has values of several types"):
        enrich(files[0], pd.DataFrame({"Name": pd.Series(["a", 1], dtype=object)}), settings=make_settings())


def test_what_was_found_names_the_table(files):
    found = enrich(pd.read_parquet(files[0]), files[1], settings=make_settings())
    assert {finding.place for finding in found.summary.findings} == {"awards", "recipients", str(files[1])}


def test_settings_are_given_by_their_keys(files):
    assert enrich(*files, settings={"matching.methods": ("duns-exact",)}).summary.decisions["link"] == 0


def test_csv_has_no_types_to_load(files, tmp_path):
    found = enrich(*files, tmp_path / "out.csv", settings=make_settings())
    with pytest.raises(UsageError, match=r"out\.csv: is not Parquet"):
        found.to_pandas()


def test_a_path_that_cannot_be_written_is_an_error(files, tmp_path):
    with pytest.raises(OutputError, match=r"the folder .* does not exist"):
        enrich(*files, tmp_path / "none" / "out.parquet", settings=make_settings())
    with pytest.raises(UsageError, match=r"awards: is a builtins\.int"):
        enrich(5, files[1], settings=make_settings())
