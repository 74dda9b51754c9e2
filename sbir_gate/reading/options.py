"""The settings that reading is given."""

from __future__ import annotations

from dataclasses import dataclass

from sbir_gate.retrying import RetryPolicy

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How files are read.

    `chunk_size` is the number of lines or rows per block; `max_record_mib` the largest record that
    is kept; `max_reject_percent` the share of rows (0..100) that may be unreadable before reading fails.
    `find_header` says whether the header may be below other lines.
    """

    chunk_size: int
    max_record_mib: int
    max_reject_percent: float
    find_header: bool
    retrying: RetryPolicy

    @property
    def max_record_bytes(self) -> int:
        """The largest record that is kept, in bytes."""
        return self.max_record_mib * MIB
