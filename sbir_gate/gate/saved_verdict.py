"""A saved verdict with its Run, as publishing and announcing need it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sbir_gate.documents import load_run, load_verdict
from sbir_gate.errors import InputError
from sbir_gate.gate.conclusion import VERDICT_NAME
from sbir_gate.gate.storing.sessions import latest_run_path
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved verdict and its Run; without one where the benchmark broke."""

    folder: Path
    verdict: Verdict
    run: Run | None
    run_path: Path | None


def load_saved(folder: Path) -> Saved:
    """Return the verdict in the folder of reports, with its Run. Raises DocumentError."""
    verdict = load_verdict(folder / VERDICT_NAME)
    try:
        path = latest_run_path(folder)
    except InputError:
        return Saved(folder, verdict, None, None)
    run = load_run(path)
    if (run.gate, run.started_at) != (verdict.gate, verdict.head_started_at):
        return Saved(folder, verdict, None, None)  # an older one: this benchmark broke
    return Saved(folder, verdict, run, path)
