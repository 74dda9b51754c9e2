from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg

from sbir_gate.orchestration.progress_events import ProgressEvents
from sbir_gate.progress import ChunkProgress

NOON = datetime(2026, 1, 31, 12, 3, 11, tzinfo=UTC)
CHUNK = ChunkProgress(
    "recipients",
    chunks=2,
    records=500,
    records_reused=0,
    share=0.25,
    seconds=5.0,
    chunk_size=250,
    is_resumable=True,
    checkpoint_at=NOON,
    seconds_left=45.0,
)
NAMES = {
    "progress_records_processed",
    "progress_checkpoint",
    "progress_resumable",
    "estimated_time_remaining",
}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Seen:
    """What was observed and logged; `at` moves the clock."""

    def __init__(self, least_seconds=1.0):
        self.observed, self.lines, self.clock = [], [], Clock()
        self.events = ProgressEvents(
            self.observed.append,
            self.lines.append,
            dg.AssetKey("enriched"),
            "2013",
            least_seconds,
            self.clock,
        )

    def at(self, seconds):
        self.clock.now = seconds
        return self.events

    def plain(self):
        return [{name: value.value for name, value in each.metadata.items()} for each in self.observed]


def test_an_event_says_how_far_the_whole_step_is():
    seen = Seen()
    seen.at(5.0).chunk(CHUNK)
    (observation,) = seen.observed
    assert (observation.asset_key, observation.partition) == (dg.AssetKey("enriched"), "2013")
    line = "500 of 2,000 recipients, chunk 2, 100/s, 45 s left, checkpoint 12:03:11 UTC, resumable"
    assert observation.description == line
    assert seen.lines == [line]
    assert seen.plain() == [
        {
            "kind": "progress",
            "stage": "recipients",
            "progress_records_processed": 500,
            "progress_checkpoint": NOON.timestamp(),
            "progress_resumable": True,
            "estimated_time_remaining": 45.0,
            "records_reused": 0.0,
            "records_expected": 2000.0,
            "records_per_second": 100.0,
            "percent": 10.0,
            "chunk_size": 250.0,
            "chunk": 2,
        }
    ]


def test_there_are_no_more_events_than_one_in_so_many_seconds():
    seen = Seen(least_seconds=2)
    for moment in (0.0, 0.5, 1.9, 2.0, 3.9, 4.1):
        seen.at(moment).chunk(CHUNK)
    assert len(seen.observed) == len(seen.lines) == seen.events.events == 3


def test_a_stage_that_begins_is_reported_within_the_same_bound():
    seen = Seen(least_seconds=2)
    seen.at(0.0).chunk(CHUNK)
    seen.at(1.0).stage("matching: firms", 0, None, "", 30.0)
    seen.at(2.5).stage("matching: candidates", 0, None, "", 28.2)
    assert [each["stage"] for each in seen.plain()] == ["recipients", "matching: candidates"]
    assert seen.lines[1:] == ["matching: candidates, 28 s left, checkpoint 12:03:11 UTC, resumable"]


def test_every_event_has_the_four_names_whatever_is_known():
    seen = Seen()
    seen.at(0.0).waiting("4711")
    seen.at(1.0).chunk(replace(CHUNK, records_reused=500, seconds=0.0, share=0.0, seconds_left=None))
    seen.at(2.0).chunk(replace(CHUNK, is_resumable=False, checkpoint_at=None))
    seen.at(4.0).stage("write", 0, None, "", 3.0)
    kinds = [each["kind"] for each in seen.plain()]
    assert kinds == ["waiting", "recovery", "progress", "stage"]
    assert all(each.keys() >= NAMES for each in seen.plain())
    assert [each["estimated_time_remaining"] for each in seen.plain()] == [None, None, 45.0, 3.0]
    assert seen.plain()[2]["progress_checkpoint"] is None
    assert seen.lines[2].endswith("45 s left, not resumable")


def test_the_materialisation_has_the_same_names():
    seen = Seen()
    seen.at(0.0).chunk(CHUNK)
    known = {name: value.value for name, value in seen.events.finished().items()}
    assert known == {
        "progress_records_processed": 500,
        "progress_checkpoint": NOON.timestamp(),
        "progress_resumable": True,
        "estimated_time_remaining": 0.0,
        "chunks": 2,
        "progress_events": 1,
        "records_reused": 0,
    }


def test_a_message_is_logged_and_is_no_event():
    seen = Seen()
    seen.at(0.0).stage("2 damaged chunks are done again", 0, None)
    assert (seen.lines, seen.observed) == (["2 damaged chunks are done again"], [])


def test_what_an_interrupted_run_left_is_reported_whatever_the_time():
    seen = Seen(least_seconds=60)
    seen.at(0.0).chunk(replace(CHUNK, records_reused=500, seconds=0.0, share=0.0))
    seen.at(1.0).chunk(replace(CHUNK, records=750, records_reused=500, chunks=3))
    assert [each["kind"] for each in seen.plain()] == ["recovery", "progress"]
    assert seen.lines[0] == ("recovered: 2 finished chunks (500 recipients) of an interrupted run are reused")
    assert seen.events.reused == 500


def test_who_is_waited_for_is_reported():
    seen = Seen()
    seen.at(0.0).waiting("4711")
    assert (seen.plain()[0]["kind"], seen.plain()[0]["process"]) == ("waiting", "4711")
