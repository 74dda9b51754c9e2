"""Saved Runs found again by their names: the newest, and the base that a Run was measured beside."""

from __future__ import annotations

import re
from pathlib import Path

from sbir_gate.errors import InputError
from sbir_gate.model.companions import Companions, companions_of
from sbir_gate.model.run import Run
from sbir_gate.storing.documents import load_run

_NAME = re.compile(r"(?P<time>\d{8}T\d{6}Z)(-(?P<number>\d{1,9}))?\.json", re.ASCII)


def run_order(path: Path) -> tuple[str, int] | None:
    """Return by what saved Runs are in order, from the name: the second, and which of that second it is.

    The first of a second has no number in its name. None for the name of anything else.
    """
    found = _NAME.fullmatch(path.name)
    return (found["time"], int(found["number"] or 1)) if found else None


def latest_run_path(reports_folder: Path) -> Path:
    """Return the newest saved Run. Raises InputError if there is none."""
    folder = reports_folder / "benchmarks"
    saved = [(order, path) for path in folder.glob("*.json") if (order := run_order(path))]
    if not saved:
        raise InputError(
            f"{folder}: there is no saved Run",
            "measure one with 'sbir-gate run', or name a file",
        )
    return max(saved)[1]


def load_companions(path: Path, run: Run) -> Companions:
    """Return the Runs that the Run in the file was measured beside.

    All bear the name of the same second in the same folder, and head was saved last. None if the Run was
    measured alone, or is the base itself, or if they are not there any more. Raises DocumentError for a
    damaged document that might be one of them.
    """
    own = run_order(path)
    if not run.session or run.fixture.commit or not own:
        return Companions()
    ordered = ((run_order(other), other) for other in path.parent.glob(f"{own[0]}*.json"))
    earlier = sorted(((order, other) for order, other in ordered if order and order < own), reverse=True)
    return companions_of(run, [load_run(other) for _, other in earlier])
