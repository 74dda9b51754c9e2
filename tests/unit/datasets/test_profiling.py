import gzip
import json
import os
from collections import Counter

import pytest

from sbir_gate.datasets.profiling import list_tables, profile_tables
from sbir_gate.errors import InputError
from sbir_gate.settings import load_settings
from tests.factories_dumps import Table, copy_text, member_of, write_dump, zipped
from tests.tiers import first_fast

COLUMNS = ["a", "b c", "empty", "many"]
# more distinct values than the sketch keeps
ROWS = [
    (f"{n % 3}" if n % 2 else None, "x" * (n % 5), None, f"{n * n}\t\\") for n in range(3000)
]  # fmt: skip


class StopError(Exception):
    pass


@pytest.fixture
def profile(tmp_path):
    """Profile tables of a dump in chunks, stopping after so many; what was said goes into `said`."""
    said = []

    def run(dump, *names, chunk_size=500, stop_after=None):
        settings = load_settings(
            None,
            {},
            {"reports.folder": str(tmp_path / "reports"), "enrichment.performance.chunk_size": chunk_size},
        ).settings
        counted = []

        def progress(stage, records, share):
            assert stage.startswith("profiling ")
            assert share is None or 0 <= share <= 1
            counted.append(records)
            if stop_after is not None and records >= stop_after:
                raise StopError

        said.clear()
        if stop_after is None:
            return profile_tables(dump, names or ("t",), settings, progress, said.append), counted
        with pytest.raises(StopError):
            profile_tables(dump, names or ("t",), settings, progress, said.append)
        return None, counted

    run.said = said
    return run


@pytest.fixture
def dump(tmp_path):
    return write_dump(tmp_path / "dump", Table("t", COLUMNS, ROWS))


def state(tmp_path):
    return json.loads((tmp_path / "reports" / "progress" / "3.json").read_text())["progress"]


def test_every_column_is_counted(profile, dump):
    (found,) = profile(dump)[0]
    assert (found.schema, found.name, found.rows, found.member) == ("rpt", "t", 3000, "3.dat.gz")
    a, b, empty, many = found.columns
    assert (a.nulls, a.distinct, a.is_distinct_exact, a.min_length, a.max_length) == (1500, 3, True, 1, 1)
    assert sorted(a.samples) == ["0", "1", "2"]
    assert (b.name, b.nulls, b.distinct, b.min_length, b.max_length) == ("b c", 0, 5, 0, 4)
    assert (empty.nulls, empty.distinct, empty.min_length, empty.max_length, empty.samples) == (
        3000, 0, None, None, ()
    )  # fmt: skip
    assert not many.is_distinct_exact
    assert many.distinct == pytest.approx(3000, rel=0.13)
    assert len(many.samples) == 3
    assert {*many.samples} < {row[3] for row in ROWS}


@pytest.mark.parametrize("chunk_size", first_fast([7, 1, 100_000]))
def test_the_profile_does_not_depend_on_the_chunks_nor_the_order_nor_the_packing(
    profile, tmp_path, chunk_size
):
    small = write_dump(tmp_path / "small", Table("t", COLUMNS, ROWS[:20]))
    other = write_dump(tmp_path / "other", Table("t", COLUMNS, ROWS[19::-1]))
    (expected,) = profile(small)[0]
    for path in (small, zipped(small), other):
        (found,) = profile(path, chunk_size=chunk_size)[0]
        assert found.columns == expected.columns


def test_an_interrupted_profile_goes_on_where_it_was(profile, dump, tmp_path):
    expected = profile(dump)[0]
    profile(dump, stop_after=1000)
    assert (state(tmp_path)["rows"], state(tmp_path)["is_finished"]) == (1000, False)
    found, counted = profile(dump, chunk_size=300)
    assert found == expected
    assert counted[:3] == [0, 1300, 1600]
    assert profile.said == ["rpt.t: going on after 1,000 rows"]


def test_it_may_be_interrupted_again_and_again(profile, dump):
    expected = profile(dump)[0]
    for stop_after in range(500, 3001, 500):
        profile(dump, stop_after=stop_after)
    assert profile(dump)[0] == expected


def test_a_finished_profile_is_made_anew(profile, dump, tmp_path):
    profile(dump)
    assert state(tmp_path)["is_finished"]
    assert profile(dump)[1][0] == 500
    assert profile.said == []


def test_a_member_that_has_changed_is_started_afresh_and_it_is_said(profile, dump):
    profile(dump, stop_after=1000)
    member_of(dump).write_bytes(gzip.compress(copy_text(ROWS[:10])))
    ((found,), _) = profile(dump)
    assert found.rows == 10
    assert profile.said == ["rpt.t: starting afresh, 3.dat.gz has changed since the profile was interrupted"]


@pytest.mark.parametrize("rows", [[*ROWS[:-1][::-1], ROWS[-1]], ROWS[:900]])
def test_a_changed_member_is_noticed_even_if_it_looks_the_same(profile, dump, tmp_path, rows):
    profile(dump, stop_after=1000)
    member_of(dump).write_bytes(gzip.compress(copy_text(rows)))
    stat = member_of(dump).stat()
    path = tmp_path / "reports" / "progress" / "3.json"
    document = json.loads(path.read_text())
    document["progress"]["fingerprint"] = f"{stat.st_size}-{stat.st_mtime_ns}"
    path.write_text(json.dumps(document))
    ((found,), _) = profile(dump)
    assert found.rows == len(rows)
    assert profile.said == ["rpt.t: starting afresh, 3.dat.gz has changed since the profile was interrupted"]


@pytest.mark.parametrize(
    ("damage", "reason"),
    first_fast(
        [
            (lambda progress: progress.update(hashing="DuckDB 0.1"), "made with DuckDB 0.1"),
            (lambda progress: progress["columns"].pop(), "cannot be used (it is of other columns)"),
            (lambda progress: progress["columns"][0].update(hashes="AAAA"), "cannot be used"),
            (lambda progress: progress["columns"][0].update(samples=["a"]), "cannot be used"),
            (lambda progress: progress.update(rows="many"), "cannot be read"),
            (lambda progress: progress.update(table="rpt.other"), "has changed"),
        ],
        2,
    ),
)
def test_a_progress_that_is_of_no_use_is_left_and_the_reason_is_said(profile, dump, tmp_path, damage, reason):
    expected = profile(dump)[0]
    profile(dump, stop_after=1000)
    path = tmp_path / "reports" / "progress" / "3.json"
    document = json.loads(path.read_text())
    damage(document["progress"])
    path.write_text(json.dumps(document))
    assert profile(dump)[0] == expected
    (said,) = profile.said
    assert said.startswith("rpt.t: starting afresh")
    assert reason in said


def test_half_a_file_of_progress_is_started_afresh(profile, dump, tmp_path):
    path = tmp_path / "reports" / "progress" / "3.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"format_version": 1, "ki')
    assert profile(dump)[0][0].rows == 3000
    assert "cannot be read" in profile.said[0]


def test_all_tables_are_profiled_in_their_order_each_once(profile, tmp_path):
    dump = write_dump(
        tmp_path / "dump", Table("b", ["x"], [("1",)]), Table("a", ["x"]), Table("b", ["x"], schema="s")
    )
    assert [(found.schema, found.name, found.rows) for found in profile(dump, "all")[0]] == [
        ("rpt", "b", 1), ("rpt", "a", 0), ("s", "b", 0)
    ]  # fmt: skip
    assert [found.name for found in profile(dump, "a", "rpt.a", "rpt.b")[0]] == ["a", "b"]


def test_a_missing_member_is_told_before_any_table_is_read(profile, tmp_path):
    dump = write_dump(tmp_path / "dump", Table("a", ["x"]), Table("b", ["x"]))
    (dump / "5.dat.gz").unlink()
    with pytest.raises(InputError, match=r"rpt\.b: its data, 5\.dat, is missing"):
        profile(dump, "all")
    assert not (tmp_path / "reports").exists()


def test_a_damaged_member_keeps_what_was_read_before_the_damage(profile, tmp_path):
    content = copy_text(ROWS[:1200]).replace(b"\\.\n", b"1\t2\n")
    dump = write_dump(tmp_path / "dump", Table("t", COLUMNS, content=content))
    with pytest.raises(InputError, match=r"line 1,201 of rpt\.t has 2 cells|cut short"):
        profile(dump)
    assert state(tmp_path)["rows"] == 1000


def test_tables_are_listed_the_largest_first_and_the_missing_last(tmp_path):
    random = [(os.urandom(400).hex(),)]
    tables = [Table("small", ["x"]), Table("gone", ["x"]), Table("large", ["x"], random)]
    dump = write_dump(tmp_path / "dump", *tables)
    (dump / "5.dat.gz").unlink()
    listed = list_tables(dump, load_settings(None, {}).settings)
    assert [table.name for table in listed] == ["large", "small", "gone"]
    assert Counter(table.size_bytes is None for table in listed) == {False: 2, True: 1}
