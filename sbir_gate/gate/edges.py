"""What the main job needs of the world: the clock, processes, the machine, and git here."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sbir_gate.gate.measuring.benchmark import Calibrate, Launch
from sbir_gate.gate.measuring.machine import describe_machine, time_calibration
from sbir_gate.gate.measuring.own_code import own_code_kept
from sbir_gate.gate.measuring.process import run_process
from sbir_gate.gate.measuring.source import GIT_SECONDS, describe_source, describe_tags
from sbir_gate.gate.storing.git import Git
from sbir_gate.model.run import Machine, Source


@dataclass(frozen=True, slots=True)
class Edges:
    """What the main job needs of the world; tests pass fakes.

    Engines run within `keep_code`, which raises an error if they changed the code of the gate.
    """

    now: Callable[[], datetime]
    launch: Launch
    calibrate: Calibrate
    machine: Callable[[], Machine]
    source: Callable[[], Source]
    clock: Callable[[], float] = time.monotonic
    new_session: Callable[[], str] = lambda: uuid4().hex
    tags: Callable[[], tuple[str, ...]] = tuple
    keep_code: Callable[[], AbstractContextManager[None]] = nullcontext


def real_edges() -> Edges:
    """Return the edges of this machine and of the repository one stands in."""
    return Edges(
        now=lambda: datetime.now(UTC),
        launch=run_process,
        calibrate=time_calibration,
        machine=describe_machine,
        source=lambda: describe_source(Git(Path.cwd(), timeout_seconds=GIT_SECONDS)),
        tags=lambda: describe_tags(Git(Path.cwd(), timeout_seconds=GIT_SECONDS)),
        keep_code=own_code_kept,
    )
