"""URLs: checked before they are asked, shown without what is secret in them, and the file names they give."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from sbir_gate.errors import InputError

_SCHEMES = ("http", "https")
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Address:
    """An http(s) URL. As text it is `shown`: without user, password, query and fragment.

    `file_name` is what a file from there may be called: letters, digits and `._-`, never starting with
    a dot, so that no URL leads out of a folder; empty if the URL has no such name.
    """

    url: str = field(repr=False)
    shown: str
    file_name: str

    def __str__(self) -> str:
        return self.shown


def parse_address(url: str) -> Address:
    """Return the address of a URL. Raises InputError for anything but http:// or https:// with a host."""
    hint = "give a URL such as https://host/path/file.zip"
    if not url.isprintable() or " " in url:
        raise InputError("the URL holds blanks or control characters", hint)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # the text of the error holds the host, with whatever was typed before it
        raise InputError("the URL is malformed: its host or port cannot be read", hint) from None
    if parts.scheme not in _SCHEMES:
        scheme = (
            f"{parts.scheme}://" if re.fullmatch(r"[a-z][a-z0-9+.-]{0,15}", parts.scheme) else "no scheme"
        )
        raise InputError(f"the URL has {scheme}, which cannot be fetched", hint)
    if not parts.hostname:
        raise InputError("the URL names no host", hint)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = f"{parts.scheme}://{host}{f':{port}' if port is not None else ''}{parts.path}"
    return Address(url, shown, _file_name(parts.path))


def _file_name(path: str) -> str:
    last = re.split(r"[/\\]", unquote(path))[-1]
    return re.sub(r"[^A-Za-z0-9._-]+", "_", last).lstrip(".")[-_LONGEST_NAME:].lstrip(".")
