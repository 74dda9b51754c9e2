"""What a page is made of: sections of paragraphs, facts, tables and charts, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from markupsafe import Markup

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None


class Tone(StrEnum):
    """What a color says; the style sheet has the colors, for light and dark."""

    PLAIN = "plain"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Fact:
    """A name, its value, and a remark in small letters below it."""

    name: str
    value: str
    remark: str = ""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table. Rows are sorted by `value` where it is known, else by `text`.

    `address` makes it a link if it is https or a place on the page (`#...`); any other stays text.
    """

    text: str
    value: float | None = None
    address: str = ""
    tone: Tone = Tone.PLAIN
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column. `has_choices` offers its values in a list, to filter by one of them."""

    title: str
    is_number: bool = False
    has_choices: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first cell of each is its header. A plain text is a cell of that text.

    `key` is unique on the page and of letters, digits and `-`. The reader can sort every table;
    `has_filter` adds a search field above it. `empty` is the text in place of no rows.
    """

    key: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell | str, ...], ...]
    has_filter: bool = False
    empty: str = "None."


class Mark(StrEnum):
    """How a series is drawn. A band reaches from `low` to `high`; a pie has its labels in `x`."""

    BAR = "bar"
    LINE = "line"
    POINTS = "points"
    LINE_AND_POINTS = "line-and-points"
    BAND = "band"
    PIE = "pie"


class Scale(StrEnum):
    """How an axis counts; on `category` every text is a place of its own."""

    LINEAR = "linear"
    LOG = "log"
    DATE = "date"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Series:
    """Points of a chart; all sequences run parallel to `x`, or are empty. None leaves a gap.

    `low` and `high` are the ends of intervals around `y`. `base` is where each bar starts (0 if empty).
    `texts` are shown on hover, one line per line of text. `tone` colors the series, `tones` each point; a
    plain series takes the next color of the palette.
    """

    name: str
    mark: Mark
    x: tuple[str | float, ...]
    y: tuple[float | None, ...] = ()
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    base: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()
    tone: Tone = Tone.PLAIN
    tones: tuple[Tone, ...] = ()
    is_dashed: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: its title, its scale, `suffix` after each number, and where it is fixed, its ends."""

    title: str = ""
    scale: Scale = Scale.LINEAR
    suffix: str = ""
    ends: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with the table that holds its figures, for who does not see it.

    `summary` is the chart in one sentence. In a horizontal chart `x` holds the categories all the same: they
    are drawn from top to bottom. Bars of several series are beside one another unless `is_stacked`.
    Two charts share a row unless one is `is_wide`.
    """

    key: str
    title: str
    summary: str
    series: tuple[Series, ...]
    table: Table
    x: Axis = Axis()
    y: Axis = Axis()
    height_pixels: int = 320
    is_stacked: bool = False
    is_horizontal: bool = False
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of text; a toned one is set off as a notice."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values as tiles; `key` is for a script that looks for them."""

    facts: tuple[Fact, ...]
    key: str = ""


Block = Paragraph | Facts | Table | Chart | Markup
"""Markup is a page's own, rendered by a template of `page_templates`, which escapes what it prints."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page with its heading; `key` is its place in the address, unique on the page."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page: the title, one line that says what matters, facts, and sections.

    `script` is the page's own, run after those of the kit, with `data` at `Page.data`; `style` is its own
    style sheet. Both are source code of this package, never made of data. `notes` are in the footer.
    `is_served` lets scripts talk to the server that served the page; any other page reaches no network.
    A page that `needs_scripts` says itself what is missing without them.
    """

    title: str
    lead: str = ""
    facts: tuple[Fact, ...] = ()
    sections: tuple[Section, ...] = ()
    notes: tuple[str, ...] = ()
    script: str = ""
    style: str = ""
    data: Json = None
    has_charts: bool = False
    is_served: bool = False
    needs_scripts: bool = False
