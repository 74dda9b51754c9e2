"""A real scheduler and two workers over TCP, in processes that are killed in mid-run."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("distributed")

from sbir_gate.engine.cluster import Cluster
from sbir_gate.engine.enrichment import EnrichRequest, link_and_write
from sbir_gate.engine.worker_tasks import score_part
from sbir_gate.errors import ExitStatus, LimitError, ToolError
from sbir_gate.monitor import PerformanceMonitor
from tests.factories_matching import make_settings

FIXTURES = Path(__file__).parents[2] / "fixtures"
PIECES = 6
SMALL_PARTS = 40

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Write the fixture's recipients in several files; return the files, and the bytes of one machine."""
    folder = tmp_path_factory.mktemp("world")
    header, *lines = (FIXTURES / "recipients.csv").read_text().splitlines(keepends=True)
    recipients = folder / "recipients"
    recipients.mkdir()
    for number in range(PIECES):
        (recipients / f"{number}.csv").write_text(header + "".join(lines[number::PIECES]))
    return recipients, digest_of(recipients, folder / "alone.parquet", None)


def digest_of(recipients, output, cluster, listener=lambda *_: None, **options):
    settings = make_settings(enrichment__cluster=cluster, **options)
    request = EnrichRequest(str(FIXTURES / "awards.csv"), str(recipients), output)
    link_and_write(request, settings, PerformanceMonitor(), listener)
    return hashlib.sha256(output.read_bytes()).hexdigest()


@contextmanager
def started(folder, workers=2):
    """Start a scheduler and workers; give the address, and their processes, the scheduler's first."""
    file = folder / f"scheduler-{time.monotonic_ns()}.json"
    program = [sys.executable, "-m"]
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    commands = [
        [*program, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *common],
        *[[*program, "distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny", *common]] * workers,
    ]
    processes = []
    try:
        for command in commands:
            processes.append(
                subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
            )
            while not (file.exists() and file.read_text()):
                assert processes[0].poll() is None
                time.sleep(0.05)
        yield json.loads(file.read_text())["address"], processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


class Killer:
    """Sends a signal to a process the first time that a stage is reported, so many records being done."""

    def __init__(self, stage, process, number=signal.SIGKILL):
        self.said = []
        self._stage = stage
        self._process = process
        self._signal = number
        self.is_done = False

    def __call__(self, stage, _records, _share, _remark="", _seconds_left=None):
        self.said.append(stage)
        if stage == self._stage and not self.is_done:
            self.is_done = True
            os.kill(self._process.pid, self._signal)


@pytest.mark.parametrize(
    "stage", ["recipients", "matching: candidates", "matching: words", "matching: similarity"]
)
def test_a_killed_worker_changes_nothing(world, tmp_path, stage):
    recipients, expected = world
    with started(tmp_path) as (address, processes):
        killer = Killer(stage, processes[1])
        assert digest_of(recipients, tmp_path / "spread.parquet", address, killer) == expected
        assert killer.is_done
        assert processes[1].wait(10) == -signal.SIGKILL


def test_a_worker_that_is_killed_while_it_scores_changes_nothing(world, tmp_path, monkeypatch):
    recipients, expected = world
    run, scored = Cluster.run, []
    with started(tmp_path) as (address, processes):

        def killing(cluster, function, tasks):
            for done in run(cluster, function, tasks):
                if function is score_part:
                    scored.append(done)
                    processes[1].kill()
                yield done

        monkeypatch.setattr(Cluster, "run", killing)
        # with so many threads a part is small, and there are more parts than tasks that wait for two workers
        options = {"enrichment__performance__workers": SMALL_PARTS}
        assert digest_of(recipients, tmp_path / "spread.parquet", address, **options) == expected
        assert len(scored) > 5
        assert processes[1].wait(10) == -signal.SIGKILL


@pytest.mark.parametrize("stage", ["recipients", "matching: candidates", "matching: similarity"])
def test_after_the_loss_of_the_scheduler_the_same_command_resumes(world, tmp_path, stage):
    recipients, expected = world
    output = tmp_path / "spread.parquet"
    with started(tmp_path) as (address, processes):
        with pytest.raises(ToolError, match=f"the scheduler {address} is gone") as raised:
            digest_of(recipients, output, address, Killer(stage, processes[0]))
        assert raised.value.exit_status is ExitStatus.BROKEN
        assert "finished chunks are kept in" in raised.value.__notes__[0]
    with started(tmp_path) as (address, _):
        killer = Killer("", None)
        assert digest_of(recipients, output, address, killer) == expected
    assert "resuming from" in " ".join(killer.said)


def test_a_cluster_that_makes_no_progress_is_not_waited_for_forever(world, tmp_path):
    with started(tmp_path, workers=1) as (address, processes):
        killer = Killer("recipients", processes[1], signal.SIGSTOP)
        limit = {"enrichment__performance__timeout_seconds": 5.0}
        with pytest.raises(LimitError, match="made no progress for 5 seconds"):
            digest_of(world[0], tmp_path / "spread.parquet", address, killer, **limit)
