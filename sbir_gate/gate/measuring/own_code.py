"""The code that processes of the gate run: no engine may add to it, or change it, while it is measured.

An engine runs as the same user, so it can write beside the sources of the gate and of its dependencies: other
sources, or compiled code that Python prefers to unchanged sources. The state of the files shows what it did
there. Compiled code is not read meanwhile, and what was added of it to this package is removed afterwards.
"""

from __future__ import annotations

import base64
import csv
import os
import stat
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.machinery import all_suffixes
from pathlib import Path

from sbir_gate.errors import TamperedProgramError
from sbir_gate.files import read_file
from sbir_gate.gate.measuring.seals import Mark, digest_of, mark_of, walk

_PACKAGE = Path(__file__).parents[2]
_COMPILED = "__pycache__"
_INSTALLED = ("site-packages", "dist-packages")
# what Python runs, or lets another file be run by, once it lies in a folder that is imported from
_IMPORTABLE = (*all_suffixes(), ".pth")
_EXAMPLES = 3
_MAX_RECORD_BYTES = 2**24


@dataclass(frozen=True, slots=True)
class ImportFolders:
    """Where processes of the gate import from.

    All of `trees` counts, but for compiled code; of `tops` only modules and packages directly in them: the
    rest may be anything (a checkout). `files` are single files that start a process, or that it reads.
    """

    package: Path
    trees: tuple[Path, ...] = ()
    tops: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()


def import_folders() -> ImportFolders:
    """Return the folders of this interpreter, and the files that start it."""
    entries = [Path(entry or ".").resolve() for entry in sys.path]
    library = Path(sysconfig.get_path("stdlib")).resolve()
    shared = Path(sys.base_prefix, "lib", str(sysconfig.get_config_var("INSTSONAME")))
    # the launcher of the next run reads them; this process has read or written them: no further read is
    # needed
    compiled = (
        getattr(module, "__cached__", None)
        for name, module in tuple(sys.modules.items())
        if name.partition(".")[0] in sys.stdlib_module_names
    )
    return ImportFolders(
        package=_PACKAGE,
        trees=(library, *(entry for entry in entries if entry.name in _INSTALLED)),
        tops=tuple(
            entry
            for entry in entries
            if entry.is_dir() and entry.name not in _INSTALLED and not entry.is_relative_to(library)
        ),
        files=(
            Path(sys.executable),
            Path(sys.prefix, "pyvenv.cfg"),
            shared,
            *(Path(path) for path in compiled if isinstance(path, str)),
        ),
    )


@contextmanager
def sources_alone() -> Iterator[None]:
    """Neither read nor write compiled code meanwhile: it is looked for where no file can be."""
    earlier = sys.pycache_prefix, sys.dont_write_bytecode
    sys.pycache_prefix, sys.dont_write_bytecode = os.devnull, True
    try:
        yield
    finally:
        sys.pycache_prefix, sys.dont_write_bytecode = earlier


@contextmanager
def own_code_kept(folders: ImportFolders | None = None) -> Iterator[None]:
    """Let engines run meanwhile, and find out whether they changed the code of the gate, however they end.

    Compiled files that are new in this package, or changed, are removed: Python itself writes them there, and
    their writer is unknown. Raises TamperedProgramError for anything else.
    """
    own_code = OwnCode(folders or import_folders())
    with sources_alone():
        try:
            yield
        finally:
            own_code.restore()


class OwnCode:
    """The state of the code before engines run."""

    def __init__(self, folders: ImportFolders) -> None:
        self._folders = folders
        self._compiled = dict(_compiled_marks(folders.package))
        self._marks = self._look()
        self._digests = self._digest_package()

    def restore(self) -> None:
        """Remove compiled files of the package. Raises TamperedProgramError for what else has changed."""
        changed = [path for path in self._planted() if not _is_removed(path)]
        digests = self._digest_package()
        paths = self._digests.keys() | digests.keys()
        changed += [path for path in paths if self._digests.get(path) != digests.get(path)]
        changed += self._changed_marks()
        if changed:
            names = ", ".join(str(path) for path in sorted(changed)[:_EXAMPLES])
            more = f" and {len(changed) - _EXAMPLES} more" if len(changed) > _EXAMPLES else ""
            raise TamperedProgramError(
                f"the enricher changed the program that measures it: {names}{more}",
                "an enricher may write to {output}, {metrics} and TMPDIR; install sbir-gate again, in an"
                " environment of its own if the enricher installs packages",
            )

    def _planted(self) -> list[Path]:
        return [
            path for path, mark in _compiled_marks(self._folders.package) if self._compiled.get(path) != mark
        ]

    def _digest_package(self) -> dict[Path, str]:
        return {Path(name): digest_of(Path(name)) for name, _ in _files(self._folders.package)}

    def _changed_marks(self) -> list[Path]:
        """Return what is new or gone, or has another mark though it is not what its package installed."""
        now = self._look()
        names = self._marks.keys() | now.keys()
        differing = [name for name in names if self._marks.get(name) != now.get(name)]
        found = []
        installed: Mapping[Path, str] | None = None
        for name in differing:
            before, after = self._marks.get(name), now.get(name)
            path = Path(name)
            if before is None and not name.endswith(_IMPORTABLE):
                continue
            # installers link one file into several environments: that changes the times of its status
            if before and after and before[:-1] == after[:-1]:
                if installed is None:
                    installed = self._installed(differing)
                if installed.get(path) == _recorded_form(digest_of(path)):
                    continue
            found.append(path)
        return found

    def _installed(self, differing: Iterable[str]) -> Mapping[Path, str]:
        """Return the digests that installers recorded, but for those whose record was changed."""
        changed = frozenset(differing)
        digests: dict[Path, str] = {}
        for tree in self._folders.trees:
            for record in tree.glob("*.dist-info/RECORD"):
                if str(record) in changed:
                    continue
                with suppress(OSError, UnicodeDecodeError):
                    lines = read_file(record, _MAX_RECORD_BYTES).decode().splitlines()
                    digests.update((tree / row[0], row[1]) for row in csv.reader(lines) if len(row) > 1)
        return digests

    def _look(self) -> dict[str, Mark]:
        marks: dict[str, Mark] = {}
        for tree in self._folders.trees:
            marks.update((name, mark_of(entry)) for name, entry in _files(tree, _INSTALLED))
        for top in self._folders.tops:
            marks.update(_modules_in(top))
        for path in self._folders.files:
            with suppress(OSError):
                marks[str(path)] = (*mark_of(path.stat()), *mark_of(path.lstat()))
        return marks


def _files(folder: Path, left_out: tuple[str, ...] = ()) -> Iterator[tuple[str, os.stat_result]]:
    """Yield all but folders below a folder, without compiled files; links are not followed."""
    found = walk(folder, (_COMPILED, *left_out))
    return ((name, status) for name, status in found if not stat.S_ISDIR(status.st_mode))


def _modules_in(folder: Path) -> Iterator[tuple[str, Mark]]:
    """Yield the modules directly in a folder, and what makes packages of its folders."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.is_dir():
                    for suffix in all_suffixes():
                        made = Path(entry.path, f"__init__{suffix}")
                        if made.exists():
                            yield str(made), mark_of(made.stat())
                elif entry.name.endswith(_IMPORTABLE):
                    yield entry.path, mark_of(entry.stat())


def _compiled_marks(package: Path) -> Iterator[tuple[Path, Mark]]:
    """Yield the files that are compiled from a package."""
    for folder in package.rglob(_COMPILED):
        if not folder.is_symlink():
            for name, status in _files(folder):
                yield Path(name), mark_of(status)


def _is_removed(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _recorded_form(digest: str) -> str:
    """Return a digest as the RECORD of an installed package has it. Source: PEP 376, PEP 427."""
    return "sha256=" + base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")
