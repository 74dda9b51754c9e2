"""What a release says: `python .github/release/check_tag.py v1.2.3` prints its section of CHANGELOG.md.

Ends with status 2 where the tag is not the version of the package, or the changelog has no section for it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def release_notes(tag: str, code: str, changelog: str) -> str:
    """Return the section of a tag's version. Raises ValueError with the reason why it may not be released."""
    version = re.search(r'__version__ = "([^"]+)"', code)
    if version is None or tag != f"v{version[1]}":
        stated = version[1] if version else "none"
        raise ValueError(f"sbir_gate/__init__.py: the version is {stated}, the tag {tag}: change one of them")
    # a section ends at the next one
    section = re.search(
        rf"^## \[{re.escape(version[1])}\] - \d{{4}}-\d{{2}}-\d{{2}}\n(?P<text>.*?)(?=^## |\Z)",
        changelog,
        re.MULTILINE | re.DOTALL,
    )
    if section is None or not section["text"].strip():
        heading = f"'## [{version[1]}] - YYYY-MM-DD'"
        raise ValueError(f"CHANGELOG.md: no section {heading} with an entry: rename 'Unreleased'")
    return section["text"].strip() + "\n"


def main(arguments: list[str]) -> int:
    """Print the notes of the release that the only argument names."""
    if len(arguments) != 1:
        print("usage: check_tag.py TAG", file=sys.stderr)
        return 2
    code = (ROOT / "sbir_gate" / "__init__.py").read_text(encoding="utf-8")
    try:
        notes = release_notes(arguments[0], code, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    sys.stdout.write(notes)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
