"""The quality report as HTML, as Markdown, and for the terminal: one page, printed three ways."""

from __future__ import annotations

from sbir_gate.gate.reporting.page_text import render_page_markdown, render_page_text
from sbir_gate.gate.reporting.quality_page import quality_page
from sbir_gate.model.quality_report import QualityReport
from sbir_gate.pages.page import render_page

_MARKDOWN_ROWS = 20
_CONSOLE_ROWS = 8


def render_quality_html(report: QualityReport) -> str:
    """Return the report as one HTML file with charts, which works offline."""
    return render_page(quality_page(report))


def render_quality_markdown(report: QualityReport) -> str:
    """Return the report as Markdown, with the first rows of each table."""
    return render_page_markdown(quality_page(report), _MARKDOWN_ROWS)


def render_quality_console(report: QualityReport, width: int) -> str:
    """Return the report for a terminal of this width, with the first rows of each table."""
    return render_page_text(quality_page(report), width, _CONSOLE_ROWS)
