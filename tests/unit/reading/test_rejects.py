import csv

import pytest

from sbir_gate.errors import InputError, OutputError
from sbir_gate.model.records import Reject
from sbir_gate.reading.rejects import RejectLog, RejectTally, share_percent


def reject(line):
    return Reject("t.csv", line, "", "x" * 300, "2 columns, 3 expected")


def test_all_rejects_go_to_the_file_and_the_first_stay_in_memory(tmp_path):
    path = tmp_path / "rejects.csv"
    with RejectLog(path, kept=2) as log:
        RejectTally(log).add_all(reject(line) for line in range(5))
    assert log.count == 5
    assert [kept.line for kept in log.first] == [0, 1]
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 5
    assert rows[0] == {
        "file": "t.csv",
        "line": "0",
        "column": "",
        "value": "x" * 200,
        "reason": "2 columns, 3 expected",
    }


def test_a_file_that_cannot_be_written_is_one_clear_error(tmp_path):
    with pytest.raises(OutputError, match=r"rejects\.csv: cannot write the rejects \(No such file"):
        RejectLog(tmp_path / "missing" / "rejects.csv")


def test_too_many_rejects_fail_with_the_first_one_and_the_cure():
    tally = RejectTally(RejectLog())
    tally.add_all(reject(line) for line in range(7, 19))
    with pytest.raises(InputError) as caught:
        tally.check(488, 1.0)
    assert caught.value.message == (
        "t.csv:7: 12 of 500 rows (2.4%) could not be read, at most 1%; the first: 2 columns, 3 expected"
        f" ('{'x' * 76}...)"
    )
    assert "--rejects" in caught.value.hint
    assert "reading.max_reject_percent" in caught.value.hint


def test_a_share_at_the_limit_passes():
    tally = RejectTally(RejectLog())
    tally.add_all([reject(2)])
    assert tally.check(99, 1.0) is None
    assert RejectTally(RejectLog()).check(0, 0.0) is None


def test_nothing_of_nothing_is_no_share():
    assert share_percent(0, 0) == 0.0
    assert share_percent(1, 4) == 25.0


def test_a_source_without_a_readable_row_says_whether_it_was_empty_or_unreadable():
    tally = RejectTally(RejectLog())
    assert tally.nothing_read("t.csv", "awards").message == "t.csv: holds no awards, only a header"
    tally.add_all([reject(2)])
    assert (
        "t.csv:2: none of 1 awards could be read; the first: "
        in tally.nothing_read("t.csv", "awards").message
    )
