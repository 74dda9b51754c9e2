import errno
import os
import tempfile
from pathlib import Path

import pytest

from sbir_gate.engine.matching.ledger import Ledger
from sbir_gate.engine.matching.parts import index_part, open_parts
from sbir_gate.engine.recipient_parts import (
    PartEdges,
    PartMaker,
    check_unchanged,
    code_version,
    fingerprint,
    parts_key,
    share_in_use,
)
from sbir_gate.errors import InputError, OutputError
from sbir_gate.probes import PeakLedger, Sizes
from sbir_gate.reading.recipient_index import RecipientIndex, index_recipients
from sbir_gate.reading.rejects import RejectLog
from tests.factories_matching import database
from tests.step_options import reading_options, retry_policy

BUDGET = 1_000.0


class FakeProbe:
    """Gives these sizes, peak and present one, call by call."""

    description = "fake"

    def __init__(self, sizes):
        self._sizes = iter(sizes)

    def take(self):
        return Sizes(*next(self._sizes))


class ShakyLedger(Ledger):
    """A ledger on a disk that fails the first times that something is written after `sound` chunks."""

    def __init__(self, folder, number, times, sound=2):
        super().__init__(folder, "key")
        self.faults = [OSError(number, os.strerror(number))] * times
        self.sound = sound

    def record(self, chunk, write):
        if self.sound:
            self.sound -= 1
        elif self.faults:
            raise self.faults.pop()
        return super().record(chunk, write)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "recipients.csv"
    rows = [f"R{number},ACME {number},MA\n" for number in range(20_000)]
    path.write_text("recipient_id,recipient_name,recipient_state_code\n" + "".join(rows), "utf-8")
    return path


@pytest.fixture
def made(source, tmp_path):
    """Make the parts; return the sorted rows, what was told after each chunk, the result, and the files."""

    def run(used_mib=(), *, ledger=None, chunk_size=4_000, largest=None, pauses=None):
        sizes = iter(used_mib)
        told = []
        edges = PartEdges(
            memory_share=lambda: next(sizes, 0.0) / BUDGET, report=told.append, clock=lambda: 1.0
        )
        retrying = retry_policy(retries=3, sleep=[].append if pauses is None else pauses.append)
        options = reading_options(chunk_size=largest or chunk_size, retrying=retrying)
        with database(2) as connection, tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            maker = PartMaker(connection, Path(folder), options, chunk_size, ledger, edges)
            finished = ledger.finished if ledger is not None else ()
            read = maker.read(str(source), RejectLog(), finished)
            open_parts(connection, read.parts)
            query = "SELECT row_key, recipient_id, normal FROM recipients ORDER BY ALL"
            rows = connection.execute(query).fetchall()
            files = sorted(path.name for path in Path(folder).glob("part*"))
        return rows, told, read, files

    return run


def test_with_room_parts_stay_in_memory_and_chunks_as_large_as_wanted(made):
    rows, told, read, files = made([100.0] * 9)
    assert len(rows) == read.recipients == 20_000
    assert [chunk.records for chunk in told] == [4_000, 8_000, 12_000, 16_000, 20_000]
    assert files == []
    assert read.notes == {"parts": "in memory"}


@pytest.mark.slow
def test_chunks_grow_from_the_first_to_the_largest_and_the_rows_stay_the_same(made):
    rows, told, read, _ = made([100.0] * 99, chunk_size=100, largest=9_000)
    assert rows == made()[0]
    assert [chunk.records for chunk in told] == [100, 2_600, 11_600, 20_000]
    assert read.notes == {"parts": "in memory"}


def test_what_the_process_held_before_is_none_of_the_budget_and_a_peak_counts():
    ledger = PeakLedger(
        FakeProbe([(900, 300), (340, 320), (320, 320), (450, 310), (310, 310), (300, 290), (0, 0)])
    )
    share = share_in_use(100.0, ledger)
    assert [share() for _ in range(3)] == [0.4, 1.5, 0.1]


def test_without_known_sizes_nothing_is_in_use():
    share = share_in_use(100.0, PeakLedger(None))
    assert [share(), share()] == [0.0, 0.0]


@pytest.mark.slow
def test_under_pressure_chunks_are_halved_and_the_rows_stay_the_same(made):
    rows, told, read, files = made([850.0, 850.0, 850.0, *[700.0] * 99])
    assert rows == made()[0]
    assert [chunk.chunk_size for chunk in told][:4] == [2_000, 1_000, 1_000, 1_000]
    assert files == []
    assert read.notes["smallest_chunk"] == "1000 rows, for want of memory"


@pytest.mark.slow
def test_near_the_budget_parts_in_memory_go_to_disk_and_so_do_all_that_follow(made):
    rows, told, read, files = made([100.0, 100.0, 960.0, *[700.0] * 99])
    assert rows == made()[0]
    assert len(files) == len(told)
    assert read.notes["parts"] == "on disk"


def test_a_disk_that_fails_for_a_moment_is_tried_again(made, tmp_path):
    pauses = []
    ledger = ShakyLedger(tmp_path / "out.parts", errno.EIO, times=3)
    rows, _, read, _ = made(ledger=ledger, pauses=pauses)
    assert rows == made()[0]
    assert read.recipients == 20_000
    assert len(pauses) == 3
    ledger.close(is_done=True)


@pytest.mark.parametrize(("number", "pauses_wanted"), [(errno.EIO, 3), (errno.ENOSPC, 0)])
def test_a_disk_that_stays_bad_is_one_error_and_what_was_done_is_kept(made, tmp_path, number, pauses_wanted):
    pauses = []
    ledger = ShakyLedger(tmp_path / "out.parts", number, times=9)
    with pytest.raises(OutputError, match=os.strerror(number)) as raised:
        made(ledger=ledger, pauses=pauses)
    assert "enrichment.work_folder" in raised.value.hint
    assert len(pauses) == pauses_wanted
    ledger.close(is_done=False)
    again = Ledger(tmp_path / "out.parts", "key")
    assert len(again.finished) == 2
    again.close(is_done=True)


def test_parts_in_a_ledger_are_used_again_whatever_the_size_of_chunks(made, source, tmp_path):
    key = parts_key([source], reading_options())
    ledger = Ledger(tmp_path / "out.parts", key)
    made(ledger=ledger)
    ledger.close(is_done=False)
    damaged = sorted((tmp_path / "out.parts").glob("part-*.parquet"))[2]
    damaged.write_bytes(b"damaged")
    again = Ledger(tmp_path / "out.parts", key)
    rows, told, read, _ = made(ledger=again, chunk_size=3_000)
    assert rows == made()[0]
    assert read.reused == 16_000
    assert sum(1 for _ in told) == 2  # 4,000 rows that are missing, in chunks of at most 3,000
    assert read.notes["resumed"] == "4 of 6 chunks were there already"
    again.close(is_done=True)


def test_the_key_knows_another_state_of_a_source_and_another_setting(source):
    options = reading_options()
    key = parts_key([source], options)
    assert (
        parts_key([source], reading_options(chunk_size=7)) == key
    )  # the parts would be others, their rows not
    assert parts_key([source], reading_options(max_record_mib=3)) != key
    state = source.stat()
    content = source.read_bytes()
    source.write_bytes(content.replace(b"ACME 7,", b"ACNE 7,"))
    os.utime(source, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert parts_key([source], options) != key  # same size, same time
    source.write_bytes(content)
    os.utime(source, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert parts_key([source], options) == key


def test_a_source_that_changed_while_it_was_read_is_refused(source):
    before = [fingerprint(source)]
    check_unchanged([source], before)
    with source.open("a") as file:
        file.write("R,MORE,MA\n")
    with pytest.raises(InputError, match="has changed while it was read"):
        check_unchanged([source], before)
    source.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        check_unchanged([source], before)


def test_the_code_has_a_version_of_its_content():
    assert code_version() == code_version()
    assert len(code_version().split()[1]) == 64


@pytest.mark.parametrize("used_mib", [0.0, 2 * BUDGET], ids=["in memory", "on disk"])
def test_the_index_of_parts_is_that_of_the_source(tmp_path, used_mib):
    """Other names of a recipient, and names that stand for nobody, are no reason for another index."""
    source, shared = tmp_path / "recipients.csv", "QNT4K8W2J6H5"
    source.write_text(
        "recipient_id,name,uei\n"
        f"R1,Quarl Optics d/b/a Zyvox Lasers,{shared}\nR2,QUARL OPTICS INC,{shared}\n"
        "R3,MULTIPLE RECIPIENTS,\nR4,Brinlow Marine,VWX3Y5Z7A9B2\nR4,Brinlow Marine,VWX3Y5Z7A9B2\n"
    )
    ids, options = ["R1", "R2", "R3", "R4", "R9"], reading_options(chunk_size=2)
    folders = [tmp_path / name for name in ("parts", "of_parts", "of_source")]
    for folder in folders:
        folder.mkdir()
    with database() as connection:
        edges = PartEdges(memory_share=lambda: used_mib / BUDGET, report=lambda _chunk: None)
        read = PartMaker(connection, folders[0], options, 2, None, edges).read(str(source), RejectLog())
        for number, part in enumerate(read.parts):
            index_part(connection, part, folders[1], number)
        expected = index_recipients(connection, source, folders[2], options).facts_of(ids)
    found = RecipientIndex(tuple(folders[1].iterdir()), read.recipients, 0, None).facts_of(ids)
    assert found == expected
    # a part that is a file is not written again
    linked = [path.stat().st_nlink for path in folders[1].iterdir()]
    assert set(linked) == ({2} if used_mib else {1})
    assert found.entities == {"R1": shared, "R2": shared}
    assert sorted(found.rows) == ["R1", "R2", "R3", "R4"]
