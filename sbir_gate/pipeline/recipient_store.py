"""Recipients read once for all award years: their parts, known by content, used by any number of runs."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.engine.linking import LinkRequest, files_of, keep_recipients
from sbir_gate.engine.recipient_parts import fingerprint, parts_key
from sbir_gate.engine.tracking import ChunkWatch
from sbir_gate.errors import OutputError
from sbir_gate.files import read_file, unwritable, write_whole
from sbir_gate.locks import in_use
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.pipeline.asset_files import AssetFiles
from sbir_gate.pipeline.places import LOCK_NAME, remove_old
from sbir_gate.progress import Progress
from sbir_gate.reading.sources import source_digest
from sbir_gate.settings.reading import reading_options, work_folder
from sbir_gate.settings.schema import Settings
from sbir_gate.time_left import INDEX, QUALITY, WRITE

# of how many states of the recipients the parts stay: this one, and one for a set of assets that has another
_STATES = 2
_NAME_DIGITS = 16
_DIGEST = re.compile("[0-9a-f]{64}")
_MOST_BYTES = 1_000
_HINT = "name a folder that you may write to in orchestration.folder"

Alone = Callable[[Path], AbstractContextManager[None]]
"""Holds a lock file while the block runs; others wait."""


@dataclass(frozen=True, slots=True)
class StoredRecipients:
    """The folder of the parts, whether this run read them, and the seconds that it took."""

    folder: Path
    is_new: bool
    seconds: float


def recipients_digest(settings: Settings, assets: AssetFiles) -> str:
    """Return the SHA-256 over the bytes of the recipients, which are read once for each state of their files.

    Raises InputError where they cannot be read.
    """
    source = str(settings.fixtures.recipients)
    states = " ".join(fingerprint(path) for path in files_of([source], settings))
    kept = assets.folder / "digests" / f"{_sha256(source)[:_NAME_DIGITS]}.txt"
    with suppress(OSError):
        state, _, known = read_file(kept, _MOST_BYTES).decode(errors="replace").strip().partition(" ")
        if state == _sha256(states) and _DIGEST.fullmatch(known):
            return known
    digest = source_digest(source, reading_options(settings))
    with suppress(OutputError):  # then they are read again next time
        write_whole(kept, f"{_sha256(states)} {digest}\n".encode(), may_replace=True)
    return digest


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def chunk_folder(settings: Settings, assets: AssetFiles) -> Path:
    """Return where a run over all awards keeps its finished chunks of the recipients, by their content.

    Raises InputError where the recipients cannot be read.
    """
    return _folder(settings, assets, "chunks")


@contextmanager
def stored_recipients(
    settings: Settings,
    assets: AssetFiles,
    alone: Alone,
    awards: int,
    progress: Progress,
    watch: ChunkWatch,
    *,
    is_resuming: bool = True,
) -> Iterator[StoredRecipients]:
    """Give the recipients' parts in a folder that all years share, and keep them while the block runs.

    The first run reads them, alone; those that follow find them. Parts of older states of the recipients
    that no run uses are removed. Raises as `keep_recipients` does.
    """
    folder = _folder(settings, assets, "recipients")
    request = LinkRequest(
        "",
        str(settings.fixtures.recipients),
        chunks=folder,
        is_resuming=is_resuming,
        later_stages=(INDEX, WRITE, QUALITY),
    )
    monitor = PerformanceMonitor()
    with ExitStack() as stack:
        with alone(folder.with_suffix(".lock")):
            stack.enter_context(_used(folder))
            is_new = keep_recipients(request, settings, awards, monitor, progress, watch)
        remove_old(folder.parent, _STATES, {folder})
        yield StoredRecipients(folder, is_new, sum(stage.wall_seconds for stage in monitor.stages()))


@contextmanager
def _used(folder: Path) -> Iterator[None]:
    """Make the folder, and keep it from being removed while the block runs."""
    lock = folder / LOCK_NAME
    with ExitStack() as stack:
        try:
            while True:
                folder.mkdir(parents=True, exist_ok=True)
                lock.touch()
                os.utime(folder)  # it counts as the newest
                stack.enter_context(in_use(lock))
                if lock.exists():
                    break  # it was not removed in between
        except OSError as error:
            raise unwritable(folder, error, _HINT) from error
        yield


def _folder(settings: Settings, assets: AssetFiles, name: str) -> Path:
    key = parts_key(files_of([str(settings.fixtures.recipients)], settings), reading_options(settings))
    return (work_folder(settings) or assets.folder) / name / key[:_NAME_DIGITS]
