"""Whether a change touches the engine at all, by the files that `enricher.sources` of the base names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.machinery import all_suffixes
from pathlib import Path, PurePath

from sbir_gate.gate.commit_files import PolicyRequest, commit_settings
from sbir_gate.gate.measuring.base_environment import Place, import_folders
from sbir_gate.gate.measuring.locks import KNOWN
from sbir_gate.gate.storing.merge_base import find_base
from sbir_gate.model.finding import Finding, Rule, note
from sbir_gate.model.git import AsksGit
from sbir_gate.model.run import Timing
from sbir_gate.settings.schema import Settings

_IMPORTABLE = (*all_suffixes(), ".so", ".pyd", ".pth")


@dataclass(frozen=True, slots=True)
class SourceChanges:
    """The files of the engine that differ from a commit, and the patterns that match no file at all."""

    files: tuple[str, ...]
    unmatched: tuple[str, ...]


def timing_of(settings: Settings) -> Timing:
    """Return whether the settings ask for times at all."""
    return Timing.MEASURED if settings.benchmark.is_timed else Timing.QUICK


def timing_beside(
    settings: Settings, git: AsksGit, commit: str, folders: Sequence[Path], *, is_other: bool
) -> tuple[Timing, tuple[Finding, ...]]:
    """Return whether time is measured, and what a reader should know of it.

    It is not where the engine is the commit's: its files, the modules that it could import from `folders`,
    and everything in `is_other`, such as its command, its environment, and every setting that it
    reads. `git` runs at the top of the repository.
    """
    sources = settings.enricher.sources
    if timing_of(settings) is not Timing.MEASURED or not sources:
        return timing_of(settings), ()
    changes = source_changes(git, commit, sources)
    if changes.unmatched:
        return Timing.MEASURED, (note(Rule.SOURCES_UNMATCHED, names=changes.unmatched),)
    is_other = is_other or bool(changes.files) or settings.benchmark.base_lock == ()
    is_other = is_other or bool(import_changes(git, commit, folders))
    return (Timing.MEASURED if is_other else Timing.ENGINE_UNCHANGED), ()


def timing_against_baseline(
    settings: Settings, request: PolicyRequest | None
) -> tuple[Timing, tuple[Finding, ...]]:
    """Return the same for a run that is compared with the baseline of the request's commit, if there is one.

    Any change of a file that names dependencies counts: no second environment shows what it amounts to.
    """
    if request is None or timing_of(settings) is not Timing.MEASURED or not settings.enricher.sources:
        return timing_of(settings), ()
    found, theirs = find_base(request.git_in(request.folder), request.base), commit_settings(request).settings
    git, side = found.revision.git, Place(found.root.resolve(), Path.cwd().resolve())
    here = side.working_folder.relative_to(side.root)
    locks = [(here / name).as_posix() for name in settings.benchmark.base_lock or KNOWN]
    is_other = (
        theirs.enricher.command != settings.enricher.command
        or (theirs.matching, theirs.reading, theirs.enrichment)
        != (settings.matching, settings.reading, settings.enrichment)
        or bool(source_changes(git, found.commit, locks).files)
    )
    folders = import_folders(side, settings.enricher.command or (), request.environment)
    return timing_beside(settings, git, found.commit, folders, is_other=is_other)


def source_changes(git: AsksGit, commit: str, sources: Sequence[str]) -> SourceChanges:
    """Compare the working tree, committed or not, with a commit; `git` runs at the top of the repository."""
    patterns = [f":(top,glob){source}" for source in sources]
    return SourceChanges(_changed(git, commit, patterns), unmatched_sources(git, sources, commit))


def import_changes(git: AsksGit, commit: str, folders: Sequence[Path]) -> tuple[str, ...]:
    """Return the changes in folders of imports that may put a module in the place of another.

    Python takes the first of a name: a file `csv.py` at the top of the repository replaces the module csv,
    and `sitecustomize.py` runs unasked. So a module directly in such a folder counts, and a package there
    that the commit does not have. All other files count where `enricher.sources` names them.
    """
    answer = git.ask("rev-parse", "--show-toplevel")
    if answer.status:
        return (answer.complaint or "?",)
    root = Path(answer.output.decode("utf-8", errors="surrogateescape").removesuffix("\n")).resolve()
    known: dict[PurePath, bool] = {}

    def is_new(folder: PurePath) -> bool:
        if folder not in known:
            known[folder] = bool(git.ask("cat-file", "-e", f"{commit}:{folder.as_posix()}").status)
        return known[folder]

    tops = [PurePath(folder.relative_to(root)) for folder in folders if folder.is_relative_to(root)]
    return tuple(
        name
        for name in _changed(git, commit, [":(top)"])
        if any(_may_replace(PurePath(name), top, root, is_new) for top in tops)
    )


def _may_replace(path: PurePath, top: PurePath, root: Path, is_new: Callable[[PurePath], bool]) -> bool:
    """Say whether a changed file may be imported from the folder `top` in the place of something else."""
    if not path.is_relative_to(top):
        return False
    first, *rest = path.relative_to(top).parts
    is_importable = path.name.endswith(_IMPORTABLE)
    if not rest:  # a link or a submodule may be a package
        return is_importable or (root / path).is_symlink() or (root / path).is_dir()
    is_package_mark = len(rest) == 1 and path.name.startswith("__init__.")
    return is_importable and (is_package_mark or is_new(top / first))


def _changed(git: AsksGit, commit: str, patterns: Sequence[str]) -> tuple[str, ...]:
    """Return the files that differ from a commit, committed or not, and those that git does not know yet."""
    changed = _names(
        git, "diff", "--name-only", "-z", "--no-ext-diff", "--no-renames", commit, "--", *patterns
    )
    return (*changed, *_names(git, "ls-files", "-z", "--others", "--exclude-standard", "--", *patterns))


def unmatched_sources(git: AsksGit, sources: Sequence[str], commit: str = "HEAD") -> tuple[str, ...]:
    """Return the patterns that match no file, neither of the working tree nor of a commit."""
    return tuple(
        source
        for source in sources
        if not _names(git, "ls-files", "-z", "--cached", "--others", "--", f":(top,glob){source}")
        and not _names(git, "diff", "--name-only", "-z", commit, "--", f":(top,glob){source}")
    )


def _names(git: AsksGit, *arguments: str) -> tuple[str, ...]:
    """Return the paths that git lists; where it cannot tell, that it cannot is taken for a change."""
    answer = git.ask("--no-literal-pathspecs", *arguments)  # the patterns are the base's own
    if answer.status:
        return (answer.complaint or "?",)
    return tuple(name for name in answer.output.decode("utf-8", errors="replace").split("\0") if name)
