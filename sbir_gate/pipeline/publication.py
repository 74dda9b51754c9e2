"""The paths that readers know: links that are switched, in one step, to the place of what may be read."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

from sbir_gate.files import unwritable


def switch(link: Path, place: Path, names: tuple[str, ...]) -> None:
    """Let `link` lead to the place, and the names beside it to its files.

    All of them are switched by one rename: whoever opens one sees the file of before or that of now. Raises
    OutputError.
    """
    target = os.path.relpath(place, link.parent)
    targets = {link: Path(target), **{link.with_name(name): Path(link.name) / name for name in names}}
    for path, leads_to in targets.items():
        if not path.is_symlink() or path.readlink() != leads_to:
            _link(leads_to, path)


def _link(target: Path, link: Path) -> None:
    temporary = link.with_name(f".{link.name}.{uuid4().hex}.part")
    try:
        temporary.symlink_to(target)
        try:
            temporary.replace(link)
        finally:
            temporary.unlink(missing_ok=True)
    except IsADirectoryError as error:
        raise unwritable(link, error, "move the folder away: a link takes its place") from error
    except OSError as error:
        raise unwritable(
            link, error, "name a folder in orchestration.folder on a disk that has symbolic links"
        ) from error
