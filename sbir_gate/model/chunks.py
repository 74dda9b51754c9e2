"""A chunk of a source: which piece of it has been read, and its result."""

from __future__ import annotations

from dataclasses import dataclass

from sbir_gate.model.records import Reject


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one file, from `start` up to `stop`.

    The unit is the file's own: bytes of clean text behind the header, rows of Parquet or of a dump's table.
    """

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk that has been read whole.

    `file` counts the files of the source from 0 in their order. `rows` were readable, `kept` of them
    are recipients; `rejects` could not be read.
    """

    file: int
    span: Span
    rows: int
    kept: int
    rejects: tuple[Reject, ...] = ()
