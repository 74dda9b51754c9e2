"""A chunk of a source: which piece of it has been read, and its result."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sbir_gate.model.records import Reject


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one file, from `start` up to `stop`.

    The unit is the file's own: bytes of clean text behind the header, rows of Parquet or of a dump's table.
    """

    start: int
    stop: int


class Remark(StrEnum):
    """What is counted of rows and cells while they are read."""

    NAMELESS = "nameless"
    """Rows that are left out: they have no name, UEI or DUNS."""
    PLACEHOLDER_NAME = "placeholder-name"
    """Rows that are left out: their name is that of many or of none (MULTIPLE RECIPIENTS)."""
    FILLED = "filled"
    """Rows whose field comes from its second column, or a later one."""
    CONTRADICTED = "contradicted"
    """Rows in which the columns of a field hold different values."""
    BAD_FORM = "bad-form"
    """Identifiers that are not used: they are none by their form."""
    PLACEHOLDER = "placeholder"
    """Identifiers that are not used: N/A, 000000000, 123456789."""
    GENERIC = "generic"
    """Identifiers that are not used: they belong to a placeholder name, so to any firm."""


LEFT_OUT = (Remark.NAMELESS, Remark.PLACEHOLDER_NAME)
UNUSED = (Remark.BAD_FORM, Remark.PLACEHOLDER, Remark.GENERIC)


@dataclass(frozen=True, slots=True)
class Observation:
    """How often something was seen while a field was read, and the first examples, in source order."""

    remark: Remark
    field: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk that has been read whole.

    `file` counts the files of the source from 0 in their order. `rows` were readable, `kept` of them
    are recipients, and `left_out` lists those that are not, and those that can match nothing; `rejects` could
    not be read.
    """

    file: int
    span: Span
    rows: int
    kept: int
    rejects: tuple[Reject, ...] = ()
    left_out: tuple[Reject, ...] = ()
    observations: tuple[Observation, ...] = ()
