"""Pages that look like GitHub's, and their pictures as a headless browser draws them."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options

NARROW, WIDE = 390, 880
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_SECONDS = 120
_WAIT_MILLISECONDS = 4000
_MERMAID = re.compile(r'<pre lang="mermaid"><code>(.*?)</code></pre>', re.DOTALL)
_HEIGHT = re.compile(r'data-height="(\d+)"')

_COLOURS = {
    "light": {
        "text": "#1f2328", "back": "#ffffff", "line": "#d1d9e0", "quiet": "#59636e", "code": "#818b981f",
        "block": "#f6f8fa", "link": "#0969da", "row": "#f6f8fa", "alert": "#9a6700",
    },
    "dark": {
        "text": "#f0f6fc", "back": "#0d1117", "line": "#3d444d", "quiet": "#9198a1", "code": "#656c7633",
        "block": "#151b23", "link": "#4493f8", "row": "#151b23", "alert": "#d29922",
    },
}  # fmt: skip

_STYLE = """
body {{ margin: 0; padding: 16px; background: {back}; color: {text}; width: {inner}px;
  font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, "DejaVu Sans", sans-serif; }}
h3 {{ font-size: 1.25em; margin: 0 0 12px; line-height: 1.3; }}
h2 {{ border-bottom: 1px solid {line}; padding-bottom: .3em; margin: 0 0 12px; }}
p, ul, table, pre, details, blockquote {{ margin: 0 0 12px; }}
ul {{ padding-left: 2em; }}
a {{ color: {link}; text-decoration: none; }}
table {{ border-collapse: collapse; display: block; width: max-content; max-width: 100%; overflow: auto; }}
th, td {{ border: 1px solid {line}; padding: 6px 13px; }}
tr:nth-child(2n) td {{ background: {row}; }}
code {{ background: {code}; padding: .2em .4em; border-radius: 6px;
  font: 85% "DejaVu Sans Mono", monospace; }}
pre {{ background: {block}; padding: 12px; border-radius: 6px; overflow: auto; }}
pre code {{ background: none; padding: 0; }}
sub {{ font-size: 12px; color: {text}; line-height: 1.5; vertical-align: baseline; }}
blockquote {{ border-left: 4px solid {alert}; padding: 0 12px; color: {text}; }}
summary {{ cursor: pointer; }}
.mermaid svg {{ max-width: 100%; }}
.terminal {{ white-space: pre; font: 13px/1.35 "DejaVu Sans Mono", monospace; }}
"""

_SCRIPT = """
const done = () => document.documentElement.setAttribute(
  "data-height", Math.ceil(document.body.getBoundingClientRect().height));
if (window.mermaid) {
  mermaid.initialize({startOnLoad: false, theme: THEME});
  mermaid.run({querySelector: ".mermaid"}).then(done, done);
} else { done(); }
"""


def comment_page(
    markdown: str, width: int, theme: str, mermaid: Path | None = None, is_open: bool = False
) -> str:
    """Return a comment as a page; `mermaid` is the library that draws charts, `is_open` opens the folds."""
    body = cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE)
    body = body.replace("<p>[!WARNING]", "<p>⚠ <b>Warning</b><br>")
    if is_open:
        body = body.replace("<details>", "<details open>")
    if mermaid is not None:
        body = _MERMAID.sub(r'<div class="mermaid">\1</div>', body)
    return _page(body, width, theme, mermaid)


def check_page(title: str, summary: str, width: int, theme: str) -> str:
    """Return the page of a check: its title above its summary."""
    body = cmarkgfm.github_flavored_markdown_to_html(summary, options=Options.CMARK_OPT_UNSAFE)
    heading = f"<h2>sbir-gate / enrichment</h2><p><b>{html.escape(title)}</b></p>"
    return _page(heading + body, width, theme, None)


def terminal_page(text: str, width: int, theme: str) -> str:
    """Return a terminal's text as a page; of escape sequences it knows bold and the eight colours."""
    body = f'<div class="terminal">{_coloured(text, theme)}</div>'
    return _page(body, width, theme, None)


def picture(page: str, path: Path, width: int, scale: float = 1.0) -> None:
    """Write the picture of a page, as high as the page is."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        source.write_text(page, encoding="utf-8")
        dom = _browser(folder, source, "--dump-dom", f"--window-size={width},600")
        found = _HEIGHT.search(dom)
        if found is None:
            raise SystemExit("the browser did not draw the page")
        _browser(
            folder,
            source,
            f"--screenshot={path.resolve()}",
            f"--window-size={width},{int(found[1]) + 32}",
            f"--force-device-scale-factor={scale}",
        )


def _page(body: str, width: int, theme: str, mermaid: Path | None) -> str:
    style = _STYLE.format(inner=width - 32, **_COLOURS[theme])
    library = f'<script src="{mermaid.resolve().as_uri()}"></script>' if mermaid else ""
    script = _SCRIPT.replace("THEME", '"dark"' if theme == "dark" else '"default"')
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><style>{style}</style></head>'
        f"<body>{body}{library}<script>{script}</script></body></html>"
    )


def _browser(folder: str, source: Path, *options: str) -> str:
    name = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if name is None:
        raise SystemExit("no browser: install chromium first")
    command = (
        *(
            name,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={folder}/user",
        ),
        *(f"--virtual-time-budget={_WAIT_MILLISECONDS}", *options, source.as_uri()),
    )
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)
    return done.stdout


_ANSI = {
    "light": {"31": "#cf222e", "32": "#116329", "33": "#7d4e00", "35": "#8250df", "90": "#57606a"},
    "dark": {"31": "#ff7b72", "32": "#3fb950", "33": "#d29922", "35": "#be8fff", "90": "#8b949e"},
}
_ESCAPE = re.compile(r"\x1b\[([0-9;]*)m")


def _coloured(text: str, theme: str) -> str:
    parts: list[str] = []
    last = opened = 0
    for match in _ESCAPE.finditer(text):
        parts.append(html.escape(text[last : match.start()]))
        last = match.end()
        codes = match[1].split(";")
        if codes in ([""], ["0"]):
            parts.append("</span>" * opened)
            opened = 0
            continue
        colours = (f"color: {_ANSI[theme].get(code, 'inherit')}" for code in codes if code != "1")
        style = "; ".join((*colours, *(["font-weight: bold"] if "1" in codes else [])))
        parts.append(f'<span style="{style}">')
        opened += 1
    return "".join((*parts, html.escape(text[last:])))
