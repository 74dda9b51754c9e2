import pytest

from sbir_gate.datasets.drawing.fixture_draw import personal_columns
from tests.factories_pipelines import COLUMNS, PERSONAL


def test_of_the_published_columns_those_of_persons_are_found():
    assert personal_columns(COLUMNS) == PERSONAL


@pytest.mark.parametrize(
    "name",
    [
        "contactEmail",
        "GOVT BUS POC FIRST NAME",
        "highly_compensated_officer_1_name",
        "E-Mail",
        "pi_name",
        "Fax",
    ],
)
def test_other_spellings_are_found_too(name):
    assert personal_columns([name, name]) == (name,)


@pytest.mark.parametrize("name", ["Company", "Topic Code", "Pipeline", "Contract", "Program", "uei", "State"])
def test_columns_of_firms_stay(name):
    assert personal_columns([name]) == ()
