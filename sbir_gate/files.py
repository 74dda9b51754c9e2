"""Opening files that others wrote or named, and writing files that survive a crash.

A path may lead to a pipe without a writer, a device without an end, a socket or a folder. Only regular files
are opened, without ever waiting; what is read into memory has a limit. An output that the user names replaces
regular files alone, and no input: a link is followed, a character device written through, a pipe refused.
A path may be on remote storage (`remote_paths`): then a file is read in ranges, and written as a whole.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedWriter, FileIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast
from uuid import uuid4

from sbir_gate.errors import InputError, OutputError, UsageError
from sbir_gate.remote_paths import (
    StorageError,
    is_remote,
    listed,
    open_remote,
    remove_remote,
    storage_errors,
    upload,
    write_remote,
)
from sbir_gate.wrong_input import nearest

# how far a misspelled name is looked for
_MOST_NAMES = 2_000

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotAFileError(OSError):
    """The path is not a regular file; `strerror` says what it is."""


class TooLargeError(OSError):
    """The file is larger than its kind may be; `strerror` names the limit."""


def open_file(path: Path) -> FileIO:
    """Open a regular file for reading bytes, unbuffered.

    Raises OSError: NotAFileError for a pipe, device, socket or folder, which is never read nor waited for.
    """
    if is_remote(path):
        return cast("FileIO", open_remote(path))  # not one, but it reads and seeks as one
    try:
        check_file(path)  # to open a device can be an act in itself
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except ValueError as error:  # a NUL in the path
        raise OSError(errno.EINVAL, str(error), str(path)) from error
    with ExitStack() as unless_opened:
        unless_opened.callback(os.close, descriptor)
        _check(path, os.fstat(descriptor))  # another file may have the name by now
        file = os.fdopen(descriptor, "rb", buffering=0)
        unless_opened.pop_all()
    return file


def near_miss(path: Path) -> str:
    """Return "did you mean PATH?" for what is spelled like a path that is not there, else nothing.

    Where a folder of the path is missing, it is the folder that was misspelled. Remote storage is not asked.
    """
    if is_remote(path):
        return ""
    try:
        while path.parent != path and not path.parent.exists():
            path = path.parent
        beside = itertools.islice(path.parent.iterdir(), _MOST_NAMES)
        names = [found.name for found in beside if found.name.isprintable()]
    except (OSError, ValueError):
        return ""
    near = nearest(path.name, names, cutoff=0.8)
    return f"did you mean {path.parent / near}?" if near else ""


def check_file(path: Path) -> None:
    """Raise OSError for anything but a regular file. For readers that open a path themselves (DuckDB)."""
    _check(path, state_of(path))


def state_of(path: Path) -> os.stat_result:
    """Return the state of what has the path, links followed. Raises OSError."""
    if not is_remote(path):
        return path.stat()
    with storage_errors(path):
        return path.stat()


def is_there(path: Path) -> bool:
    """Say whether anything has the path. Raises OSError where remote storage cannot be asked."""
    if not is_remote(path):
        return path.exists()
    try:
        state_of(path)
    except FileNotFoundError:
        return False
    return True


def files_in(folder: Path) -> list[Path]:
    """Return what is in a folder, but for folders. Raises OSError."""
    if is_remote(folder):
        return listed(folder)
    return [child for child in folder.iterdir() if not child.is_dir()]


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, if it is there. Raises OSError."""
    if is_remote(path):
        remove_remote(path)
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a path for the block to write a file at, which then takes the place of `target`, whole.

    For what another process waits for, not for what must survive a crash. Raises OSError.
    """
    if is_remote(target):
        with TemporaryDirectory(prefix="sbir-gate-") as folder:
            yield Path(folder) / target.name
            upload(Path(folder) / target.name, target)
        return
    partial = target.with_name(f"{target.name}.{uuid4().hex}")
    yield partial
    partial.replace(target)


def create_file(path: Path, *, is_appending: bool = False) -> BufferedWriter:
    """Open a file for writing: emptied, or at its end; a device such as /dev/null is allowed.

    Raises OSError: NotAFileError for a pipe or socket, whose reader would be waited for.
    """
    how = os.O_APPEND if is_appending else os.O_TRUNC
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno == errno.ENXIO:  # not a regular file, or a pipe without a reader
            _check(path, path.stat())
        raise
    with ExitStack() as unless_opened:
        unless_opened.callback(os.close, descriptor)
        status = os.fstat(descriptor)
        if not stat.S_ISCHR(status.st_mode):
            _check(path, status)
        file = os.fdopen(descriptor, "ab" if is_appending else "wb")
        unless_opened.pop_all()
    return file


def read_file(path: Path, max_bytes: int) -> bytes:
    """Return the bytes of a regular file. Raises OSError: TooLargeError for more than `max_bytes`."""
    with open_file(path) as file:
        size = 0 if is_remote(path) else os.fstat(file.fileno()).st_size
        content = b"" if size > max_bytes else read_at_most(file, max_bytes + 1)
    if max(size, len(content)) > max_bytes:
        raise TooLargeError(errno.EFBIG, f"larger than {max_bytes:,} bytes", str(path))
    return content


def read_at_most(file: BinaryIO, max_bytes: int) -> bytes:
    """Return the next bytes, fewer than `max_bytes` only at the end of the file."""
    blocks = []
    while max_bytes > 0 and (block := file.read(max_bytes)):
        blocks.append(block)
        max_bytes -= len(block)
    return b"".join(blocks)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a regular file's bytes, in hexadecimal. Raises OSError."""
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_durably(path: Path, content: bytes, *, may_replace: bool = True) -> bool:
    """Write a file whole or not at all; return False if it exists and may not be replaced.

    The content goes to a temporary file beside the target, which is then placed (`place_durably`). A link or
    pipe of that name is replaced: for a file that the user names there is `write_output`. Raises OSError.
    """
    if is_remote(path):
        write_remote(path, content)
        return True
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        with temporary.open("xb") as file:
            file.write(content)
        place_durably(temporary, path, may_replace=may_replace)
    except FileExistsError:
        # the folder's own name may be taken by a file, which is not a collision of documents
        if may_replace or not path.parent.is_dir():
            raise
        return False
    finally:
        with suppress(OSError):
            temporary.unlink()
    return True


def place_durably(finished: Path, target: Path, *, may_replace: bool = True) -> None:
    """Force a finished file to disk and give it its name in one step, on the same file system.

    The step is a rename, or a link, which fails on an existing name (the file then keeps its own too). The
    folder is forced to disk as well: a rename that is not is lost when the power fails. To remote storage the
    file is copied. Raises OSError.
    """
    if is_remote(target):
        upload(finished, target)
        return
    with finished.open("rb") as file:
        os.fsync(file.fileno())
    if may_replace:
        finished.replace(target)
    else:
        target.hardlink_to(finished)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_output(path: Path, content: bytes) -> None:
    """Write a file that the user names: durably, through its links, or into a character device.

    Raises OSError: NotAFileError for a pipe, socket, block device or folder.
    """
    target = output_target(path)
    if target.is_char_device():
        with create_file(target) as file:
            file.write(content)
    else:
        write_durably(target, content)


def place_output(finished: Path, path: Path) -> None:
    """Give a finished file the name of an output, or copy it into a character device of that name.

    Without a device or remote storage it must lie in the folder of `output_target(path)`. Raises what
    `write_output` does.
    """
    target = output_target(path)
    if is_remote(target) or not target.is_char_device():
        place_durably(finished, target)
        return
    with open_file(finished) as source, create_file(target) as file:
        shutil.copyfileobj(source, file)


def output_target(path: Path, *, may_be_device: bool = True) -> Path:
    """Return where an output lies: the path with its links followed, whether or not it exists.

    Raises OSError: NotAFileError for anything but a regular file or, if it may be one, a character device.
    """
    if is_remote(path):
        with suppress(FileNotFoundError):
            check_file(path)
        return path
    target = Path(os.path.realpath(path))
    with suppress(FileNotFoundError):
        status = target.stat()
        if not (may_be_device and stat.S_ISCHR(status.st_mode)):
            _check(path, status)
    return target


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """Refuse, before any work is done, an output that cannot be written or is an input or another output.

    A file is the same by whatever name. None was not given, and `-` is standard output. Raises UsageError and
    OutputError.
    """
    taken = [(path, "would be written over, but is an input") for path in inputs if path is not None]
    for path in outputs:
        if path is None or str(path) == "-":
            continue
        try:
            target = output_target(path)
        except OSError as error:
            raise OutputError(
                f"cannot be written: {error.strerror}", "name a file to write to", path=path
            ) from error
        if not is_remote(target) and target.is_char_device():
            continue
        reason = next((reason for other, reason in taken if is_same_file(target, other)), "")
        if reason:
            raise UsageError(reason, "name another file to write to", path=path)
        taken.append((path, "is named for two outputs"))


def is_same_file(path: Path, other: Path) -> bool:
    """Say whether two paths name one file, by whatever links, whether or not it exists."""
    if is_remote(path) or is_remote(other):
        return str(path) == str(other)
    try:
        return path.samefile(other)
    except (OSError, ValueError):  # one of them is not there, or may not be looked at
        return os.path.realpath(path) == os.path.realpath(other)


def _check(path: Path, status: os.stat_result) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    kind = next((name for is_kind, name in _KINDS if is_kind(status.st_mode)), "something else")
    raise NotAFileError(errno.EINVAL, f"{kind}, not a regular file", str(path))


def save_text(path: Path, text: str) -> None:
    """Write a finished report to exactly this path, in place of what is there. Raises OutputError."""
    with _writing(path):
        write_durably(path, text.encode())


def save_output(path: Path, text: str) -> None:
    """Write a report to the file that the user names (`write_output`). Raises OutputError."""
    with _writing(path):
        write_output(path, text.encode())


def write_whole(path: Path, content: bytes, may_replace: bool) -> bool:
    """Write a file, or not at all; return False if it is there and may not be replaced.

    Raises OutputError.
    """
    with _writing(path):
        return write_durably(path, content, may_replace=may_replace)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Make the folder of a file that the block writes; a fault of either becomes an OutputError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise _folder_fault(path) or unwritable(path, error) from error
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from error


def _folder_fault(path: Path) -> OutputError | None:
    """Return the error for a path of which a part is there and is not a folder; None if all of them are."""
    part = next((part for part in path.parents if os.path.lexists(part)), None)
    if part is None or part.is_dir():
        return None
    problem = "is a link to nothing" if part.is_symlink() and not part.exists() else "is not a folder"
    return OutputError(f"{problem}, so {path.name} cannot be written", "remove or rename it", path=part)


def unreadable(path: Path | str, error: OSError) -> InputError:
    """Return the error for a file that the system will not open or read."""
    hint = _hint(error, "check the path, that it is a file, and that you may read it")
    return InputError(f"cannot be read ({error_reason(error)})", hint, path=path)


def unwritable(
    path: Path,
    error: Exception,
    hint: str = "check that the folder exists, may be written, and has room, or name another",
) -> OutputError:
    """Return the error for a file or folder that the system, or DuckDB, will not write."""
    return OutputError(f"cannot be written ({error_reason(error)})", _hint(error, hint), path=path)


def _hint(error: Exception, hint: str) -> str:
    return error.hint if isinstance(error, StorageError) else hint


def error_reason(error: Exception) -> str:
    """Return what the system says of an error, without its number and path, else its first line."""
    reason = error.strerror if isinstance(error, OSError) else None
    return reason or next(iter(str(error).splitlines()), type(error).__name__)
