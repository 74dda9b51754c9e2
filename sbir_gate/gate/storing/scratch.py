"""Temporary folders of runs, and the sweep of those that killed runs left behind.

A run holds a lock in its folder for as long as it lives. A folder whose lock is free has no owner who would
remove it.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sbir_gate.locks import is_abandoned, locked

# as tempfile names them: what others keep under a similar name is not touched
_NAMES = re.compile(r"sbir-gate-(?:[a-z]+-)?[a-z0-9_]{8}")
_LOCK = ".lock"
# a folder without a lock may be in use: of an enrichment, or of an older version
_OLD_SECONDS = 7 * 24 * 3600.0


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """Make a temporary folder, locked while the block runs and removed afterwards; sweep stale ones first."""
    sweep()
    # what an enricher leaves behind that cannot be removed must not turn a verdict into a failure
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with locked(folder / _LOCK):
            yield folder


def sweep() -> None:
    """Remove the folders of this user's runs that were killed; whatever cannot be removed is left."""
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if _NAMES.fullmatch(entry.name) and _is_stale(Path(entry.path)):
                shutil.rmtree(entry.path, ignore_errors=True)


def _is_stale(folder: Path) -> bool:
    """Say whether a folder is this user's and not in use. Links are not followed."""
    try:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            return False
        with suppress(FileNotFoundError):
            return is_abandoned(folder / _LOCK)
        return time.time() - status.st_mtime > _OLD_SECONDS
    except OSError:
        return False
