"""What `run`, `diff` and `report` share: options, the judgement of saved Runs, how a verdict is printed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from sbir_gate.cli.options import Choice, effective_settings, has_colour, named_base

if TYPE_CHECKING:
    from sbir_gate.gate.policy import Judgement
    from sbir_gate.model.companions import Companions
    from sbir_gate.model.run import Run
    from sbir_gate.model.verdict import Verdict
    from sbir_gate.settings.schema import Settings

    Render = Callable[[Run, Verdict, Sequence[Run], Settings | None], str]

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
    """Load all that renders, and return what renders the format.

    It takes the Run, its verdict, the Runs that it was compared with, and the settings that name the history.
    """
    if format_ == "html":
        return _page_renderer()
    from sbir_gate.gate.edges import subject_here
    from sbir_gate.gate.reporting.console import render_console
    from sbir_gate.gate.reporting.junit import render_junit
    from sbir_gate.gate.reporting.markdown import Surroundings, render_markdown
    from sbir_gate.gate.reporting.trend_charts import trend_charts
    from sbir_gate.gate.reporting.view import build_view
    from sbir_gate.gate.trends import trends_of
    from sbir_gate.model.document import VERDICT, encode
    from sbir_gate.model.publication import Subjects

    def render(run: Run, verdict: Verdict, _compared: Sequence[Run], settings: Settings | None) -> str:
        if format_ == "json":
            return encode(VERDICT, verdict)
        if format_ == "junit":
            return render_junit(verdict)
        if format_ == "markdown":
            view = build_view(run, verdict, subjects=Subjects.of(verdict, subject_here))
            trends = trends_of(run, settings, verdict.changes) if settings else ()
            return render_markdown(view, Surroundings(charts=trend_charts(trends)))
        width = shutil.get_terminal_size((_CONSOLE_WIDTH, 24)).columns
        return render_console(build_view(run, verdict), width, has_colour(), is_verbose)

    return render


def _page_renderer() -> Render:
    from sbir_gate.gate.edges import subject_here
    from sbir_gate.gate.reporting.report_page import render_report_page
    from sbir_gate.gate.trends import REPORT_METRICS, trends_of
    from sbir_gate.model.publication import Background, Subjects
    from sbir_gate.pages.page import load_page

    load_page()

    def render(run: Run, verdict: Verdict, compared: Sequence[Run], settings: Settings | None) -> str:
        trends = trends_of(run, settings, verdict.changes, REPORT_METRICS) if settings else ()
        background = Background(tuple(compared), trends)
        return render_report_page(run, verdict, background, Subjects.of(verdict, subject_here))

    return render


def saved_judgement(
    policy_from: str | None,
    head: Run,
    reference: Run | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    options: Mapping[str, object] = MappingProxyType({}),
    *,
    is_diff: bool = False,
) -> tuple[Settings, Judgement]:
    """Return the settings and the policy for saved Runs: as requested, else as first judged."""
    from sbir_gate.gate.commit_files import PolicyRequest
    from sbir_gate.gate.saved_runs import judgement_again, saved_base

    effective = effective_settings(config_file, assignments, options)
    named = named_base(policy_from) if policy_from else saved_base(head, reference, is_diff=is_diff)
    request = (
        PolicyRequest(named, Path.cwd(), config_file, os.environ, options, assignments) if named else None
    )
    effective, judgement = judgement_again(
        request, effective, head, has_baseline=reference is None, is_asked=policy_from is not None
    )
    return effective.settings, judgement


def saved_verdict(head: Run, companions: Companions, settings: Settings, judgement: Judgement) -> Verdict:
    """Return the verdict on a saved Run, with what the history knows of the noise."""
    from sbir_gate.gate.policy import judged_with_history

    return judged_with_history(judgement, head, companions, settings, datetime.now(UTC).date())
