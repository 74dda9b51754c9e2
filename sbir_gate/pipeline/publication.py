"""The paths that readers know: links that are switched, in one step, to the place of what may be read."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

from sbir_gate.files import unwritable


def switch(link: Path, place: Path, names: tuple[str, ...]) -> bool:
    """Let `link` lead to the place, and the names beside it to its files; say whether it led elsewhere.

    All of them are switched by one rename: whoever opens one sees the file of before or that of now. Raises
    OutputError.
    """
    target = os.path.relpath(place, link.parent)
    is_new = not link.is_symlink() or str(link.readlink()) != target
    try:
        if is_new:
            _link(Path(target), link)
        for name in names:
            path, through = link.with_name(name), Path(link.name) / name
            if not path.is_symlink() or path.readlink() != through:
                _link(through, path)
    except OSError as error:
        raise unwritable(
            link, error, "name a folder in orchestration.folder on a disk that has symbolic links"
        ) from error
    return is_new


def _link(target: Path, link: Path) -> None:
    temporary = link.with_name(f".{link.name}.{uuid4().hex}.part")
    temporary.symlink_to(target)
    try:
        temporary.replace(link)
    finally:
        temporary.unlink(missing_ok=True)
