import os

import pytest

from sbir_gate.errors import LimitError, OutputError
from sbir_gate.locks import Waiting
from sbir_gate.orchestration.steps import sole_writer


def test_another_writer_is_waited_for_and_then_named(tmp_path):
    path = tmp_path / "new" / "writer.lock"
    words = f"process {os.getpid()} is at work here after 0 seconds"
    with sole_writer(path, Waiting()), pytest.raises(LimitError, match=words), sole_writer(path, Waiting()):
        pass
    with sole_writer(path, Waiting()):
        pass


def test_a_folder_that_cannot_be_made_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "file").write_text("")
    lock = sole_writer(tmp_path / "file" / "writer.lock", Waiting())
    with pytest.raises(OutputError, match=r"writer\.lock: cannot be written"), lock:
        pass
