import json
import os
from datetime import UTC, datetime

from sbir_gate.progress import PROGRESS_VARIABLE, ChunkProgress, ProgressFile, Pulse


def chunk(**facts):
    plain = {
        "stage": "recipients",
        "chunks": 3,
        "records": 300,
        "records_reused": 100,
        "share": 0.5,
        "seconds": 4.0,
        "chunk_size": 100,
        "is_resumable": True,
        "checkpoint_at": datetime(2026, 1, 31, 11, 59, tzinfo=UTC),
        "seconds_left": 21.04,
    }
    return ChunkProgress(**(plain | facts))


def test_the_rate_is_that_of_this_run_and_the_whole_follows_from_the_share():
    assert chunk().records_per_second == 50.0
    assert chunk().records_in_all == 600


def test_the_whole_is_an_estimate_until_all_are_read():
    assert chunk(records=2_000, share=2_000 / 300_007).records_in_all == 300_000
    assert chunk(records=3_412_340, share=0.99999).records_in_all == 3_412_340
    assert chunk(records=3_412_345, share=1.0).records_in_all == 3_412_345
    assert chunk(records=7, share=0.5).records_in_all == 14


def test_what_cannot_be_known_is_left_open():
    assert chunk(seconds=0.0).records_per_second == 0.0
    assert chunk(share=0.0).records_in_all is None


def test_the_file_says_how_far_the_run_is_at_most_once_a_second_and_how_it_ended(tmp_path):
    times = iter([10.0, 10.5, 11.5, 11.5, 12.0])
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    file = ProgressFile(tmp_path / "progress", "run-1", lambda: next(times), lambda: now)
    path = tmp_path / "progress" / "run-1.json"
    file.report(chunk(records=200))
    file.report(chunk(records=250))  # half a second later: not worth a write
    assert json.loads(path.read_text())["records"] == 200
    file.report(chunk())
    written = json.loads(path.read_text())
    assert written == {
        "format_version": 1,
        "id": "run-1",
        "state": "running",
        "at": "2026-01-31T12:00:00+00:00",
        "stage": "recipients",
        "chunks": 3,
        "records": 300,
        "records_reused": 100,
        "share": 0.5,
        "seconds": 4.0,
        "chunk_size": 100,
        "is_resumable": True,
        "records_per_second": 50.0,
        "seconds_left": 21.0,
        "checkpoint": 3,
        "checkpoint_at": "2026-01-31T11:59:00+00:00",
    }
    file.finish("interrupted")
    assert json.loads(path.read_text())["state"] == "interrupted"


def test_a_stage_that_begins_is_written_at_once_and_a_finished_run_has_no_time_left(tmp_path):
    file = ProgressFile(tmp_path, "run-1", lambda: 10.0, lambda: datetime(2026, 1, 31, 12, tzinfo=UTC))
    file.report(chunk())
    file.report(chunk(stage="write"))
    assert json.loads((tmp_path / "run-1.json").read_text())["stage"] == "write"
    file.finish("finished")
    written = json.loads((tmp_path / "run-1.json").read_text())
    assert (written["state"], written["seconds_left"]) == ("finished", 0.0)


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = ProgressFile(None, "run-1", lambda: 0.0, lambda: datetime.now(UTC))
    file.report(chunk())
    file.finish("finished")
    assert list(tmp_path.iterdir()) == []


def test_a_pulse_knows_how_long_nothing_happened_and_shows_it_in_a_file(tmp_path):
    now = [10.0]
    file = tmp_path / "progress"
    pulse = Pulse({PROGRESS_VARIABLE: str(file)}, lambda: now[0])
    assert not file.exists()
    now[0] += 5
    assert pulse.idle_seconds() == 5
    pulse.beat()
    assert (pulse.idle_seconds(), file.exists()) == (0, True)
    os.utime(file, (1, 1))
    now[0] += 0.9
    pulse.beat()
    assert file.stat().st_mtime == 1  # not touched again within a second
    now[0] += 0.1
    pulse.beat()
    assert file.stat().st_mtime > 1


def test_a_file_of_progress_that_cannot_be_written_is_no_reason_to_stop(tmp_path):
    Pulse({PROGRESS_VARIABLE: str(tmp_path / "gone" / "progress")}).beat()
    assert list(tmp_path.iterdir()) == []
