import csv
import json
from dataclasses import replace

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.errors import EnricherError
from sbir_gate.gate.measuring.output import OutputFaults, check_rows, digest, read_decisions
from sbir_gate.model.matches import Decision, DecisionKind, PlaceEvidence

REQUIRED = ("award_id", "recipient_id", "match_method", "match_score")
ALL = (*REQUIRED, "match_confidence", "match_decision", "match_candidates")
LINK = Decision("A1", DecisionKind.LINK, "uei-exact", "R1", 100.0)


@pytest.fixture
def decisions_of(tmp_path):
    def read(columns, *rows):
        path = tmp_path / "enriched.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([columns, *rows])
        return read_decisions(path)

    return read


def test_the_required_columns_are_enough(decisions_of):
    rows = (("A1", "R1", "UEI-exact", "100"), ("A2", "", "none", ""), ("A3", "R3", "none", "50"))
    assert decisions_of(REQUIRED, *rows) == (
        LINK,
        Decision("A2", DecisionKind.NONE, "none", "", 0.0),
        Decision("A3", DecisionKind.NONE, "none", "", 50.0),
    )


def test_all_columns(decisions_of):
    row = ("A1", "R1", "name-fuzzy", "88.5", "0.8", "Candidate", '["R1", {"recipient_id": "R2"}, 3]')
    decision = Decision("A1", DecisionKind.CANDIDATE, "name-fuzzy", "R1", 88.5, 0.8, ("R1", "R2", "3"))
    assert decisions_of(ALL, row) == (decision,)


AROUND = (" ", "\t", "\xa0", "\u3000", "\u200b")


@pytest.mark.parametrize("blank", AROUND)
def test_blanks_around_ids_are_kept(decisions_of, blank):
    padded = f"{blank}R1{blank}"
    row = (
        f"A1{blank}",
        padded,
        " UEI-exact ",
        " 95 ",
        "",
        " Link",
        json.dumps([padded, {"recipient_id": padded}]),
    )
    kept = Decision(f"A1{blank}", DecisionKind.LINK, "uei-exact", padded, 95.0, None, (padded, padded))
    assert decisions_of(ALL, row) == (kept,)


@pytest.mark.parametrize("blank", AROUND)
def test_blanks_around_ids_are_kept_in_parquet(tmp_path, blank):
    path = tmp_path / "enriched.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE rows AS SELECT $1 AS award_id, $2 AS recipient_id, 'own' AS match_method,"
            " 95 AS match_score, [$2] AS match_candidates",
            [f"A1{blank}", f"{blank}R1"],
        )
        connection.execute(f"COPY rows TO '{path}' (FORMAT parquet)")
    kept = Decision(f"A1{blank}", DecisionKind.LINK, "own", f"{blank}R1", 95.0, None, (f"{blank}R1",))
    assert read_decisions(path) == (kept,)


@pytest.mark.parametrize(
    ("cell", "place"), [(" Same-State ", PlaceEvidence.SAME_STATE), ("", None), ("null", None)]
)
def test_what_the_place_says_is_read(decisions_of, cell, place):
    row = ("A1", "R1", "own", "100", cell)
    assert decisions_of((*REQUIRED, "match_place"), row)[0].place is place


@pytest.mark.parametrize(
    ("score", "meant"), [("1e1", 10.0), ("+9.", 9.0), (".5", 0.5), ("1.5E+01", 15.0), ("095", 95.0)]
)
def test_plain_numbers_in_any_form_are_read(decisions_of, score, meant):
    assert decisions_of(REQUIRED, ("A1", "R1", "own", score))[0].score == meant


def test_at_most_five_candidates_are_kept(decisions_of):
    row = ("A1", "", "none", "0", "", "none", "[1,2,3,4,5,6]")
    assert decisions_of(ALL, row)[0].candidate_ids == ("1", "2", "3", "4", "5")


@pytest.mark.parametrize("missing", ["nan", "None", "<NA>", "NULL", " ", "n/a"])
def test_a_missing_value_in_words_is_no_recipient(decisions_of, missing):
    (decision,) = decisions_of(REQUIRED, ("A1", missing, "uei-exact", "100"))
    assert (decision.kind, decision.recipient_id) == (DecisionKind.NONE, "")


def test_a_place_that_says_something_else_is_a_fault(decisions_of):
    with pytest.raises(EnricherError, match="match_place: is none of confirms, same-state, unknown"):
        decisions_of((*REQUIRED, "match_place"), ("A1", "R1", "own", "100", "near"))


def test_doubled_rows_are_kept(decisions_of):
    assert decisions_of(REQUIRED, *[("A1", "R1", "uei-exact", "100")] * 2) == (LINK, LINK)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("", "R1", "x", "1", "", "link", ""), "award_id: is empty"),
        (("A1", "", "x", "1", "", "link", ""), "recipient_id: names no recipient"),
        (("A1", "nan", "x", "1", "", "link", ""), "recipient_id: names no recipient"),
        (("A1", "R1", "none", "1", "", "link", ""), "match_method: names no method"),
        (("A1", "R1", "x", "1", "", "perhaps", ""), "match_decision: is not link"),
        (("A1", "R1", "x", "1", "", "", ""), "match_decision: is not link"),
        (("A1", "R1", "x", "", "", "link", ""), "match_score: is empty"),
        (("A1", "R1", "x", "high", "", "link", ""), "match_score: is not a number"),
        (("A1", "R1", "x", "nan", "", "link", ""), "match_score: is not within 0 to 100"),
        (("A1", "R1", "x", "100.1", "", "link", ""), "match_score: is not within 0 to 100"),
        (
            ("A1", "R1", "x", "\uff11\uff10\uff10", "", "link", ""),
            "match_score: is not a number",
        ),
        (("A1", "R1", "x", "1_0_0", "", "link", ""), "match_score: is not a number in plain digits"),
        (("A1", "R1", "x", "95\xa0", "", "link", ""), "match_score: is not a number"),
        (("A1", "R1", "x", "1", "0_1", "link", ""), "match_confidence: is not a number in plain digits"),
        (("A1", "R1", "x", "-1", "", "link", ""), "match_score: is not within 0 to 100"),
        (("A1", "R1", "x", "inf", "", "link", ""), "match_score: is not within 0 to 100"),
        (("A1", "R1", "x", "1", "88", "link", ""), "match_confidence: is not within 0 to 1"),
        (("A1", "R1", "x", "1", "", "link", "R1;R2"), "match_candidates: is not JSON"),
        (("A1", "R1", "x", "1", "", "link", "{}"), "match_candidates: is not a JSON list"),
        (("A1", "R1", "x", "1", "", "link", "[{}]"), "has an entry without a recipient_id"),
        (("A1", "R1", "x", "1", "", "link", "[true]"), "has an entry without a recipient_id"),
        (("A1", "R1", "x", "1", "", "link", "[" * 100_000), "is not JSON"),
    ],
)
def test_a_fault_names_file_row_column_and_value(decisions_of, row, message):
    good = ("A0", "R0", "x", "1", "", "link", "")
    with pytest.raises(EnricherError) as caught:
        decisions_of(ALL, good, row)
    assert caught.value.message.startswith("enriched.csv: row 2: ")
    assert message in caught.value.message
    assert len(caught.value.message) < 300
    fault = caught.value.fault
    assert (fault.path, fault.row) == ("enriched.csv", 2)
    assert fault.value == row[ALL.index(fault.column)]


def test_a_recipient_without_any_method_is_a_fault(decisions_of):
    with pytest.raises(EnricherError, match="match_method: is empty, yet"):
        decisions_of(REQUIRED, ("A1", "R1", "", "1"))


def test_lost_doubled_and_foreign_rows_are_named_once():
    decisions = [replace(LINK, award_id=award_id) for award_id in ("A2", "A1", "A1", "A1", "X")]
    faults = check_rows(decisions, ("A1", "A2", "A3"))
    assert faults == OutputFaults(missing=("A3",), doubled=("A1",), unknown=("X",))


def test_a_whole_output_has_no_faults():
    assert check_rows([LINK], ("A1",)) == OutputFaults()


ids = st.text("AB1", min_size=1, max_size=3)
some_decisions = st.lists(
    st.builds(Decision, ids, st.sampled_from(DecisionKind), ids, ids, st.floats(0, 100)), max_size=6
)


@given(some_decisions, st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_the_row_order(decisions, random):
    shuffled = list(decisions)
    random.shuffle(shuffled)
    assert digest(shuffled) == digest(decisions)


@pytest.mark.parametrize(
    "other",
    [
        replace(LINK, recipient_id="R2"),
        replace(LINK, kind=DecisionKind.CANDIDATE),
        replace(LINK, method="duns-exact"),
        replace(LINK, score=99.9),
        replace(LINK, confidence=0.5),
    ],
)
def test_the_digest_sees_every_difference_that_counts(other):
    assert digest([other]) != digest([LINK])
    assert digest([LINK, LINK]) != digest([LINK])


def test_the_digest_passes_over_rounding_noise():
    assert digest([replace(LINK, score=100.0 - 1e-9)]) == digest([LINK])


@pytest.mark.parametrize(
    ("score", "meant"), [("100.00000000000001", 100.0), ("-0.00000000000001", 0.0), ("99.9", 99.9)]
)
def test_what_arithmetic_leaves_just_outside_the_range_is_its_end(tmp_path, score, meant):
    path = tmp_path / "enriched.csv"
    path.write_text(f"award_id,recipient_id,match_method,match_score\nA1,R1,own,{score}\n")
    assert read_decisions(path)[0].score == meant


HEADER = "award_id,recipient_id,match_method,match_score"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            [f"A{n // 2},R1,uei-exact,100" for n in range(1005)],
            "has more than 1,004 rows for 2 awards; of these rows 1,000 are of unknown awards and 2 repeat",
        ),
        ([f"A{n},R1,m{n},100" for n in range(201)], "match_method: exceeds 200 methods \\('m200'\\)"),
        (["A1,R1," + "m" * 81 + ",100"], "is longer than 80 characters"),
        (["A" * 501 + ",R1,uei-exact,100"], "award_id: is longer than 500 characters \\('A"),
    ],
)
def test_an_output_without_end_is_an_error_that_names_the_limit(tmp_path, rows, words):
    path = tmp_path / "out.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    with pytest.raises(EnricherError, match=words):
        read_decisions(path, ["A1", "A2"])
