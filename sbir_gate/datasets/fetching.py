"""Published awards and recipients onto the disk: downloads, and one table out of a remote dump."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import requests

from sbir_gate.datasets.downloading.addresses import Address, parse_address
from sbir_gate.datasets.downloading.downloads import Fetched, fetch_file
from sbir_gate.datasets.downloading.remote_zip import fetch_table
from sbir_gate.datasets.downloading.responses import HttpOptions, RemoteFile, Session
from sbir_gate.datasets.downloading.transfers import DownloadOptions, Wanted, persist, read_whole
from sbir_gate.datasets.downloading.zip_members import DumpOptions
from sbir_gate.errors import InputError
from sbir_gate.reading.toc import NO_DATA_HINT, parse_toc
from sbir_gate.retrying import RetryPolicy
from sbir_gate.settings.reading import retry_policy
from sbir_gate.settings.schema import Settings

_MOST_REDIRECTS = 5
_LISTING_BYTES = 1024 * 1024

Progress = Callable[[int, int | None], None]
"""Called with the bytes received and the total, if known."""


class Source(StrEnum):
    """What can be fetched."""

    AWARDS = "awards"
    RECIPIENTS = "recipients"


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """What to fetch; what is None is as the settings say.

    `is_forced` downloads anew what is there, `is_whole` takes all of a zip instead of one table.
    """

    source: Source
    url: str | None = None
    output: Path | None = None
    table: str | None = None
    is_forced: bool = False
    is_whole: bool = False


def open_session() -> requests.Session:
    """Return the edge to the network; proxies and ~/.netrc are as requests finds them."""
    session = requests.Session()
    session.max_redirects = _MOST_REDIRECTS
    return session


def fetch(
    request: FetchRequest,
    settings: Settings,
    session: Session,
    progress: Progress,
    say: Callable[[str], None],
    retrying: RetryPolicy | None = None,
) -> Fetched:
    """Download awards or recipients, and return where they are.

    `retrying` is that of the settings if it is None. Raises UsageError, InputError, OutputError and
    ToolError as `fetch_file` and `fetch_table` do.
    """
    options = DownloadOptions(retrying=retrying or retry_policy(settings), progress=progress, say=say)
    sources = settings.sources
    http = http_options(settings)
    if request.source is Source.AWARDS:
        awards = sources.awards
        address = parse_address(request.url or awards.url)
        target = request.output or sources.folder / (address.file_name or "awards.csv")
        wanted = Wanted(target, awards.size_bytes, awards.sha256, request.is_forced)
        return fetch_file(RemoteFile(address, session, http), wanted, options)
    recipients = sources.recipients
    url = request.url or recipients.url
    if url is None:
        listing = RemoteFile(parse_address(recipients.listing_url), session, http)
        url = newest_dump(
            persist(lambda: read_whole(listing, _LISTING_BYTES), listing, options), listing.address
        )
    address = parse_address(url)
    remote = RemoteFile(address, session, http)
    name = address.file_name or "recipients.csv"
    is_table = name.lower().endswith(".zip") or request.table is not None
    if not is_table or request.is_whole:
        target = request.output or sources.folder / name
        wanted = Wanted(target, recipients.size_bytes, recipients.sha256, request.is_forced)
        return fetch_file(remote, wanted, options)
    dump = DumpOptions(
        table=request.table or recipients.table,
        find_member=lambda toc, table: find_member(toc, table, f"{address}: toc.dat"),
        size_bytes=recipients.size_bytes,
        sha256=recipients.sha256,
        is_forced=request.is_forced,
    )
    return fetch_table(remote, request.output or sources.folder / Path(name).stem, dump, options)


def http_options(settings: Settings) -> HttpOptions:
    """Return how long a server is waited for."""
    sources = settings.sources
    return HttpOptions(
        connect_timeout_seconds=sources.connect_timeout_seconds,
        read_timeout_seconds=sources.read_timeout_seconds,
        retry_after_cap_seconds=sources.retry_after_cap_seconds,
    )


def newest_dump(content: bytes, listing: Address) -> str:
    """Return the URL of the newest subset of the database, from what USAspending lists.

    Raises InputError if the listing does not name one.
    """
    try:
        url = json.loads(content)["subset_download_file"]["url"]
    except (ValueError, KeyError, TypeError):
        url = None
    if not isinstance(url, str) or not url:
        hint = "look up its URL at usaspending.gov (Download, Database), and give it with --url"
        raise InputError("names no subset of the database", hint, path=listing)
    return url


def find_member(toc: bytes, table: str | None, origin: str) -> str:
    """Return the file that holds a table of a dump, as its `toc.dat` names it (before `.gz`).

    The table may be named with its schema; None is the best known table of recipients. Raises InputError
    for a damaged `toc.dat`, and for a table that is not there, without data, or there several times.
    """
    found = parse_toc(toc, origin).find(table, origin)
    if not found.has_data or not found.file_name:
        raise InputError(f"holds no data of {found.full_name}", NO_DATA_HINT, path=origin)
    return found.file_name
