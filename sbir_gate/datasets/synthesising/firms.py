"""The SBIR firms: what each is in truth, before anybody spells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import product

from sbir_gate.datasets.synthesising import identifiers
from sbir_gate.datasets.synthesising.draws import Draws, Weighted
from sbir_gate.datasets.synthesising.geography import Place, geography, zip_code
from sbir_gate.datasets.synthesising.vocabulary import vocabulary
from sbir_gate.datasets.synthesising.worlds import FIXTURE_WORLD, Damage, World
from sbir_gate.model.records import CompanySize, IdentifierType, Phase


class Fate(StrEnum):
    """How the table of recipients knows the firm.

    SAME: by its name, give or take punctuation and designator. DRIFTED: by another spelling.
    EXTENDED: by a later name with the same start. RENAMED: by another name, so that only a shared identifier
    connects them. ABSENT: not at all.
    """

    ABSENT = "absent"
    SAME = "same"
    DRIFTED = "drifted"
    EXTENDED = "extended"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class Firm:
    """One firm. `words` are upper case, without the designator.

    `is_distinctive`: one of the words is a rare token. `first_phase` is the phase of its first award where a
    sample is dealt, else None.
    """

    words: tuple[str, ...]
    designator: str
    is_distinctive: bool
    place: Place
    zip_code: str
    street: str
    uei: str
    duns: str
    company_size: CompanySize
    identifier_type: IdentifierType
    fate: Fate
    awards: int
    first_phase: Phase | None

    @property
    def name(self) -> str:
        """The words of the name with blanks between them."""
        return " ".join(self.words)

    @property
    def is_known_by_identifier_only(self) -> bool:
        """True where the names alone do not show that firm and recipient are one."""
        return self.fate in (Fate.EXTENDED, Fate.RENAMED)


@dataclass(frozen=True, slots=True)
class Stratum:
    """What a firm and its first award are dealt; `phase` is None where it is left to chance."""

    company_size: CompanySize
    identifier_type: IdentifierType
    phase: Phase | None


_IDENTIFIER_TYPES = {
    IdentifierType.BOTH: 28,
    IdentifierType.UEI_ONLY: 20,
    IdentifierType.DUNS_ONLY: 33,
    IdentifierType.NEITHER: 19,
}
_COMPANY_SIZES = Weighted.of(zip(CompanySize, (32, 30, 14, 4, 20), strict=True))
_FATES = {Fate.ABSENT: 110, Fate.SAME: 580, Fate.DRIFTED: 280, Fate.EXTENDED: 18, Fate.RENAMED: 12}
_FATES_WITHOUT_IDENTIFIER = {Fate.ABSENT: 110, Fate.SAME: 600, Fate.DRIFTED: 290}
_FINER = 1_000  # so that shares in percent are whole-number weights
# Weights 1 / (k (k + 1)) up to 500 awards: half of the firms have one, the mean is 5.8.
_AWARDS_PER_FIRM = Weighted.of((count, 1_000_000_000 // (count * (count + 1))) for count in range(1, 501))
_AWARDS_PER_FIRM_IN_SAMPLE = Weighted.of(((1, 85), (2, 12), (3, 3)))
_ALL_STRATA = tuple(Stratum(*cell) for cell in product(CompanySize, IdentifierType, Phase))


class FirmRegister:
    """Draws firms, no two of one name in one state; `names` are those of all firms drawn so far."""

    def __init__(self, *, is_sample: bool, world: World = FIXTURE_WORLD) -> None:
        self._is_sample = is_sample
        self._identifier_types = identifier_types(world)
        self._fates = _fates(_FATES, world)
        self._fates_without_identifier = _fates(_FATES_WITHOUT_IDENTIFIER, world)
        self._deck: list[Stratum] = []
        self._taken: set[tuple[str, str]] = set()
        self.names: set[str] = set()

    def draw(self, draws: Draws, awards: int) -> list[Firm]:
        """Return firms that have `awards` awards together."""
        firms: list[Firm] = []
        left = awards
        while left:
            count = draws.weighted(_AWARDS_PER_FIRM_IN_SAMPLE if self._is_sample else _AWARDS_PER_FIRM)
            firms.append(self._firm(draws, min(count, left)))
            left -= firms[-1].awards
        return firms

    def _firm(self, draws: Draws, awards: int) -> Firm:
        stratum = self._stratum(draws)
        place = draws.weighted(geography().firms)
        words, is_distinctive = self._new_name(draws, place.state)
        has_identifier = stratum.identifier_type is not IdentifierType.NEITHER
        streets = (vocabulary().texts["street"], vocabulary().texts["street_kind"])
        return Firm(
            words=words,
            designator=draws.weighted(vocabulary().designators),
            is_distinctive=is_distinctive,
            place=place,
            zip_code=zip_code(draws, place),
            street=" ".join((str(draws.between(1, 9999)), *map(draws.pick, streets))),
            uei=identifiers.uei(draws),
            duns=identifiers.duns(draws),
            company_size=stratum.company_size,
            identifier_type=stratum.identifier_type,
            fate=draws.weighted(self._fates if has_identifier else self._fates_without_identifier),
            awards=awards,
            first_phase=stratum.phase,
        )

    def _stratum(self, draws: Draws) -> Stratum:
        if not self._is_sample:
            return Stratum(draws.weighted(_COMPANY_SIZES), draws.weighted(self._identifier_types), None)
        if not self._deck:
            self._deck = draws.shuffled(_ALL_STRATA)
        return self._deck.pop()

    def _new_name(self, draws: Draws, state: str) -> tuple[tuple[str, ...], bool]:
        while True:
            template = draws.weighted(vocabulary().firm_names)
            name = template.one(draws)
            if (name, state) not in self._taken:
                self._taken.add((name, state))
                self.names.add(name)
                return tuple(name.split()), template.is_distinctive


@cache
def identifier_types(world: World) -> Weighted[IdentifierType]:
    """Return which identifiers the awards of a firm carry in this world."""
    if world.identifiers is None:
        return Weighted.of(_IDENTIFIER_TYPES.items())
    identified = sum(_IDENTIFIER_TYPES.values()) - _IDENTIFIER_TYPES[IdentifierType.NEITHER]
    shares = {kind: weight * world.identifiers for kind, weight in _IDENTIFIER_TYPES.items()}
    shares[IdentifierType.NEITHER] = identified * (100 - world.identifiers)
    return Weighted.of(shares.items())


def _fates(usual: Mapping[Fate, int], world: World) -> Weighted[Fate]:
    """Return the fates of firms in this world, drawn from those of the fixtures."""
    weights = {fate: _FINER * weight for fate, weight in usual.items()}
    if world.damage is not Damage.MEDIUM:
        named = weights[Fate.SAME] + weights[Fate.DRIFTED]
        weights[Fate.DRIFTED] = int(named * world.shares.drifted)
        weights[Fate.SAME] = named - weights[Fate.DRIFTED]
    if world.without_recipient is not None:
        known = sum(weights.values()) - weights[Fate.ABSENT]
        weights[Fate.ABSENT] = known * world.without_recipient // (100 - world.without_recipient)
    return Weighted.of(weights.items())
