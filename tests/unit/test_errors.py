import errno
import os

import duckdb
import pytest

from sbir_gate.errors import ExitStatus, NoRoomError, OutputError


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
