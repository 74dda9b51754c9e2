import shutil

import pytest

from sbir_gate.errors import InputError
from sbir_gate.pipeline.gate import describe_fixture
from sbir_gate.settings import load_settings
from tests.factories_dumps import Table, member_of, write_dump, zipped


@pytest.fixture
def fingerprint(tmp_path):
    """Return the fingerprint of a fixture with these recipients."""
    (tmp_path / "awards.csv").write_text("Company\nACME\n")

    def of(recipients):
        options = {
            "fixtures.awards": str(tmp_path / "awards.csv"),
            "fixtures.recipients": str(recipients),
            "fixtures.truth": None,
        }
        return describe_fixture(load_settings(None, {}, options), 1).fingerprint

    return of


@pytest.fixture
def dump(tmp_path):
    tables = [Table("duns", ["name"], [("ACME",)]), Table("recipient_lookup", ["name"], [("FOO",)])]
    return write_dump(tmp_path / "dump", *tables)


def test_a_dump_is_its_contents_and_the_member_that_is_read(fingerprint, dump, tmp_path):
    first = fingerprint(dump)
    (dump / "unrelated.txt").write_text("x")
    (dump / "3.dat.gz").write_bytes(b"of the other table")
    assert fingerprint(dump) == first
    assert fingerprint(shutil.copytree(dump, tmp_path / "copy")) == first
    assert fingerprint(f"{dump}#duns") != first
    (dump / "5.dat.gz").write_bytes(b"changed")
    assert fingerprint(dump) != first


def test_a_zip_is_all_of_its_bytes_and_the_table_that_is_named(fingerprint, dump):
    path = zipped(dump)
    assert len({fingerprint(path), fingerprint(f"{path}#duns"), fingerprint(f"{path}#recipient_lookup")}) == 3


def test_a_dump_without_the_table_has_no_fingerprint(fingerprint, tmp_path):
    dump = write_dump(tmp_path / "dump", Table("states", ["name"]))
    with pytest.raises(InputError, match="no data of a known table"):
        fingerprint(dump)
    assert member_of(dump).exists()
