"""Progress of a long step as events that can be seen while it runs: few of them, for each is written down."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import dagster as dg

from sbir_gate.orchestration.facts import progress_facts
from sbir_gate.progress import ChunkProgress

Log = Callable[[dg.AssetObservation], None]


class ProgressEvents:
    """Observes an asset after a chunk of it or when a stage begins, at most once in `least_seconds`.

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
        if self._is_due():
            self._observe(
                chunk, f"{chunk.records:,} records in {chunk.chunks} chunks, {chunk.share:.0%}", "progress"
            )

    def stage(self, name: str) -> None:
        """Say which stage begins; how long it takes is not known before."""
        if self._is_due():
            self._note(name, {"kind": "stage", "stage": name})

    def waiting(self, holder: str) -> None:
        """Say that another process is at work on the asset, and is waited for."""
        words = f"process {holder} is at work on this asset: waiting for it to end"
        self._note(words, {"kind": "waiting", "process": holder})

    def _is_due(self) -> bool:
        moment = self._clock()
        if moment - self._told < self._least_seconds:
            return False
        self._told = moment
        return True

    def _observe(self, chunk: ChunkProgress, words: str, kind: str) -> None:
        self._note(words, {"kind": kind, **progress_facts(chunk, self._now())})

    def _note(self, words: str, metadata: Mapping[str, str | dg.MetadataValue]) -> None:
        self.events += 1
        self._log(
            dg.AssetObservation(
                self._asset_key, description=words, partition=self._partition, metadata=metadata
            )
        )
