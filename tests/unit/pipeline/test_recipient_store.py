"""Recipients that are read once, whatever number of runs need them, and whenever these come."""

import threading
from contextlib import contextmanager

import pytest

from sbir_gate.engine.enrichment import EnrichRequest, link_and_write
from sbir_gate.errors import InputError
from sbir_gate.locks import Waiting, locked
from sbir_gate.pipeline.asset_files import AssetFiles
from sbir_gate.pipeline.recipient_store import stored_recipients
from tests.factories_matching import Award, Recipient, make_settings, write_tables


class Store:
    """A folder of assets whose recipients are read; `chunks` counts those that were."""

    def __init__(self, folder, recipients, chunk_size=10):
        self.folder = folder
        self.chunks = 0
        self.settings = make_settings(
            fixtures__recipients=str(recipients),
            enrichment__performance__chunk_size=chunk_size,
            reading__max_reject_percent=50.0,
        )

    def watch(self, chunk):
        self.chunks += chunk.seconds > 0

    def opened(self, alone=None, watch=None):
        assets = AssetFiles(self.folder)
        return stored_recipients(
            self.settings,
            assets,
            alone or in_turn,
            7,
            lambda *_facts, **_more: None,
            watch or self.watch,
        )

    def states(self):
        return sorted(path for path in (self.folder / "recipients").iterdir() if path.is_dir())


@contextmanager
def in_turn(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path, Waiting(60)):
        yield


@pytest.fixture
def tables(tmp_path):
    awards = [Award(f"A{number}", f"Acme Laser {number}", state="MA") for number in range(40)]
    recipients = [Recipient(f"R{number}", f"ACME LASER {number}, INC.", state="MA") for number in range(60)]
    paths = write_tables(tmp_path, awards, recipients)
    with paths[1].open("a") as file:
        file.write("a,row,with,far,too,many,cells,in,it\n")
    return paths


@pytest.fixture
def store(tmp_path, tables):
    return Store(tmp_path / "assets", tables[1])


def enriched(store, tables, output, kept=None):
    rejects = output.with_suffix(".rejects.csv")
    summary = link_and_write(
        EnrichRequest(str(tables[0]), str(tables[1]), output, rejects, kept_recipients=kept), store.settings
    )
    return output.read_bytes(), rejects.read_bytes(), summary.recipients, summary.rejects


@pytest.mark.slow
def test_the_second_run_finds_what_the_first_has_read_and_links_the_same(store, tables, tmp_path):
    expected = enriched(store, tables, tmp_path / "alone.csv")
    with store.opened() as first:
        assert first.is_new
        assert first.seconds > 0
        assert enriched(store, tables, tmp_path / "first.csv", first.folder) == expected
    assert store.chunks == 7
    with store.opened() as second:
        assert (second.is_new, second.folder) == (False, first.folder)
        assert enriched(store, tables, tmp_path / "second.csv", second.folder) == expected
    assert store.chunks == 7


def test_two_runs_at_once_read_them_once(store):
    found, meet = [], threading.Barrier(2, timeout=60)

    def work():
        meet.wait()
        with store.opened() as stored:
            found.append(stored.is_new)
            meet.wait()  # both have them at the same time

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False, True]
    assert store.chunks == 7


@pytest.mark.slow
def test_an_interrupted_reading_goes_on_where_it_was(store, tmp_path, tables):
    def stop(chunk):
        store.watch(chunk)
        if store.chunks == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), store.opened(watch=stop):
        raise AssertionError("it was not interrupted")
    with store.opened() as stored:
        assert stored.is_new
        assert store.chunks == 7
        expected = enriched(store, tables, tmp_path / "alone.csv")
        assert enriched(store, tables, tmp_path / "out.csv", stored.folder) == expected


def test_a_damaged_part_is_read_again(store):
    with store.opened() as stored:
        part = sorted(stored.folder.glob("part-*.parquet"))[2]
    part.write_bytes(b"damaged")
    with store.opened() as stored:
        assert stored.is_new
    assert store.chunks == 8


def test_parts_that_were_damaged_later_are_refused(store, tables, tmp_path):
    with store.opened() as stored:
        sorted(stored.folder.glob("part-*.parquet"))[2].write_bytes(b"damaged")
        with pytest.raises(InputError, match="not there whole"):
            enriched(store, tables, tmp_path / "out.csv", stored.folder)


@pytest.mark.slow
def test_of_older_states_of_the_recipients_few_stay_and_none_that_is_in_use(store, tables):
    with store.opened() as oldest:
        for number in range(4):
            with tables[1].open("a") as file:
                file.write(f"R9{number},ZENITH OPTICS,,,,MA,\n")
            with store.opened() as newest:
                assert newest.is_new
            assert oldest.folder in store.states()
            assert newest.folder in store.states()
        assert len(store.states()) == 3
    with store.opened():
        assert len(store.states()) == 2
        assert oldest.folder not in store.states()


def test_too_many_rows_that_cannot_be_read_are_refused_by_each_run(store, tables, tmp_path):
    with store.opened() as stored:
        store.settings = make_settings(fixtures__recipients=str(tables[1]), reading__max_reject_percent=1.0)
        with pytest.raises(InputError, match="could not be read, at most"):
            enriched(store, tables, tmp_path / "out.csv", stored.folder)
