"""The engine on a Dask cluster: the bytes are those of one machine, and what is wrong is said in a line."""

import gc
import hashlib
import warnings
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

pytest.importorskip("distributed")

from distributed import LocalCluster

from sbir_gate.engine import cluster
from sbir_gate.engine.cluster import ClusterOptions, open_cluster
from sbir_gate.engine.enrichment import EnrichRequest, link_and_write
from sbir_gate.engine.linking import LinkRequest, keep_recipients
from sbir_gate.engine.worker_tasks import WorkerFacts
from sbir_gate.errors import ConfigurationError, ExitStatus, InputError, ToolError, UsageError
from sbir_gate.files import write_durably
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.remote_paths import path_of, remove_remote
from sbir_gate.settings.effective import load_settings
from tests.factories_dagster import World
from tests.factories_matching import Award, Recipient, make_settings, write_tables


@pytest.fixture(scope="module")
def address():
    """Start a scheduler and two workers, threads of this process, and return where they listen."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address="localhost:0"
    ) as started:
        yield started.scheduler_address
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # sockets that Dask has not closed
        gc.collect()


@pytest.fixture
def world(tmp_path):
    """Write awards, and a folder of three files of recipients, with a row that cannot be read."""
    awards = [Award(f"A{number}", f"Acme Laser {number}", state="MA") for number in range(40)]
    recipients = [Recipient(f"R{number}", f"ACME LASER {number}, INC.", state="MA") for number in range(90)]
    paths = write_tables(tmp_path, awards, recipients)
    header, *lines = paths[1].read_text().splitlines(keepends=True)
    folder = tmp_path / "recipients"
    folder.mkdir()
    for number in range(3):
        rows = [*lines[number::3], "a,row,with,far,too,many,cells,in,it\n"]
        (folder / f"{number}.csv").write_text(header + "".join(rows))
    return tmp_path, str(paths[0]), str(folder)


class Listener:
    """Takes what is reported, and stops after some chunks of recipients, as Ctrl-C would."""

    def __init__(self, after=None):
        self.said = []
        self._after = after

    def __call__(self, stage, _records, _share, _remark="", _seconds_left=None):
        self.said.append(stage)
        if self._after is not None and self.said.count("recipients") == self._after:
            raise KeyboardInterrupt


def run(world, name, listener, **options):
    folder, awards, recipients = world
    settings = make_settings(reading__max_reject_percent=50.0, **options)
    rejects = folder / f"{name}.rejects.csv"
    request = EnrichRequest(awards, recipients, folder / f"{name}.parquet", rejects)
    summary = link_and_write(request, settings, PerformanceMonitor(), listener)
    return summary, [hashlib.sha256(path.read_bytes()).hexdigest() for path in (request.output, rejects)]


@pytest.mark.slow
def test_the_bytes_are_those_of_one_machine_and_so_is_every_count(world, address):
    alone, expected = run(world, "alone", Listener())
    listener = Listener()
    spread, found = run(world, "spread", listener, enrichment__cluster=address)
    assert found == expected
    assert spread.accounts == alone.accounts
    assert spread.decisions == alone.decisions
    assert any(said.startswith("Dask workers: 2; dashboard: ") for said in listener.said)
    assert listener.said.count("recipients") == 3


@pytest.mark.slow
def test_a_run_that_was_stopped_is_resumed_from_the_parts_with_or_without_a_cluster(world, address):
    _, expected = run(world, "alone", Listener())
    with pytest.raises(KeyboardInterrupt) as stopped:
        run(world, "spread", Listener(after=1), enrichment__cluster=address)
    assert "finished chunks are kept in" in stopped.value.__notes__[0]
    listener = Listener()
    summary, found = run(world, "spread", listener)
    assert found == expected
    assert "resuming from" in " ".join(listener.said)
    assert summary.notes["resumed"]


@pytest.mark.slow
def test_recipients_that_are_kept_for_many_runs_are_searched_too(world, address):
    _, expected = run(world, "alone", Listener())
    folder, awards, recipients = world
    settings = make_settings(reading__max_reject_percent=50.0, enrichment__cluster=address)
    kept = folder / "kept"
    monitor = PerformanceMonitor()
    assert keep_recipients(LinkRequest(awards, recipients, chunks=kept), settings, 40, monitor)
    request = EnrichRequest(awards, recipients, folder / "spread.parquet", kept_recipients=kept)
    link_and_write(request, settings, monitor)
    assert hashlib.sha256(request.output.read_bytes()).hexdigest() == expected[0]


@pytest.mark.slow
def test_input_parts_and_output_at_addresses_are_the_same_bytes_and_resumed(world, address):
    _, expected = run(world, "alone", Listener())
    folder, awards, recipients = world
    bucket = path_of(f"memory://{folder.name}")
    for path in (*Path(recipients).iterdir(), Path(awards)):
        write_durably(bucket / path.relative_to(folder).as_posix(), path.read_bytes())
    settings = make_settings(reading__max_reject_percent=50.0, enrichment__cluster=address)
    request = EnrichRequest(
        f"{bucket}/{Path(awards).name}", f"{bucket}/recipients", bucket / "linked.parquet"
    )
    with pytest.raises(KeyboardInterrupt) as stopped:
        link_and_write(request, settings, PerformanceMonitor(), Listener(after=2))
    assert f"finished chunks are kept in {bucket}/linked.parquet.parts" in stopped.value.__notes__[0]
    assert link_and_write(request, settings, PerformanceMonitor()).notes["resumed"]
    assert hashlib.sha256(request.output.read_bytes()).hexdigest() == expected[0]
    assert not (bucket / "linked.parquet.parts").exists()
    remove_remote(bucket)


@pytest.mark.slow
def test_the_resource_of_dagster_takes_the_address_of_the_cluster(tmp_path, address, monkeypatch):
    opened = []

    @contextmanager
    def watched(options):
        opened.append(options.address)
        with open_cluster(options) as found:
            yield found

    monkeypatch.setattr("sbir_gate.engine.linking.open_cluster", watched)
    with dg.DagsterInstance.ephemeral() as instance:
        world = World(tmp_path, instance)
        world.write(linked=45)
        assert world.run().success
        expected = world.enriched()
        assert not opened
        assert world.run(cluster=address).success
    assert world.enriched() == expected
    assert opened == [address]


@pytest.mark.parametrize("place", ["host", "local:0", "local:two", "http://host:8786", "tcp://host"])
def test_an_address_of_another_form_is_refused_with_the_settings(place):
    with pytest.raises(ConfigurationError, match="must be local:N for N workers here, or the address"):
        load_settings(None, {}, {"enrichment.cluster": place})


def options(place, **changes):
    return ClusterOptions(place, 256, 0, changes.get("wait_seconds", 10.0))


def doubled(task, _database):
    return 2 * task


def test_no_more_tasks_are_made_than_the_workers_have_use_for(address):
    made = []
    tasks = (made.append(number) or number for number in range(20))
    with open_cluster(options(address)) as opened:
        ahead, found = [], {}
        for done, (task, result) in enumerate(opened.run(doubled, tasks)):
            found[task] = result
            ahead.append(len(made) - done)
    assert found == {number: 2 * number for number in range(20)}
    assert max(ahead) == 4  # two for each of two workers


def test_no_scheduler_at_the_address_is_one_line(world, monkeypatch):
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 0.3)
    with pytest.raises(ToolError) as raised:
        run(world, "spread", Listener(), enrichment__cluster="tcp://127.0.0.1:1")
    assert str(raised.value) == "no Dask scheduler answers at tcp://127.0.0.1:1 within 0.3 seconds"
    assert raised.value.hint == "start one (`dask scheduler`), or check the address and the network"
    assert raised.value.exit_status is ExitStatus.BROKEN


def test_without_dask_the_message_has_the_line_that_installs_it(world, monkeypatch):
    monkeypatch.setattr(cluster, "find_spec", lambda _name: None)
    with pytest.raises(UsageError) as raised:
        run(world, "spread", Listener(), enrichment__cluster="local:2")
    assert str(raised.value) == "cluster local:2: Dask is not installed"
    assert raised.value.hint == "install the extra `dask`, or: pip install distributed"


def test_a_worker_with_other_code_is_refused_before_anything_is_read(address, monkeypatch):
    monkeypatch.setattr(cluster, "worker_facts", lambda: WorkerFacts("0.0.1 " + "0" * 64, "1.0"))
    with open_cluster(options(address)) as opened:
        opened._facts = WorkerFacts("0.0.2 " + "1" * 64, "1.0")
        with pytest.raises(ToolError) as raised:
            opened.check([])
    assert "has sbir-gate 0.0.1 (00000000) with DuckDB 1.0, and this process sbir-gate 0.0.2" in str(
        raised.value
    )


def test_a_worker_that_cannot_load_sbir_gate_is_named(address, monkeypatch):
    def broken():
        raise ModuleNotFoundError("No module named 'sbir_gate'")

    with open_cluster(options(address)) as opened:
        monkeypatch.setattr(cluster, "worker_facts", broken)
        with pytest.raises(ToolError) as raised:
            opened.check([])
    assert "does not start on the worker tcp://" in str(raised.value)
    assert raised.value.hint == "install the same sbir-gate there, with its extra `dask`"


def test_a_file_that_a_worker_does_not_see_is_named(world, address, monkeypatch):
    monkeypatch.setattr(cluster, "unseen_files", lambda files: [path for path, _ in files])
    with pytest.raises(
        InputError, match=r"0\.csv: the worker tcp://\S+ does not see this file as it is here"
    ):
        run(world, "spread", Listener(), enrichment__cluster=address)


def test_what_a_worker_refuses_is_refused_as_on_one_machine(world, address):
    broken = world[0] / "recipients" / "1.csv"
    broken.write_text("no,such,columns\n1,2,3\n")
    with pytest.raises(InputError) as alone:
        run(world, "alone", Listener())
    with pytest.raises(InputError) as spread:
        run(world, "spread", Listener(), enrichment__cluster=address)
    assert str(spread.value) == str(alone.value)


def test_a_cluster_without_workers_is_not_waited_for_forever():
    with (
        LocalCluster(n_workers=0, processes=False, protocol="tcp", dashboard_address="localhost:0") as empty,
        pytest.raises(ToolError) as raised,
        open_cluster(options(empty.scheduler_address, wait_seconds=0.2)),
    ):
        pass
    assert "had no worker for 0.2 seconds" in str(raised.value)
    assert "start some: `dask worker tcp://" in raised.value.hint
