"""A Run and its verdict on standard output, in each format."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from sbir_gate.cli.options import has_colour

if TYPE_CHECKING:
    from sbir_gate.model.run import Run
    from sbir_gate.model.verdict import Verdict

_CONSOLE_WIDTH = 120


def renderer(format_: str, is_verbose: bool) -> Callable[[Run, Verdict], str]:
    """Load all that renders, and return what renders the format."""
    from sbir_gate.gate.reporting.console import render_console
    from sbir_gate.gate.reporting.json_format import render_json
    from sbir_gate.gate.reporting.markdown import render_markdown
    from sbir_gate.gate.reporting.view import build_view

    def render(run: Run, verdict: Verdict) -> str:
        if format_ == "json":
            return render_json(verdict)
        if format_ == "markdown":
            return render_markdown(build_view(run, verdict))
        width = shutil.get_terminal_size((_CONSOLE_WIDTH, 24)).columns
        return render_console(build_view(run, verdict), width, has_colour(), is_verbose)

    return render
