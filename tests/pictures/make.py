"""Write the pictures of the documentation: comment, check, console, a trend, dashboard and quality report.

It needs Chromium and chromium-driver on the PATH. Trends are drawn by mermaid, as GitHub draws them: name its
file (`mermaid.min.js` of the npm package) with --mermaid, else they are left as they are.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sbir_gate.engine.enrichment import EnrichRequest, link_and_write
from sbir_gate.gate.dashboard import dashboard_of
from sbir_gate.gate.quality import QualityRequest, report_on_file
from sbir_gate.gate.reporting.console import render_console
from sbir_gate.gate.reporting.dashboard import dashboard_page
from sbir_gate.gate.reporting.publication import build_publication
from sbir_gate.gate.reporting.quality_page import render_quality_html
from sbir_gate.gate.reporting.trend_charts import trend_chart
from sbir_gate.gate.reporting.view import build_view
from sbir_gate.gate.storing.history import open_entries
from sbir_gate.model.publication import Links, Publication, Subjects, TrendSeries
from sbir_gate.model.quality_report import QualityReport
from sbir_gate.pages.page import render_page
from sbir_gate.settings.effective import load_settings
from tests.browser import PHONE, open_browser
from tests.factories_dashboard import long_history
from tests.factories_quality import MADE_AT
from tests.pictures.cases import make_case, names
from tests.pictures.page import NARROW, WIDE, check_page, comment_page, picture, terminal_page

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
THEMES = ("light", "dark")
COLUMNS = 80
DASHBOARD = (1000, 900)
CONSOLE_WIDTH = 690

_SITE = "https://github.example/agency/pipeline"
LINKS = Links(
    run=f"{_SITE}/actions/runs/1",
    artifact=f"{_SITE}/actions/runs/1/artifacts/2",
    pull_request=f"{_SITE}/pull/7",
    commit=f"{_SITE}/commit/baf714d",
    base_commit=f"{_SITE}/commit/8446519",
    compare=f"{_SITE}/compare/8446519...baf714d",
    docs="https://github.example/tools/sbir-gate/blob/v1/docs",
)
SUBJECTS = Subjects("Read awards in chunks", "Switch the link by UEI off")
_COMMITS = ("2265b1f", "91c04da", "5d6e7f8", "c386bbc", "0ab41e7", "77f03c2", "a6cecc1", "18072e8", "d5f4b3b")
TREND = TrendSeries(
    "wall_seconds",
    "s",
    (*_COMMITS, "baf714d"),
    (9.71, 9.84, 9.66, 9.92, 9.75, 9.81, 9.7, 9.88, 9.78, 13.9),
    12.2,
)


def publication(name: str) -> Publication:
    """Return what GitHub shows of one kind of verdict."""
    run, verdict = make_case(name)
    return build_publication(run, verdict, origins={}, trends=(), links=LINKS, subjects=SUBJECTS)


def console(name: str) -> str:
    """Return what a terminal of COLUMNS shows of one kind of verdict."""
    run, verdict = make_case(name)
    return render_console(build_view(run, verdict), COLUMNS, use_colour=True)


def pages(mermaid: Path | None) -> Iterator[tuple[str, str, int]]:
    """Yield the pictures of the documentation: name, page and width."""
    for theme in THEMES:
        for name in ("pass", "fail"):
            yield f"comment-{name}-{theme}", comment_page(publication(name).texts[0], WIDE, theme), WIDE
        check = publication("inconclusive")
        yield f"check-{theme}", check_page(check.title, check.texts[0], WIDE, theme), WIDE
        yield f"console-{theme}", terminal_page(console("fail"), CONSOLE_WIDTH, theme), CONSOLE_WIDTH
        if mermaid is not None:
            chart = f"```mermaid\n{trend_chart(TREND)}\n```\n"
            yield f"trend-{theme}", comment_page(chart, WIDE, theme, mermaid), WIDE


def every_page(mermaid: Path | None) -> Iterator[tuple[str, str, int]]:
    """Yield each kind of comment on a desk and on a phone, and of console: to look at, not to keep."""
    yield from pages(mermaid)
    for name in names():
        for theme in THEMES:
            for width in (WIDE, NARROW):
                yield f"{name}-{width}-{theme}", comment_page(publication(name).texts[0], width, theme), width
            yield f"{name}-console-{theme}", terminal_page(console(name), CONSOLE_WIDTH, theme), CONSOLE_WIDTH


def dashboard_pictures(folder: Path) -> None:
    """Write what the dashboard shows first, in a window of a desk and of a phone."""
    entries = {f"{number:05}.json": entry for number, entry in enumerate(long_history(160, step_at=110))}
    settings = load_settings(None, {}, {}, ("drift.branch=main",)).settings
    with open_entries(entries) as history:
        gates = dashboard_of(history, settings, None, has_changes=True)
    with tempfile.TemporaryDirectory() as name, open_browser() as browser:
        page = Path(name) / "dashboard.html"
        page.write_text(render_page(dashboard_page(gates, _SITE)), encoding="utf-8")
        for scheme in THEMES:
            browser.open(page, "metric=wall_seconds", scheme=scheme, size=DASHBOARD)
            browser.picture(folder / f"dashboard-{scheme}.png", size=DASHBOARD)
        browser.open(page, "metric=wall_seconds", size=PHONE)
        browser.picture(folder / "dashboard-phone.png", size=PHONE)


def quality_pictures(folder: Path) -> None:
    """Write what the quality report of the fixtures shows first, and its table of candidates."""
    with tempfile.TemporaryDirectory() as name, open_browser() as browser:
        page = Path(name) / "quality.html"
        page.write_text(render_quality_html(fixture_report(Path(name))), encoding="utf-8")
        for scheme in THEMES:
            browser.open(page, scheme=scheme, size=DASHBOARD)
            browser.picture(folder / f"quality-{scheme}.png", size=DASHBOARD)
        browser.open(page, size=PHONE)
        browser.picture(folder / "quality-phone.png", size=PHONE)


def fixture_report(folder: Path) -> QualityReport:
    """Return the quality report of the fixtures, linked by the engine."""
    settings = load_settings(None, {}, {}).settings
    fixtures, linked = settings.fixtures, folder / "linked.parquet"
    request = EnrichRequest(str(fixtures.awards), str(fixtures.recipients), linked)
    link_and_write(request, settings)
    return report_on_file(
        QualityRequest(linked, fixtures.truth), settings, MADE_AT, lambda _: None, warn=print
    )


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mermaid", type=Path, help="mermaid.min.js, which draws the trends")
    parser.add_argument("--output", type=Path, default=PICTURES, help="folder to write to")
    parser.add_argument(
        "--every", action="store_true", help="also each kind of comment, at 880 and 390 pixels"
    )
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    found = every_page(options.mermaid) if options.every else pages(options.mermaid)
    for name, page, width in found:
        picture(page, options.output / f"{name}.png", width)
    dashboard_pictures(options.output)
    quality_pictures(options.output)


if __name__ == "__main__":
    main()
