"""A page as one file of HTML: nothing is loaded, and nothing from data can act.

Templates escape whatever they print. Data for scripts is JSON in which no character ends the element. The
policy of the page (CSP) runs the scripts of this package alone, by their digests, and reaches no network.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sbir_gate.pages.blocks import Cell, Chart, Facts, Json, Page, Paragraph, Section, Table
from sbir_gate.pages.charts import chart_data

_SCRIPTS = ("page.js", "figures.js", "tables.js")
_CHART_SCRIPTS = ("plotly/plotly-basic.min.js", "scripts/charts.js")

_ADDRESS = re.compile(r"(?:https://[A-Za-z0-9]|#)[^\s\x00-\x20\"'<>`\\]*")
# in a script element these can end it, begin a comment, or, in older engines, break a line
_UNSAFE_IN_SCRIPT = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
_NEVER_IN_SCRIPT = re.compile(r"</script|<!--", re.IGNORECASE)


def render_page(page: Page) -> str:
    """Return the page as HTML that can be written as UTF-8."""
    charts = [block for section in page.sections for block in section.blocks if isinstance(block, Chart)]
    scripts = _scripts(page, has_charts=bool(charts) or page.has_charts)
    data: Json = {"charts": {chart.key: chart_data(chart) for chart in charts}, "data": page.data}
    text = (
        _templates()
        .get_template("page.html.j2")
        .render(
            page=page,
            needs_scripts=page.needs_scripts,
            policy=_policy(scripts, is_served=page.is_served),
            style=Markup(_read("templates/page.css") + page.style),  # noqa: S704 -- source of this package
            scripts=[Markup(script) for script in scripts],  # noqa: S704 -- source of this package
            data=script_json(data),
        )
    )
    # half a surrogate pair is a character of no encoding
    return text.encode("utf-8", "replace").decode("utf-8")


def load_page() -> None:
    """Read all that a page is made of now: code that runs later could change the files."""
    render_page(Page("", has_charts=True))


def page_templates(package: str, folder: str) -> Environment:
    """Return the templates of another package, which may use those of the kit (`blocks.html.j2`)."""
    return _environment(ChoiceLoader([PackageLoader(package, folder), _kit_loader()]))


def script_json(value: Json) -> Markup:
    """Return a value as JSON for a script element. Raises ValueError for a number that is not finite."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_UNSAFE_IN_SCRIPT))  # noqa: S704 -- no character in it ends the element


def safe_address(text: str) -> str:
    """Return an https address or a place on the page, empty for anything else."""
    return text if _ADDRESS.fullmatch(text) else ""


@cache
def package_text(package: str, name: str) -> str:
    """Return a script or a style sheet that is a file of a package."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


@cache
def _templates() -> Environment:
    return _environment(_kit_loader())


def _kit_loader() -> PackageLoader:
    return PackageLoader("sbir_gate.pages", "templates")


def _environment(loader: PackageLoader | ChoiceLoader) -> Environment:
    environment = Environment(
        loader=loader,
        auto_reload=False,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({"address": safe_address, "cell": _cell, "kind": _kind})
    return environment


def _cell(value: Cell | str) -> Cell:
    return value if isinstance(value, Cell) else Cell(value)


def _kind(block: object) -> str:
    """Return the name of the macro that prints a block."""
    names = {Paragraph: "paragraph", Facts: "facts", Table: "table", Chart: "chart", Section: "section"}
    return names.get(type(block), "markup")


def _scripts(page: Page, *, has_charts: bool) -> list[str]:
    names = [f"scripts/{name}" for name in _SCRIPTS]
    if has_charts:
        names += _CHART_SCRIPTS
    scripts = [*map(_read, names), *([page.script] if page.script else [])]
    for script in scripts:
        if _NEVER_IN_SCRIPT.search(script) or "\r" in script:
            raise ValueError("a script of the page would end its own element, or change in it")
    return scripts


def _policy(scripts: list[str], *, is_served: bool) -> str:
    """Return the content security policy: the scripts by their digests, and nothing from anywhere.

    The drawing library sets styles by attributes, so that styles are not named one by one.
    """
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    rules = [
        "default-src 'none'",
        f"script-src {allowed}",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        *(["connect-src 'self'"] if is_served else []),
    ]
    return "; ".join(rules)


def _read(name: str) -> str:
    return package_text("sbir_gate.pages", name)
