"""Worlds: how hard the synthesised data is. The default is the world of the fixtures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sbir_gate.errors import UsageError

MOST_SAME_NAME = 50
MOST_WITHOUT_RECIPIENT = 99


class Damage(StrEnum):
    """How much the spellings of one firm differ; MEDIUM is that of the fixtures."""

    LIGHT = "light"
    MEDIUM = "medium"
    HEAVY = "heavy"


@dataclass(frozen=True, slots=True)
class DamageShares:
    """Shares (0..1) behind a `Damage`.

    `drifted`: of the recipients that have their firm's name, those that spell it in another way; `twice`: of
    these, the ones with two drifts. `award_words` and `award_text`: award names with a drift.
    """

    drifted: float
    twice: float
    award_words: float
    award_text: float


DAMAGE_SHARES: Mapping[Damage, DamageShares] = MappingProxyType(
    {
        Damage.LIGHT: DamageShares(0.10, 0.05, 0.005, 0.01),
        Damage.MEDIUM: DamageShares(0.325, 0.25, 0.02, 0.05),
        Damage.HEAVY: DamageShares(0.65, 0.60, 0.10, 0.15),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What makes linking hard; None leaves a share as it is in the fixtures.

    `name_frequency`: other recipients that have a firm's name, on average, wherever they are. The firm's own
    recipient may be nowhere near it or nowhere at all, so that nothing but caution distinguishes them.
    `without_recipient`: firms that no recipient is (percent). `without_place`: recipients without city, state
    and zip (percent). `identifiers`: firms whose awards carry a UEI or a DUNS (percent).

    Raises UsageError where the numbers cannot be.
    """

    name_frequency: int | None = None
    without_recipient: int | None = None
    without_place: int | None = None
    damage: Damage = Damage.MEDIUM
    identifiers: int | None = None

    def __post_init__(self) -> None:
        for name, value, most in (
            ("name-frequency", self.name_frequency, MOST_SAME_NAME),
            ("without-recipient", self.without_recipient, MOST_WITHOUT_RECIPIENT),
            ("without-place", self.without_place, 100),
            ("identifiers", self.identifiers, 100),
        ):
            if value is not None and not 0 <= value <= most:
                raise UsageError(f"--{name} is {value}, not 0 to {most}", "give a whole number in that range")

    @property
    def shares(self) -> DamageShares:
        """The shares behind the damage."""
        return DAMAGE_SHARES[self.damage]


FIXTURE_WORLD = World()

WORLDS: Mapping[str, World] = MappingProxyType(
    {
        "plain": FIXTURE_WORLD,
        "clean": World(name_frequency=0, damage=Damage.LIGHT, identifiers=90),
        "common-names": World(name_frequency=3),
        "very-common-names": World(name_frequency=10),
        "half-absent": World(without_recipient=50),
        "mostly-absent": World(without_recipient=90),
        "placeless": World(without_place=60),
        "placeless-common-names": World(name_frequency=3, without_place=60),
        "heavy-damage": World(damage=Damage.HEAVY),
        "few-identifiers": World(identifiers=15),
        "no-identifiers": World(identifiers=0),
        "hard": World(
            name_frequency=3, without_recipient=60, without_place=40, damage=Damage.HEAVY, identifiers=40
        ),
    }
)
"""Worlds with a name: one of each kind, and one that is hard in every way."""
