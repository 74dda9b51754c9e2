"""Recipient rows that are not SBIR firms: some look like one; the bulk is made by the column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sbir_gate.datasets.synthesising import identifiers
from sbir_gate.datasets.synthesising.draws import Draws, Weighted
from sbir_gate.datasets.synthesising.firms import Fate, Firm
from sbir_gate.datasets.synthesising.geography import Place, geography, zip_code
from sbir_gate.datasets.synthesising.recipients import (
    NO_FIRM,
    Rank,
    RecipientRow,
    Whereabouts,
    formal_name,
    own_rows,
    spelled_address,
    whereabouts,
)
from sbir_gate.datasets.synthesising.vocabulary import vocabulary
from sbir_gate.datasets.synthesising.worlds import FIXTURE_WORLD, World
from sbir_gate.reading.spelling import PLACEHOLDER_FIRMS

UEI_SHARE = 0.55
DUNS_SHARE = 0.60
ONE_WORD_DIFFERS_SHARE = 0.10
NUMBERED_SHARE = 0.03
LONGER_SHARE = 0.06
NAMESAKE_IN_STATE_SHARE = 0.03
SHARED_DUNS_SHARE = 0.01

GENERIC_UEI = "CSQJZSE9KFD9"
BYSTANDER_UEI_SHARE = 0.45
BYSTANDER_DUNS_SHARE = 0.55
NO_ADDRESS_SHARE = 0.06
NO_ZIP_SHARE = 0.05
PLUS_FOUR_SHARE = 0.30

_FORMS = Weighted.of((
    (", INC.", 14), (", LLC", 12), ("  INC.", 12), ("  INC", 12), ("  LLC", 18), (" INC", 10), (" LLC", 10),
    (" L.L.C.", 2), (" CORP", 3), (" CORPORATION", 2), (" CO", 2), (" LTD", 2), ("", 5),
))  # fmt: skip
_PLUS_FOURS = np.array([f"-{number:04d}" for number in range(10_000)], dtype=object)
_TWO_DIGITS = np.array([f"{number:02d}" for number in range(100)], dtype=object)


def recipient_rows(
    draws: Draws, firms: Sequence[Firm], room: int, world: World = FIXTURE_WORLD
) -> list[RecipientRow]:
    """Return the rows of these firms and the traps beside them, at most `room` (>= the firms)."""
    rows: list[RecipientRow] = []
    for position, firm in enumerate(firms):
        where = whereabouts(draws, firm, world)
        rows += own_rows(draws, firm, position, where, world)
        traps = _traps(draws, firm, where, world)
        rows += traps if world.without_place is None else [_placeless(draws, row, world) for row in traps]
    return sorted(rows, key=lambda row: row.rank)[:room]


def placeholder_rows(draws: Draws) -> list[RecipientRow]:
    """Return rows that are not firms, and a named firm that carries the generic UEI as well."""
    rows = []
    for name in PLACEHOLDER_FIRMS:
        uei = GENERIC_UEI if name == "MISCELLANEOUS FOREIGN CONTRACTORS" else ""
        duns = draws.pick(("", "000000000", "999999999"))
        rows.append(RecipientRow(name, uei, duns, "", "", "", NO_FIRM, Rank.TRAP))
    stranger = _trap(draws, ("OVERSEAS", "TRADING", "&", "SUPPLY"), draws.weighted(geography().people))
    return [*rows, replace(stranger, uei=GENERIC_UEI)]


def _placeless(draws: Draws, row: RecipientRow, world: World) -> RecipientRow:
    if not draws.chance((world.without_place or 0) / 100):
        return row
    return replace(row, city="", state="", zip_code="")


def _traps(draws: Draws, firm: Firm, where: Whereabouts, world: World) -> list[RecipientRow]:
    """Draw the traps beside one firm.

    A namesake is added only where its place distinguishes it from the firm's own row, or where a firm
    that has no row of its own has so common a name that a namesake elsewhere proves nothing; unless the
    world says how many there are.
    """
    traps: tuple[tuple[float, Callable[[Draws, Firm], RecipientRow]], ...] = (
        (ONE_WORD_DIFFERS_SHARE, _one_word_differs),
        (NUMBERED_SHARE, _numbered),
        (LONGER_SHARE, _longer),
    )
    rows = [make(draws, firm) for share, make in traps if draws.chance(share)]
    if world.name_frequency is None:
        rows += _distinguished_namesakes(draws, firm, where)
    else:
        count = draws.between(0, 2 * world.name_frequency)
        places = [draws.weighted(geography().people) for _ in range(count)]
        rows += [_trap(draws, firm.words, place, avoided_zip=firm.zip_code) for place in places]
    if draws.chance(SHARED_DUNS_SHARE):
        rows += [_stranger_with_duns(draws, firm.duns) for _ in range(2)]
    return rows


def _distinguished_namesakes(draws: Draws, firm: Firm, where: Whereabouts) -> list[RecipientRow]:
    rows: list[RecipientRow] = []
    has_same_place = firm.fate is Fate.SAME and where is Whereabouts.SAME
    if has_same_place and draws.chance(NAMESAKE_IN_STATE_SHARE):
        rows.append(_trap(draws, firm.words, _neighbour(draws, firm), avoided_zip=firm.zip_code))
    if has_same_place or not firm.is_distinctive:
        share = 0.03 if firm.is_distinctive else 0.10
        places = [geography().elsewhere(draws, firm.place.state) for _ in range(3) if draws.chance(share)]
        rows += [_trap(draws, firm.words, place) for place in places]
    return rows


def _one_word_differs(draws: Draws, firm: Firm) -> RecipientRow:
    """NANOVEX SYSTEMS beside NANOVEX ROOFING, in the same state."""
    kept = firm.words[:-1] if len(firm.words) > 1 else firm.words
    return _trap(draws, (*kept, draws.weighted(vocabulary().words["trade"])), _neighbour(draws, firm))


def _numbered(draws: Draws, firm: Firm) -> RecipientRow:
    """NANOVEX SYSTEMS II, in the same state."""
    return _trap(draws, (*firm.words, draws.pick(("II", "III", "2", "3", "JV"))), _neighbour(draws, firm))


def _longer(draws: Draws, firm: Firm) -> RecipientRow:
    """QUANTUM beside QUANTUM DENTAL SUPPLY OF OHIO."""
    place, words = draws.weighted(geography().people), vocabulary().words
    tail = (draws.weighted(words["trade"]), draws.weighted(words["company"]))
    return _trap(draws, (*firm.words, *tail, "OF", geography().state_names[place.state].upper()), place)


def _stranger_with_duns(draws: Draws, duns: str) -> RecipientRow:
    words = vocabulary().words
    name = (draws.weighted(words["surname"]), draws.weighted(words["trade"]))
    return replace(_trap(draws, name, draws.weighted(geography().people)), duns=duns)


def _neighbour(draws: Draws, firm: Firm) -> Place:
    return draws.pick(geography().by_state[firm.place.state])


def _trap(draws: Draws, words: Sequence[str], place: Place, *, avoided_zip: str = "") -> RecipientRow:
    name = formal_name(draws, words, draws.weighted(vocabulary().designators))
    zip_ = zip_code(draws, place)
    while zip_ == avoided_zip:
        zip_ = zip_code(draws, place)
    uei = identifiers.uei(draws) if draws.chance(UEI_SHARE) else ""
    duns = identifiers.duns(draws) if draws.chance(DUNS_SHARE) else ""
    return RecipientRow(name, uei, duns, *spelled_address(draws, place, zip_), NO_FIRM, Rank.TRAP)


def bystander_rows(
    draws: Draws, count: int, firm_names: Set[str], world: World = FIXTURE_WORLD
) -> Iterator[tuple[str, ...]]:
    """Yield `count` rows (name, uei, duns, city, state, zip), none with the name of an SBIR firm."""
    columns = (
        _names(draws, count, firm_names),
        *_identifiers(draws, count),
        *_addresses(draws, count, world),
    )
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
    ueis = np.where(draws.many_chances(count, BYSTANDER_UEI_SHARE), identifiers.many_ueis(draws, count), "")
    duns = np.where(draws.many_chances(count, BYSTANDER_DUNS_SHARE), identifiers.many_duns(draws, count), "")
    return ueis, duns


def _addresses(draws: Draws, count: int, world: World) -> tuple[NDArray[np.object_], ...]:
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
    share = NO_ADDRESS_SHARE if world.without_place is None else world.without_place / 100
    nowhere = draws.many_chances(count, share)
    for column in (cities, states, zips):
        column[nowhere] = ""
    return cities, states, zips
