"""Runs that were measured side by side, found again among the saved ones."""

from __future__ import annotations

import re
from pathlib import Path

from sbir_gate.model.run import Run
from sbir_gate.storing.documents import load_run

_NAME = re.compile(r"(?P<time>\d{8}T\d{6}Z)(-(?P<number>\d+))?")


def load_base_of(path: Path, run: Run) -> Run | None:
    """Return the Run that the Run in the file was measured beside, as its base.

    Both bear the name of the same second in the same folder, and the base was saved before head. None if
    the Run was measured alone, or is the base itself, or if its base is not there any more. Raises
    DocumentError for a damaged document that might be the one.
    """
    found = _NAME.fullmatch(path.stem)
    if not run.session or not found:
        return None
    earlier = [other for other in path.parent.glob(f"{found['time']}*.json") if _is_before(other, path)]
    candidates = (load_run(other) for other in sorted(earlier, key=_number, reverse=True))
    return next((other for other in candidates if other.session == run.session), None)


def _is_before(other: Path, path: Path) -> bool:
    return _NAME.fullmatch(other.stem) is not None and _number(other) < _number(path)


def _number(path: Path) -> int:
    """Return which document of its second it is: the first has no number in its name."""
    found = _NAME.fullmatch(path.stem)
    return int(found["number"] or 1) if found else 0
