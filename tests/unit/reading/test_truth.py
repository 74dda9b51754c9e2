import os

import pytest

from sbir_gate.errors import InputError
from sbir_gate.model.labelling import AwardLabel
from sbir_gate.model.records import IdentifierType
from sbir_gate.reading.truth import check_truth, label_text, other_ids, read_labels, read_truth


@pytest.fixture
def truth_of(tmp_path):
    def read(content):
        path = tmp_path / "truth.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_truth(path)

    return read


def test_several_recipients_none_and_one(truth_of):
    text = "\ufeffAward_ID,note,recipient_ids\nA1,x,R1 R2;R3\r\nA2,,\n\nA3,y, R4 \n"
    assert truth_of(text) == {"A1": {"R1", "R2", "R3"}, "A2": frozenset(), "A3": {"R4"}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "truth.csv: the truth file is empty"),
        ("\n\n", "truth.csv: the truth file is empty"),
        ("award\n", "truth.csv:1: award_id: the truth lacks this column"),
        ("award_id,recipient\nA1,R1\n", "truth.csv:1: recipient_ids: the truth lacks this column"),
        ("award_id,recipient_ids\n", "has no rows"),
        ("award_id,recipient_ids\nA1,R1\nA1,R2\n", "truth.csv:3: award_id: is there twice ('A1')"),
        ("award_id,recipient_ids\n ,R1\n", "truth.csv:2: award_id: is empty"),
        ("award_id,recipient_ids\nA1\n", "truth.csv:2: the row has 1 cells, the header 2"),
        ("award_id,recipient_ids\nA1,R1,R2\n", "truth.csv:2: the row has 3 cells, the header 2"),
        ('award_id,recipient_ids\n"A1,R1\n', "not CSV"),
        (b"award_id,recipient_ids\nA\xff,R1\n", "not UTF-8"),
    ],
)
def test_a_fault_is_named_with_its_line(truth_of, content, message):
    with pytest.raises(InputError) as caught:
        truth_of(content)
    assert message in caught.value.message
    assert caught.value.hint


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.csv: the truth cannot be read"):
        read_truth(tmp_path / "absent.csv")


class TestWhatIdentifiersDecided:
    HEADER = "award_id,recipient_ids,reviewer,note"

    @pytest.fixture
    def decided(self, tmp_path):
        path = tmp_path / "truth.csv"

        def read(text):
            path.write_text(text)
            return read_labels(path)

        return read

    def test_is_a_column_of_its_own_whatever_the_note(self, decided):
        found = decided(f"{self.HEADER},identifiers\nA1,R1,,,both\nA2,R2,,same UEI,\nA3,R3,ann,,uei-only\n")
        assert [label.is_by_identifier for label in found.values()] == [True, False, False]
        assert decided(label_text(found.values())) == found

    @pytest.mark.parametrize(
        ("note", "identifiers"),
        [
            ("same UEI", IdentifierType.UEI_ONLY),
            ("same DUNS", IdentifierType.DUNS_ONLY),
            ("same UEI and DUNS", IdentifierType.BOTH),
            ("the same UEI", IdentifierType.NEITHER),
        ],
    )
    def test_is_known_by_the_note_in_files_that_were_written_without_it(self, decided, note, identifiers):
        found = decided(f"{self.HEADER}\nA1,R1,,{note}\nA2,R2,ann,{note}\n")
        assert found["A1"].identifiers is identifiers
        assert not found["A2"].is_by_identifier

    def test_is_one_of_four_values(self, decided):
        with pytest.raises(InputError, match=r"truth\.csv:2: identifiers: is none of .* \('cage'\)"):
            decided(f"{self.HEADER},identifiers\nA1,R1,,,cage\n")


class TestTheFixtureOfTheTruth:
    @pytest.fixture
    def check(self, tmp_path):
        path = tmp_path / "truth.csv"
        path.write_text("award_id,recipient_ids\nA1,R1 R2\n\nA2,R3\nA3,\n")

        def call(award_ids, recipient_ids):
            return check_truth(path, read_truth(path), award_ids, recipient_ids)

        return call

    def test_a_truth_of_this_fixture_passes(self, check):
        assert check({"A1", "A2", "A3", "A4"}, {"R1", "R2", "R3", "R4"}) is None

    def test_awards_that_are_not_there_are_counted_and_named_with_their_lines(self, check):
        with pytest.raises(InputError) as caught:
            check({"A1"}, {"R1", "R2", "R3"})
        assert "2 of 3 awards are not in the fixture: 'A2' (line 4), 'A3' (line 5)" in caught.value.message

    def test_recipients_that_are_not_there_are_counted_and_named_with_their_lines(self, check):
        with pytest.raises(InputError) as caught:
            check({"A1", "A2", "A3"}, {"R1"})
        assert (
            "2 of 3 recipient ids are in no recipient: 'R2' (line 2), 'R3' (line 4)" in caught.value.message
        )

    def test_only_the_first_are_named(self, tmp_path):
        path = tmp_path / "truth.csv"
        path.write_text("award_id,recipient_ids\n" + "".join(f"A{n},\n" for n in range(9)))
        with pytest.raises(InputError, match=r"'A2' \(line 4\), \.\.\."):
            check_truth(path, read_truth(path), (), ())


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("award_id,recipient_ids,Award_ID\nA1,R1,A2\n")
    with pytest.raises(InputError, match="has this column twice") as refused:
        read_truth(path)
    assert (refused.value.faults[0].line, refused.value.faults[0].column) == (1, "award_id")


def test_what_is_not_csv_is_named_with_its_line(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text('award_id,recipient_ids\nA1,R1\nA2,"R2"3\n')
    with pytest.raises(InputError, match="the truth is not CSV") as refused:
        read_truth(path)
    assert refused.value.faults[0].line == 3


@pytest.mark.parametrize(
    ("right", "named", "is_doubted"),
    [
        ({"R1", "R2"}, ["N1", "", "N2"], True),
        ({"R1", "R2"}, ["N1", "R2"], False),
        ({"R1"}, ["", ""], False),
        (set(), ["N1"], False),
    ],
)
def test_ids_that_no_answer_shares_are_doubted(right, named, is_doubted):
    doubt = other_ids({"A1": frozenset(right)}, named)
    assert bool(doubt) == is_doubted
    assert "'R1' there and 'N1' in the answers" in doubt or not is_doubted


def test_a_row_without_an_end_is_named_with_its_line(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("award_id,recipient_ids\nA1,R1\n")
    os.truncate(path, 10 * 2**30)
    with pytest.raises(InputError, match=r"truth\.csv:3: the truth is not CSV \(a row is longer than"):
        read_truth(path)


def test_what_is_written_can_be_read(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text(label_text([AwardLabel("A1", (), note="x" * 1_000_000)]))
    with pytest.raises(InputError, match=r"more than 1,048,576 characters \('A1'\)"):
        label_text([*read_labels(path).values(), AwardLabel("A1", (), note=";=" * 400_000)])
