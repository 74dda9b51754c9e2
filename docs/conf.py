"""The settings of the documentation site: `make docs` builds it to site/ and fails on any warning."""

import os
import re
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
# of the repository, for links to files that are not pages
ADDRESS = os.environ.get("SBIR_GATE_REPOSITORY", "https://github.com/OWNER/NAME")

project = "sbir-gate"
copyright = "the sbir-gate maintainers"  # noqa: A001 -- the name that Sphinx reads
release = re.findall(r'__version__ = "([^"]+)"', (ROOT / "sbir_gate" / "__init__.py").read_text())[0]

extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"sbir-gate {release}"
myst_heading_anchors = 4


def lead_outside(_app: Sphinx, _page: str, source: list[str]) -> None:
    """Let links to files outside of docs lead to the repository."""
    source[0] = re.sub(r"\]\(\.\./([^)\s]+)\)", rf"]({ADDRESS}/blob/v{release}/\1)", source[0])


def setup(app: Sphinx) -> None:
    """Register the edges of this site."""
    app.connect("source-read", lead_outside)
    for language in ("csv", "mermaid"):
        app.add_lexer(language, TextLexer)
