"""Files as they stood at a commit, read from git's objects and never from the working tree."""

from __future__ import annotations

import glob
import hashlib
import itertools
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from sbir_gate.errors import InputError, OutputError
from sbir_gate.files import read_file, sha256_of
from sbir_gate.gate.storing.clone import missing_object_hint
from sbir_gate.gate.storing.git import Git

SHOWN_DIGITS = 12
_FILE_MODES = frozenset({"100644", "100755"})
_LINK_MODE = "120000"
_SUBMODULE_MODE = "160000"
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n.*?oid sha256:([0-9a-f]{64})\n", re.DOTALL
)
_MAX_POINTER_BYTES = 1024
_BATCH = 100  # files that are read at a time


@dataclass(frozen=True, slots=True)
class Blob:
    """A file at a commit: its path from the root of the repository, its object and its size."""

    path: str
    object_id: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit of the repository whose working tree has its root at `root`."""

    git: Git
    commit: str
    root: Path

    @property
    def name(self) -> str:
        """The commit as it is shown."""
        return f"commit {self.commit[:SHOWN_DIGITS]}"

    def place_of(self, path: Path) -> str | None:
        """Return a path of the working tree as git knows it, None for what is outside the repository."""
        return place_in(self.root, path)

    def blob(self, path: str) -> Blob | None:
        """Return the file at this path, None if there is none.

        Raises InputError if it is not a file.
        """
        entries = self._entries(path, is_recursive=False)
        if not entries:
            return None
        mode, found = entries[0]
        if mode == _LINK_MODE:
            raise self._link(path)
        if mode not in _FILE_MODES:
            raise InputError(f"{path} at {self.name}: is not a file", "name a file of this repository")
        return found

    def blobs_in(self, folder: str) -> tuple[Blob, ...]:
        """Return all files below a folder ("" means the root), by their paths."""
        return tuple(found for mode, found in self._entries(folder, is_recursive=True) if mode in _FILE_MODES)

    def files_of(self, source: str) -> tuple[Blob, ...]:
        """Return the files that a path, a folder or a pattern names, and perhaps some more.

        `dump#table` names the files of a dump. Raises InputError for a symbolic link on the way, and for a
        submodule that differs from the commit's: its files are not in this repository.
        """
        for name in dict.fromkeys((source, source.rpartition("#")[0] or source)):
            self._check_way(name)
            found = [
                (mode, blob)
                for mode, blob in self._entries("" if name == "." else name, is_recursive=True)
                if name in {blob.path, str(PurePosixPath(blob.path).parent)}
            ]
            if found:
                break
        else:
            found = self._matching(source) if glob.has_magic(source) else []
        for mode, blob in found:
            if mode == _LINK_MODE:
                raise self._link(blob.path)
        return tuple(blob for mode, blob in found if mode in _FILE_MODES)

    def _matching(self, pattern: str) -> list[tuple[str, Blob]]:
        """Return the entries that a pattern may mean; the folder above its first wildcard bounds the list."""
        parts = itertools.takewhile(lambda part: not glob.has_magic(part), PurePosixPath(pattern).parts)
        folder = "/".join(parts)
        self._check_way(folder)
        loose = pattern.replace("**/", "*")  # ** may match no folder at all
        entries = self._entries(folder, is_recursive=True)
        return [(mode, blob) for mode, blob in entries if fnmatchcase(blob.path, loose)]

    def _check_way(self, path: str) -> None:
        for name in map(str, reversed(PurePosixPath(path).parents[:-1])):
            for mode, _ in self._entries(name, is_recursive=False):
                if mode == _LINK_MODE:
                    raise self._link(name)
                if mode == _SUBMODULE_MODE and self._differs(name):
                    raise InputError(
                        f"{name} at {self.name}: is a submodule, and the working tree has another state",
                        "keep what the gate judges by in this repository, or leave the submodule as it is",
                    )

    def _differs(self, path: str) -> bool:
        """Say whether the working tree has anything else at this path than the commit."""
        flags = ("--quiet", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none")
        return self.git.ask("diff", *flags, self.commit, "--", path).status != 0

    def _link(self, path: str) -> InputError:
        return InputError(
            f"{path} at {self.name}: is a symbolic link", "name the file that it leads to, not the link"
        )

    def write(self, blob: Blob, path: Path, here: Path) -> None:
        """Write a file to a path; one in Git LFS is taken from its store, or from `here` if it is the same.

        Raises InputError where its content is not on this machine, OutputError if it cannot be written.
        """
        pointer = self._pointer(blob)
        source = self._stored(pointer, here) if pointer else None
        if pointer and source is None:
            raise InputError(
                f"{blob.path} at {self.name}: is kept in Git LFS, and its content is not on this machine",
                f"fetch it: git lfs fetch origin {self.commit}",
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if source is not None:
                shutil.copyfile(source, path)
                return
            with path.open("wb") as file, self.git.stream("cat-file", "blob", blob.object_id) as blocks:
                file.writelines(blocks)
        except OSError as error:
            raise OutputError(
                f"cannot be written ({error.strerror})",
                "make room in the temporary folder (TMPDIR)",
                path=path,
            ) from error

    def _stored(self, oid: str, here: Path) -> Path | None:
        """Return a file with the content of a pointer: its name does not prove its content."""
        folder = self.git.ask("rev-parse", "--path-format=absolute", "--git-common-dir").line
        stored = Path(folder) / "lfs" / "objects" / oid[:2] / oid[2:4] / oid
        found = (path for path in (stored, here) if path.is_file() and _digested(path) == oid)
        return next(found, None)

    def read(self, blob: Blob, max_bytes: int) -> bytes:
        """Return the bytes of a file. Raises InputError if it is larger, or is in Git LFS."""
        if blob.size_bytes > max_bytes:
            raise InputError(
                f"{blob.path} at {self.name}: larger than {max_bytes:,} bytes",
                "check that the path names the right file",
            )
        answer = self.git.ask("cat-file", "blob", blob.object_id)
        if answer.status:
            raise InputError(
                f"{blob.path} at {self.name}: cannot be read ({answer.complaint})",
                missing_object_hint(self.git),
            )
        if _POINTER.match(answer.output):
            raise InputError(
                f"{blob.path} at {self.name}: is kept in Git LFS, and its content is not in the repository",
                "keep what the gate judges by in git itself",
            )
        return answer.output

    def read_many(self, blobs: Sequence[Blob], max_bytes: int) -> Iterator[tuple[Blob, bytes]]:
        """Yield files with their bytes, without those that are larger; many for each start of git.

        Raises InputError if one cannot be read.
        """
        small = [blob for blob in blobs if blob.size_bytes <= max_bytes]
        for start in range(0, len(small), _BATCH):
            batch = small[start : start + _BATCH]
            names = "".join(f"{blob.object_id}\n" for blob in batch)
            rest = self.git.ask("cat-file", "--batch", content=names.encode()).output
            for blob in batch:
                head, _, rest = rest.partition(b"\n")
                if head.decode().split()[1:] != ["blob", str(blob.size_bytes)]:
                    raise InputError(
                        f"{blob.path} at {self.name}: cannot be read",
                        missing_object_hint(self.git),
                    )
                yield blob, rest[: blob.size_bytes]
                rest = rest[blob.size_bytes + 1 :]

    def sha256(self, blob: Blob) -> str:
        """Return the SHA-256 of a file's bytes; of one in Git LFS, that of its content."""
        pointer = self._pointer(blob)
        if pointer:
            return pointer
        digest = hashlib.sha256()
        with self.git.stream("cat-file", "blob", blob.object_id) as blocks:
            for block in blocks:
                digest.update(block)
        return digest.hexdigest()

    def _pointer(self, blob: Blob) -> str:
        """Return the SHA-256 that a pointer of Git LFS names, empty for any other file."""
        if blob.size_bytes > _MAX_POINTER_BYTES:
            return ""
        with self.git.stream("cat-file", "blob", blob.object_id) as blocks:
            pointer = _POINTER.match(b"".join(blocks))
        return pointer[1].decode() if pointer else ""

    def _entries(self, path: str, is_recursive: bool) -> list[tuple[str, Blob]]:
        flags = ["-r"] if is_recursive else []
        names = [path] if path else []
        answer = self.git.ask("ls-tree", "-z", "-l", "--full-tree", *flags, self.commit, "--", *names)
        if answer.status:
            raise InputError(
                f"{path or 'files'} at {self.name}: cannot be looked up ({answer.complaint})",
                missing_object_hint(self.git),
            )
        entries = []
        for line in filter(None, answer.output.split(b"\0")):
            about, _, name = line.partition(b"\t")
            mode, _, object_id, size = about.decode().split()
            entries.append((mode, Blob(os.fsdecode(name), object_id, int(size) if size.isdigit() else 0)))
        return entries


def place_in(root: Path, path: Path) -> str | None:
    """Return a path of the working tree below `root` as git knows it, None for what is outside.

    By its words first: a folder that head made a link to elsewhere is not elsewhere for that.
    """
    for candidate in (os.path.abspath(path), path.resolve()):  # noqa: PTH100 -- resolve follows links
        found = Path(candidate)
        if found.is_relative_to(root):
            return found.relative_to(root).as_posix()
    return None


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file on disk; of a Git LFS pointer, that of its content."""
    try:
        is_small = path.stat().st_size <= _MAX_POINTER_BYTES
        pointer = _POINTER.match(read_file(path, _MAX_POINTER_BYTES)) if is_small else None
    except OSError as error:
        raise _unreadable(path, error) from error
    return pointer[1].decode() if pointer else _digested(path)


def _digested(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(f"cannot be read ({error.strerror})", "check its permissions", path=path)
