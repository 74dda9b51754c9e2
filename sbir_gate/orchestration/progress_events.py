"""Progress of a long step as events that can be seen while it runs: few of them, for each is written down."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC

import dagster as dg

from sbir_gate.orchestration.facts import PROGRESS_NAMES, Metadata, progress_facts
from sbir_gate.progress import ChunkProgress

Log = Callable[[dg.AssetObservation], None]
Say = Callable[[str], None]

_NOTHING = ChunkProgress("", 0, 0, 0, 0.0, 0.0, 0, is_resumable=False)


class ProgressEvents:
    """Observes an asset after a chunk of it or when a stage begins, at most once in `least_seconds`.

    What an interrupted run left is an event of its own, whatever the time. `last` is the last known state.
    Each event is a line of the log as well, by `say`.
    """

    def __init__(
        self,
        log: Log,
        say: Say,
        asset_key: dg.AssetKey,
        partition: str | None,
        least_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._say = say
        self._asset_key = asset_key
        self._partition = partition
        self._least_seconds = least_seconds
        self._clock = clock
        self._started = clock()
        self._told = float("-inf")
        self.last = _NOTHING
        self.events = 0
        self.reused = 0

    def chunk(self, chunk: ChunkProgress) -> None:
        """Take note of a chunk."""
        self.last = chunk
        if chunk.records_reused and not chunk.seconds:
            self.reused = chunk.records_reused
            self._note(
                "recovery",
                f"recovered: {chunk.chunks} finished chunks ({chunk.records_reused:,} recipients) of an"
                " interrupted run are reused",
            )
        elif self._is_due():
            self._note("progress", chunk_line(chunk))

    def stage(
        self,
        stage: str,
        records: int,
        share: float | None,
        remark: str = "",
        seconds_left: float | None = None,
    ) -> None:
        """Take note of a stage that begins, or log a message; records and shares come with the chunks."""
        if records or share is not None:
            return
        if seconds_left is None:
            self._say(f"{stage} {remark}".strip())
            return
        self.last = replace(self.last, stage=stage, seconds_left=seconds_left)
        if self._is_due():
            self._note("stage", ", ".join([stage, *_outlook(self.last)]))

    def finished(self) -> Metadata:
        """Return how the step went, under the names that its events had."""
        facts = progress_facts(replace(self.last, seconds_left=0.0), self._clock() - self._started)
        return {
            **{name: facts[name] for name in PROGRESS_NAMES},
            "chunks": facts["chunk"],
            "progress_events": dg.MetadataValue.int(self.events),
            "records_reused": dg.MetadataValue.int(self.reused),
        }

    def waiting(self, holder: str) -> None:
        """Report that another process is at work on the asset, and is waited for."""
        words = f"process {holder} is at work on this asset: waiting for it to end"
        self._note("waiting", words, {"process": dg.MetadataValue.text(holder)})

    def _is_due(self) -> bool:
        moment = self._clock()
        if moment - self._told < self._least_seconds:
            return False
        self._told = moment
        return True

    def _note(self, kind: str, words: str, more: Metadata | None = None) -> None:
        self.events += 1
        self._say(words)
        facts = progress_facts(self.last, self._clock() - self._started)
        self._log(
            dg.AssetObservation(
                self._asset_key,
                description=words,
                partition=self._partition,
                metadata={"kind": dg.MetadataValue.text(kind), **facts, **(more or {})},
            )
        )


def chunk_line(chunk: ChunkProgress) -> str:
    """Return how far the recipients are read, as one line of a log.

    >>> from datetime import datetime
    >>> noon = datetime(2026, 1, 31, 12, 3, 11, tzinfo=UTC)
    >>> chunk_line(ChunkProgress("recipients", 27, 270_000, 0, 0.9, 62.8, 10_000, True, noon, 48.2))
    '270,000 of 300,000 recipients, chunk 27, 4,299/s, 48 s left, checkpoint 12:03:11 UTC, resumable'
    """
    whole = f" of {chunk.records_in_all:,}" if chunk.records_in_all else ""
    # another run has read them all: there is no rate
    rate = [f"{chunk.records_per_second:,.0f}/s"] if chunk.seconds else []
    return ", ".join(
        [f"{chunk.records:,}{whole} recipients", f"chunk {chunk.chunks}", *rate, *_outlook(chunk)]
    )


def _outlook(chunk: ChunkProgress) -> list[str]:
    """Return the time left and what could be resumed, as far as they are known."""
    left = "time left not known yet" if chunk.seconds_left is None else f"{chunk.seconds_left:,.0f} s left"
    if chunk.checkpoint_at is None:
        return [left, "not resumable"]
    return [left, f"checkpoint {chunk.checkpoint_at.astimezone(UTC):%H:%M:%S} UTC", "resumable"]
