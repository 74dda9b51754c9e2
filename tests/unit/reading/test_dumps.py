import gzip
import tarfile
import zipfile

import pytest

from sbir_gate.errors import InputError
from sbir_gate.reading.dumps import Dump
from tests.factories_dumps import LOOKUP_COLUMNS, Table, TocWriter, member_of, write_dump, zipped
from tests.step_options import retry_policy

LOOKUP = Table("recipient_lookup", LOOKUP_COLUMNS)


def opened(path):
    return Dump(path, retry_policy(kind="none"))


def refusal(path, name=None):
    """Return the error of finding and opening a table."""

    def read():
        with opened(path) as dump:
            table = dump.find(name)
            dump.columns(table)
            dump.open_member(table).close()

    with pytest.raises(InputError) as caught:
        read()
    assert caught.value.hint
    return f"{caught.value.message}; {caught.value.hint}"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "dump"


def test_tables_are_listed_with_their_members_and_sizes(folder):
    write_dump(folder, LOOKUP, Table("states", ["id"], [("1",)]), Table("gone", ["x"], has_data=False))
    for path in (folder, zipped(folder, "pruned/")):
        with opened(path) as dump:
            assert [(table.full_name, table.member) for table in dump.tables()] == [
                ("rpt.recipient_lookup", "3.dat.gz"),
                ("rpt.states", "5.dat.gz"),
            ]
            assert [table.size_bytes for table in dump.tables()] == [
                (folder / name).stat().st_size for name in ("3.dat.gz", "5.dat.gz")
            ]


def test_a_compressed_table_of_contents_is_read_too(folder):
    write_dump(folder, LOOKUP)
    (folder / "toc.dat.gz").write_bytes(gzip.compress((folder / "toc.dat").read_bytes()))
    (folder / "toc.dat").unlink()
    with opened(folder) as dump:
        assert dump.find("recipient_lookup").full_name == "rpt.recipient_lookup"


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["duns", "recipient_profile", "recipient_lookup"], "recipient_lookup"),
        (["duns", "states", "recipient_profile"], "recipient_profile"),
        (["states", "duns"], "duns"),
    ],
)
def test_recipients_are_the_best_known_table_that_is_there(folder, names, chosen):
    write_dump(folder, *(Table(name, ["name"]) for name in names))
    with opened(folder) as dump:
        assert dump.find(None).full_name == f"rpt.{chosen}"


def test_without_a_known_table_the_others_are_named(folder):
    write_dump(folder, *(Table(f"table_{number:02}", ["x"]) for number in range(14)))
    found = refusal(folder)
    assert "no data of a known table of recipients (recipient_lookup, recipient_profile, duns)" in found
    assert "rpt.table_00, rpt.table_01" in found
    assert "and 2 more" in found
    assert "#schema.table" in found


def test_a_name_that_is_not_there_brings_up_the_nearest(folder):
    write_dump(folder, LOOKUP, Table("states", ["id"]))
    found = refusal(folder, "recipient_lokup")
    assert "holds no table 'recipient_lokup'; it has rpt.recipient_lookup, rpt.states" in found
    assert "did you mean recipient_lookup" in found


def test_a_name_in_two_schemas_must_be_qualified(folder):
    write_dump(folder, LOOKUP, Table("recipient_lookup", ["uei"], schema="int"))
    for name in (None, "recipient_lookup"):
        assert (
            "holds 2 tables named 'recipient_lookup'; say which one: rpt.recipient_lookup, int."
            in refusal(folder, name)
        )
    with opened(folder) as dump:
        assert dump.columns(dump.find("int.recipient_lookup")) == ["uei"]


def test_names_may_hold_dots_and_quotes(folder):
    write_dump(folder, Table('a.b "c', ["x"], schema="s.t"))
    with opened(folder) as dump:
        assert dump.find('a.b "c') == dump.find('s.t.a.b "c')


def test_a_table_whose_data_was_left_out_is_told_from_one_that_is_not_there(folder):
    write_dump(folder, Table("recipient_lookup", ["x"], has_data=False), Table("states", ["id"]))
    assert "has the table 'rpt.recipient_lookup', but no data of it" in refusal(
        folder, "rpt.recipient_lookup"
    )


def test_an_entry_without_a_file_has_no_data(folder):
    write_dump(folder, Table("recipient_lookup", ["x"], file_name=""))
    assert "rpt.recipient_lookup: has no data in this dump" in refusal(folder)


@pytest.mark.parametrize("is_zip", [False, True])
def test_a_missing_member_is_named(folder, is_zip):
    write_dump(folder, LOOKUP)
    member_of(folder).unlink()
    found = refusal(zipped(folder) if is_zip else folder)
    assert "rpt.recipient_lookup: its data, 3.dat, is missing" in found
    with opened(folder) as dump:
        assert [table.size_bytes for table in dump.tables()] == [None]


@pytest.mark.parametrize(("suffix", "name"), [(".lz4", "lz4"), (".zst", "zstd")])
def test_a_member_of_a_foreign_compression_is_named(folder, suffix, name):
    write_dump(folder, LOOKUP, toc=TocWriter((1, 14)))
    member_of(folder).rename(folder / f"3.dat{suffix}")
    assert f"is compressed with {name}; only gzip and none" in refusal(folder)


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_a_dump_that_says_it_is_of_a_foreign_compression_is_refused(folder, compression):
    write_dump(folder, LOOKUP, toc=TocWriter((1, 16), compression))
    assert f"is compressed with {compression}; only gzip" in refusal(folder)


def test_rows_as_insert_statements_are_refused(folder):
    write_dump(folder, Table("recipient_lookup", ["x"], statement=""))
    assert "without --inserts" in refusal(folder)


def test_a_foreign_encoding_is_refused(folder):
    write_dump(folder, LOOKUP, toc=TocWriter(encoding="LATIN1"))
    assert "encoded as LATIN1, not UTF-8" in refusal(folder)


@pytest.mark.parametrize("name", ["../3.dat", "/etc/passwd", "a/b.dat", "..", ".hidden", "a\nb"])
def test_a_dump_cannot_name_files_outside_itself(folder, name):
    write_dump(folder, Table("recipient_lookup", ["x"], file_name=name))
    assert "not a plain file name" in refusal(folder)


def test_a_folder_without_a_table_of_contents_is_no_dump(folder):
    write_dump(folder / "inside", LOOKUP)
    found = refusal(folder)
    assert "holds no toc.dat" in found
    assert f"name the folder {folder / 'inside'}" in found


def test_a_zip_without_or_with_two_tables_of_contents_is_no_dump(folder, tmp_path):
    write_dump(folder / "a", LOOKUP)
    write_dump(folder / "b", LOOKUP)
    (folder / "c.zip").write_bytes(b"PK\5\6" + bytes(18))
    assert "holds no toc.dat" in refusal(folder / "c.zip")
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a/toc.dat", "b/toc.dat", "__MACOSX/toc.dat"):
            archive.writestr(name, (folder / "a" / "toc.dat").read_bytes())
    assert "holds 2 dumps (in a, b)" in refusal(path)


def test_a_zip_that_is_cut_short_is_refused(folder):
    write_dump(folder, LOOKUP)
    path = zipped(folder)
    path.write_bytes(path.read_bytes()[:-30])
    assert "not a complete zip archive" in refusal(path)


def test_a_single_file_and_a_tar_archive_are_told_what_to_do(folder, tmp_path):
    write_dump(folder, LOOKUP)
    assert "name the folder that holds toc.dat" in refusal(folder / "toc.dat")
    path = tmp_path / "dump.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(folder, "dump")
    assert "is a tar archive; unpack it" in refusal(path)


def test_a_path_that_is_not_there_cannot_be_read(tmp_path):
    assert "cannot be read" in refusal(tmp_path / "gone.zip")
