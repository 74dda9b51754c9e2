"""A verdict as text, in each format, for the command line and for Python."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sbir_gate.errors import UsageError
from sbir_gate.gate.edges import subject_here
from sbir_gate.gate.reporting.console import render_console
from sbir_gate.gate.reporting.junit import render_junit
from sbir_gate.gate.reporting.markdown import Surroundings, render_markdown
from sbir_gate.gate.reporting.report_page import render_report_page
from sbir_gate.gate.reporting.trend_charts import trend_charts
from sbir_gate.gate.reporting.view import build_view
from sbir_gate.gate.trends import REPORT_METRICS, trends_of
from sbir_gate.model.document import VERDICT, encode
from sbir_gate.model.publication import Background, Subjects
from sbir_gate.model.run import Run
from sbir_gate.model.verdict import Verdict
from sbir_gate.settings.schema import Settings
from sbir_gate.wrong_input import did_you_mean

FORMATS = ("console", "markdown", "json", "html", "junit")
_WIDTH = 120


@dataclass(frozen=True, slots=True)
class Judged:
    """A Run and the verdict on it.

    `compared` are the Runs that it was compared with, `settings` name the history that trends are drawn of.
    `run_path` and `report_path` are the saved Run and the Markdown report, None if nothing was written.
    `against` is the saved Run that a user compared with.
    """

    run: Run
    verdict: Verdict
    compared: tuple[Run, ...] = ()
    settings: Settings | None = None
    run_path: Path | None = None
    report_path: Path | None = None
    against: str = ""


def render_error(verdict: Verdict, format_: str) -> str:
    """Return the verdict on what broke, for which there is no Run, as text; nothing for the console.

    There the error itself is said.
    """
    return "" if format_ == "console" else _document(None, verdict, format_)


def render(
    judged: Judged,
    format: str = "markdown",  # noqa: A002 -- named as the option of the command line
    *,
    width: int = _WIDTH,
    has_colour: bool = False,
    is_verbose: bool = True,
) -> str:
    """Return a verdict as text: console, markdown, json, html (one page that needs no network) or junit.

    `width`, `has_colour` and `is_verbose` hold for the console. The same input gives the same text. Raises
    UsageError for another format.
    """
    if format == "console":
        view = build_view(judged.run, judged.verdict, against=judged.against)
        return render_console(view, width, has_colour, is_verbose)
    return _document(
        judged.run, judged.verdict, format, judged.settings, Background(judged.compared, (), judged.against)
    )


def _document(
    run: Run | None,
    verdict: Verdict,
    format_: str,
    settings: Settings | None = None,
    background: Background | None = None,
) -> str:
    """Return the text of a format that is for a file; its trends are of the history that settings name."""
    if format_ == "json":
        return encode(VERDICT, verdict)
    if format_ == "junit":
        return render_junit(verdict)
    if format_ not in FORMATS:
        hint = did_you_mean(format_, FORMATS) or f"choose {', '.join(FORMATS)}"
        raise UsageError("there is no such format", hint, value=format_)
    subjects, behind = Subjects.of(verdict, subject_here), background or Background()
    if format_ == "html":
        trends = trends_of(run, settings, verdict.changes, REPORT_METRICS) if settings else ()
        return render_report_page(run, verdict, replace(behind, trends=trends), subjects)
    trends = trends_of(run, settings, verdict.changes) if settings else ()
    view = build_view(run, verdict, subjects=subjects, against=behind.against)
    return render_markdown(view, Surroundings(charts=trend_charts(trends)))
