# ruff: noqa: S608 -- the SQL names the fixed table of the reader
import gzip
import shutil
import tempfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbir_gate.errors import InputError
from sbir_gate.reading.dump_rows import DumpRows
from sbir_gate.reading.loading import RAW_TABLE
from tests.factories_dumps import Table, TocWriter, copy_text, member_of, write_dump, zipped
from tests.step_options import reading_options

CELLS = (
    st.none()
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
    | st.text(st.sampled_from("\\N.xbfnrt07a\"',#;|\b\f\n\r\t\v é😀\ufeff\x85\u2028\x1a\x7f "))
)


def rows_of(path, name="t", wanted=None, chunk_size=3, max_record_mib=1):
    """Return all cells of a table, and the size of each block."""
    rows, sizes = [], []
    options = reading_options(chunk_size=chunk_size, max_record_mib=max_record_mib)
    with (
        duckdb.connect() as connection,
        tempfile.TemporaryDirectory() as folder,
        DumpRows(connection, path, name, Path(folder), options) as raw,
    ):
        indexes = range(len(raw.columns)) if wanted is None else wanted
        for block in raw.blocks(indexes):
            assert block.first_line == len(rows) + 1
            found = connection.execute(f"SELECT * EXCLUDE (rowid) FROM {RAW_TABLE} ORDER BY rowid").fetchall()
            assert len(found) == block.rows
            rows += found
            sizes.append(block.rows)
        assert raw.bytes_read == raw.bytes_total
        assert not any(Path(folder).iterdir())
    return rows, sizes


@settings(max_examples=settings.default.max_examples // 3)  # each reads two dumps with a database of its own
@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[CELLS] * width), max_size=12)))
def test_whatever_a_table_holds_is_read_back_from_folder_and_zip(rows):
    width = len(rows[0]) if rows else 2
    with tempfile.TemporaryDirectory() as folder:
        dump = write_dump(Path(folder) / "dump", Table("t", [f"a{n}" for n in range(width)], rows))
        assert rows_of(dump)[0] == rows
        assert rows_of(zipped(dump, "inside/"))[0] == rows


@pytest.mark.parametrize("version", [(1, 10), (1, 12), (1, 14), (1, 16)])
@pytest.mark.parametrize("compression", ["gzip", "none"])
@pytest.mark.parametrize("prefix", [None, "", "some/where/"])
def test_every_version_and_packing_gives_the_same_rows(tmp_path, version, compression, prefix):
    rows = [(f"{n}", None, "") for n in range(10)]
    dump = write_dump(
        tmp_path / "dump", Table("t", ["a", "B c", 'd"'], rows), toc=TocWriter(version, compression)
    )
    assert rows_of(dump if prefix is None else zipped(dump, prefix)) == (rows, [3, 3, 3, 1])


def test_a_zip_may_store_its_members_as_they_are(tmp_path):
    dump = write_dump(tmp_path / "dump", Table("t", ["a"], [("x",)]))
    assert rows_of(zipped(dump, method=0))[0] == [("x",)]


def test_only_the_wanted_columns_are_read(tmp_path):
    dump = write_dump(tmp_path / "dump", Table("t", ["a", "b", "c"], [("1", "2\\", "3"), ("4", None, "")]))
    assert rows_of(dump, wanted=[2, 1])[0] == [("3", "2\\"), ("", None)]


def test_a_table_without_rows_has_no_blocks(tmp_path):
    assert rows_of(write_dump(tmp_path / "dump", Table("t", ["a"]))) == ([], [])


def test_a_row_of_many_mebibytes_is_read_up_to_the_limit(tmp_path):
    rows = [("x" * (3 << 20), "y\t"), ("a", "b")]
    dump = write_dump(tmp_path / "dump", Table("t", ["a", "b"], rows))
    assert rows_of(dump, max_record_mib=4)[0] == rows
    with pytest.raises(InputError, match=r"3\.dat\.gz:1: is longer than") as caught:
        rows_of(dump)
    assert "max_record_mib" in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"a", "has 1 cells instead of 2"),
        (b"", "has 1 cells instead of 2"),
        (b"a\tb\tc", "has 3 cells instead of 2"),
        (b"a\tb\r", "raw carriage return"),
        (b"a\rb\tc", "raw carriage return"),
        (b"a\tb\0", "zero byte"),
        (b"a\t\xff\xfe", "not UTF-8 at its byte 1"),
        (b"a\tb\\", "lone backslash"),
        (b"a\\x00\tb", "zero byte"),
        (b"\\377\tb", "not UTF-8"),
    ],
)
def test_a_wrong_row_is_damage_named_with_member_and_line(tmp_path, line, fault):
    content = b"a\tb\n" * 4 + line + b"\na\tb\n\\.\n"
    dump = write_dump(tmp_path / "dump", Table("t", ["a", "b"], content=content))
    with pytest.raises(InputError, match=rf"3\.dat\.gz:5: .*{fault}"):
        rows_of(dump, chunk_size=6)


def test_two_wrong_rows_that_make_up_for_each_other_are_damage_too(tmp_path):
    content = b"a\nb\tc\td\n\\.\n"
    dump = write_dump(tmp_path / "dump", Table("t", ["a", "b"], content=content))
    with pytest.raises(InputError, match=r"3\.dat\.gz:1: has 1 cells"):
        rows_of(dump)


def test_a_blank_line_is_a_row_only_in_a_table_of_one_column(tmp_path):
    content = b"\na\n\n\\N\n\\.\n"
    dump = write_dump(tmp_path / "dump", Table("t", ["a"], content=content))
    assert rows_of(dump)[0] == [("",), ("a",), ("",), (None,)]


@pytest.mark.parametrize("lost", [1, 8, 9, 20, 100])
def test_a_member_that_is_cut_short_is_refused(tmp_path, lost):
    dump = write_dump(tmp_path / "dump", Table("t", ["a"], [(f"{n * n}",) for n in range(1000)]))
    member = member_of(dump)
    member.write_bytes(member.read_bytes()[:-lost])
    with pytest.raises(InputError, match=r"3\.dat\.gz: is damaged after") as caught:
        rows_of(dump)
    assert "download" in caught.value.hint


def test_a_member_whose_bytes_were_changed_is_refused(tmp_path):
    dump = write_dump(tmp_path / "dump", Table("t", ["a"], [("x" * 100,)]))
    member = member_of(dump)
    content = bytearray(member.read_bytes())
    content[-6] ^= 1  # of the checksum
    member.write_bytes(content)
    with pytest.raises(InputError, match="CRC check failed"):
        rows_of(dump)


def test_a_zip_whose_bytes_were_changed_is_refused(tmp_path):
    dump = write_dump(tmp_path / "dump", Table("t", ["a"], [("x" * 100,)]), toc=TocWriter(compression="none"))
    path = zipped(dump, method=0)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"xxx", b"xyx", 1))
    with pytest.raises(InputError, match=r"3\.dat: is damaged after .*CRC"):
        rows_of(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a\nb\n", r"dat\.gz:2: is cut short after this line: the closing line"),
        (b"a\n\\.\nb\n", "more data after the closing line"),
    ],
)
def test_rows_without_their_end_or_beyond_it_are_refused(tmp_path, content, reason):
    dump = write_dump(tmp_path / "dump", Table("t", ["a"], content=content))
    with pytest.raises(InputError, match=reason):
        rows_of(dump)


def test_what_is_no_gzip_is_refused_whatever_its_name(tmp_path):
    dump = write_dump(tmp_path / "dump", Table("t", ["a"], [("x",)]))
    member_of(dump).write_bytes(copy_text([("x",)]))
    with pytest.raises(InputError, match="Not a gzipped file"):
        rows_of(dump)


def test_gzip_may_come_in_several_parts(tmp_path):
    dump = write_dump(tmp_path / "dump", Table("t", ["a"], [("x",)]))
    member_of(dump).write_bytes(gzip.compress(b"a\n") + gzip.compress(b"b\n\\.\n"))
    assert rows_of(dump)[0] == [("a",), ("b",)]


def test_reading_may_end_early_and_leaves_nothing_open(tmp_path):
    dump = write_dump(tmp_path / "dump", Table("t", ["a"], [(f"{n}",) for n in range(100)]))
    path = zipped(dump)
    with duckdb.connect() as connection:
        with DumpRows(connection, path, "t", tmp_path, reading_options(chunk_size=1)) as raw:
            next(raw.blocks([0]))
        assert connection.execute(f"SELECT * EXCLUDE (rowid) FROM {RAW_TABLE}").fetchall() == [("0",)]
    assert not list(tmp_path.glob("block-*"))


@pytest.mark.parametrize("name", ["it's [odd] *.x", "ünï #1"])
def test_the_names_of_folders_may_hold_anything(tmp_path, name):
    dump = write_dump(tmp_path / name, Table("t", ["a"], [("x",)]))
    with duckdb.connect() as connection, DumpRows(connection, dump, "t", dump, reading_options()) as raw:
        assert [block.rows for block in raw.blocks([0])] == [1]
    shutil.rmtree(dump)


def test_a_share_of_the_member_is_known_while_it_is_read(tmp_path):
    rows = [(f"{n:0100}",) for n in range(50_000)]
    dump = write_dump(tmp_path / "dump", Table("t", ["a"], rows), toc=TocWriter(compression="none"))
    with (
        duckdb.connect() as connection,
        DumpRows(connection, dump, "t", tmp_path, reading_options(chunk_size=10_000)) as raw,
    ):
        shares = [raw.bytes_read / raw.bytes_total for _ in raw.blocks([0])]
    assert shares == sorted(shares)
    assert shares[0] < 0.6
    assert shares[-1] == 1
