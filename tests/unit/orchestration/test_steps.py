import os

import dagster as dg
import pytest

from sbir_gate.errors import ConfigurationError, InputError, OutputError, ToolError
from sbir_gate.locks import Waiting
from sbir_gate.orchestration.steps import as_failures, sole_writer


def failure_of(error):
    with pytest.raises(dg.Failure) as raised, as_failures():
        raise error
    return raised.value


@pytest.mark.parametrize(
    ("error", "is_tried_again"),
    [(InputError("wrong"), False), (ConfigurationError("wrong"), False), (ToolError("broke"), True)],
    ids=repr,
)
def test_only_what_broke_is_tried_again(error, is_tried_again):
    assert failure_of(error).allow_retries is is_tried_again


def test_message_hint_and_what_is_kept_are_all_told():
    error = ToolError("it broke", "mend it")
    error.add_note("finished chunks are kept in x.parts")
    failure = failure_of(error)
    assert failure.description == "it broke; mend it; finished chunks are kept in x.parts"
    assert failure.metadata["status"].value == "BROKEN"


def test_a_fault_without_a_name_stays_as_it_is():
    with pytest.raises(ZeroDivisionError), as_failures():
        raise ZeroDivisionError


def test_another_writer_is_waited_for_and_then_named(tmp_path):
    path = tmp_path / "new" / "writer.lock"
    words = f"process {os.getpid()} is at work here after 0 seconds"
    with sole_writer(path, Waiting()), pytest.raises(ToolError, match=words), sole_writer(path, Waiting()):
        pass
    with sole_writer(path, Waiting()):
        pass


def test_a_folder_that_cannot_be_made_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "file").write_text("")
    lock = sole_writer(tmp_path / "file" / "writer.lock", Waiting())
    with pytest.raises(OutputError, match=r"writer\.lock: cannot be written"), lock:
        pass
