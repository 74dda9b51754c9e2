"""What a reader should know of how base and head were run side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sbir_gate.gate.base_side import BaseSide
from sbir_gate.gate.measuring.base_environment import names_its_files
from sbir_gate.gate.measuring.interleaving import Budget, SidesResult, Stop
from sbir_gate.gate.storing.merge_base import MergeBase
from sbir_gate.model.finding import Finding, Rule, note
from sbir_gate.model.run import Run

_MOST_SETTINGS = 10


def notes_of_sides(
    found: MergeBase, head: Run, base: BaseSide, lacking: Sequence[Finding]
) -> Iterator[Finding]:
    """Yield what a reader should know of how the base was run."""
    if found.commit == found.head and not head.source.is_dirty:
        yield note(Rule.SAME_COMMIT)
    if base.locks:
        yield base.shared or note(Rule.ENVIRONMENT_OWN, names=base.locks)
    if base.packages:
        changes = (f"{each.name} {each.before or 'none'} -> {each.after or 'none'}" for each in base.packages)
        yield note(Rule.PACKAGES_CHANGED, packages=tuple(changes))
    differing = base.settings.differing
    for setting, now, before in differing[:_MOST_SETTINGS]:
        yield note(Rule.SETTING_OF_BASE, setting=setting, head=now, base=before)
    if more := differing[_MOST_SETTINGS:]:
        names = tuple(setting for setting, _, _ in more)
        yield note(Rule.SETTINGS_OF_BASE, count=len(more), names=names)
    if base.settings.unknown:
        yield note(Rule.SETTINGS_UNKNOWN, names=base.settings.unknown)
    yield from lacking
    command = base.settings.command
    if command is None and base.engine is None:
        yield note(Rule.ENGINE_INSTALLED)
    if command is not None and not names_its_files(command, base.places.base):
        yield note(Rule.COMMAND_WITHOUT_FILES)


def budget_notes(result: SidesResult, budget: Budget) -> Iterator[Finding]:
    """Yield how long the pairs would have taken that the time was not enough for."""
    if result.stop is Stop.MAX_SECONDS and result.pairs < budget.min_pairs:
        missing = budget.min_pairs - result.pairs
        yield note(
            Rule.BUDGET_SPENT,
            max_seconds=budget.max_seconds,
            done=result.pairs,
            min_pairs=budget.min_pairs,
            needed_seconds=round(result.seconds + missing * result.pair_seconds),
        )
