import duckdb
import pytest

from sbir_gate.model.records import LinkedRecipient
from sbir_gate.reading.named_recipients import named_recipients
from tests.step_options import reading_options


@pytest.fixture
def named(tmp_path):
    def run(text):
        path = tmp_path / "linked.csv"
        path.write_text(text)
        with duckdb.connect() as connection:
            return named_recipients(connection, path, tmp_path, reading_options())

    return run


def test_names_and_ueis_are_those_that_the_engine_wrote(named):
    text = (
        "award_id,Recipient ID,recipient_name,recipient_uei\nA1,R1, ACME ,U1\nA2,R1,ACME,U1\nA3,,,\nA4,R2,,\n"
    )
    assert named(text) == {"R1": LinkedRecipient("R1", "ACME", "U1")}


def test_the_names_and_ueis_of_awards_are_not_those_of_recipients(named):
    assert named("award_id,name,uei,recipient_id\nA1,Acme,CSQJZSE9KFD9,R1\n") == {}


def test_a_file_without_recipients_names_none(named):
    assert named("award_id,recipient_name\nA1,ACME\n") == {}
