"""JSON that means one thing: no key twice, no half characters, nothing nested too deeply."""

from __future__ import annotations

import json
import re
from collections import Counter

# a half of a pair of code units: only whole pairs are characters
_MAY_BE_HALF = re.compile(r"\\u[dD][89abABcdefCDEF]")


def parse_json(text: str) -> object:
    """Return what a JSON text holds. Raises ValueError with what is wrong, and where if that is known."""
    try:
        found: object = json.loads(text, object_pairs_hook=_unique)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if _MAY_BE_HALF.search(text):
        try:
            json.dumps(found, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError("holds half of a surrogate pair, which is not a character") from error
    return found


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {twice[:80]!r} is there twice")
    return found
