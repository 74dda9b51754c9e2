"""Files downloaded whole: they appear only when all has come and is checked, and only if they are needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sbir_gate.datasets.downloading.partials import PartialFile, make_folder, sole_writer, unwritable
from sbir_gate.datasets.downloading.responses import FileChangedError, RangeResponse, RemoteFile
from sbir_gate.datasets.downloading.transfers import DownloadOptions, Transfer, Wanted, persist, sha256_of
from sbir_gate.errors import InputError, OutputError
from sbir_gate.files import output_target


@dataclass(frozen=True, slots=True)
class Fetched:
    """What is on disk now: `received_bytes` came just now; `is_verified` against a SHA-256 or CRC-32."""

    path: Path
    size_bytes: int
    received_bytes: int
    is_verified: bool


def fetch_file(remote: RemoteFile, wanted: Wanted, options: DownloadOptions) -> Fetched:
    """Download a whole file to `wanted.target`, unless it is there already.

    Raises InputError for a URL or content that is wrong, ToolError for a server that fails too often,
    OutputError for a disk that refuses, UsageError if another process downloads to the same file.
    """
    if wanted.target.is_dir():
        raise OutputError("is a folder", "name a file with --output", path=wanted.target)
    try:
        target = output_target(wanted.target, may_be_device=False)
    except OSError as error:
        raise unwritable(wanted.target, error) from error
    make_folder(target.parent)
    with sole_writer(target):
        if not wanted.is_forced and target.exists() and _is_current(remote, wanted, options):
            size = target.stat().st_size
            return Fetched(wanted.target, size, 0, wanted.sha256 is not None)
        partial = PartialFile(target)
        if wanted.is_forced:
            partial.discard()
        transfer = Transfer(remote, partial, wanted, options)
        persist(transfer.verified, remote, options, lambda: transfer.farthest)
        size = partial.size()
        partial.finish(transfer.modified_at)
        return Fetched(wanted.target, size, transfer.received, wanted.sha256 is not None)


def _is_current(remote: RemoteFile, wanted: Wanted, options: DownloadOptions) -> bool:
    """Say whether the target is what is wanted; if neither size nor SHA-256 is known the server is asked."""
    found = wanted.target.stat()
    if wanted.size_bytes is not None and found.st_size != wanted.size_bytes:
        return False
    if wanted.sha256 is not None:
        return sha256_of(wanted.target) == wanted.sha256
    if wanted.size_bytes is not None:
        return True
    facts = persist(lambda: ask_facts(remote), remote, options)
    is_newer = facts.modified_at is not None and facts.modified_at > found.st_mtime
    if facts.total_bytes == found.st_size and not is_newer:
        return True
    options.say(f"{wanted.target} is not the file that the server has now: downloading it anew")
    return False


def ask_facts(remote: RemoteFile) -> RangeResponse:
    """Request the first byte and return size, version, and whether ranges are supported."""
    try:
        with remote.ask(0, 0) as response:
            return response
    except FileChangedError:
        raise InputError("the file on the server is empty", "check the URL", path=remote.address) from None
