"""Links lost and swapped on purpose in what an engine wrote, and how often the gate fails for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from sbir_gate.gate.fixture import ReadFixture
from sbir_gate.gate.measuring.benchmark import BenchmarkResult
from sbir_gate.model.awards import Label
from sbir_gate.model.matches import Decision, DecisionKind, Method
from sbir_gate.model.run import Run
from sbir_gate.model.trial import Planted, PlantedLinks

DRAWS = 5
"""How often each number of links is drawn."""
_MULTIPLES = (1, 2, 4)

IsCaught = Callable[[BenchmarkResult], bool]
"""Judges what an engine wrote: says whether it fails for what was planted."""


@dataclass(frozen=True, slots=True)
class LinkPlanter:
    """Plants faults in the rows that the engine wrote, as the gate read them.

    `linked` are the awards that may be hit: those with a correct link, or any link where there is no truth.
    """

    result: BenchmarkResult
    read: ReadFixture
    run: Run
    linked: tuple[Decision, ...]

    def planted(self, kind: Planted, count: int, random: Random) -> BenchmarkResult:
        """Return the result with `count` links lost, or given to another firm's recipient."""
        chosen = random.sample(self.linked, count)
        if kind is Planted.LOST:
            replaced = [replace(_NO_LINK, award_id=decision.award_id) for decision in chosen]
        else:
            replaced = [self._swapped(decision, random) for decision in chosen]
        by_award = {decision.award_id: decision for decision in replaced}
        decisions = tuple(by_award.get(each.award_id, each) for each in self.result.decisions)
        return replace(self.result, decisions=decisions)

    def _swapped(self, decision: Decision, random: Random) -> Decision:
        start = random.randrange(len(self.linked))
        others = (*self.linked[start:], *self.linked[:start])
        right = (self.read.truth or {}).get(decision.award_id, frozenset())
        entity = self._entity(decision.link)
        other = next(each for each in others if each.link not in right and self._entity(each.link) != entity)
        return replace(decision, recipient_id=other.link)

    def _entity(self, recipient_id: str) -> str:
        return self.run.entities.get(recipient_id, recipient_id)


_NO_LINK = Decision("", DecisionKind.NONE, Method.NONE.value, "", 0.0)


def planter_of(result: BenchmarkResult, read: ReadFixture, run: Run) -> LinkPlanter | None:
    """Return what plants faults; None where the links are too few, or all to one recipient."""
    linked = tuple(
        record.decision
        for record in run.awards
        if record.link and (not run.has_truth or record.label is Label.CORRECT)
    )
    entities = {run.entities.get(decision.link, decision.link) for decision in linked}
    return LinkPlanter(result, read, run, linked) if len(entities) > 2 else None


def counts_of(planter: LinkPlanter, max_lost: int) -> Sequence[int]:
    """Return how many links are planted: few, up to the limit of the settings, one more, and far more."""
    counts = {1, 2, max_lost + 1, *(max_lost * times for times in _MULTIPLES)}
    return sorted(count for count in counts if 0 < count <= len(planter.linked) // 2)


def plant_links(
    planter: LinkPlanter, counts: Iterable[int], is_caught: IsCaught, seed: int, has_time: Callable[[], bool]
) -> Iterator[PlantedLinks]:
    """Yield how often the gate fails, for each kind of fault and number of links, while there is time."""
    counts = tuple(counts)
    for kind in (Planted.LOST, Planted.SWAPPED):
        for count in counts:
            random = Random(f"{seed} {kind} {count}")  # noqa: S311 -- a draw that can be repeated, no secret
            caught = 0
            for _ in range(DRAWS):
                if not has_time():
                    return
                caught += is_caught(planter.planted(kind, count, random))
            yield PlantedLinks(kind, count, DRAWS, caught)
