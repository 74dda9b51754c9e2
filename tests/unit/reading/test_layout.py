import pytest

from sbir_gate.errors import InputError
from sbir_gate.reading.layout import AWARDS, RECIPIENTS, find_fields, require_fields, unique_names


@pytest.mark.parametrize(
    ("layout", "columns", "field"),
    [
        (AWARDS, ["Company", "Duns"], "duns"),
        (AWARDS, ["company name", "DUNS"], "duns"),
        (AWARDS, ["COMPANY_NAME", "Number of Employees"], "employees"),
        (AWARDS, ["Company", "Number Employees"], "employees"),
        (AWARDS, ["Company", "UEI "], "uei"),
        (RECIPIENTS, ["recipient_hash", "recipient_unique_id"], "duns"),
        (RECIPIENTS, ["legal_business_name", "awardee_or_recipient_uniqu"], "duns"),
        (RECIPIENTS, ["recipient_name", "recipient_zip_4_code"], "zip"),
        (RECIPIENTS, ["vendorname", "dunsnumber"], "duns"),
        (RECIPIENTS, ["legal_business_name", "unique_entity_id"], "uei"),
        (RECIPIENTS, ["legal_business_name", "Physical Address City"], "city"),
    ],
)
def test_columns_are_known_under_all_their_names(layout, columns, field):
    assert require_fields(layout, columns, "t.csv")[field] == 1


def test_the_alias_listed_first_wins_over_the_order_in_the_file():
    assert find_fields(RECIPIENTS, ["name", "recipient_name"])["name"] == 1
    assert find_fields(RECIPIENTS, ["state", "vendor_state_code"])["state"] == 1


def test_the_first_of_two_columns_of_one_name_wins():
    assert find_fields(AWARDS, ["Company", "City", "CITY"])["city"] == 1


def test_an_unknown_layout_is_refused_with_what_was_found_and_what_is_needed():
    with pytest.raises(InputError) as caught:
        require_fields(AWARDS, ["foo", "bar"], "t.csv")
    assert "columns found: 'foo', 'bar'" in caught.value.message
    assert "company / company_name / firm, or uei" in caught.value.message


@pytest.mark.parametrize(
    ("layout", "columns", "hint"),
    [
        (AWARDS, ["recipient_name", "recipient_uei", "uei"], "give the file to --recipients"),
        (RECIPIENTS, ["Company", "UEI", "Phase"], "give the file to --awards"),
    ],
)
def test_swapped_files_are_recognised(layout, columns, hint):
    with pytest.raises(InputError) as caught:
        require_fields(layout, columns, "t.csv")
    assert hint in caught.value.hint


def test_names_are_made_distinct_without_regard_to_case():
    names, warnings = unique_names(["Duns", "DUNS", "", "Position", "duns_2"], reserved=["position"])
    assert names == ["Duns", "DUNS_2", "column_3", "Position_2", "duns_2_2"]
    assert len(warnings) == 3
