"""Writing to standard output and standard error."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TextIO

import click

from sbir_gate.files import save_output

STANDARD_OUTPUT = Path("-")
"""How a user names standard output where a file can be named."""

# signs of reports that a terminal without Unicode can still show
_SPELLINGS = {
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{MINUS SIGN}": "-",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{MIDDLE DOT}": "-",
    "\N{PLUS-MINUS SIGN}": "+-",
}


def harmless(text: str) -> str:
    """Return the text with control characters escaped: names in data must not control a terminal."""
    return "".join(
        character if character.isprintable() or character == "\n" else f"\\x{ord(character):02x}"
        for character in text
    )


def put(text: str, *, is_error: bool = False) -> None:
    """Write a text as it is to standard output or standard error."""
    write(sys.stderr if is_error else sys.stdout, text)


def deliver(path: Path, text: str) -> None:
    """Write a report to the file that the user names, or to standard output. Raises OutputError."""
    if path == STANDARD_OUTPUT:
        put(text)
    else:
        save_output(path, text)


def put_line(line: str, *, is_error: bool = False) -> None:
    """Write one line."""
    put(line + "\n", is_error=is_error)


def put_error(message: str, hint: str) -> None:
    """Write an error and its fix as one line to standard error."""
    mark = click.style("error:", fg="red", bold=True)
    put_line(f"{mark} {harmless(message)}" + (f"; {harmless(hint)}" if hint else ""), is_error=True)


def write(stream: TextIO, text: str) -> None:
    """Write a text to a stream; signs that its encoding lacks are spelled in ASCII."""
    # None lets click decide: colours for a terminal, none elsewhere (see no-color.org and force-color.org)
    color = False if os.environ.get("NO_COLOR") else True if os.environ.get("FORCE_COLOR") else None
    click.echo(_spelled(text, stream.encoding or "utf-8"), file=stream, nl=False, color=color)


def _spelled(text: str, encoding: str) -> str:
    if text.isascii():
        return text
    lacking = {}
    for sign, spelling in _SPELLINGS.items():
        try:
            sign.encode(encoding)
        except UnicodeEncodeError:
            lacking[ord(sign)] = spelling
    return text.translate(lacking)
