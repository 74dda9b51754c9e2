"""One table out of a zipped database dump on a server: only its bytes come over the network.

The zip holds a PostgreSQL dump in directory format: `toc.dat`, and one `<oid>.dat.gz` for each table. Only
`toc.dat` says which of them is which table. remotezip reads the directory at the end of the zip by ranges.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from sbir_gate.datasets.downloading.downloads import Fetched, ask_facts
from sbir_gate.datasets.downloading.partials import make_folder, sole_writer, unwritable
from sbir_gate.datasets.downloading.responses import FileChangedError, RangeResponse, RemoteFile
from sbir_gate.datasets.downloading.transfers import DownloadOptions, persist, read_range
from sbir_gate.datasets.downloading.zip_members import MEMBER_NAME, DumpOptions, Member
from sbir_gate.errors import InputError, OutputError, UsageError
from sbir_gate.files import TooLargeError, read_file, write_durably
from sbir_gate.reading.options import MIB

if TYPE_CHECKING:
    from remotezip import RemoteZip

TOC = "toc.dat"
# the real toc.dat has some megabytes
_MOST_TOC_BYTES = 256 * MIB
_ENCRYPTED = 0x1
# a file that changes while it is read is asked for anew this often
_MOST_CHANGES = 3
_SMALLEST_ZIP_BYTES = 22


def fetch_table(remote: RemoteFile, folder: Path, dump: DumpOptions, options: DownloadOptions) -> Fetched:
    """Bring `toc.dat` and the member of one table into `folder`, which is a dump of that table then.

    A folder that holds them already stays as it is; one that holds another table of the same dump gets this
    one too. CRC-32 and size of what came are those of the zip.

    Raises UsageError where the extra `remote` is not installed or the folder is taken, InputError for a
    server that sends no parts and for a zip or a dump that is none, ToolError for a server that fails too
    often, OutputError for a disk that refuses.
    """
    check_extra()
    if folder.exists() and not folder.is_dir():
        raise OutputError("is a file", "a dump is a folder: name one with --output", path=folder)
    make_folder(folder)
    with sole_writer(folder):
        for _ in range(_MOST_CHANGES):
            try:
                return _fetch_table(remote, folder, dump, options)
            except FileChangedError:
                options.say("the file on the server has changed: starting from its beginning")
    hint = "try again when it is finished"
    raise InputError(f"changed {_MOST_CHANGES} times while it was read", hint, path=remote.address)


def check_extra() -> None:
    """Raise UsageError if remotezip is not installed."""
    try:
        import remotezip  # noqa: F401, PLC0415 -- an extra: not everybody has it
    except ImportError:
        raise UsageError(
            "taking one table out of a remote zip needs remotezip, which is not installed",
            "use the extra `remote`, or: pip install fsspec remotezip; or download all with --whole",
        ) from None


def _fetch_table(remote: RemoteFile, folder: Path, dump: DumpOptions, options: DownloadOptions) -> Fetched:
    facts = persist(lambda: ask_facts(remote), remote, options)
    total = facts.total_bytes
    if not facts.is_partial or total is None:
        size = "" if total is None else f" ({total:,} bytes)"
        problem = "the server does not send parts of files, so one table cannot be taken out"
        hint = f"use another source, or download the whole file{size} with --whole"
        raise InputError(problem, hint, path=remote.address)
    if total < _SMALLEST_ZIP_BYTES:
        raise _no_zip(remote, f"{total} bytes")
    with _opened(remote, facts, total, options) as archive:
        toc_info = _toc_of(archive, remote)
        toc = _read(archive, toc_info, remote)
        name = dump.find_member(toc, dump.table)
        info = _member(archive, toc_info, name, remote)
    member = Member(remote, facts.validator, info, folder / PurePosixPath(info.filename).name)
    _prepare(folder, toc, dump, member)
    fetched = member.fetch(dump, options)
    # the last to appear: a folder that has toc.dat is finished
    toc_path = folder / TOC
    if not toc_path.exists():
        try:
            write_durably(toc_path, toc)
        except OSError as error:
            raise unwritable(toc_path, error) from error
    return fetched


@contextmanager
def _opened(
    remote: RemoteFile, facts: RangeResponse, total: int, options: DownloadOptions
) -> Iterator[RemoteZip]:
    from remotezip import RemoteZip, RemoteZipError  # noqa: PLC0415 -- see check_extra

    # a directory that leads to places that are not there makes zipfile and remotezip raise all of these
    damage = (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, EOFError, ValueError)
    try:
        session = _Ranges(remote, facts.validator, total, options)
        with RemoteZip(remote.address.url, session=session, support_suffix_range=False) as archive:
            yield archive
    except (*damage, RemoteZipError) as error:
        raise _no_zip(remote, str(error)) from error


def _no_zip(remote: RemoteFile, why: str) -> InputError:
    return InputError(
        f"is not a readable zip ({why})", "check the URL, and leave --table out", path=remote.address
    )


class _Ranges:
    """What remotezip asks of a session: here every range comes whole, after as many attempts as it takes."""

    def __init__(
        self, remote: RemoteFile, validator: str | None, total: int, options: DownloadOptions
    ) -> None:
        self._remote, self._validator, self._total, self._options = remote, validator, total, options

    def head(self, _url: str, **_options: object) -> _Whole:
        return _Whole({"Content-Length": str(self._total)}, io.BytesIO())

    def get(self, _url: str, *, headers: Mapping[str, str], **_options: object) -> _Whole:
        first, last = (int(end) for end in headers["Range"].removeprefix("bytes=").split("-"))
        body = persist(
            lambda: read_range(self._remote, first, last, self._validator), self._remote, self._options
        )
        return _Whole({"Content-Range": f"bytes {first}-{last}/{self._total}"}, io.BytesIO(body))


@dataclass(frozen=True, slots=True)
class _Whole:
    """A response that has come whole, as remotezip looks at it."""

    headers: Mapping[str, str]
    raw: BinaryIO

    def raise_for_status(self) -> None:
        """Raise nothing: answers that are none have raised before."""


def _toc_of(archive: RemoteZip, remote: RemoteFile) -> zipfile.ZipInfo:
    members: list[zipfile.ZipInfo] = archive.infolist()
    found = [info for info in members if PurePosixPath(info.filename).name == TOC]
    if len(found) != 1:
        held = "no" if not found else f"{len(found)} times"
        problem = f"holds {held} {TOC}, so it is not one database dump in directory format"
        hint = "check the URL, or download all of it with --whole"
        raise InputError(problem, hint, path=remote.address)
    return found[0]


def _read(archive: RemoteZip, info: zipfile.ZipInfo, remote: RemoteFile) -> bytes:
    if info.file_size > _MOST_TOC_BYTES:
        raise InputError(f"its {TOC} has {info.file_size:,} bytes", "check the URL", path=remote.address)
    content: bytes = archive.read(info)
    return content


def _member(archive: RemoteZip, toc_info: zipfile.ZipInfo, name: str, remote: RemoteFile) -> zipfile.ZipInfo:
    """Return the member beside `toc.dat` that has this name, compressed or not."""
    if not MEMBER_NAME.fullmatch(name):
        raise InputError(
            f"its {TOC} names no file that a dump has", "the dump is damaged", path=remote.address
        )
    place = PurePosixPath(toc_info.filename).parent
    known: dict[str, zipfile.ZipInfo] = {info.filename: info for info in archive.infolist()}
    for candidate in (f"{name}.gz", name):
        info = known.get(str(place / candidate))
        if info is None:
            continue
        if info.flag_bits & _ENCRYPTED or info.compress_type not in {
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        }:
            problem = f"{info.filename} is encrypted, or compressed in a way that is not known"
            hint = "download all of it with --whole, and unpack it"
            raise InputError(problem, hint, path=remote.address)
        return info
    problem = f"{TOC} names {name}, which the zip holds neither plain nor as .gz"
    hint = "the dump is damaged, or compressed in a way that cannot be read"
    raise InputError(problem, hint, path=remote.address)


def _prepare(folder: Path, toc: bytes, dump: DumpOptions, member: Member) -> None:
    """Make the folder fit for the member: empty, of the same dump, or, if forced, cleared of another."""
    toc_path = folder / TOC
    try:
        if toc_path.is_file() and not _holds(toc_path, toc):
            if not dump.is_forced:
                hint = "--force replaces it; --output names another folder"
                raise UsageError("holds another dump already", hint, path=folder)
            toc_path.unlink()
            for path in folder.iterdir():
                if MEMBER_NAME.fullmatch(path.name):
                    path.unlink()
        if dump.is_forced:
            member.partial.discard()
    except OSError as error:
        raise unwritable(folder, error) from error


def _holds(path: Path, content: bytes) -> bool:
    try:
        return read_file(path, len(content)) == content
    except TooLargeError:
        return False
