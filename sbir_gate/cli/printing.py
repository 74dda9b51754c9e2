"""Writing to standard output and standard error."""

from __future__ import annotations

import os
import sys
from typing import TextIO

import click


def harmless(text: str) -> str:
    """Return the text with control characters escaped: names in data must not control a terminal."""
    return "".join(
        character if character.isprintable() or character == "\n" else f"\\x{ord(character):02x}"
        for character in text
    )


def put(text: str, *, is_error: bool = False) -> None:
    """Write a text as it is to standard output or standard error."""
    write(sys.stderr if is_error else sys.stdout, text)


def put_line(line: str, *, is_error: bool = False) -> None:
    """Write one line."""
    put(line + "\n", is_error=is_error)


def write(stream: TextIO, text: str) -> None:
    """Write a text to a stream."""
    # None lets click decide: colours for a terminal, none elsewhere (see no-color.org and force-color.org)
    color = False if os.environ.get("NO_COLOR") else True if os.environ.get("FORCE_COLOR") else None
    click.echo(text, file=stream, nl=False, color=color)
