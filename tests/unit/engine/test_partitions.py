"""What workers read, search and score: done anywhere, twice or in any order, the rows are the same."""

import random
from functools import partial

import duckdb
import pytest
from threadpoolctl import threadpool_info

from sbir_gate.engine import worker_tasks
from sbir_gate.engine.matching.candidates import create_pairs
from sbir_gate.engine.matching.checkpoints import MatchingCheckpoints
from sbir_gate.engine.matching.confidence import default_model
from sbir_gate.engine.matching.firms import create_firms, create_queries
from sbir_gate.engine.matching.ledger import ChunkFolder, FinishedChunk
from sbir_gate.engine.matching.parts import gather_rows, open_parts
from sbir_gate.engine.matching.query_parts import Scoring, score_queries
from sbir_gate.engine.matching.scoring import prepare_scoring
from sbir_gate.engine.partitions import Reading, SharedFolder, SpreadBatches, read_partitions, score_on
from sbir_gate.engine.worker_tasks import unseen_files, worker_facts
from sbir_gate.errors import InputError
from sbir_gate.model.chunks import Chunk, Span
from sbir_gate.model.matches import Method
from sbir_gate.reading.database import DatabaseOptions
from sbir_gate.reading.files import FileKind, SourceFile
from sbir_gate.reading.recipients import Piece, cut_recipients
from sbir_gate.reading.rejects import RejectLog
from tests.factories_matching import Award, Recipient, database, load_awards, load_recipients
from tests.step_options import blocking_options, reading_options

ROWS = 6_000


class ShakyWorkers:
    """Does the tasks in an order of its own, and some twice, as after the loss of a worker."""

    def __init__(self, threads=1):
        self.draw = random.Random(3)
        self.tasks = []
        self.options = DatabaseOptions(256, threads)

    def run(self, function, tasks):
        tasks = list(tasks)
        self.tasks += tasks
        self.draw.shuffle(tasks)
        for number, task in enumerate(tasks):
            if number % 2:
                function(task, self.options)
            yield task, function(task, self.options)


@pytest.fixture
def source(tmp_path):
    """Write three row groups of Parquet."""
    path = tmp_path / "recipients.parquet"
    duckdb.sql(
        "SELECT 'R' || i AS recipient_id, 'ACME ' || i AS recipient_name, 'MA' AS recipient_state_code"
        " FROM range($rows) rows(i)",
        params={"rows": ROWS},
    ).write_parquet(str(path), row_group_size=2_048)
    return path


def read(source, folder, workers, finished=(), rejects=None, told=None):
    """Return the recipients that workers read, and what was read."""
    chunks = ChunkFolder(folder, folder / "scratch")
    chunks.scratch.mkdir(parents=True, exist_ok=True)
    options = reading_options(chunk_size=2_048, max_reject_percent=50.0)
    report = (told if told is not None else []).append
    reading = Reading(str(source), folder, options, 2_048, rejects or RejectLog(), report, lambda: 1.0)
    with database() as connection:
        found = read_partitions(workers, connection, SharedFolder(chunks, finished, True), reading)
        open_parts(connection, found.parts)
        rows = connection.execute("SELECT recipient_id, normal FROM recipients ORDER BY ALL").fetchall()
    return rows, found


def test_pieces_of_parquet_are_read_apart_and_are_the_whole(source, tmp_path):
    told = []
    rows, found = read(source, tmp_path / "parts", ShakyWorkers(), told=told)
    assert rows == sorted((f"R{number}", f"ACME {number}") for number in range(ROWS))
    assert found.recipients == ROWS
    assert found.account.read == ROWS
    assert [chunk.records for chunk in told] == sorted(chunk.records for chunk in told)
    assert told[-1].share == 1.0


@pytest.mark.slow
def test_what_is_finished_is_not_read_again_wherever_it_was_cut(source, tmp_path):
    whole, found = read(source, tmp_path / "parts", ShakyWorkers())
    entries = [FinishedChunk(chunk_of(part), part.path) for part in found.parts]
    kept = (entries[1], entries[2])
    workers = ShakyWorkers()
    rows, again = read(source, tmp_path / "more", workers, kept)
    assert rows == whole
    assert again.reused == sum(done.chunk.kept for done in kept)
    assert again.notes["resumed"] == f"2 of {len(again.parts)} chunks were there already"
    assert len(workers.tasks) == 1
    assert len(cut(source)) == 3


def chunk_of(part):
    start = int(part.path.stem.split("-")[-2])
    return Chunk(0, Span(start, start + part.recipients), part.recipients, part.recipients)


def cut(source):
    with duckdb.connect() as connection:
        return cut_recipients(connection, source, reading_options(chunk_size=2_048))


def test_a_finished_chunk_over_the_edge_of_a_piece_is_passed_over_on_both_sides():
    piece = Piece(0, SourceFile("f.parquet", FileKind.PARQUET), Span(100, 200), 1)
    across = [
        Chunk(0, Span(50, 120), 70, 70),
        Chunk(0, Span(190, 300), 110, 110),
        Chunk(1, Span(100, 200), 9, 9),
    ]
    spans = piece.passed_over(across)
    assert spans[:3] == [Span(0, 100), Span(100, 120), Span(190, 200)]
    assert spans[3].start == 200
    assert piece.to_read(across)
    assert not piece.to_read([Chunk(0, Span(0, 1_000), 1, 1)])


def test_rejects_are_told_in_the_order_of_the_files(tmp_path):
    folder = tmp_path / "recipients"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.csv").write_text(f"recipient_id,recipient_name\n{name},ACME\n1,2,3\n")
    rejects = RejectLog()
    rows, found = read(folder, tmp_path / "parts", ShakyWorkers(), rejects=rejects)
    assert [name for name, _ in rows] == ["a", "b"]
    assert [reject.file for reject in rejects.first] == [str(folder / "a.csv"), str(folder / "b.csv")]
    assert (found.account.read, rejects.count) == (4, 2)


def test_what_one_worker_cannot_read_ends_all(tmp_path):
    path = tmp_path / "recipients.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match=r"recipients\.parquet"):
        read(path, tmp_path / "parts", ShakyWorkers())


def test_rows_are_found_in_batches_with_the_tables_that_the_query_names(source, tmp_path):
    workers = ShakyWorkers()
    with database() as connection:
        _, found = read(source, tmp_path / "parts", workers)
        batches = SpreadBatches(workers, connection, found.parts, tmp_path / "parts" / "scratch")
        connection.execute(
            "CREATE TEMP TABLE wanted AS SELECT 'R' || i AS recipient_id FROM range(5, 8) rows(i)"
        )
        gather_rows(
            connection,
            "seen",
            lambda batch: f"FROM {batch} SEMI JOIN wanted USING (recipient_id) SELECT recipient_id, compact",
            batches,
            ("wanted",),
        )
        rows = connection.execute("FROM seen ORDER BY ALL").fetchall()
    assert rows == [("R5", "ACME5"), ("R6", "ACME6"), ("R7", "ACME7")]
    assert list((tmp_path / "parts" / "scratch").iterdir()) == []


@pytest.fixture
def scored(tmp_path):
    """The database with the pairs of 12 queries, on one thread, and what holds for all of them."""
    awards = [Award(f"A{number}", f"Xyl{number}antra Optics", state="MA") for number in range(12)]
    recipients = [
        Recipient(f"R{number}", f"XYL{number % 9}ANTRA OPTICS INC", state="MA") for number in range(40)
    ]
    with database() as connection:
        load_awards(connection, awards)
        load_recipients(connection, recipients, tmp_path)
        create_firms(connection)
        create_queries(connection, "firms")
        create_pairs(connection, blocking_options())
        yield connection, Scoring(prepare_scoring(connection), default_model(), tuple(Method), 0.0)


@pytest.mark.parametrize("threads", [1, 2])
def test_workers_find_in_parts_of_the_queries_what_one_process_finds(scored, tmp_path, threads):
    connection, scoring = scored
    workers, advanced = ShakyWorkers(threads), []
    folder = tmp_path / "shared"
    folder.mkdir()
    found = score_queries(
        connection, scoring, lambda: advanced.append(1), 5, score=partial(score_on, workers, folder)
    )
    assert found == score_queries(connection, scoring)
    assert len(found) == 12
    assert len(workers.tasks) == len(advanced) == 3
    assert list(folder.iterdir()) == []


def test_a_part_that_workers_finished_is_done_by_nobody_again(scored, tmp_path):
    connection, scoring = scored
    folder = tmp_path / "shared"
    folder.mkdir()

    def score(workers):
        kept = MatchingCheckpoints(ChunkFolder(folder, folder), {})
        return score_queries(
            connection, scoring, queries_at_once=5, checkpoints=kept, score=partial(score_on, workers, folder)
        )

    class Interrupted(ShakyWorkers):
        def run(self, function, tasks):
            for number, done in enumerate(super().run(function, tasks)):
                if number == 2:
                    raise KeyboardInterrupt
                yield done

    with pytest.raises(KeyboardInterrupt):
        score(Interrupted())
    workers = ShakyWorkers()
    assert score(workers) == score_queries(connection, scoring)
    assert len(workers.tasks) == 1
    idle = ShakyWorkers()
    assert score(idle) == score_queries(connection, scoring)
    assert idle.tasks == []


def test_a_worker_computes_confidences_on_one_thread(scored, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        worker_tasks,
        "score_queries",
        lambda *_: seen.extend(
            pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"
        ),
    )
    connection, scoring = scored
    dict(score_on(ShakyWorkers(), tmp_path, connection, scoring, ["true"]))
    assert set(seen) == {1}


def test_a_worker_says_which_files_are_not_here_as_they_should_be(source, tmp_path):
    size = source.stat().st_size
    files = [(source, size), (source, size + 1), (tmp_path / "gone", 0)]
    assert unseen_files(files) == [source, tmp_path / "gone"]


def test_the_facts_of_a_worker_are_those_of_its_code():
    assert worker_facts() == worker_facts()
    assert "with DuckDB" in str(worker_facts())
