import os
import subprocess
import sys

import pytest

from sbir_gate.engine.matching.ledger import ChunkFolder, Ledger, whole_chunks
from sbir_gate.errors import InputError, OutputError, UsageError
from sbir_gate.files import write_durably
from sbir_gate.model.chunks import Chunk, Span
from sbir_gate.model.records import Reject
from sbir_gate.remote_paths import path_of, remove_remote

REJECT = Reject("r.csv", 7, "", "a;b", 'it is "wrong"')


def chunk(start=0, stop=10, file=0, rejects=()):
    return Chunk(file, Span(start, stop), stop - start, stop - start, rejects)


def writing(text):
    return lambda path: path.write_text(text)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "out.csv.parts"


@pytest.fixture
def remote_folder(tmp_path):
    bucket = path_of(f"memory://{tmp_path.name}")
    yield bucket / "out.csv.parts"
    remove_remote(bucket)


def recorded(folder, key="key", *chunks):
    ledger = Ledger(folder, key)
    for one in chunks:
        ledger.record(one, writing(f"part {one.span.start}"))
    ledger.close(is_done=False)


def test_what_was_recorded_is_found_again_in_the_order_of_the_source(folder):
    chunks = [chunk(0, 5, file=1), chunk(10, 20, rejects=(REJECT,)), chunk(0, 10)]
    recorded(folder, "key", *chunks)
    ledger = Ledger(folder, "key")
    assert [done.chunk for done in ledger.finished] == [chunks[2], chunks[1], chunks[0]]
    assert [done.path.read_text() for done in ledger.finished] == ["part 0", "part 10", "part 0"]
    assert ledger.findings() == ["resuming from 3 finished chunks (25 recipients)"]
    ledger.close(is_done=True)


def test_a_run_that_is_done_leaves_nothing_behind(folder):
    ledger = Ledger(folder, "key")
    ledger.record(chunk(), writing("part"))
    ledger.close(is_done=True)
    assert not folder.exists()


def test_chunks_that_are_all_of_a_source_stay_for_any_number_of_readers(folder):
    ledger = Ledger(folder, "key")
    chunks = [chunk(0, 10), chunk(10, 20)]
    for one in reversed(chunks):
        ledger.record(one, writing(f"part {one.span.start}"))
    assert not ledger.is_whole
    ledger.complete()
    assert [done.chunk for done in whole_chunks(folder, "key")] == chunks  # while it is still locked
    ledger.close(is_done=True)
    found = whole_chunks(folder, "key")
    assert [(done.chunk, done.path.read_text()) for done in found] == [
        (chunks[0], "part 0"),
        (chunks[1], "part 10"),
    ]
    again = Ledger(folder, "key")
    assert again.is_whole
    again.close(is_done=True)
    assert len(whole_chunks(folder, "key")) == 2


@pytest.mark.parametrize("damage", ["part", "entry", "mark"])
def test_chunks_that_are_not_whole_any_more_are_refused_and_done_again(folder, damage):
    ledger = Ledger(folder, "key")
    ledger.record(chunk(0, 10), writing("part 0"))
    ledger.record(chunk(10, 20), writing("part 10"))
    ledger.complete()
    ledger.close(is_done=True)
    with pytest.raises(InputError, match="not there whole"):
        whole_chunks(folder, "another key")
    names = {"part": "part-*.parquet", "entry": "part-*.json", "mark": "whole.json"}
    max(folder.glob(names[damage])).unlink()
    with pytest.raises(InputError, match="not there whole"):
        whole_chunks(folder, "key")
    again = Ledger(folder, "key")
    assert not again.is_whole
    assert len(again.finished) == (2 if damage == "mark" else 1)
    again.close(is_done=True)
    assert not folder.exists()


def test_a_run_that_finished_no_chunk_leaves_nothing_behind(folder):
    Ledger(folder, "key").close(is_done=False)
    assert not folder.exists()


@pytest.mark.parametrize("is_fresh", [True, False])
def test_parts_under_another_key_or_for_a_fresh_start_are_removed(folder, is_fresh):
    recorded(folder, "old", chunk())
    ledger = Ledger(folder, "old" if is_fresh else "new", is_fresh=is_fresh)
    assert ledger.finished == ()
    assert not list(folder.glob("part-*"))
    assert len(ledger.findings()) == (0 if is_fresh else 1)
    ledger.close(is_done=True)


def flip_a_byte(part, _entry):
    content = bytearray(part.read_bytes())
    content[-1] ^= 1
    part.write_bytes(content)


def cut_the_part(part, _entry):
    part.write_bytes(part.read_bytes()[:-1])


def remove_the_part(part, _entry):
    part.unlink()


def cut_the_entry(_part, entry):
    entry.write_bytes(entry.read_bytes()[:-9])


def empty_the_entry(_part, entry):
    entry.write_bytes(b"")


def claim_another_span(_part, entry):
    entry.write_text(entry.read_text().replace('"start":10', '"start":11'))


@pytest.mark.parametrize(
    "damage",
    [flip_a_byte, cut_the_part, remove_the_part, cut_the_entry, empty_the_entry, claim_another_span],
)
def test_a_damaged_chunk_is_forgotten_and_the_others_stay(folder, damage):
    recorded(folder, "key", chunk(0, 10), chunk(10, 20), chunk(20, 30))
    entry = next(folder.glob("part-*-*20.json"))
    damage(entry.with_suffix(".parquet"), entry)
    ledger = Ledger(folder, "key")
    assert [done.chunk.span.start for done in ledger.finished] == [0, 20]
    assert ledger.damaged == 1
    assert not entry.exists()
    ledger.close(is_done=True)


def test_a_header_that_cannot_be_read_costs_the_parts_not_the_run(folder):
    recorded(folder, "key", chunk())
    (folder / "ledger.json").write_text("{")
    ledger = Ledger(folder, "key")
    assert ledger.finished == ()
    ledger.close(is_done=True)


def test_a_chunk_whose_part_cannot_be_written_is_as_if_it_had_not_been_done(folder):
    def full(path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    ledger = Ledger(folder, "key")
    ledger.record(chunk(0, 10), writing("part"))
    with pytest.raises(OSError, match="No space left on device") as raised:
        ledger.record(chunk(10, 20), full)
    error = ledger.unwritable(raised.value)
    assert str(folder) in error.message
    assert "No space left on device" in error.message
    assert "enrichment.work_folder" in error.hint
    assert not list(ledger.scratch.iterdir())
    ledger.close(is_done=False)
    again = Ledger(folder, "key")
    assert len(again.finished) == 1
    again.close(is_done=True)


def test_a_half_written_entry_of_a_killed_run_goes_with_the_folder(folder):
    recorded(folder, "key", chunk())
    (folder / ".part-0000-000000000010-000000000020.json.0123.part").write_text("half")
    Ledger(folder, "key").close(is_done=True)
    assert not folder.exists()


def test_a_worker_that_outlives_its_run_records_nothing_for_the_next(folder):
    first = Ledger(folder, "key")
    orphan = ChunkFolder(first.folder, first.scratch)
    first.close(is_done=False)
    following = Ledger(folder, "other")
    with pytest.raises(OSError, match="No such file"):
        orphan.record(chunk(), writing("part"))
    assert not following.has_chunks
    following.close(is_done=False)


def test_a_chunk_that_two_workers_make_is_whole(folder):
    ledger = Ledger(folder, "key")

    def write(path):
        ChunkFolder(ledger.folder, ledger.scratch).record(chunk(), writing("part"))
        path.write_text("part")

    ledger.record(chunk(), write)
    ledger.close(is_done=False)
    again = Ledger(folder, "key")
    assert [done.chunk for done in again.finished] == [chunk()]
    again.close(is_done=True)


def test_the_scratch_of_a_killed_run_is_cleaned(folder):
    recorded(folder, "key", chunk())
    (folder / "scratch").mkdir()
    (folder / "scratch" / "block.csv").write_text("left behind")
    ledger = Ledger(folder, "key")
    assert list(ledger.scratch.iterdir()) == []
    ledger.close(is_done=True)


def test_a_second_process_is_refused_while_the_first_is_at_work_and_let_in_when_it_was_killed(folder):
    code = (
        "import sys; from pathlib import Path; from sbir_gate.engine.matching.ledger import Ledger;"
        "ledger = Ledger(Path(sys.argv[1]), 'key'); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match=f"process {process.pid}"):
            Ledger(folder, "key")
        process.kill()
    Ledger(folder, "key").close(is_done=True)
    assert not folder.exists()


def test_a_folder_with_other_things_in_it_is_left_alone(folder):
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"thesis\.txt"):
        Ledger(folder, "key")
    assert (folder / "thesis.txt").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_an_error_that_names_the_cure(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be kept"):
        Ledger(tmp_path / "out.parts", "key")


def test_a_path_that_is_a_file_is_an_error_that_names_the_cure(folder):
    folder.write_text("a file")
    with pytest.raises(OutputError, match="cannot be kept"):
        Ledger(folder, "key")


def test_chunks_on_remote_storage_are_found_again_and_removed_when_all_is_done(remote_folder):
    chunks = [chunk(0, 10), chunk(10, 20), chunk(20, 30)]
    recorded(remote_folder, "key", *chunks)
    remove_remote(next(remote_folder.glob("part-*20.parquet")))
    ledger = Ledger(remote_folder, "key")
    assert [done.chunk for done in ledger.finished] == [chunks[0], chunks[2]]
    assert [done.path.read_text() for done in ledger.finished] == ["part 0", "part 20"]
    assert ledger.damaged == 1
    assert ledger.record(chunks[1], writing("part 10")).read_text() == "part 10"
    ledger.close(is_done=True)
    assert not remote_folder.exists()


def test_remote_chunks_under_another_key_are_removed_and_other_files_are_not(remote_folder):
    recorded(remote_folder, "old", chunk())
    ledger = Ledger(remote_folder, "new")
    assert ledger.findings()
    ledger.close(is_done=True)
    write_durably(remote_folder / "part-0001-000000000000010-000000000000020.parquet", b"of a lost worker")
    Ledger(remote_folder, "new").close(is_done=True)
    assert not remote_folder.exists()
    write_durably(remote_folder / "mine.csv", b"name")
    with pytest.raises(UsageError, match=r"holds 'mine\.csv', which is not of an interrupted run"):
        Ledger(remote_folder, "new")


def test_remote_chunks_that_cannot_be_written_are_an_error_with_a_hint(remote_folder, monkeypatch):
    def refused(*_arguments, **_options):
        raise PermissionError("Access Denied")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.pipe_file", refused)
    with pytest.raises(OutputError, match="the finished chunks cannot be kept") as raised:
        Ledger(remote_folder, "key")
    assert "set the credentials" in raised.value.hint
