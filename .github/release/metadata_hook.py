"""Metadata of the wheel that no file holds: the address of its repository, and a README with full links.

The address is that of the checkout's remote `origin`, or the one that `SBIR_GATE_REPOSITORY` names
(`https://github.com/OWNER/NAME`). Without either there is no address, and the README is as it is here.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

VARIABLE = "SBIR_GATE_REPOSITORY"
_ORIGIN = re.compile(
    r"(?:https://|ssh://git@|git@)(?P<host>[\w.-]+)[/:](?P<path>[\w.-]+/[\w.-]+?)(?:\.git)?/?"
)
_RELATIVE = re.compile(r'(?P<before>\]\(|src="|srcset=")(?!https?:|#|mailto:)(?P<place>[^)"\s]+)')
_PICTURES = (".png", ".svg")
_VERSION = re.compile(r'__version__ = "([^"]+)"')


class CustomMetadataHook(MetadataHookInterface):
    """Fills in `urls` and `readme`."""

    def update(self, metadata: dict[str, object]) -> None:
        """Add both to the metadata of the project."""
        root = Path(self.root)
        address = repository_address(root)
        readme = (root / "README.md").read_text(encoding="utf-8")
        if address:
            code = (root / "sbir_gate" / "__init__.py").read_text(encoding="utf-8")
            tag = f"v{_VERSION.search(code)[1]}"  # type: ignore[index] # the package has a version
            metadata["urls"] = project_urls(address, tag)
            readme = absolute_links(readme, address, tag)
        metadata["readme"] = {"content-type": "text/markdown", "text": readme}


def repository_address(root: Path) -> str:
    """Return the address of the repository that a folder is the top of; empty if it is not known."""
    named = os.environ.get(VARIABLE, "")
    if not named and (root / ".git").exists():
        asked = ["git", "-C", str(root), "config", "--get", "remote.origin.url"]
        named = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    found = _ORIGIN.fullmatch(named)
    return f"https://{found['host']}/{found['path']}" if found else ""


def project_urls(address: str, tag: str) -> dict[str, str]:
    """Return the links of the project's page in an index."""
    return {
        "Homepage": address,
        "Documentation": f"{address}/tree/{tag}/docs",
        "Changelog": f"{address}/blob/{tag}/CHANGELOG.md",
        "Issues": f"{address}/issues",
        "Source": address,
    }


def absolute_links(text: str, address: str, tag: str) -> str:
    """Return a page of the repository whose links to other files hold outside of it, at a tag."""

    def absolute(link: re.Match[str]) -> str:
        kind = "raw" if link["place"].endswith(_PICTURES) else "blob"
        return f"{link['before']}{address}/{kind}/{tag}/{link['place']}"

    return _RELATIVE.sub(absolute, text)
