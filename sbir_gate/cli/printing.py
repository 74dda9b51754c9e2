"""What goes to standard output and standard error, whoever reads it."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TextIO

import click


def escape_unknown_characters(*streams: TextIO) -> None:
    """Let what a terminal's encoding cannot show come out as its number, instead of ending the program."""
    for stream in streams:
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def harmless(text: str) -> str:
    """Return the text with control characters as their numbers: names in data must not steer a terminal."""
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
    """Write a text to a stream.

    A reader that has had enough (`sbir-gate run | head`) changes neither the work nor the exit status:
    from then on the text goes nowhere.
    """
    # None lets click decide: colours for a terminal, none elsewhere (see no-color.org for NO_COLOR)
    color = False if os.environ.get("NO_COLOR") else None
    try:
        click.echo(text, file=stream, nl=False, color=color)
    except BrokenPipeError:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 -- a device, for its descriptor alone
            # what is still buffered is flushed at exit: to nowhere, without a complaint
            os.dup2(nowhere.fileno(), stream.fileno())
