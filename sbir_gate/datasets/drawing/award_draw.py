"""Which awards are drawn for a fixture: a share of every stratum, with the seed alone deciding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sbir_gate.datasets.labelling.sampling import seeded_place
from sbir_gate.model.records import AwardProfile

# of a smaller number nothing could be said about the stratum
_LEAST_DRAWN = 2


@dataclass(frozen=True, slots=True)
class Stratum:
    """Awards of one phase, identifier type and company size: how many there are, and were drawn."""

    phase: str
    identifier_type: str
    company_size: str
    awards: int
    drawn: int


@dataclass(frozen=True, slots=True)
class AwardDraw:
    """The awards that were drawn, in the order of the source, of `awards` in all."""

    seed: int
    awards: int
    drawn: tuple[AwardProfile, ...]
    strata: tuple[Stratum, ...]


def draw_awards(profiles: Iterable[AwardProfile], count: int, seed: int) -> AwardDraw:
    """Draw about `count` awards: each stratum's own share, and at least two of it.

    So rates of the sample are near those of all awards, and each stratum is in it. Of fewer awards than
    `count` all are drawn.
    """
    strata: dict[tuple[str, str, str], list[AwardProfile]] = defaultdict(list)
    listed = tuple(profiles)
    for award in listed:
        key = (award.phase.value, award.identifier_type.value, award.company_size.value)
        strata[key].append(award)
    is_whole = len(listed) <= count
    chosen: set[str] = set()
    sizes = []
    for key, members in sorted(strata.items()):
        share = max(_LEAST_DRAWN, round(count * len(members) / len(listed)))
        size = len(members) if is_whole else min(len(members), share)
        ordered = sorted(members, key=lambda award: seeded_place(award.award_id, seed))
        chosen.update(award.award_id for award in ordered[:size])
        sizes.append(Stratum(*key, len(members), size))
    drawn = tuple(award for award in listed if award.award_id in chosen)
    return AwardDraw(seed, len(listed), drawn, tuple(sizes))
