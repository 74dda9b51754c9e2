"""The ledger of finished chunks: what an interrupted run need not repeat.

A folder holds, for each finished chunk, a part file and an entry that describes it. Both are written
under another name, forced to disk and renamed; the entry comes last, so a part without one is not
there. An entry holds the part's SHA-256: a damaged part is found and done again. The header has one key over
all that the parts depend on: parts with another key are removed.
On remote storage files are written whole, and the storage answers for their bytes: only the size is compared.
There is no lock there, but a part of one name always holds the same rows.
One process at a time writes. Once all chunks are there, a mark says so: any number of processes may read.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

from sbir_gate.errors import InputError, OutputError, UsageError
from sbir_gate.files import (
    files_in,
    is_there,
    place_durably,
    read_file,
    remove,
    sha256_of,
    state_of,
    write_durably,
)
from sbir_gate.locks import LockedError, locked
from sbir_gate.model.chunks import Chunk
from sbir_gate.remote_paths import StorageError, is_remote

FORMAT_VERSION = 1

_HEADER = "ledger.json"
_WHOLE = "whole.json"
_LOCK = "lock"
_SCRATCH = "scratch"
_ENTRY = "part-*.json"
_PART = re.compile(r"part-\d{4,}-\d{15}-\d{15}")

MATCHING_FILES = "matching-*"
"""Names of what is kept of the matching (`checkpoints`): it goes when the parts go."""


@validated(frozen=True, config=ConfigDict(extra="forbid"))
class _Header:
    format_version: int
    key: str


@validated(frozen=True, config=ConfigDict(extra="forbid"))
class _Entry:
    chunk: Chunk
    bytes: int
    sha256: str


@validated(frozen=True, config=ConfigDict(extra="forbid"))
class _Whole:
    key: str
    chunks: int


# an entry lists the rows of its chunk that were rejected or left out
_MAX_ENTRY_BYTES = 256 << 20
_HEADERS = TypeAdapter(_Header)
_WHOLES = TypeAdapter(_Whole)
_ENTRIES = TypeAdapter(_Entry)


@dataclass(frozen=True, slots=True)
class FinishedChunk:
    """A chunk that need not be read again, and its part file."""

    chunk: Chunk
    path: Path


class ChunkFolder:
    """Where chunks are recorded: by the process that holds the ledger, and by its workers.

    `scratch` is a folder for temporary files of one run. A worker that outlives its run finds it removed, and
    records nothing any more.
    """

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder = folder
        self.scratch = scratch

    def record(self, chunk: Chunk, write: Callable[[Path], object]) -> Path:
        """Let `write` make the part file of a chunk, enter the chunk, and return the part's path.

        Afterwards the chunk is finished. Raises OSError when it cannot be written (possibly transient;
        `unwritable` makes it a message); then the chunk counts as not done.
        """
        path = self.folder / _part_name(chunk)
        with self.work_folder() as folder:
            # two workers may make the same part, if one was taken for lost
            temporary = folder / f"{path.stem}-{uuid.uuid4().hex}.parquet"
            temporary_entry = temporary.with_suffix(".json")
            try:
                write(temporary)
                entry = _Entry(chunk, temporary.stat().st_size, sha256_of(temporary))
                write_durably(temporary_entry, _ENTRIES.dump_json(entry))
                place_durably(temporary, path)
                place_durably(temporary_entry, path.with_suffix(".json"))
            finally:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)
                    temporary_entry.unlink(missing_ok=True)
        return path

    @contextmanager
    def work_folder(self) -> Iterator[Path]:
        """Give a folder of this machine, from which files can be placed in the folder."""
        if not is_remote(self.scratch):
            yield self.scratch
            return
        with TemporaryDirectory(prefix="sbir-gate-") as folder:
            yield Path(folder)

    def unwritable(self, error: OSError) -> OutputError:
        """Return the error that chunks cannot be kept here, with a hint."""
        problem = f"the finished chunks cannot be kept ({error.strerror or error})"
        hint = "free some room, or set enrichment.work_folder to a folder that you may write to"
        if isinstance(error, StorageError):
            hint = error.hint
        return OutputError(problem, hint, path=self.folder)


class Ledger(ChunkFolder):
    """The finished chunks in one folder, held by this process until it is closed.

    `finished` are those found at the start, in the order of the source; `damaged` counts those whose
    part was not what its entry says, `is_outdated` says that parts under another key were removed.
    """

    def __init__(self, folder: Path, key: str, *, is_fresh: bool = False) -> None:
        """Open the folder, or make it; a fresh one forgets what is there.

        Raises UsageError when another process holds it or it holds other things, OutputError when it
        cannot be written.
        """
        super().__init__(folder, folder / _SCRATCH / uuid.uuid4().hex[:8])
        self._key = key
        self._is_whole = False
        self.damaged = 0
        self.is_outdated = False
        self.finished: tuple[FinishedChunk, ...] = ()
        try:
            if not is_remote(folder):
                folder.mkdir(exist_ok=True)
            self._check_content()
            with ExitStack() as stack:
                if not is_remote(folder):
                    stack.enter_context(locked(folder / _LOCK))
                self._open(key, is_fresh)
                self._lock = stack.pop_all()  # all went well: it is held until `close`
        except LockedError as error:
            problem = f"another run (process {error.holder}) is at work on the same output"
            hint = "wait for it to end, or name another --output"
            raise UsageError(problem, hint, path=folder) from error
        except OSError as error:
            raise self.unwritable(error) from error

    @property
    def has_chunks(self) -> bool:
        """Say whether there is a finished chunk by now."""
        return bool(files_named(self.folder, _ENTRY))

    @property
    def is_whole(self) -> bool:
        """Say whether all chunks of the source are there."""
        return self._is_whole

    def complete(self) -> None:
        """Mark the chunks as all of the source: they stay, for `whole_chunks`. Raises OutputError."""
        chunks = len(files_named(self.folder, _ENTRY))
        try:
            write_durably(self.folder / _WHOLE, _WHOLES.dump_json(_Whole(self._key, chunks)))
        except OSError as error:
            raise self.unwritable(error) from error
        self._is_whole = True

    def findings(self) -> list[str]:
        """Return a message on the chunks found at the start; empty if there were none."""
        found = []
        if self.is_outdated:
            found.append("chunks of an interrupted run are not used: inputs, settings or program are others")
        if self.damaged:
            found.append(f"{self.damaged} damaged chunks are done again")
        if self.finished:
            kept = sum(done.chunk.kept for done in self.finished)
            found.append(f"resuming from {len(self.finished)} finished chunks ({kept:,} recipients)")
        return found

    def _open(self, key: str, is_fresh: bool) -> None:
        with suppress(OSError):
            remove(self.folder / _SCRATCH)
        if not is_remote(self.scratch):
            self.scratch.mkdir(parents=True)
        header = self.folder / _HEADER
        if is_there(header) and (is_fresh or not _has_key(header, key)):
            self.is_outdated = self.has_chunks and not is_fresh
            self._remove_parts()
        if not is_there(header):
            self._remove_parts()
            write_durably(header, _HEADERS.dump_json(_Header(FORMAT_VERSION, key)))
        self.finished = tuple(self._read_entries())
        self._is_whole = _is_all(self.folder, key, len(self.finished))
        if not self._is_whole:
            remove(self.folder / _WHOLE)

    def close(self, *, is_done: bool) -> None:
        """Let go of the folder; remove it when all is done, or when it holds no finished chunk.

        Chunks that are marked as all of the source stay.
        """
        with suppress(OSError):
            remove(self.folder / _SCRATCH)
        with suppress(OSError):
            if (is_done and not self._is_whole) or not self.has_chunks:
                self._remove_parts()
        self._lock.close()
        with suppress(OSError):
            if not is_remote(self.folder):
                self.folder.rmdir()  # unless there is something in it
            elif not files_named(self.folder, "*"):
                remove(self.folder)

    def _read_entries(self) -> list[FinishedChunk]:
        found = []
        for entry_path in files_named(self.folder, _ENTRY):
            done = _sound_chunk(entry_path)
            if done is None:
                self.damaged += 1
                remove(entry_path)
                remove(entry_path.with_suffix(".parquet"))
            else:
                found.append(done)
        return sorted(found, key=_place)

    def _remove_parts(self) -> None:
        # the mark goes first: without it what is left is not taken for whole
        for pattern in (_WHOLE, _HEADER, _ENTRY, "part-*.parquet", MATCHING_FILES, ".*.part"):
            for path in files_named(self.folder, pattern):
                remove(path)

    def _check_content(self) -> None:
        """Reject a folder with other files: nothing in it may be removed."""
        names = {path.name for path in self._content() if not path.name.startswith(".")}
        if names and not names & {_HEADER, _LOCK}:
            problem = f"holds {min(names)!r}, which is not of an interrupted run"
            hint = "the finished chunks go there: move it away, or name another --output"
            raise UsageError(problem, hint, path=self.folder)

    def _content(self) -> list[Path]:
        if not is_remote(self.folder):
            return list(self.folder.iterdir())
        # a worker that was taken for lost may have written a part since the folder was emptied
        return [path for path in files_named(self.folder, "*") if not _PART.fullmatch(path.stem)]


def files_named(folder: Path, pattern: str) -> list[Path]:
    """Return the files in a folder whose names match; none if there is no folder."""
    with suppress(FileNotFoundError):
        return [path for path in files_in(folder) if fnmatchcase(path.name, pattern)]
    return []


def whole_chunks(folder: Path, key: str) -> tuple[FinishedChunk, ...]:
    """Return the chunks of a source that a ledger has marked as whole, in the order of the source.

    The caller keeps them from being removed. Raises InputError where they are not there, or damaged.
    """
    found = [_sound_chunk(path) for path in files_named(folder, _ENTRY)]
    chunks = sorted((done for done in found if done is not None), key=_place)
    if len(chunks) < len(found) or not _is_all(folder, key, len(chunks)):
        hint = "run again: they are read again"
        raise InputError("the recipients that were read are not there whole", hint, path=folder)
    return tuple(chunks)


def _is_all(folder: Path, key: str, chunks: int) -> bool:
    try:
        return _WHOLES.validate_json(read_file(folder / _WHOLE, _MAX_ENTRY_BYTES)) == _Whole(key, chunks)
    except (FileNotFoundError, ValidationError):
        return False


def _sound_chunk(entry_path: Path) -> FinishedChunk | None:
    """Return the chunk of an entry, None where its part is not what the entry says."""
    entry, path = _read_entry(entry_path), entry_path.with_suffix(".parquet")
    if entry is None or _part_name(entry.chunk) != path.name or not _is_whole(path, entry):
        return None
    return FinishedChunk(entry.chunk, path)


def _place(done: FinishedChunk) -> tuple[int, int]:
    return done.chunk.file, done.chunk.span.start


def _part_name(chunk: Chunk) -> str:
    return f"part-{chunk.file:04d}-{chunk.span.start:015d}-{chunk.span.stop:015d}.parquet"


def _has_key(header: Path, key: str) -> bool:
    try:
        found = _HEADERS.validate_json(read_file(header, _MAX_ENTRY_BYTES))
    except ValidationError:
        return False
    return found == _Header(FORMAT_VERSION, key)


def _read_entry(path: Path) -> _Entry | None:
    try:
        return _ENTRIES.validate_json(read_file(path, _MAX_ENTRY_BYTES))
    except ValidationError:
        return None


def _is_whole(path: Path, entry: _Entry) -> bool:
    try:
        is_long = state_of(path).st_size == entry.bytes
        return is_long and (is_remote(path) or sha256_of(path) == entry.sha256)
    except FileNotFoundError:
        return False
