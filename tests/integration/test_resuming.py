"""Runs that are stopped, and what the next one makes of it."""

import hashlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sbir_gate.engine.enrichment import EnrichRequest, link_and_write
from sbir_gate.engine.matching import cascade, query_parts
from sbir_gate.engine.matching.candidates import create_pairs
from sbir_gate.engine.matching.ledger import Ledger
from sbir_gate.engine.matching.query_parts import decisive_pairs
from sbir_gate.errors import InputError, SbirGateError, UsageError
from sbir_gate.monitor import PerformanceMonitor
from tests.factories_matching import Award, Recipient, make_settings, write_tables
from tests.tiers import first_fast

FIXTURES = Path(__file__).parents[2] / "fixtures"


class Stop:
    """A listener that stops the run after some chunks of recipients, as Ctrl-C would."""

    def __init__(self, after: int | None = None) -> None:
        self.chunks = 0
        self.said: list[str] = []
        self._after = after

    def __call__(self, stage, _records, _share, _remark="", _seconds_left=None):
        self.said.append(stage)
        if stage == "recipients":
            self.chunks += 1
            if self.chunks == self._after:
                raise KeyboardInterrupt


def make_world(folder):
    awards = [Award(f"A{number}", f"Acme Laser {number}", state="MA") for number in range(40)]
    recipients = [Recipient(f"R{number}", f"ACME LASER {number}, INC.", state="MA") for number in range(90)]
    paths = write_tables(folder, awards, recipients)
    with paths[1].open("a") as file:
        file.write("a,row,with,far,too,many,cells,in,it\n")
    return folder, *map(str, paths)


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


def run(world, listener, chunk_size=10, is_resuming=True, **options):
    folder, awards, recipients = world
    settings = make_settings(
        enrichment__performance__chunk_size=chunk_size, reading__max_reject_percent=50.0, **options
    )
    request = EnrichRequest(
        awards, recipients, folder / "out.csv", folder / "rejects.csv", is_resuming=is_resuming
    )
    return link_and_write(request, settings, PerformanceMonitor(), listener)


def outputs(world):
    """Return what was written; the rejects name their file, wherever it lies."""
    place = f"{world[0]}/".encode()
    return [(world[0] / name).read_bytes().replace(place, b"") for name in ("out.csv", "rejects.csv")]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return the outputs of a run that nothing stops."""
    world = make_world(tmp_path_factory.mktemp("undisturbed"))
    run(world, Stop())
    assert not (world[0] / "out.csv.parts").exists()
    return outputs(world)


def stop_after(world, chunks, **options):
    with pytest.raises(KeyboardInterrupt) as raised:
        run(world, Stop(chunks), **options)
    assert not (world[0] / "out.csv").exists()
    return raised.value


@pytest.mark.parametrize(
    ("chunk_size", "workers"),
    first_fast([(1_000, 0), (10, 1), (7, 2)]),
)
def test_the_next_run_does_only_what_is_left_and_ends_with_the_same_bytes(
    world, undisturbed, chunk_size, workers
):
    stopped = stop_after(world, 4)
    assert "finished chunks are kept in" in stopped.__notes__[0]
    listener = Stop()
    summary = run(world, listener, chunk_size, enrichment__performance__workers=workers)
    assert outputs(world) == undisturbed
    assert "resuming from 4 finished chunks (40 recipients)" in listener.said
    assert listener.chunks == -(-51 // chunk_size)  # 50 rows, and one that cannot be read
    assert summary.notes["resumed"].startswith("4 of")
    assert not (world[0] / "out.csv.parts").exists()


@pytest.mark.slow
def test_a_finished_run_is_not_resumed_but_started_afresh(world, undisturbed):
    run(world, Stop())
    again = Stop()
    run(world, again)
    assert again.chunks == 10
    assert outputs(world) == undisturbed


@pytest.mark.slow
def test_a_fresh_run_does_not_use_what_is_there(world, undisturbed):
    stop_after(world, 4)
    listener = Stop()
    run(world, listener, is_resuming=False)
    assert listener.chunks == 10
    assert outputs(world) == undisturbed


@pytest.mark.slow
def test_chunks_of_another_state_of_the_recipients_are_not_used(world):
    stop_after(world, 4)
    with Path(world[2]).open("a") as file:
        file.write("R900,ZENITH OPTICS,,,,MA,\n")
    listener = Stop()
    run(world, listener)
    assert listener.chunks == 10
    assert any("are not used" in words for words in listener.said)


@pytest.mark.slow
def test_other_awards_and_other_matching_use_the_same_chunks(world):
    stop_after(world, 4)
    listener = Stop()
    run(world, listener, matching__min_precision=0.9)
    assert listener.chunks == 6


@pytest.mark.slow
def test_a_damaged_chunk_is_done_again_and_only_that(world, undisturbed):
    stop_after(world, 6)
    part = sorted((world[0] / "out.csv.parts").glob("part-*.parquet"))[1]
    part.write_bytes(part.read_bytes()[:-10])
    listener = Stop()
    run(world, listener)
    assert outputs(world) == undisturbed
    assert "1 damaged chunks are done again" in listener.said
    assert listener.chunks == 5


@pytest.mark.parametrize("is_link", [False, True])
def test_a_run_beside_another_on_the_same_output_is_refused(world, is_link):
    if is_link:
        (world[0] / "folder").mkdir()
        (world[0] / "out.csv").symlink_to("folder/out.csv")
    ledger = Ledger((world[0] / "out.csv").resolve().with_name("out.csv.parts"), "key")
    with pytest.raises(UsageError, match="another run"):
        run(world, Stop())
    ledger.close(is_done=True)


@pytest.mark.slow
def test_recipients_that_vanish_are_one_error_and_what_was_done_is_kept(world, undisturbed):
    source = Path(world[2])
    content, state = source.read_bytes(), source.stat()

    def vanish(stage, _records, _share, _remark="", _seconds_left=None):
        if stage == "recipients" and source.exists():
            source.unlink()

    with pytest.raises(InputError, match="cannot be read") as raised:
        run(world, vanish)
    assert "finished chunks are kept" in raised.value.__notes__[0]
    source.write_bytes(content)
    os.utime(source, ns=(state.st_atime_ns, state.st_mtime_ns))
    listener = Stop()
    run(world, listener)
    assert listener.chunks < 10
    assert outputs(world) == undisturbed


@pytest.mark.slow
def test_a_work_folder_takes_the_chunks(world, undisturbed, tmp_path):
    work = tmp_path / "elsewhere"
    work.mkdir()
    stop_after(world, 3, enrichment__work_folder=work)
    assert (work / "out.csv.parts").is_dir()
    assert not (world[0] / "out.csv.parts").exists()
    run(world, Stop(), enrichment__work_folder=work)
    assert outputs(world) == undisturbed
    assert list(work.iterdir()) == []


@pytest.mark.slow
def test_chunks_that_are_not_to_be_kept_are_not(world, undisturbed):
    stop_after(world, 4, enrichment__keeps_chunks=False)
    assert not (world[0] / "out.csv.parts").exists()
    listener = Stop()
    run(world, listener, enrichment__keeps_chunks=False)
    assert listener.chunks == 10
    assert outputs(world) == undisturbed


def test_a_wrong_configuration_is_not_tried_again(world):
    listener = Stop()
    with pytest.raises(SbirGateError):
        run((world[0], world[1], world[1]), listener)
    assert listener.chunks == 0


def command(output, chunk_size=500):
    return [
        sys.executable,
        "-m",
        "sbir_gate",
        "enrich",
        "--awards",
        str(FIXTURES / "awards.csv"),
        "--recipients",
        str(FIXTURES / "recipients.csv"),
        "--output",
        str(output),
        "--set",
        f"enrichment.performance.chunk_size={chunk_size}",
    ]


@pytest.mark.parametrize(
    "kills", [pytest.param(3, marks=pytest.mark.slow), pytest.param(20, marks=pytest.mark.nightly)]
)
def test_killed_at_random_moments_each_run_goes_on_and_ends_with_the_same_bytes(tmp_path, kills):
    """No part is done twice but the one in flight: a part that was there is never written again."""
    expected = tmp_path / "expected.csv"
    started = time.monotonic()
    subprocess.run(command(expected), check=True, capture_output=True, cwd=tmp_path)
    whole_seconds = time.monotonic() - started
    digest = hashlib.sha256(expected.read_bytes()).hexdigest()
    draw = random.Random(20)
    output, parts = tmp_path / "out.csv", tmp_path / "out.csv.parts"
    known: dict[str, int] = {}
    killed = 0
    while killed < kills:
        with subprocess.Popen(
            command(output), cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(draw.uniform(0.2, 1.0) * whole_seconds)
            process.kill()
        killed += process.returncode != 0
        if output.exists():  # it was quicker, or was clearing up: whole, and the next one begins afresh
            assert hashlib.sha256(output.read_bytes()).hexdigest() == digest
            output.unlink()
            known = {}
            continue
        entries = {path.name: path.stat().st_mtime_ns for path in parts.glob("part-*.json")}
        assert {name: entries[name] for name in known} == known
        known = entries
    subprocess.run(command(output), check=True, capture_output=True, cwd=tmp_path)
    assert hashlib.sha256(output.read_bytes()).hexdigest() == digest
    assert not parts.exists()


@pytest.mark.slow
def test_files_that_may_grow_no_more_are_one_error_and_the_next_run_goes_on(tmp_path):
    """A limit on the size of files stands in for a full disk: what is written on the way still has room."""
    output = tmp_path / "out.csv"
    arguments = command(output, chunk_size=5_000)
    limit = (
        "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (400 << 10, 400 << 10));"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    limited = [sys.executable, "-c", limit, *arguments]
    stopped = subprocess.run(limited, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert stopped.returncode == 3
    assert "out.csv: cannot be written" in stopped.stderr
    assert "finished chunks are kept in" in stopped.stderr
    assert not output.exists()
    again = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "resuming from 5 finished chunks (25,000 recipients)" in again.stderr
    expected = tmp_path / "expected.csv"
    subprocess.run(command(expected), check=True, capture_output=True, cwd=tmp_path)
    assert output.read_bytes() == expected.read_bytes()


class StopInMatching:
    """A stage of the matching that ends the run, as a kill would: `stage` is the one that begins."""

    def __init__(self, stage):
        self._stage = f"matching: {stage}"

    def __call__(self, stage, _records, _share, _remark="", _seconds_left=None):
        if stage == self._stage:
            raise KeyboardInterrupt


@pytest.mark.parametrize("stage", first_fast(["decisions", "training", "similarity"]))
@pytest.mark.parametrize("damage", first_fast([None, "prepared.json", "pairs.parquet", "000000.json"]))
def test_matching_that_was_done_is_not_done_again(world, undisturbed, monkeypatch, stage, damage):
    monkeypatch.setattr(cascade, "LEAST_QUERIES_KEPT", 0)
    with pytest.raises(KeyboardInterrupt):
        run(world, StopInMatching(stage))
    parts = world[0] / "out.csv.parts"
    found = sorted(path.name.split("-", 2)[2] for path in parts.glob("matching-*"))
    kept = ["pair_recipients.parquet", "pairs.parquet", "prepared.json"]
    assert [name for name in found if name in kept] == kept
    assert len(found) == (4 if stage == "decisions" else 3)
    for path in parts.glob(f"matching-*{damage}"):
        path.write_bytes(path.read_bytes()[:-3] + b"xyz")
    searched = []
    monkeypatch.setattr(
        cascade, "create_pairs", lambda *given: searched.append("pairs") or create_pairs(*given)
    )
    monkeypatch.setattr(
        query_parts, "decisive_pairs", lambda *given: searched.append("part") or decisive_pairs(*given)
    )
    run(world, Stop())
    is_search_lost = damage in ("prepared.json", "pairs.parquet")
    assert ("pairs" in searched) == is_search_lost
    assert ("part" in searched) == (stage != "decisions" or damage == "000000.json")
    assert outputs(world) == undisturbed
    assert not parts.exists()


def test_few_queries_are_not_kept(world):
    with pytest.raises(KeyboardInterrupt):
        run(world, StopInMatching("decisions"))
    assert list((world[0] / "out.csv.parts").glob("part-*"))
    assert not list((world[0] / "out.csv.parts").glob("matching-*"))


@pytest.mark.slow
def test_what_other_awards_found_is_not_used(world, undisturbed, monkeypatch):
    monkeypatch.setattr(cascade, "LEAST_QUERIES_KEPT", 0)
    with pytest.raises(KeyboardInterrupt):
        run(world, StopInMatching("decisions"))
    awards = Path(world[1])
    first = {path.name for path in (world[0] / "out.csv.parts").glob("matching-*")}
    content = awards.read_bytes()
    awards.write_bytes(content.replace(b"Acme Laser 7", b"Acme Laser 8"))
    with pytest.raises(KeyboardInterrupt):
        run(world, StopInMatching("decisions"))
    second = {path.name for path in (world[0] / "out.csv.parts").glob("matching-*")}
    assert len(first) == len(second) == 4
    assert not first & second
    awards.write_bytes(content)
    run(world, Stop())
    assert outputs(world) == undisturbed
