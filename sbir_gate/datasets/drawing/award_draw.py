"""Which awards are drawn for a fixture: a share of every stratum, with the seed alone deciding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sbir_gate.datasets.labelling.sampling import seeded_place
from sbir_gate.model.fixture_draw import DrawnStratum, StratumKey, ids_digest, stratum_key
from sbir_gate.model.records import AwardProfile

# of a smaller number nothing could be said about the stratum
_LEAST_DRAWN = 2


@dataclass(frozen=True, slots=True)
class AwardDraw:
    """The awards that were drawn, in the order of the source, of `awards` in all.

    `kept_ids` are those of them that were to be in the draw whatever the seed.
    """

    seed: int
    awards: int
    drawn: tuple[AwardProfile, ...]
    strata: tuple[DrawnStratum, ...]
    kept_ids: tuple[str, ...] = ()


def draw_awards(
    profiles: Iterable[AwardProfile], count: int, seed: int, kept: Collection[str] = ()
) -> AwardDraw:
    """Draw about `count` awards: each stratum's own share, and at least two of it.

    So rates of the sample are near those of all awards, and each stratum is in it. Of fewer awards than
    `count` all are drawn. Those of `kept` are in it first, and the rest is drawn at random from the others,
    at least two of each stratum. With other awards to keep the rest is another one too: who was drawn before
    and not kept must not be more likely to be drawn now.
    """
    strata: dict[StratumKey, list[AwardProfile]] = defaultdict(list)
    listed = tuple(profiles)
    for award in listed:
        strata[stratum_key(award)].append(award)
    is_whole = len(listed) <= count
    kept_ids = tuple(award.award_id for award in listed if award.award_id in kept)
    salt = f"{ids_digest(kept_ids)}\0" if kept_ids else ""
    chosen = set(kept_ids)
    sizes = []
    for key, members in sorted(strata.items()):
        share = max(_LEAST_DRAWN, round(count * len(members) / len(listed)))
        others = [award for award in members if award.award_id not in kept]
        held = len(members) - len(others)
        size = len(others) if is_whole else min(len(others), max(_LEAST_DRAWN, share - held))
        ordered = sorted(others, key=lambda award: seeded_place(f"{salt}{award.award_id}", seed))
        chosen.update(award.award_id for award in ordered[:size])
        sizes.append(DrawnStratum(*key, awards=len(members), drawn=held + size, kept=held))
    drawn = tuple(award for award in listed if award.award_id in chosen)
    return AwardDraw(seed, len(listed), drawn, tuple(sizes), kept_ids)
