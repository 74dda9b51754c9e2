"""`sbir-gate` in this process, in a folder and an environment of its own: most tests need no new process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path

from click.testing import CliRunner

from sbir_gate.cli.application import Interruption, exit_status

Finished = subprocess.CompletedProcess[str]


def run_in_process(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Finished:
    """Run `sbir-gate` with arguments; return its exit status and what it printed, as a process would."""
    with chdir(folder), _only(environment), CliRunner().isolation() as (output, errors, _):
        status = exit_status(Interruption(), list(arguments), "sbir-gate")
        sys.stdout.flush()
        sys.stderr.flush()
        shown, said = (stream.getvalue().decode("utf-8", "replace") for stream in (output, errors))
    return subprocess.CompletedProcess(["sbir-gate", *arguments], status, shown, said)


@contextmanager
def _only(environment: Mapping[str, str]) -> Iterator[None]:
    """Replace the variables of this process, and the temporary folder that they name."""
    before, folder = dict(os.environ), tempfile.tempdir
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # asked of the variables again
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        tempfile.tempdir = folder
