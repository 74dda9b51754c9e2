"""Saved Runs found again by their names: the newest, and the base that a Run was measured beside."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from sbir_gate.documents import load_run
from sbir_gate.errors import InputError
from sbir_gate.model.companions import Companions, companions_of
from sbir_gate.model.run import Run, Timing

_NAME = re.compile(r"(?P<time>\d{8}T\d{6}Z)(-(?P<number>\d{1,9}))?\.json", re.ASCII)


def run_order(path: Path) -> tuple[str, int] | None:
    """Return by what saved Runs are in order, from the name: the second, and which of that second it is.

    The first of a second has no number in its name. None for the name of anything else.
    """
    found = _NAME.fullmatch(path.name)
    return (found["time"], int(found["number"] or 1)) if found else None


def latest_run_path(reports_folder: Path) -> Path:
    """Return the newest saved Run. Raises InputError if there is none."""
    return _newest_first(reports_folder)[0]


def latest_base_path(reports_folder: Path, gate: str) -> Path:
    """Return the base that the newest Run of the gate with a base was measured beside.

    Raises InputError if there is none, DocumentError for a damaged Run before it.
    """
    paths = _newest_first(reports_folder)
    for path in paths:
        run = load_run(path)
        base = load_companions(path, run).base if run.gate == gate else None
        if base is not None:
            return next(other for other in paths_beside(path, paths) if load_run(other) == base)
    raise InputError(
        f"no Run of the gate {gate} was measured beside a base",
        "measure one with 'sbir-gate run --base', or name the file of a Run",
        path=reports_folder / "benchmarks",
    )


def latest_measured_run(reports_folder: Path) -> tuple[Path, Run]:
    """Return the newest saved Run that measured time, and its path; the newest of all if none did.

    Raises InputError if there is none, DocumentError for a damaged one before it.
    """
    paths = _newest_first(reports_folder)
    loaded = ((path, load_run(path)) for path in paths)
    found = next((each for each in loaded if each[1].timing is Timing.MEASURED), None)
    return found or (paths[0], load_run(paths[0]))


def _newest_first(reports_folder: Path) -> list[Path]:
    folder = reports_folder / "benchmarks"
    saved = [(order, path) for path in folder.glob("*.json") if (order := run_order(path))]
    if not saved:
        raise InputError(
            "there is no saved Run", "measure one with 'sbir-gate run', or name a file", path=folder
        )
    return [path for _, path in sorted(saved, reverse=True)]


def paths_beside(head: Path, paths: Iterable[Path]) -> list[Path]:
    """Return the saved Runs that may have been measured beside head, the newest first.

    All have the name of the same second in the same folder, and head was saved last.
    """
    own = run_order(head)
    ordered = ((run_order(path), path) for path in paths if path.parent == head.parent)
    found = sorted(((order, path) for order, path in ordered if order), reverse=True)
    return [path for order, path in found if own and order[0] == own[0] and order < own]


def load_companions(path: Path, run: Run) -> Companions:
    """Return the Runs that the Run in the file was measured beside.

    None if the Run was measured alone, or is the base itself, or if they are not there any more. Raises
    DocumentError for a damaged document that might be one of them.
    """
    if not run.session or run.fixture.commit:
        return Companions()
    return companions_of(run, [load_run(other) for other in paths_beside(path, path.parent.glob("*.json"))])
