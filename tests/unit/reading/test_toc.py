import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.errors import InputError
from sbir_gate.reading.toc import parse_toc
from tests.factories_dumps import LOOKUP_COLUMNS, VERSIONS, Table, TocWriter

TABLES = (
    Table("recipient_lookup", LOOKUP_COLUMNS),
    Table('odd "name', ["a", 'b "c'], schema="Sche ma"),
    Table("empty", ["x"], has_data=False),
)


def parsed(writer):
    return parse_toc(writer.written(TABLES), "toc.dat")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("integer_bytes", [4, 8])
def test_every_archive_version_says_the_same(version, integer_bytes):
    toc = parsed(TocWriter(version, integer_bytes=integer_bytes))
    assert toc.version == (*version, 0)
    assert (toc.created, toc.database) == ("2026-01-02T03:04:05", "usaspending")
    assert (toc.server_version, toc.dump_version, toc.encoding) == ("13.10", "14.3", "UTF8")
    data = list(toc.tables)
    assert [(entry.schema, entry.tag) for entry in data] == [
        ("rpt", "recipient_lookup"),
        ("Sche ma", 'odd "name'),
    ]
    assert [entry.file_name for entry in data] == ["3.dat", "5.dat"]
    assert data[0].copy_statement.startswith("COPY rpt.recipient_lookup (id, recipient_hash, ")
    assert (data[0].has_data, data[0].dependencies, data[0].oid) == (True, (2,), "16003")
    assert data[0].section == (3 if version >= (1, 11) else 0)
    assert data[0].relation_kind == ("r" if version >= (1, 16) else "")
    assert toc.entries[1].table_am == ("heap" if version >= (1, 14) else "")
    assert toc.entries[1].owner == "postgres"


@pytest.mark.parametrize("version", [(1, 14), (1, 15)])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_compression_is_a_level_before_1_15_and_an_algorithm_from_then_on(version, compression):
    assert parsed(TocWriter(version, compression)).compression == compression


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_other_compressions_are_named(compression):
    assert parsed(TocWriter((1, 16), compression)).compression == compression


@pytest.mark.parametrize(
    ("writer", "reason"),
    [
        (TocWriter(magic=b"PGDMQ"), "does not start with PGDMP"),
        (TocWriter((1, 9)), r"archive version 1\.9 is not supported, only 1\.10 to 1\.16"),
        (TocWriter((1, 17)), r"archive version 1\.17 is not supported"),
        (TocWriter((2, 0)), r"archive version 2\.0 is not supported"),
        (TocWriter(format_number=1), "custom format"),
        (TocWriter(format_number=9), "unknown format"),
        (TocWriter(count=-2), "-2 entries"),
        (TocWriter(count=99), "is cut short after .* in entry 7 of 99"),
        (TocWriter(count=5), "bytes after its last entry"),
    ],
)
def test_what_is_no_table_of_contents_of_a_directory_dump_is_refused_with_its_reason(writer, reason):
    with pytest.raises(InputError, match=reason) as caught:
        parsed(writer)
    assert caught.value.hint
    assert caught.value.message.startswith("toc.dat: ")


@pytest.mark.parametrize("version", VERSIONS)
def test_cut_anywhere_it_is_refused(version):
    content = TocWriter(version).written(TABLES)
    for end in range(len(content)):
        with pytest.raises(InputError):
            parse_toc(content[:end], "toc.dat")


@given(st.binary(max_size=300), st.integers(0, 400))
def test_damage_never_ends_in_anything_but_an_input_error(noise, place):
    content = TocWriter((1, 16)).written(TABLES)
    damaged = content[:place] + noise + content[place + len(noise) :]
    with contextlib.suppress(InputError):
        assert parse_toc(damaged, "toc.dat") is not None
