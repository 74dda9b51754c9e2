"""What goes to standard output and standard error, whoever reads it."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

import click


def use_any_terminal() -> None:
    """Let characters that a terminal or pipe cannot show come out escaped, instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def put(text: str, *, is_error: bool = False) -> None:
    """Write a text as it is.

    A reader that has had enough (`sbir-gate run | head`) changes neither the work nor the exit status:
    from then on the text goes nowhere.
    """
    try:
        # None lets click decide: colours for a terminal, none elsewhere (see no-color.org for NO_COLOR)
        click.echo(text, nl=False, err=is_error, color=False if os.environ.get("NO_COLOR") else None)
    except BrokenPipeError:
        stream = sys.stderr if is_error else sys.stdout
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 -- a device, for its descriptor alone
            # what is still buffered is flushed at exit: to nowhere, without a complaint
            os.dup2(nowhere.fileno(), stream.fileno())


def put_line(line: str, *, is_error: bool = False) -> None:
    """Write one line."""
    put(line + "\n", is_error=is_error)
