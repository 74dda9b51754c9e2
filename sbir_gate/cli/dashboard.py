"""`sbir-gate dashboard`: the history as one page of trends."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from sbir_gate.cli.options import (
    FilePath,
    change_points_option,
    effective_settings,
    has_change_points,
    history_source_option,
    settings_options,
)
from sbir_gate.cli.printing import STANDARD_OUTPUT, deliver, harmless, put_line
from sbir_gate.files import check_outputs


@click.command(
    epilog="""\b
Examples:
  sbir-gate dashboard --html dashboard.html
  sbir-gate dashboard --history sbir-gate-history --html site/index.html --repository https://github.com/OWNER/NAME
  sbir-gate dashboard --history reports/history --since 90d --html dashboard.html
"""
)
@history_source_option
@click.option(
    "--html", "output", type=FilePath(), required=True, help="File to write; - for standard output."
)
@click.option("--since", metavar="WHEN", help="A date (2026-01-31), a time, or a span (12h, 30d, 6w).")
@click.option(
    "--repository",
    metavar="URL",
    help="Address of the repository, for links to commits and pull requests; default: that of the workflow.",
)
@change_points_option
@settings_options
def dashboard(
    source: str | None,
    output: Path,
    since: str | None,
    repository: str | None,
    wants_changes: bool | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Write the history as one HTML file: trends, the latest Run, and all Runs with links.

    The file loads nothing: it opens offline, and any web server can publish it.
    """
    from sbir_gate.gate.dashboard import dashboard_of, history_of
    from sbir_gate.gate.kept_runs import skipped_text
    from sbir_gate.gate.reporting.dashboard import dashboard_page
    from sbir_gate.gate.trends import future_text, horizon, since_moment
    from sbir_gate.pages.page import render_page

    settings = effective_settings(config_file, assignments, {}).settings
    check_outputs((output,), (config_file,))
    now = datetime.now(UTC)
    moment = since_moment(since, now) if since is not None else None
    with history_of(source, settings) as (history, reports_of):
        for line in (*skipped_text(history.skipped), *future_text(history, now)):
            put_line(f"warning: {harmless(line)}", is_error=True)
        gates = dashboard_of(
            history,
            settings,
            moment,
            before=horizon(now),
            has_changes=has_change_points(wants_changes),
            reports_of=reports_of,
        )
    site = repository if repository is not None else _workflow_site()
    page = dashboard_page(gates, site, (f"Made by sbir-gate on {now:%Y-%m-%d %H:%M} UTC.",))
    deliver(output, render_page(page))
    put_line(f"{harmless(str(output))}: {page.lead}", is_error=output == STANDARD_OUTPUT)


def _workflow_site() -> str:
    """Return the address of the repository whose workflow this is; empty elsewhere."""
    server, name = (os.environ.get(key, "") for key in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY"))
    return f"{server}/{name}" if server and name else ""
