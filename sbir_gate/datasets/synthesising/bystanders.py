"""The bulk of the recipients, which no SBIR award is for: made by the column, not by the row."""

from __future__ import annotations

from collections.abc import Iterator, Set

import numpy as np
from numpy.typing import NDArray

from sbir_gate.datasets.synthesising import identifiers
from sbir_gate.datasets.synthesising.draws import Draws, Weighted
from sbir_gate.datasets.synthesising.geography import geography
from sbir_gate.datasets.synthesising.vocabulary import vocabulary

UEI_SHARE = 0.45
DUNS_SHARE = 0.55
NO_ADDRESS_SHARE = 0.06
NO_ZIP_SHARE = 0.05
PLUS_FOUR_SHARE = 0.30

_FORMS = Weighted.of((
    (", INC.", 14), (", LLC", 12), ("  INC.", 12), ("  INC", 12), ("  LLC", 18), (" INC", 10), (" LLC", 10),
    (" L.L.C.", 2), (" CORP", 3), (" CORPORATION", 2), (" CO", 2), (" LTD", 2), ("", 5),
))  # fmt: skip
_PLUS_FOURS = np.array([f"-{number:04d}" for number in range(10_000)], dtype=object)
_TWO_DIGITS = np.array([f"{number:02d}" for number in range(100)], dtype=object)


def bystander_rows(draws: Draws, count: int, firm_names: Set[str]) -> Iterator[tuple[str, ...]]:
    """Yield `count` rows (name, uei, duns, city, state, zip), none with the name of an SBIR firm."""
    columns = (_names(draws, count, firm_names), *_identifiers(draws, count), *_addresses(draws, count))
    return zip(*(column.tolist() for column in columns), strict=True)


def _names(draws: Draws, count: int, firm_names: Set[str]) -> NDArray[np.object_]:
    templates = vocabulary().bystander_names
    kinds = draws.many_indices(count, templates)
    forms = np.array(_FORMS.items, dtype=object)
    names = np.empty(count, dtype=object)
    for kind, template in enumerate(templates.items):
        places = np.flatnonzero(kinds == kind)
        drawn = template.many(draws, len(places))
        if template.is_incorporated:
            own = [name if name not in firm_names else f"{name} TRADING" for name in drawn.tolist()]
            drawn = np.array(own, dtype=object) + forms[draws.many_indices(len(places), _FORMS)]
        names[places] = drawn
    return names


def _identifiers(draws: Draws, count: int) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    ueis = np.where(draws.many_chances(count, UEI_SHARE), identifiers.many_ueis(draws, count), "")
    duns = np.where(draws.many_chances(count, DUNS_SHARE), identifiers.many_duns(draws, count), "")
    return ueis, duns


def _addresses(draws: Draws, count: int) -> tuple[NDArray[np.object_], ...]:
    people = geography().people
    picks = draws.many_indices(count, people)
    cities = np.array([place.city.upper() for place in people.items], dtype=object)[picks]
    states = np.array([place.state for place in people.items], dtype=object)[picks]
    prefixes = np.array([place.zip_prefix for place in people.items], dtype=object)[picks]
    ends = np.minimum(draws.many_below(count, 100), draws.many_below(count, 100))
    plus_fours = _PLUS_FOURS[draws.many_below(count, 10_000)]
    plus_fours[~draws.many_chances(count, PLUS_FOUR_SHARE)] = ""
    zips = prefixes + _TWO_DIGITS[ends] + plus_fours
    zips[draws.many_chances(count, NO_ZIP_SHARE)] = ""
    nowhere = draws.many_chances(count, NO_ADDRESS_SHARE)
    for column in (cities, states, zips):
        column[nowhere] = ""
    return cities, states, zips
