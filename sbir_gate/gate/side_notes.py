"""What a reader should know of how base and head were run side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sbir_gate.gate.base_side import BaseSide
from sbir_gate.gate.measuring.base_environment import names_its_files
from sbir_gate.gate.measuring.interleaving import Budget, SidesResult, Stop
from sbir_gate.gate.measuring.locks import PackageChange
from sbir_gate.gate.storing.merge_base import MergeBase
from sbir_gate.model.run import Run

_MAX_TOLD = 10


def notes_of_sides(found: MergeBase, head: Run, base: BaseSide, lacking: Sequence[str]) -> Iterator[str]:
    """Yield what a reader should know of how the base was run."""
    if found.commit == found.head and not head.source.is_dirty:
        yield "base and head are the same commit and no tracked file was changed: what differs is noise"
    yield from _environment_notes(base)
    differing = base.settings.differing
    yield from differing[:_MAX_TOLD]
    if len(differing) > _MAX_TOLD:
        yield f"and {len(differing) - _MAX_TOLD} more settings differ"
    if base.settings.unknown:
        yield f"the base ran without settings that it does not know: {', '.join(base.settings.unknown)}"
    yield from lacking
    command = base.settings.command
    if command is None and base.engine is None:
        yield "the repository holds no engine of its own: both sides ran the installed one"
    if command is not None and not names_its_files(command, base.places.base):
        yield (
            "the enricher's command names no file of the repository: if it is installed elsewhere, both"
            " sides ran the same program"
        )


def _environment_notes(base: BaseSide) -> Iterator[str]:
    """Yield which dependencies differ, and in which environment the base ran."""
    if base.locks and base.shared:
        yield (
            f"the base ran in head's environment, though {', '.join(base.locks)} differs: {base.shared};"
            " name a command that makes its own in benchmark.base_setup"
        )
    elif base.locks:
        yield f"the base ran in an environment of its own: {', '.join(base.locks)} differs"
    changes = [_package_words(change) for change in base.packages]
    if changes:
        more = f", and {len(changes) - _MAX_TOLD} more" if len(changes) > _MAX_TOLD else ""
        yield f"changed dependencies: {', '.join(changes[:_MAX_TOLD])}{more}"


def _package_words(change: PackageChange) -> str:
    return f"{change.name} {change.before or 'none'} -> {change.after or 'none'}"


def budget_notes(result: SidesResult, budget: Budget) -> Iterator[str]:
    """Yield how long the pairs would have taken that the time was not enough for."""
    if result.stop is Stop.MAX_SECONDS and result.pairs < budget.min_pairs:
        missing = budget.min_pairs - result.pairs
        wanted_seconds = result.seconds + missing * result.pair_seconds
        yield (
            f"benchmark.max_seconds ({budget.max_seconds:g}) was enough for {result.pairs} of at least"
            f" {budget.min_pairs} pairs; all of them would take about {wanted_seconds:.0f} s"
        )
