"""Progress of a long step as events that can be seen while it runs: few of them, for each is written down."""

from __future__ import annotations

import time
from collections.abc import Callable

import dagster as dg

from sbir_gate.orchestration.facts import progress_facts
from sbir_gate.pipeline.progress import ChunkProgress

Log = Callable[[dg.AssetObservation], None]


class ProgressEvents:
    """Observes an asset after a chunk of it, at most once in `least_seconds`.

    What an interrupted run left is an event of its own, whatever the time. `reused` are its records.
    """

    def __init__(
        self,
        log: Log,
        asset_key: dg.AssetKey,
        partition: str | None,
        least_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._log = log
        self._asset_key = asset_key
        self._partition = partition
        self._least_seconds = least_seconds
        self._clock = clock
        self._now = now
        self._told = float("-inf")
        self.events = 0
        self.reused = 0

    def __call__(self, chunk: ChunkProgress) -> None:
        """Take note of a chunk."""
        if chunk.records_reused and not chunk.seconds:
            self.reused = chunk.records_reused
            self._observe(
                chunk,
                f"recovered: {chunk.chunks} finished chunks ({chunk.records_reused:,} records) of an"
                " interrupted run are reused",
                "recovery",
            )
            return
        moment = self._clock()
        if moment - self._told >= self._least_seconds:
            self._told = moment
            self._observe(
                chunk, f"{chunk.records:,} records in {chunk.chunks} chunks, {chunk.share:.0%}", "progress"
            )

    def waiting(self, holder: str) -> None:
        """Say that another process is at work on the asset, and is waited for."""
        self.events += 1
        self._log(
            dg.AssetObservation(
                self._asset_key,
                description=f"process {holder} is at work on this asset: waiting for it to end",
                partition=self._partition,
                metadata={"kind": "waiting", "process": holder},
            )
        )

    def _observe(self, chunk: ChunkProgress, words: str, kind: str) -> None:
        self.events += 1
        self._log(
            dg.AssetObservation(
                self._asset_key,
                description=words,
                partition=self._partition,
                metadata={"kind": kind, **progress_facts(chunk, self._now())},
            )
        )
