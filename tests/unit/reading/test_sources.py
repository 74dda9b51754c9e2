import csv
import gzip

import duckdb
import pytest

from sbir_gate.errors import InputError
from sbir_gate.reading.files import FileKind, resolve_files
from sbir_gate.reading.layout import RECIPIENTS
from sbir_gate.reading.recipients import check_table, iterate_recipients
from sbir_gate.reading.sources import source_bytes, source_name, source_paths
from tests.factories_dumps import (
    DUNS_COLUMNS,
    LOOKUP_COLUMNS,
    PROFILE_COLUMNS,
    Table,
    TocWriter,
    member_of,
    write_dump,
    zipped,
)
from tests.step_options import reading_options

OPTIONS = reading_options(chunk_size=2)


def row(columns, **cells):
    assert {*cells} <= {*columns}
    return [cells.get(column) for column in columns]


LOOKUP = Table(
    "recipient_lookup",
    LOOKUP_COLUMNS,
    [
        row(
            LOOKUP_COLUMNS,
            id="1",
            recipient_hash="hash-1",
            legal_business_name="ACME\tLABS",
            parent_legal_business_name="HOLDING",
            duns="133709001",
            uei="CSQJZSE9KFD9",
            parent_uei="ZZZZZZZZZZZ1",
            city="BOSTON",
            state="MA",
            zip5="02139",
            zip4="1234",
        ),
        row(LOOKUP_COLUMNS, id="2", recipient_hash="hash-2", legal_business_name="", uei=""),
        row(LOOKUP_COLUMNS, id="3", recipient_hash="hash-3", legal_business_name="FOO"),
    ],
)
PROFILE = Table(
    "recipient_profile",
    PROFILE_COLUMNS,
    [
        row(
            PROFILE_COLUMNS,
            id="9",
            recipient_level="R",
            recipient_hash="hash-9",
            recipient_unique_id="133709001",
            recipient_name="ACME LABS",
            uei="CSQJZSE9KFD9",
        )
    ],
)
DUNS = Table(
    "duns",
    DUNS_COLUMNS,
    [
        row(
            DUNS_COLUMNS,
            awardee_or_recipient_uniqu="133709001",
            legal_business_name="ACME LABS",
            ultimate_parent_legal_enti="HOLDING",
            uei="CSQJZSE9KFD9",
            city="BOSTON",
            state="MA",
            zip="02139",
            zip4="1234",
            broker_duns_id="77",
        )
    ],
    schema="int",
)


def recipients(source, folder):
    with duckdb.connect() as connection:
        rows, shares = [], []
        for batch in iterate_recipients(connection, source, folder, OPTIONS):
            rows += connection.execute("SELECT * FROM recipient_batch").fetchall()
            shares.append(batch.share_read)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    return rows


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (LOOKUP, ("hash-1", "ACME LABS", "CSQJZSE9KFD9", "133709001", "BOSTON", "MA", "02139")),
        (PROFILE, ("hash-9", "ACME LABS", "CSQJZSE9KFD9", "133709001", None, None, None)),
        (DUNS, ("UCSQJZSE9KFD9", "ACME LABS", "CSQJZSE9KFD9", "133709001", "BOSTON", "MA", "02139")),
    ],
)
def test_the_tables_of_usaspending_are_known(tmp_path, table, expected):
    dump = write_dump(tmp_path / "dump", table)
    check_table(dump, OPTIONS, RECIPIENTS)
    for source in (dump, zipped(dump, "pruned_data_store/"), f"{dump}#{table.name}"):
        assert recipients(source, tmp_path)[0] == expected


def test_an_empty_text_is_nothing_known_as_in_a_file(tmp_path):
    dump = write_dump(tmp_path / "dump", LOOKUP)
    assert [row[0] for row in recipients(dump, tmp_path)] == ["hash-1", "hash-3"]


def test_empty_texts_mean_the_same_as_nothing(tmp_path):
    texts = [[cell or "" for cell in row] for row in LOOKUP.rows]
    empty = write_dump(tmp_path / "empty", Table("recipient_lookup", LOOKUP_COLUMNS, texts))
    null = write_dump(tmp_path / "null", LOOKUP)
    assert recipients(empty, tmp_path) == recipients(null, tmp_path)


def test_the_same_table_as_a_file_gives_the_same_recipients(tmp_path):
    dump = write_dump(tmp_path / "dump", LOOKUP)
    with (tmp_path / "same.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([LOOKUP.columns, *LOOKUP.rows])
    assert recipients(dump, tmp_path) == recipients(tmp_path / "same.csv", tmp_path)


def test_a_table_may_be_named_where_several_are_known(tmp_path):
    dump = write_dump(tmp_path / "dump", DUNS, LOOKUP)
    assert recipients(dump, tmp_path)[0][0] == "hash-1"
    for name in ("duns", "int.duns"):
        assert recipients(f"{zipped(dump)}#{name}", tmp_path)[0][0] == "UCSQJZSE9KFD9"


def test_a_table_of_other_columns_is_refused_with_its_name(tmp_path):
    dump = write_dump(tmp_path / "dump", Table("states", ["code", "fips"], [("MA", "25")]))
    with pytest.raises(InputError, match=r"dump#states: not a table of recipients: columns found: 'code'"):
        check_table(f"{dump}#states", OPTIONS, RECIPIENTS)


def test_a_table_without_rows_is_no_recipients(tmp_path):
    dump = write_dump(tmp_path / "dump", Table("duns", DUNS_COLUMNS))
    with pytest.raises(InputError, match="holds no recipients"):
        check_table(dump, OPTIONS, RECIPIENTS)


def test_a_file_whose_name_holds_the_mark_wins(tmp_path):
    dump = write_dump(tmp_path / "a", LOOKUP)
    other = write_dump(tmp_path / "a#duns", PROFILE)
    (file,) = resolve_files(other)
    assert (file.path, file.table) == (other, None)
    (file,) = resolve_files(f"{other}#recipient_profile")
    assert (file.path, file.table) == (other, "recipient_profile")
    (tmp_path / "recipients #2.csv").write_text("name\nACME\n")
    assert resolve_files(tmp_path / "recipients #2.csv")[0].kind is FileKind.TEXT
    (file,) = resolve_files(f"{dump}#recipient_lookup")
    assert source_name(file) == f"{dump}#recipient_lookup"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("dump#", "names no table"),
        ("dump#nothing", "holds no table 'nothing'"),
        ("plain.csv#t", "is not a PostgreSQL dump, so it has no table 't'"),
        ("gone.zip#t", "no such file"),
        ("plain", "no toc.dat|no CSV"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused(tmp_path, source, reason):
    write_dump(tmp_path / "dump", LOOKUP)
    (tmp_path / "plain.csv").write_text("name\nACME\n")
    (tmp_path / "plain").mkdir()
    with pytest.raises(InputError, match=reason):
        check_table(str(tmp_path / source), OPTIONS, RECIPIENTS)


def test_zips_beside_data_files_are_their_packages_not_data(tmp_path):
    zipped(write_dump(tmp_path / "dump", LOOKUP)).rename(tmp_path / "data.zip")
    (tmp_path / "a.csv").write_text("name\nACME\n")
    assert [file.path.name for file in resolve_files(tmp_path)] == ["a.csv"]
    with pytest.raises(InputError, match=r"holds both text \(a\.csv\) and PostgreSQL dump \(data\.zip\)"):
        resolve_files(str(tmp_path / "*.*"))


def test_what_holds_a_source_is_known(tmp_path):
    dump = write_dump(tmp_path / "dump", LOOKUP)
    (file,) = resolve_files(dump)
    assert source_paths(file, OPTIONS) == [dump / "toc.dat", member_of(dump)]
    assert source_bytes(file, OPTIONS) == member_of(dump).stat().st_size
    (packed,) = resolve_files(zipped(dump))
    assert source_paths(packed, OPTIONS) == [tmp_path / "dump.zip"]
    assert source_bytes(packed, OPTIONS) == member_of(dump).stat().st_size
    plain = write_dump(tmp_path / "plain", LOOKUP, toc=TocWriter(compression="none"))
    assert source_bytes(resolve_files(plain)[0], OPTIONS) == (plain / "3.dat").stat().st_size


def test_a_dump_that_breaks_in_the_middle_is_no_short_table(tmp_path):
    dump = write_dump(tmp_path / "dump", LOOKUP)
    content = gzip.decompress(member_of(dump).read_bytes())
    member_of(dump).write_bytes(gzip.compress(content[: content.rindex(b"3\t")]))
    with pytest.raises(InputError, match="gz:2: is cut short after this line"):
        recipients(dump, tmp_path)
