"""`sbir-gate help`: the pages of the documentation as plain text, also without a docs folder."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from sbir_gate.cli.printing import put
from sbir_gate.errors import UsageError
from sbir_gate.wrong_input import did_you_mean

_WIDTH = 100
_PACKAGE = Path(__file__).parents[1]
_LINK = re.compile(r"!?\[([^\]]*)\]\(([^)\s]+)\)")
_SENTENCE = re.compile(r"^(.*?)\.(?:\s|$)")


@click.command(
    name="help",
    epilog="""\b
Examples:
  sbir-gate help
  sbir-gate help metrics
  sbir-gate help policy | grep -A 20 Waivers
""",
)
@click.argument("topic", required=False)
def help_(topic: str | None) -> None:
    """Show a page of the documentation; without a TOPIC, list the topics."""
    pages = topics()
    if topic is None:
        _show(listing({name: path.read_text(encoding="utf-8") for name, path in pages.items()}))
        return
    name = topic.lower().removesuffix(".md").rpartition("/")[2]
    if name not in pages:
        hint = did_you_mean(name, pages) or "'sbir-gate help' lists the topics"
        raise UsageError(f"no help topic {topic!r}", hint)
    _show(plain_text(pages[name].read_text(encoding="utf-8")))


def topics() -> dict[str, Path]:
    """Return the pages by topic: of the installed package, or of the repository."""
    folders = (_PACKAGE / "docs", _PACKAGE.parent / "docs")
    folder = next((found for found in folders if found.is_dir()), folders[0])
    return {path.stem: path for path in sorted(folder.rglob("*.md"))}


def listing(pages: dict[str, str]) -> str:
    """Return one line per topic: its name and the first sentence of its page."""
    width = max(map(len, pages), default=0)
    lines = [
        f"  {name:{width}}  {textwrap.shorten(_first_sentence(page), _WIDTH - width - 4, placeholder=' ...')}"
        for name, page in pages.items()
    ]
    return "\n".join(["Topics (sbir-gate help TOPIC):", *(line.rstrip() for line in lines)]) + "\n"


def _first_sentence(page: str) -> str:
    paragraph = next(
        (block for block in page.split("\n\n")[1:] if block[:1].isalpha() or block[:1] in "`*"), ""
    )
    sentence = _SENTENCE.match(_inline(" ".join(paragraph.split())))
    return sentence[1].replace("`", "") if sentence else ""


def plain_text(page: str) -> str:
    """Return a Markdown page as plain text: no links, fences or table frames."""
    lines: list[str] = []
    for is_code, block in _blocks(page):
        if is_code:
            lines += [f"    {line}".rstrip() for line in block]
        elif block[0].startswith("|"):
            lines += _table([_cells(line) for line in block if not re.fullmatch(r"[|:\- ]+", line)])
        else:
            for line in block:
                lines += _line(line)
    return "\n".join(lines).strip() + "\n"


def _blocks(page: str) -> Iterator[tuple[bool, list[str]]]:
    """Yield the page in blocks: fenced code, tables, and other lines one by one."""
    table: list[str] = []
    code: list[str] | None = None
    for line in page.splitlines():
        if line.startswith("```"):
            if code is not None:
                yield True, code
            code = [] if code is None else None
        elif code is not None:
            code.append(line)
        elif line.startswith("|"):
            table.append(line)
        else:
            if table:
                yield False, table
                table = []
            yield False, [line]
    if table:
        yield False, table


def _line(line: str) -> list[str]:
    heading = re.match(r"^(#+) (.*)$", line)
    if heading is None:
        return [] if line.startswith(("![", "<!--")) else [_inline(line)]
    title = _inline(heading[2])
    return [
        title.upper() if len(heading[1]) == 1 else title,
        ("=" if len(heading[1]) < 3 else "-") * len(title),
    ]


def _inline(text: str) -> str:
    """Return a text without marks; a link to another page names its topic."""
    return _LINK.sub(_link_text, text).replace("**", "").replace("&nbsp;", " ")


def _link_text(link: re.Match[str]) -> str:
    text, target = link[1], link[2]
    page = target.partition("#")[0]
    if page.endswith(".md") and not page.startswith("http"):
        return f"{text.removesuffix('.md')} ('sbir-gate help {Path(page).stem}')"
    return f"{text} ({target})" if target.startswith("http") else text


def _cells(row: str) -> list[str]:
    return [_inline(cell.strip()) for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def _table(rows: Sequence[list[str]]) -> list[str]:
    """Return a table in columns if it fits, else each row as a paragraph."""
    widths = [max(len(row[at]) if at < len(row) else 0 for row in rows) for at in range(len(rows[0]))]
    if sum(widths) + 2 * len(widths) <= _WIDTH:
        return [
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
            for row in rows
        ]
    lines = []
    for row in rows[1:]:
        named = [
            f"{name}: {cell}" if name else cell for name, cell in zip(rows[0][1:], row[1:], strict=False)
        ]
        lines += textwrap.wrap(row[0], _WIDTH, initial_indent="  ", subsequent_indent="  ") or ["  -"]
        for text in filter(lambda text: not text.endswith(": "), named):
            lines += textwrap.wrap(text, _WIDTH, initial_indent="      ", subsequent_indent="        ")
    return lines


def _show(text: str) -> None:
    if sys.stdout.isatty():
        click.echo_via_pager(text)
    else:
        put(text)
