import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sbir_gate.cli.streams import Sink, guard_streams
from sbir_gate.documents import write_run
from tests.factories import make_run, with_metric
from tests.tiers import first_fast, tiered

GATE = [sys.executable, "-m", "sbir_gate"]


def shell(redirection, *arguments, cwd=None):
    """Run the gate in a shell with a redirection; the status is the gate's own."""
    command = f'"$@" {redirection}; exit ${{PIPESTATUS[0]}}'
    return subprocess.run(
        ["bash", "-c", command, "bash", *GATE, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return a Run, and one that fails against it."""
    folder = tmp_path_factory.mktemp("runs")
    write_run(folder / "base.json", make_run())
    write_run(folder / "broken.json", with_metric(make_run(), "rows_missing", [3.0]))
    return folder / "base.json", folder / "broken.json"


@pytest.mark.parametrize("arguments", first_fast([["--help"], ["--version"], ["config", "show"]], 2))
def test_a_full_disk_under_standard_output_is_status_3_in_one_line(arguments):
    done = shell(">/dev/full", *arguments)
    assert done.returncode == 3
    assert done.stderr == (
        "error: standard output: cannot be written (No space left on device);"
        " free some space, or redirect the output\n"
    )


@pytest.mark.parametrize(
    "redirection", tiered(">&- 2>&-", "<&-", "| head -c 1", slow=(">&-", "2>&-", "2>/dev/full"))
)
def test_a_stream_that_is_closed_or_read_no_more_changes_no_status(redirection):
    done = shell(redirection, "config", "show")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "redirection", tiered(">&-", slow=("| head -c 1", "2>&-", ">/dev/full", "2>/dev/full"))
)
def test_no_stream_hides_a_verdict_that_failed(runs, redirection):
    base, broken = runs
    done = shell(redirection, "diff", base, broken)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("redirection", tiered("2>&-", slow=(">/dev/full", ">&-", "| head -c 1")))
def test_no_stream_hides_wrong_input(redirection):
    assert shell(redirection, "diff", "gone.json", "gone.json").returncode == 2


@pytest.mark.slow
def test_no_file_takes_the_place_of_a_closed_stream(runs, tmp_path):
    done = shell(">&- 2>&- <&-", "report", runs[0], "--output", tmp_path / "report.md", cwd=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "report.md").read_text().startswith("#")


def test_a_reader_that_has_gone_is_no_fault():
    reader, writer = os.pipe()
    os.close(reader)
    sink = Sink(writer)
    assert sink.write(b"x" * 100_000) == 100_000
    assert sink.write(b"more") == 4
    assert sink.fault is None
    os.close(writer)


def test_a_full_disk_is_remembered_once_and_nothing_more_is_tried():
    with Path("/dev/full").open("wb") as full:
        sink = Sink(full.fileno())
        assert [sink.write(b"x"), sink.write(b"yy")] == [1, 2]
        assert sink.fault is not None
        assert sink.fault.strerror == "No space left on device"


def test_a_character_that_the_stream_cannot_show_comes_out_escaped(monkeypatch, tmp_path):
    path = tmp_path / "out"
    with path.open("w", encoding="latin-1") as file:
        monkeypatch.setattr(sys, "stdout", file)
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        guard_streams()
        sys.stdout.write("Zürich \N{SNOWMAN}")
        sys.stdout.flush()
    assert path.read_bytes() == b"Z\xfcrich \\u2603"


def test_a_stream_that_is_no_file_is_left_as_it_is_and_a_closed_one_leads_nowhere(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", None)
    assert guard_streams() is None
    assert sys.stdout is stream
    assert sys.stderr.isatty() in {True, False}
