"""How far a long run is: what is reported after each chunk, and the file that others can look at."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sbir_gate.files import save_text


class Progress(Protocol):
    """Called with the stage, its number of records, the share (0..1) of all if known, and a remark.

    `seconds_left` are those until everything is done, not the stage alone; None if unknown.
    """

    def __call__(
        self,
        stage: str,
        records: int,
        share: float | None,
        remark: str = "",
        seconds_left: float | None = None,
    ) -> None:
        """Take note of it; called often."""


FORMAT_VERSION = 1
_LEAST_SECONDS = 1.0
# of an estimated number; more would look counted
_ESTIMATED_DIGITS = 3
# an engine that writes the file of this name reports its progress by it (docs/engine-contract.md)
PROGRESS_VARIABLE = "SBIR_GATE_PROGRESS_FILE"


@dataclass(frozen=True, slots=True)
class ChunkProgress:
    """How far an enrichment is after a chunk of the recipients, or when a later stage begins.

    `records` counts those of an earlier run too (`records_reused`), `share` is 0..1 of the source,
    `seconds` are those of this run. `is_resumable` says that what is done now survives the process,
    `checkpoint_at` when the last chunk was kept. `seconds_left` are those until everything is done, None
    if unknown.
    """

    stage: str
    chunks: int
    records: int
    records_reused: int
    share: float
    seconds: float
    chunk_size: int
    is_resumable: bool
    checkpoint_at: datetime | None = None
    seconds_left: float | None = None

    @property
    def records_per_second(self) -> float:
        """The rate of this run; 0.0 before any time has passed."""
        return (self.records - self.records_reused) / self.seconds if self.seconds > 0 else 0.0

    @property
    def records_in_all(self) -> int | None:
        """What the source holds: an estimate of three digits by the share that was read; None if unknown."""
        if self.share <= 0:
            return None
        estimate = round(self.records / self.share)
        if self.share < 1:
            estimate = round(estimate, _ESTIMATED_DIGITS - len(str(estimate)))
        return max(estimate, self.records)


class Pulse:
    """Knows when progress was made last, and touches the file that shows it to a launcher if there is one."""

    def __init__(
        self, environment: Mapping[str, str] = os.environ, clock: Callable[[], float] = time.monotonic
    ) -> None:
        name = environment.get(PROGRESS_VARIABLE)
        self._file = Path(name) if name else None
        self._clock = clock
        self._last = clock()
        self._touched = float("-inf")

    def beat(self) -> None:
        """Take note that a chunk, a stage or a part of one was finished."""
        self._last = self._clock()
        if self._file is not None and self._last - self._touched >= _LEAST_SECONDS:
            self._touched = self._last
            with suppress(OSError):  # whoever watches it sees no progress then
                self._file.touch()

    def idle_seconds(self) -> float:
        """Return the time since progress was made."""
        return self._clock() - self._last


class ProgressFile:
    """Keeps `<folder>/<id>.json` up to date, once a second and at the end; without a folder nothing."""

    def __init__(
        self, folder: Path | None, identity: str, clock: Callable[[], float], now: Callable[[], datetime]
    ) -> None:
        self._path = folder / f"{identity}.json" if folder is not None else None
        self._identity = identity
        self._clock = clock
        self._now = now
        self._written = float("-inf")
        self._last: ChunkProgress | None = None

    def report(self, progress: ChunkProgress) -> None:
        """Write how far the run is, unless that was done within the last second in the same stage."""
        is_new = self._last is None or self._last.stage != progress.stage
        self._last = progress
        if is_new or self._clock() - self._written >= _LEAST_SECONDS:
            self._write("running")

    def finish(self, state: str) -> None:
        """Write how the run ended: `finished`, `failed` or `interrupted`."""
        if self._last is not None and state == "finished":
            self._last = replace(self._last, seconds_left=0.0)
        self._write(state)

    def _write(self, state: str) -> None:
        if self._path is None:
            return
        self._written = self._clock()
        last = self._last
        document = {
            "format_version": FORMAT_VERSION,
            "id": self._identity,
            "state": state,
            "at": self._now().astimezone(UTC).isoformat(timespec="seconds"),
            **(
                asdict(last)
                | {
                    "records_per_second": round(last.records_per_second, 1),
                    "seconds_left": None if last.seconds_left is None else round(last.seconds_left, 1),
                    "checkpoint": last.chunks if last.is_resumable else 0,
                    "checkpoint_at": last.checkpoint_at
                    and last.checkpoint_at.astimezone(UTC).isoformat(timespec="seconds"),
                }
                if last
                else {}
            ),
        }
        save_text(self._path, json.dumps(document, indent=1) + "\n")
