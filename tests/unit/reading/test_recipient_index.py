import duckdb
import pytest

from sbir_gate.reading.recipient_index import MOST_NAMES, index_recipients, with_whole_entities
from tests.step_options import reading_options

SHARED, GENERIC, OTHER = "QNT4K8W2J6H5", "LMN7P8Q9R2T3", "VWX3Y5Z7A9B2"


@pytest.fixture
def index_of(tmp_path):
    def call(*rows, **options):
        source = tmp_path / "recipients.csv"
        source.write_text("recipient_id,name,uei\n" + "".join(f"{row}\n" for row in rows))
        with duckdb.connect() as connection:
            return index_recipients(connection, source, tmp_path, reading_options(chunk_size=2, **options))

    return call


def test_ids_are_looked_up_with_names_and_those_that_are_not_there_are_left_out(index_of):
    index = index_of(f"R1,Quarl Optics,{OTHER}", "R2,Zyvox,")
    facts = index.facts_of(["R1", "R9", "", "R2"])
    assert sorted(facts.rows) == ["R1", "R2"]
    assert (facts.rows["R1"].name, facts.rows["R1"].uei) == ("Quarl Optics", OTHER)


def test_blanks_around_ids_are_taken_off_and_reported(index_of):
    padded = index_of("R1,Quarl,", '" R2\xa0",Zyvox,', "R3,Brenda,")
    assert padded.has_padded_ids
    assert sorted(padded.facts_of(["R1", "R2", " R2\xa0", "R3 "]).rows) == ["R1", "R2"]
    assert not index_of("R1,Quarl ,", ",Zyvox,").has_padded_ids


def test_rows_of_one_uei_are_one_entity_with_all_of_its_ids(index_of):
    index = index_of(f"R1,Quarl Optics,{SHARED}", f"R2,QUARL OPTICS INC,{SHARED}", f"R3,Zyvox,{OTHER}")
    assert index.facts_of(["R2", "R3"]).entities == {"R1": SHARED, "R2": SHARED}


def test_a_uei_that_many_names_share_joins_nobody(index_of):
    rows = [f"R{number},Firm {chr(65 + number)},{GENERIC}" for number in range(MOST_NAMES + 1)]
    assert index_of(*rows).facts_of(["R0"]).entities == {}
    assert len(index_of(*rows[:-1]).facts_of(["R0"]).entities) == MOST_NAMES


def test_one_name_in_many_spellings_is_one_name(index_of):
    rows = [
        f"R{number},{'QUARL' if number % 2 else 'Quarl'}{' ' * number}Optics.,{SHARED}" for number in range(9)
    ]
    assert len(index_of(*rows).facts_of(["R1"]).entities) == 9


def test_what_is_no_uei_joins_nobody(index_of):
    assert index_of("R1,Quarl,UNKNOWN", "R2,Quarl,UNKNOWN").facts_of(["R1"]).entities == {}


def test_an_id_with_two_ueis_is_of_neither_entity(index_of):
    index = index_of(f"R1,Quarl,{SHARED}", f"R2,Quarl,{SHARED}", f"R2,Zyvox,{OTHER}", f"R3,Quarl,{SHARED}")
    assert sorted(index.facts_of(["R1", "R2"]).entities) == ["R1", "R3"]


def test_an_id_of_two_firms_is_counted_and_named(index_of):
    index = index_of(
        *(f"R1,Quarl,{SHARED}", f"R1,Zyvox,{OTHER}", "R2,Brenda,", "R2,Falcon,"),
        # names of one firm: under one UEI, in two spellings, or with another UEI
        *(f"R3,Quarl,{SHARED}", f"R3,Quarl Optics,{SHARED}", "R4,Elm Co,", "R4,ELM CO.,"),
        *(f"R5,Zyvox,{SHARED}", f"R5,ZYVOX,{OTHER}", f"R6,Dyn,{OTHER}", "R6,Dynamo,"),
    )
    assert index.shared_ids.count == 2
    assert index.shared_ids.examples == ("'R1' ('Quarl', 'Zyvox')", "'R2' ('Brenda', 'Falcon')")
    assert index_of("R1,Quarl,", "R2,Quarl,").shared_ids.count == 0


def test_rejects_are_counted_and_the_first_is_known(index_of):
    index = index_of("R1,Quarl,", "R2,Zyvox", "R3,Brenda,", max_reject_percent=100)
    assert (index.rejects, index.first_reject.line) == (1, 3)


def test_the_truth_is_closed_over_entities():
    truth = {"A1": frozenset({"R1"}), "A2": frozenset(), "A3": frozenset({"R9"})}
    closed = with_whole_entities(truth, {"R1": SHARED, "R2": SHARED})
    assert closed == {"A1": {"R1", "R2"}, "A2": frozenset(), "A3": {"R9"}}
