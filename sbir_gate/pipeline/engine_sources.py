"""Whether a change touches the engine at all, by the files that `enricher.sources` of the base names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sbir_gate.model.git import AsksGit


@dataclass(frozen=True, slots=True)
class SourceChanges:
    """The files of the engine that differ from a commit, and the patterns that match no file at all."""

    files: tuple[str, ...]
    unmatched: tuple[str, ...]

    @property
    def is_unchanged(self) -> bool:
        """Say whether the engine is the commit's; a pattern that names nothing may be what hides a change."""
        return not self.files and not self.unmatched


def source_changes(git: AsksGit, commit: str, sources: Sequence[str]) -> SourceChanges:
    """Compare the working tree, committed or not, with a commit; `git` runs at the top of the repository."""
    patterns = [f":(top,glob){source}" for source in sources]
    changed = _names(
        git, "diff", "--name-only", "-z", "--no-ext-diff", "--no-renames", commit, "--", *patterns
    )
    added = _names(git, "ls-files", "-z", "--others", "--exclude-standard", "--", *patterns)
    return SourceChanges((*changed, *added), unmatched_sources(git, sources, commit))


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
