import duckdb
import pytest

from sbir_gate.errors import InputError
from sbir_gate.model.records import AwardProfile, CompanySize, IdentifierType, Phase
from sbir_gate.reading.award_table import load_profiles, profiles_of, write_awards
from sbir_gate.reading.awards import read_awards
from sbir_gate.reading.rejects import RejectLog
from tests.step_options import reading_options

AWARDS = (
    "Award_ID,Company,UEI,Duns,Phase,Number Employees,Award Year\n"
    "B2,Zenith,,,Phase II,12,2013\n"
    "A1,Acme,CSQJZSE9KFD9,,Phase I,,2012\n"
)
ZENITH = AwardProfile("B2", "Zenith", Phase.TWO, CompanySize.SMALL, IdentifierType.NEITHER, year="2013")
ACME = AwardProfile(
    "A1", "Acme", Phase.ONE, CompanySize.UNKNOWN, IdentifierType.UEI_ONLY, year="2012", uei="CSQJZSE9KFD9"
)


@pytest.fixture
def connection(tmp_path):
    (tmp_path / "awards.csv").write_text(AWARDS)
    with duckdb.connect() as opened:
        opened.execute("SET threads = 1")
        yield opened


@pytest.fixture
def read(connection, tmp_path):
    return read_awards(connection, tmp_path / "awards.csv", tmp_path, reading_options())


def test_the_profiles_come_in_the_order_of_the_awards(connection, read):
    assert read.rows == 2
    assert profiles_of(connection) == (ZENITH, ACME)


@pytest.mark.parametrize(("year", "profiles"), [(None, (ZENITH, ACME)), (2012, (ACME,))])
def test_what_is_written_is_read_again(connection, read, tmp_path, year, profiles):
    path = tmp_path / "it's [a] profile.parquet"
    write_awards(connection, read, RejectLog(), tmp_path / "awards.parquet", path, tmp_path, year)
    assert load_profiles(path) == profiles


@pytest.mark.parametrize("content", [None, b"", b"PAR1 damaged"], ids=["missing", "empty", "damaged"])
def test_a_file_that_cannot_be_read_is_named_with_the_cure(tmp_path, content):
    path = tmp_path / "profiles.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"profiles\.parquet: the profiles") as caught:
        load_profiles(path)
    assert "validated_sbir_awards" in caught.value.hint


def test_a_word_that_no_profile_knows_is_a_fault_of_the_file(tmp_path):
    path = tmp_path / "profiles.parquet"
    duckdb.sql(
        "SELECT 'A1' AS award_id, 'Acme' AS firm_name, 'IX' AS phase, 'small' AS company_size,"
        " 'both' AS identifier_type, '' AS agency, '' AS program, '' AS year, '' AS state, '' AS uei,"
        " '' AS duns, false AS is_placeholder"
    ).write_parquet(str(path))
    with pytest.raises(InputError, match="'IX'"):
        load_profiles(path)
