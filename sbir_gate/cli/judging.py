"""What `run`, `diff` and `report` share: options, and how a verdict is printed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from sbir_gate.cli.options import Choice, has_colour

if TYPE_CHECKING:
    from sbir_gate.gate.rendering import Judged

    Render = Callable[[Judged], str]

_CONSOLE_WIDTH = 120
FORMATS = ("console", "markdown", "json", "html", "junit")

format_option = click.option(
    "--format",
    "format_",
    type=Choice(FORMATS),
    default="console",
    show_default=True,
    help="Output format.",
)
verbose_option = click.option(
    "--verbose", "-v", is_flag=True, help="Also show all metrics, the awards and the environment."
)
fail_on_option = click.option(
    "--fail-on",
    type=Choice(["fail", "inconclusive"]),
    default="fail",
    show_default=True,
    help="Least severe verdict with an exit status above 0.",
)


def renderer(format_: str, is_verbose: bool) -> Render:
    """Load all that renders, and return what renders the format."""
    from sbir_gate.gate.rendering import render

    if format_ == "html":
        from sbir_gate.pages.page import load_page

        load_page()

    def rendered(judged: Judged) -> str:
        width = shutil.get_terminal_size((_CONSOLE_WIDTH, 24)).columns
        return render(judged, format_, width=width, has_colour=has_colour(), is_verbose=is_verbose)

    return rendered
