import errno
import os
import pickle

import duckdb
import pytest

from sbir_gate import errors
from sbir_gate.errors import (
    ConfigurationError,
    EnricherError,
    ExitStatus,
    Fault,
    InputError,
    NoRoomError,
    OutputError,
    SbirGateError,
    TamperingError,
    known,
)
from sbir_gate.model.finding import Finding, Rule, Severity, finding_fault


def raised(cause):
    with pytest.raises(OutputError) as error:
        raise OutputError("out.csv: cannot be written") from cause
    return error.value


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_or_failing_disk_is_no_wrong_input(number):
    assert raised(OSError(number, os.strerror(number))).exit_status is ExitStatus.BROKEN


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.ENOTDIR, errno.EISDIR, errno.EROFS])
def test_a_wrong_path_is_wrong_input(number):
    assert raised(OSError(number, os.strerror(number))).exit_status is ExitStatus.WRONG_INPUT


def test_a_full_disk_is_known_from_what_duckdb_says_too():
    full = duckdb.IOException('IO Error: Could not write file "x": No space left on device')
    assert raised(full).exit_status is ExitStatus.BROKEN
    assert raised(duckdb.IOException("IO Error: no such folder")).exit_status is ExitStatus.WRONG_INPUT


def test_without_a_cause_it_is_wrong_input_unless_there_is_no_room():
    assert OutputError("x").exit_status is ExitStatus.WRONG_INPUT
    assert NoRoomError("x").exit_status is ExitStatus.BROKEN


def test_the_one_text_of_an_error_names_file_line_column_and_value():
    error = InputError(
        "not a date", "write YYYY-MM-DD", path="awards.csv", line=7, column="Award Date", value="x"
    )
    assert error.message == str(error) == "awards.csv:7: Award Date: not a date ('x')"
    assert error.fault == Fault("not a date", "awards.csv", 7, column="Award Date", value="x")
    assert (error.fault.place, error.fault.detail) == ("awards.csv:7", "Award Date: not a date ('x')")
    assert InputError("no such file", path="a.csv").message == "a.csv: no such file"
    assert InputError("nothing is known").message == "nothing is known"


def test_a_row_of_a_table_is_named_and_a_long_value_is_cut():
    error = InputError("is not a number", path="a.parquet", row=1234, column="match_score", value="9" * 200)
    assert error.message == f"a.parquet: row 1,234: match_score: is not a number ('{'9' * 76}...)"


def test_all_faults_of_a_configuration_are_kept_with_their_fields():
    faults = (
        Fault("must be a number", "gate.yaml", 4, column="gate.max_lost", value="x"),
        Fault("unknown key"),
    )
    error = ConfigurationError("the settings are wrong", "see config/base.yaml", faults)
    assert error.faults == faults
    assert error.message == "gate.yaml:4: gate.max_lost: must be a number ('x')\nunknown key"


def test_an_error_survives_the_way_between_processes():
    error = InputError("no such file", "check the path", path="a.csv", line=3)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 -- what this test wrote
    assert (type(again), again.message, again.hint) == (InputError, "a.csv:3: no such file", "check the path")


def test_the_facts_of_an_error_are_those_that_are_known():
    error = EnricherError("it ended", command="engine", status=3, log_tail=("a", " b"), log="head-1.log")
    assert error.message == "it ended: b"
    assert error.facts_of(error.fault) == {
        "text": "it ended: b",
        "hint": "",
        "problem": "it ended",
        "exit_status": 3,
        "command": "engine",
        "status": 3,
        "log": ("a", " b"),
        "log_file": "head-1.log",
    }
    wrong = InputError("no date", path="a.csv", line=0, value=0)
    assert wrong.facts_of(wrong.fault)["value"] == "0"


def test_an_error_within_something_else_keeps_its_facts(tmp_path):
    error = EnricherError("no row", "hint", path=tmp_path / "a.csv", line=2, log_tail=(f"in {tmp_path}/b",))
    error.seen_from(tmp_path)
    found = error.within("the base", TamperingError).within("there", EnricherError, "other hint")
    assert found.message == "there: the base: a.csv:2: no row: in b"
    assert (found.fault.path, found.fault.line, found.hint) == ("a.csv", 2, "other hint")
    assert type(found) is EnricherError


TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "enrich.py", line 3, in <module>',
    "    load()",
    "    ~~~~^^",
    "ValueError: two columns are missing:",
    "  - uei",
    "  - duns",
)


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        (TRACEBACK, "ValueError: two columns are missing: - uei - duns"),
        (TRACEBACK[1:], "ValueError: two columns are missing: - uei - duns"),
        (TRACEBACK[:4], "~~~~^^"),
        (("reading", " no luck "), "no luck"),
    ],
)
def test_an_exception_is_reported_with_its_whole_message(messages, reason):
    error = EnricherError("it broke", log_tail=messages)
    assert error.message == f"it broke: {reason}"
    assert error.facts_of(error.faults[0])["text"] == error.message


PLACE = {"path": "awards.csv", "line": 7, "row": 8, "column": "Award Date", "value": 9}
PROGRAM = {"command": "python mine.py", "status": -9, "log_tail": ("it broke",), "log": "logs/1.txt"}
# one of each class that has facts of its own, with a value for each fact
WITH_ALL_FACTS = (
    SbirGateError("not a date", "fix it", **PLACE),
    EnricherError("broke", "fix it", **PROGRAM, **PLACE),
)


@pytest.mark.parametrize("error", WITH_ALL_FACTS, ids=lambda error: type(error).__name__)
def test_each_fact_of_an_error_is_of_the_type_that_findings_have_for_its_name(error, monkeypatch):
    names = {"text", "hint"}

    def recording(**facts):
        names.update(facts)
        return known(**facts)

    monkeypatch.setattr(errors, "known", recording)
    error.context = "the base"
    facts = error.facts_of(error.fault)
    assert facts.keys() == names, "a fact has no value here, so its type is not checked"
    assert finding_fault([Finding(Rule.ERROR, Severity.FAIL, facts=facts)]) == ""


def test_no_other_class_of_errors_has_facts_of_its_own():
    def below(kind):
        return {kind}.union(*map(below, kind.__subclasses__()))

    own = {kind for kind in below(SbirGateError) if "facts_of" in vars(kind)}
    assert own == set(map(type, WITH_ALL_FACTS))
