from dataclasses import replace

import dagster as dg

from sbir_gate.orchestration.progress_events import ProgressEvents
from sbir_gate.progress import ChunkProgress

CHUNK = ChunkProgress("recipients", 2, 500, 0, 0.25, 5.0, 250, is_resumable=True)


def events(least_seconds, *moments):
    seen: list[dg.AssetObservation] = []
    times = iter(moments)
    return seen, ProgressEvents(
        seen.append,
        dg.AssetKey("enriched"),
        "2013",
        least_seconds,
        lambda: next(times),
        lambda: 1_700_000_000.0,
    )


def plain(observation):
    return {name: value.value for name, value in observation.metadata.items()}


def test_an_event_says_how_far_the_step_is():
    seen, tell = events(1, 0)
    tell(CHUNK)
    (observation,) = seen
    assert (observation.asset_key, observation.partition) == (dg.AssetKey("enriched"), "2013")
    assert observation.description == "500 records in 2 chunks, 25%"
    assert plain(observation) == {
        "kind": "progress",
        "records_processed": 500.0,
        "records_reused": 0.0,
        "percent": 25.0,
        "records_per_second": 100.0,
        "seconds_left": 15.0,
        "chunk_size": 250.0,
        "chunk": 2,
        "is_resumable": True,
        "checkpoint_at": 1_700_000_000.0,
    }


def test_there_are_no_more_events_than_one_in_so_many_seconds():
    seen, tell = events(2, 0.0, 0.5, 1.9, 2.0, 3.9, 4.1)
    for _ in range(6):
        tell(CHUNK)
    assert len(seen) == tell.events == 3


def test_a_stage_that_begins_is_told_within_the_same_bound():
    seen, tell = events(2, 0.0, 1.0, 2.5)
    tell(CHUNK)
    tell.stage("matching: firms")
    tell.stage("matching: candidates")
    assert [plain(each) for each in seen[1:]] == [{"kind": "stage", "stage": "matching: candidates"}]
    assert seen[1].description == "matching: candidates"


def test_what_is_not_kept_has_no_checkpoint():
    seen, tell = events(1, 0)
    tell(replace(CHUNK, is_resumable=False))
    assert "checkpoint_at" not in seen[0].metadata


def test_what_an_interrupted_run_left_is_told_whatever_the_time():
    seen, tell = events(60, 0)
    tell(replace(CHUNK, records_reused=500, seconds=0.0, share=0.0))
    tell(replace(CHUNK, records=750, records_reused=500, chunks=3))
    assert [plain(each)["kind"] for each in seen] == ["recovery", "progress"]
    assert seen[0].description == (
        "recovered: 2 finished chunks (500 records) of an interrupted run are reused"
    )
    assert tell.reused == 500


def test_who_is_waited_for_is_told():
    seen, tell = events(1)
    tell.waiting("4711")
    assert plain(seen[0]) == {"kind": "waiting", "process": "4711"}
