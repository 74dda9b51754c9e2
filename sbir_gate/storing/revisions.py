"""Files as they stood at a commit, read from git's objects and never from the working tree."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from sbir_gate.errors import InputError
from sbir_gate.files import open_file
from sbir_gate.storing.clone import missing_object_hint
from sbir_gate.storing.git import Git

SHOWN_DIGITS = 12
_FILE_MODES = frozenset({"100644", "100755"})
_LINK_MODE = "120000"
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

        Raises InputError for what is there and is no file.
        """
        entries = self._entries(path, is_recursive=False)
        if not entries:
            return None
        mode, found = entries[0]
        if mode == _LINK_MODE:
            raise InputError(
                f"{path} at {self.name}: is a symbolic link", "name the file that it leads to, not the link"
            )
        if mode not in _FILE_MODES:
            raise InputError(f"{path} at {self.name}: is no file", "name a file of this repository")
        return found

    def blobs_in(self, folder: str) -> tuple[Blob, ...]:
        """Return all files below a folder ("" means the root), by their paths."""
        return tuple(found for mode, found in self._entries(folder, is_recursive=True) if mode in _FILE_MODES)

    def read(self, blob: Blob, max_bytes: int) -> bytes:
        """Return the bytes of a file. Raises InputError if it is larger, or stands in Git LFS."""
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
        """Return the SHA-256 of a file's bytes; of one in Git LFS, that of the content it stands for."""
        digest = hashlib.sha256()
        head = b""
        with self.git.stream("cat-file", "blob", blob.object_id) as blocks:
            for block in blocks:
                digest.update(block)
                head = head or block[:_MAX_POINTER_BYTES]
        pointer = _POINTER.match(head) if blob.size_bytes <= _MAX_POINTER_BYTES else None
        return pointer[1].decode() if pointer else digest.hexdigest()

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
    """Return the SHA-256 of a file on disk; of a Git LFS pointer, that of the content it stands for."""
    digest = hashlib.sha256()
    head = b""
    try:
        with open_file(path) as file:
            while block := file.read(1 << 20):
                digest.update(block)
                head = head or block
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", "check its permissions") from error
    pointer = _POINTER.match(head) if len(head) <= _MAX_POINTER_BYTES else None
    return pointer[1].decode() if pointer else digest.hexdigest()


def matches(pattern: str, path: str) -> bool:
    """Say whether a path is the pattern, stands directly in it, or is matched by it as a glob."""
    return path == pattern or str(PurePosixPath(path).parent) == pattern or fnmatchcase(path, pattern)
