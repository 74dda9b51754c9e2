"""DUNS and UEI numbers of the right shape, and the spellings in which they are found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sbir_gate.datasets.synthesising.draws import Draws, Weighted

# None of 14,451 real UEIs holds an O or an I, or starts with a digit.
_UEI_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_UEI_ALPHABET = _UEI_LETTERS + "0123456789"
_UEI_LENGTH = 12
_DUNS_LENGTH = 9

# Older numbers start with a zero, which spreadsheets drop.
LEADING_ZERO_SHARE = 0.35
# 10 of 2,599 real rows had lost the zero and were padded on the right: that is this share of those with a
# zero.
RIGHT_PADDED_SHARE = 10 / 2599 / LEADING_ZERO_SHARE

MISSING_DUNS = Weighted.of(
    (("", 70), ("N/A", 10), ("NA", 4), ("nan", 4), ("None", 3), ("000000000", 5), ("999999999", 4))
)
MISSING_UEI = Weighted.of((("", 85), ("N/A", 8), ("nan", 4), ("NA", 3)))
_DUNS_STYLES = Weighted.of(
    (
        ("plain", 66),
        ("apostrophes", 12),
        ("float", 6),
        ("hyphens", 4),
        ("zeros lost", 10),
        ("two", 1),
        ("blanks", 1),
    )
)
_UEI_STYLES = Weighted.of((("plain", 86), ("lower", 6), ("blanks", 8)))


def uei(draws: Draws) -> str:
    """Return a UEI: 12 characters, no O or I, no digit in front."""
    rest = "".join(draws.pick(_UEI_ALPHABET) for _ in range(_UEI_LENGTH - 1))
    return draws.pick(_UEI_LETTERS) + rest


def duns(draws: Draws) -> str:
    """Return a DUNS: 9 digits, a third of them with a zero in front."""
    first = "0" if draws.chance(LEADING_ZERO_SHARE) else str(draws.between(1, 9))
    return f"{first}{draws.between(1, 99_999_999):08d}"


def many_ueis(draws: Draws, count: int) -> NDArray[np.object_]:
    """Return `count` UEIs, shape (count,)."""
    picks = draws.many_below(count * _UEI_LENGTH, len(_UEI_ALPHABET)).reshape(count, _UEI_LENGTH)
    picks[:, 0] %= len(_UEI_LETTERS)
    return _joined(np.frombuffer(_UEI_ALPHABET.encode(), dtype=np.uint8)[picks])


def many_duns(draws: Draws, count: int) -> NDArray[np.object_]:
    """Return `count` DUNS, shape (count,)."""
    digits = draws.many_below(count * _DUNS_LENGTH, 10).reshape(count, _DUNS_LENGTH)
    is_zero = draws.many_chances(count, LEADING_ZERO_SHARE)
    digits[:, 0] = np.where(is_zero, 0, draws.many_below(count, 9) + 1)
    return _joined((digits + ord("0")).astype(np.uint8))


def uei_cell(draws: Draws, number: str) -> str:
    """Return the UEI as an award spells it: case and blanks vary."""
    match draws.weighted(_UEI_STYLES):
        case "lower":
            return number.lower()
        case "blanks":
            return draws.pick((f" {number}", f"{number} ", f" {number} "))
        case _:
            return number


def duns_cell(draws: Draws, number: str) -> str:
    """Return the DUNS as an award spells it; rarely the lost zero is padded on the wrong side."""
    if number.startswith("0") and draws.chance(RIGHT_PADDED_SHARE):
        return number.lstrip("0").ljust(_DUNS_LENGTH, "0")
    spellings = {
        "plain": number,
        "apostrophes": f"'{number}'",
        "float": f"{int(number)}.0",
        "hyphens": f"{number[:2]}-{number[2:5]}-{number[5:]}",
        "zeros lost": number.lstrip("0"),
        "two": "; ".join(draws.shuffled((number, duns(draws)))),
        "blanks": f" {number} ",
    }
    return spellings[draws.weighted(_DUNS_STYLES)]


def _joined(characters: NDArray[np.uint8]) -> NDArray[np.object_]:
    width = characters.shape[1]
    texts = np.ascontiguousarray(characters).view(f"S{width}").ravel().astype(f"U{width}")
    return texts.astype(object)
