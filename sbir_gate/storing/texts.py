"""Texts on disk: written whole or not at all. The engine needs no more, and loads no kind of document."""

from __future__ import annotations

from pathlib import Path

from sbir_gate.errors import OutputError
from sbir_gate.files import write_durably, write_output


def save_text(path: Path, text: str) -> None:
    """Write a finished report to exactly this path, in place of what is there. Raises OutputError."""
    write_whole(path, _text_bytes(path, text), may_replace=True)


def save_output(path: Path, text: str) -> None:
    """Write a report to the file that the user names (`write_output`). Raises OutputError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_output(path, _text_bytes(path, text))
    except (OSError, ValueError) as error:
        raise _output_error(path, error) from error


def _text_bytes(path: Path, text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _output_error(path, error) from error


def write_whole(path: Path, content: bytes, may_replace: bool) -> bool:
    """Write a file, or not at all; return False if it is there and may not be replaced.

    Raises OutputError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_durably(path, content, may_replace=may_replace)
    except (OSError, ValueError) as error:
        raise _output_error(path, error) from error


def _output_error(path: Path, error: Exception) -> OutputError:
    return OutputError(
        f"{path}: cannot be written ({_cause(error)})",
        "check that the folder exists, may be written, and has room, or name another",
    )


def _cause(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
