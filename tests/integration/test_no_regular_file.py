"""Every reader of what others wrote or named: a pipe is not waited for, a device without end not read."""

import os
import signal

import pytest

from sbir_gate.datasets.downloading.transfers import sha256_of
from sbir_gate.documents import load_alerts, load_award_table, load_entry, load_run, load_verdict
from sbir_gate.errors import DocumentError, EnricherError, InputError, SbirGateError
from sbir_gate.gate.measuring.output import read_decisions
from sbir_gate.gate.measuring.telemetry import read_telemetry
from sbir_gate.gate.storing.revisions import file_sha256
from sbir_gate.reading.files import resolve_files
from sbir_gate.reading.text import text_chunks
from sbir_gate.reading.truth import read_truth
from sbir_gate.settings.effective import load_settings
from sbir_gate.settings.waivers import load_waivers
from tests.step_options import retry_policy

READERS = {
    "metrics of an enricher": (read_telemetry, EnricherError),
    "output of an enricher": (read_decisions, EnricherError),
    "truth": (read_truth, InputError),
    "awards, recipients": (resolve_files, InputError),
    "text": (lambda path: list(text_chunks(path, retry_policy())), InputError),
    "a download": (sha256_of, InputError),
    "a file against the one in git": (file_sha256, InputError),
    "settings": (lambda path: load_settings(path, {}), SbirGateError),
    "waivers": (lambda path: load_waivers(path, is_required=True), SbirGateError),
    "a Run": (load_run, DocumentError),
    "a verdict": (load_verdict, DocumentError),
    "an entry of the history": (load_entry, DocumentError),
    "alerts": (load_alerts, DocumentError),
    "what is known of awards": (load_award_table, DocumentError),
}
SECONDS = 10


@pytest.fixture(autouse=True)
def _in_time():
    """Let a reader that waits fail, instead of holding up all tests."""

    def stop(_number, _frame):
        raise AssertionError(f"it was still waited for after {SECONDS} s")

    earlier = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, earlier)


@pytest.mark.parametrize("name", READERS)
def test_a_pipe_is_named_as_one(name, tmp_path):
    read, error = READERS[name]
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    with pytest.raises(error) as raised:
        read(path)
    assert "pipe.csv" in str(raised.value)
    assert "a pipe, not a regular file" in str(raised.value)


@pytest.mark.parametrize("name", READERS)
def test_a_device_without_end_is_named_as_one(name, tmp_path):
    read, error = READERS[name]
    path = tmp_path / "zero.csv"
    path.symlink_to("/dev/zero")
    with pytest.raises(error) as raised:
        read(path)
    assert "zero.csv" in str(raised.value)
    assert "a device, not a regular file" in str(raised.value)
