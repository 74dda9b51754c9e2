"""How a fixture was drawn: the weights of its awards, from which a rate of all awards follows."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sbir_gate.model.records import AwardProfile
from sbir_gate.model.stratified import EstimatedRate, StratumSample, estimated_rate

MOST_STRATA = 10_000
MOST_AWARDS = 10**9
_LONGEST = 500
_SHA256 = re.compile("[0-9a-f]{64}")

StratumKey = tuple[str, str, str]
"""Phase, identifier type and company size."""


def stratum_key(award: AwardProfile) -> StratumKey:
    """Return the stratum that an award is of."""
    return (award.phase.value, award.identifier_type.value, award.company_size.value)


@dataclass(frozen=True, slots=True)
class DrawnStratum:
    """Of the `awards` of a stratum, `drawn` are in the fixture, `kept` of them for their labels.

    The others were drawn at random from what is not kept.
    """

    phase: str
    identifier_type: str
    company_size: str
    awards: int
    drawn: int
    kept: int = 0

    @property
    def key(self) -> StratumKey:
        """What the awards of the stratum share."""
        return (self.phase, self.identifier_type, self.company_size)


@dataclass(frozen=True, slots=True)
class DrawnFrom:
    """The files that rows were drawn from: their name without its folder, rows, bytes, and the SHA-256."""

    name: str
    rows: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class FixtureDraw:
    """One draw of about `count` awards. `kept_ids` are the awards that a person had labelled before.

    `award_ids_sha256` is the digest of the ids that were drawn (`ids_digest`): weights are of them alone.
    """

    seed: int
    count: int
    drawn_on: date
    tool_version: str
    awards: DrawnFrom
    recipients: DrawnFrom
    strata: tuple[DrawnStratum, ...]
    award_ids_sha256: str
    kept_ids: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The number of awards in the fixture."""
        return sum(stratum.drawn for stratum in self.strata)

    @property
    def population(self) -> int:
        """The number of awards that the fixture was drawn from."""
        return sum(stratum.awards for stratum in self.strata)


def ids_digest(award_ids: Iterable[str]) -> str:
    """Return the SHA-256 of award ids, whatever their order."""
    return hashlib.sha256("\n".join(sorted(award_ids)).encode()).hexdigest()


def draw_fault(draw: FixtureDraw) -> str:
    """Say what cannot be true of a draw; empty for nothing."""
    if not 0 < len(draw.strata) <= MOST_STRATA:
        return f"it has {len(draw.strata):,} strata"
    if len({stratum.key for stratum in draw.strata}) < len(draw.strata):
        return "a stratum is there twice"
    return (
        next(filter(None, map(_stratum_fault, draw.strata)), "") or _total_fault(draw) or _source_fault(draw)
    )


def _total_fault(draw: FixtureDraw) -> str:
    if draw.population > MOST_AWARDS:
        return f"{draw.population} awards are more than there can be"
    if len(set(draw.kept_ids)) != len(draw.kept_ids) or len(draw.kept_ids) != sum(
        stratum.kept for stratum in draw.strata
    ):
        return "kept_ids are not as many as the strata keep"
    if not 0 < draw.count <= MOST_AWARDS or abs(draw.seed) >= 2**63:
        return "count or seed is out of range"
    return ""


def _stratum_fault(stratum: DrawnStratum) -> str:
    name = ", ".join(stratum.key)[:_LONGEST]
    if not 0 <= stratum.kept <= stratum.drawn <= stratum.awards <= MOST_AWARDS or not stratum.awards:
        counts = f"{stratum.awards} awards, {stratum.drawn} drawn, {stratum.kept} kept"
        return f"the stratum {name!r} cannot have {counts}"
    if stratum.drawn == stratum.kept < stratum.awards:
        return f"no award of the stratum {name!r} was drawn at random"
    return ""


def _source_fault(draw: FixtureDraw) -> str:
    for source in (draw.awards, draw.recipients):
        if source.rows < 0 or source.size_bytes < 0 or len(source.name) > _LONGEST:
            return f"the source {source.name[:80]!r} cannot be so"
    digests = (draw.awards.sha256, draw.recipients.sha256, draw.award_ids_sha256)
    if not all(_SHA256.fullmatch(digest) for digest in digests):
        return "a SHA-256 does not have 64 hexadecimal digits"
    return ""


def fixture_difference(draw: FixtureDraw, awards: Collection[AwardProfile]) -> str:
    """Say how the awards of a fixture differ from those that were drawn; empty if they are the same."""
    found = Counter(map(stratum_key, awards))
    drawn = {stratum.key: stratum.drawn for stratum in draw.strata if stratum.drawn}
    if sum(found.values()) != sum(drawn.values()):
        return f"{draw.size:,} awards were drawn, and the fixture has {len(awards):,}"
    wrong = next(
        (key for key in sorted(found.keys() | drawn.keys()) if found[key] != drawn.get(key, 0)), None
    )
    if wrong is not None:
        group = f"phase {wrong[0]}, identifiers {wrong[1]}, company size {wrong[2]}"
        return f"of {group} {drawn.get(wrong, 0):,} were drawn, and the fixture has {found[wrong]:,}"
    kept = Counter(stratum_key(award) for award in awards if award.award_id in draw.kept_ids)
    is_same = kept == {stratum.key: stratum.kept for stratum in draw.strata if stratum.kept}
    if not is_same or ids_digest(award.award_id for award in awards) != draw.award_ids_sha256:
        return "the fixture has other awards than those that were drawn"
    return ""


def rate_of_all(
    draw: FixtureDraw, awards: Sequence[AwardProfile], hits: Collection[str]
) -> EstimatedRate | None:
    """Return the share of `hits`, ids of drawn awards, among all awards that the fixture was drawn from.

    The awards that were kept count once each, the others as many as they were drawn for.
    """
    kept, linked = frozenset(draw.kept_ids), frozenset(hits)
    of_kept: Counter[StratumKey] = Counter()
    of_others: Counter[StratumKey] = Counter()
    for award in awards:
        if award.award_id in linked:
            (of_kept if award.award_id in kept else of_others)[stratum_key(award)] += 1
    return estimated_rate(_samples(draw.strata, of_kept, of_others))


def _samples(
    strata: Iterable[DrawnStratum], of_kept: Mapping[StratumKey, int], of_others: Mapping[StratumKey, int]
) -> Iterable[StratumSample]:
    for stratum in strata:
        if stratum.kept:
            yield StratumSample(stratum.kept, stratum.kept, stratum.kept, of_kept.get(stratum.key, 0))
        drawn = stratum.drawn - stratum.kept
        if drawn:
            size = stratum.awards - stratum.kept
            yield StratumSample(size, drawn, drawn, of_others.get(stratum.key, 0))
