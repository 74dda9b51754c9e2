"""The view as GitHub Markdown, with everything from data made harmless."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sbir_gate.gate.reporting.escaping import (
    address_text,
    bound,
    code_span,
    escape_markdown,
    fenced,
    is_address,
    prose,
    whole,
)
from sbir_gate.gate.reporting.next_steps import WAIVERS_FILE
from sbir_gate.gate.reporting.view import View
from sbir_gate.model.publication import Links

_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is around a report where it is published: links, and charts as the lines of mermaid blocks."""

    links: Links = field(default_factory=Links)
    charts: tuple[str, ...] = ()


def render_markdown(view: View, surroundings: Surroundings | None = None) -> str:
    """Return the report as Markdown that ends in a newline."""
    around = surroundings or Surroundings()
    charts = [Markup(chart) for chart in around.charts]  # noqa: S704 -- trend_chart leaves no markup in them
    text = _TEMPLATE.render(
        view=view,
        links=_link_line(around.links),
        docs=address_text(around.links.docs),
        charts=charts,
        waivers_file=WAIVERS_FILE,
    )
    return _BLANK_LINES.sub("\n\n", text).rstrip("\n") + "\n"


def _link_line(links: Links) -> Markup:
    named = (
        ("compare", links.compare),
        ("workflow run", links.run),
        ("reports and changed awards", links.artifact),
        ("trends", links.dashboard),
    )
    return Markup(" · ").join(
        Markup(f"[{name}]({address})")  # noqa: S704 -- an allowed address cannot end the link
        for name, address in named
        if is_address(address)
    )


def _finalize(value: object) -> Markup:
    """Escape whatever a template prints, once, so that no template can forget to."""
    if isinstance(value, Markup):  # what a macro has printed is escaped already
        return value
    return Markup(escape_markdown(str(value)))  # noqa: S704 -- escape_markdown leaves no markup in it


_ENVIRONMENT = Environment(
    loader=PackageLoader("sbir_gate", "gate/reporting/templates"),
    autoescape=True,
    finalize=_finalize,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.filters.update(
    {
        "code": code_span,
        "whole": whole,
        "bound": bound,
        "prose": prose,
        "log": fenced,
        "address": address_text,
    }
)
# compiled now: an engine that runs later could change the file
_TEMPLATE = _ENVIRONMENT.get_template("report.md.j2")
