"""What `sbir-gate init` and `sbir-gate fixture refresh` print of a fixture that was drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sbir_gate.datasets.drawing.fixture_draw import DrawnFixture
    from sbir_gate.pipeline.new_gate.file_plan import PlannedFile


def drawn_lines(drawn: DrawnFixture) -> Iterator[str]:
    """Yield what was read, what was drawn of it, and what to look at before it is committed."""
    from sbir_gate.gate.reporting.diagnoses import render_findings

    yield render_findings(drawn.findings)
    awards, recipients = drawn.awards, drawn.recipients
    yield f"drew {len(awards.drawn):,} of {awards.awards:,} awards from {len(awards.strata):,} groups"
    yield (
        f"drew recipients of {recipients.recipients:,}: {recipients.same_identifier:,} with the same "
        f"identifier, {recipients.near_misses:,} near misses, {recipients.strangers:,} strangers"
    )
    for name, columns in zip(("awards", "recipients"), drawn.left_out, strict=True):
        if columns:
            yield f"left out personal columns of {name}: {', '.join(columns)}"
    for column, cells in drawn.emails.items():
        yield f"warning: cells of {column!r} with an e-mail address: {cells:,}; check them before you commit"


def file_line(planned: PlannedFile, note: str = "", *, is_dry: bool) -> str:
    """Return what is done with a file, or would be."""
    would = "would be " if is_dry and planned.has_changes else ""
    return f"{would}{planned.fate}: {planned.file.path} ({len(planned.file.content):,} bytes){note}"
