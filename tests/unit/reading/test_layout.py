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
    assert require_fields(layout, columns, "t.csv")[field] == (1,)


def test_all_columns_of_a_field_are_read_those_of_the_name_listed_first_in_front():
    assert find_fields(RECIPIENTS, ["name", "recipient_name"])["name"] == (1, 0)
    assert find_fields(RECIPIENTS, ["state", "vendor_state_code"])["state"] == (1, 0)
    assert find_fields(AWARDS, ["SAM UEI", "Company", "UEI"])["uei"] == (2, 0)
    assert find_fields(AWARDS, ["Company", "City", "CITY"])["city"] == (1, 2)


def test_a_suffix_and_a_second_kind_of_id_are_no_second_column():
    assert find_fields(RECIPIENTS, ["name", "zip4", "zip5"])["zip"] == (2,)
    assert find_fields(RECIPIENTS, ["name", "zip4"])["zip"] == (1,)
    assert find_fields(RECIPIENTS, ["id", "recipient_hash", "name"])["recipient_id"] == (1,)


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("UNIQUE ENTITY IDENTIFIER (SAM)", "uei"),
        ("UNIQUE ENTITY ID (SAM)", "uei"),
        ("UNIQUE ENTITY IDENTIFIER (DUNS)", "duns"),
        ("Awardee or Recipient UEI", "uei"),
        ("AwardeeOrRecipientUEI", "uei"),
        ("Vendor UEI", "uei"),
        ("Recipient DUNS Number", "duns"),
        ("recipient_duns_number", "duns"),
        ("DUNS+4", "duns"),
        ("Recipient ZIP+4 Code", "zip"),
        ("PHYSICAL ADDRESS ZIP/POSTAL CODE", "zip"),
        ("PHYSICAL ADDRESS PROVINCE OR STATE", "state"),
        ("coreData.physicalAddress.stateOrProvinceCode", "state"),
        ("entityRegistration.ueiSAM", "uei"),
        ("Company City", "city"),
    ],
)
def test_awards_and_recipients_take_the_same_spellings(column, field):
    for layout in (AWARDS, RECIPIENTS):
        assert find_fields(layout, ["Phase", column])[field] == (1,)


def test_what_an_enriched_file_holds_of_recipients_is_not_read_as_the_award():
    columns = ["Company", "UEI", "recipient_name", "recipient_uei", "recipient_duns", "match_method"]
    assert find_fields(AWARDS, columns) == {"name": (0,), "uei": (1,)}
    assert find_fields(AWARDS, columns[:-1])["uei"] == (1, 3)


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
