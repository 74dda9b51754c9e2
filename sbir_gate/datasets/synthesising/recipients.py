"""The recipient rows of the SBIR firms themselves, as the table of recipients came to know them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from sbir_gate.datasets.synthesising import identifiers
from sbir_gate.datasets.synthesising.corruption import drift_text, drift_words
from sbir_gate.datasets.synthesising.draws import Draws, Weighted
from sbir_gate.datasets.synthesising.firms import Fate, Firm
from sbir_gate.datasets.synthesising.geography import Place, geography, zip_code
from sbir_gate.datasets.synthesising.vocabulary import vocabulary
from sbir_gate.datasets.synthesising.worlds import FIXTURE_WORLD, World
from sbir_gate.model.records import IdentifierType

RECIPIENT_COLUMNS = ("recipient_id", "legal_business_name", "uei", "duns", "city", "state", "zip")
NO_FIRM = -1

# Of 1,064 real UEIs 158 have several legal names.
SEVERAL_ROWS_SHARE = 158 / 1064
OTHER_UEI_SHARE = 0.01
UEI_SHARE = 0.60
DUNS_SHARE = 0.65

_FORMS = {
    "INC": Weighted.of(
        ((", INC.", 25), ("  INC.", 16), ("  INC", 18), (" INC", 25), (" INCORPORATED", 3), ("", 5))
    ),
    "LLC": Weighted.of(
        (
            (", LLC", 25),
            ("  LLC", 30),
            (" LLC", 25),
            (" L.L.C.", 6),
            (" LIMITED LIABILITY COMPANY", 2),
            ("", 5),
        )
    ),
    "CORP": Weighted.of(((" CORP", 40), (" CORPORATION", 30), (" CORP.", 20), ("", 5))),
    "CO": Weighted.of(((" CO", 50), (" COMPANY", 20), (", CO.", 20))),
    "LTD": Weighted.of(((" LTD", 50), ("  LTD.", 30), (" LIMITED", 20))),
    "LP": Weighted.of(((" LP", 50), ("  L.P.", 50))),
}


class Rank(IntEnum):
    """Which rows stay when there is room for few: the lowest."""

    OWN = 0
    OTHER_SPELLING = 1
    TRAP = 2


class Whereabouts(StrEnum):
    """How the place of a recipient compares with its firm's."""

    SAME = "same"
    MOVED_IN_STATE = "moved in state"
    NO_ZIP = "no zip"
    UNKNOWN = "unknown"
    MOVED_AWAY = "moved away"


_WHEREABOUTS = Weighted.of(zip(Whereabouts, (77, 12, 5, 4, 2), strict=True))


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """One row; `firm` is the position of the firm that it truly is, or NO_FIRM."""

    name: str
    uei: str
    duns: str
    city: str
    state: str
    zip_code: str
    firm: int
    rank: Rank


def whereabouts(draws: Draws, firm: Firm, world: World = FIXTURE_WORLD) -> Whereabouts:
    """Draw where the table has the firm, so that the truth is decidable: no two doubts meet in one firm.

    In a world where many recipients have no place, they do meet.
    """
    if world.without_place is not None and draws.chance(world.without_place / 100):
        return Whereabouts.UNKNOWN
    if firm.fate is Fate.DRIFTED and not firm.is_distinctive:
        return Whereabouts.SAME
    drawn = draws.weighted(_WHEREABOUTS)
    if firm.fate is Fate.SAME and firm.is_distinctive:
        return drawn
    return drawn if drawn in (Whereabouts.SAME, Whereabouts.MOVED_IN_STATE) else Whereabouts.SAME


def own_rows(
    draws: Draws, firm: Firm, position: int, where: Whereabouts, world: World = FIXTURE_WORLD
) -> list[RecipientRow]:
    """Return the rows that truly are the firm at `position`: none, one, or two spellings of it."""
    if firm.fate is Fate.ABSENT:
        return []
    uei, duns = _known_identifiers(draws, firm)
    city, state, zip_ = _address(draws, firm, where)
    own = RecipientRow(_own_name(draws, firm, world), uei, duns, city, state, zip_, position, Rank.OWN)
    if not draws.chance(0.5 if firm.fate is Fate.RENAMED else SEVERAL_ROWS_SHARE):
        return [own]
    has_other_uei = bool(uei) and not firm.is_known_by_identifier_only and draws.chance(OTHER_UEI_SHARE)
    other = replace(
        own,
        name=formal_name(draws, firm.words, firm.designator)
        if draws.chance(0.6)
        else _drifted(draws, firm, world),
        uei=identifiers.uei(draws) if has_other_uei else uei,
        rank=Rank.OTHER_SPELLING,
    )
    return [own, other]


def formal_name(draws: Draws, words: Sequence[str], designator: str) -> str:
    """Return the name as USAspending writes it: upper case, the comma kept, lost, or stored as a blank."""
    return " ".join(words) + draws.weighted(_FORMS[designator])


def spelled_address(draws: Draws, place: Place, zip_: str) -> tuple[str, str, str]:
    """Return city, state and zip as the table of recipients spells them."""
    return (
        place.city.upper(),
        place.state,
        f"{zip_}-{draws.between(1, 9999):04d}" if draws.chance(0.3) else zip_,
    )


def _own_name(draws: Draws, firm: Firm, world: World) -> str:
    match firm.fate:
        case Fate.DRIFTED:
            return _drifted(draws, firm, world)
        case Fate.EXTENDED:
            words = vocabulary().words
            kept = firm.words[:1] if firm.is_distinctive else firm.words[:-1]
            start = " ".join(kept).removesuffix(" &")
            later = (start, draws.weighted(words["field"]), draws.weighted(words["company"]))
            return formal_name(draws, later, firm.designator)
        case Fate.RENAMED:
            return formal_name(draws, (draws.weighted(vocabulary().firm_names).one(draws),), firm.designator)
        case _:
            return formal_name(draws, firm.words, firm.designator)


def _drifted(draws: Draws, firm: Firm, world: World) -> str:
    """Drift the words, the whole text, or both."""
    words, is_twice, is_of_words = firm.words, draws.chance(world.shares.twice), draws.chance(0.75)
    if is_of_words or is_twice:
        words = drift_words(draws, words, is_distinctive=firm.is_distinctive)
    text = formal_name(draws, words, firm.designator)
    return text if is_of_words and not is_twice else drift_text(draws, text)


def _known_identifiers(draws: Draws, firm: Firm) -> tuple[str, str]:
    """Return the UEI and DUNS of the firm's rows, "" where the table lacks them."""
    if not firm.is_known_by_identifier_only:
        has_uei, has_duns = draws.chance(UEI_SHARE), draws.chance(DUNS_SHARE)
    elif firm.identifier_type is IdentifierType.BOTH:
        has_uei, has_duns = draws.pick(((True, False), (False, True), (True, True)))
    else:
        has_uei = firm.identifier_type is IdentifierType.UEI_ONLY
        has_duns = firm.identifier_type is IdentifierType.DUNS_ONLY
    return firm.uei if has_uei else "", firm.duns if has_duns else ""


def _address(draws: Draws, firm: Firm, where: Whereabouts) -> tuple[str, str, str]:
    match where:
        case Whereabouts.UNKNOWN:
            return "", "", ""
        case Whereabouts.NO_ZIP:
            return firm.place.city.upper(), firm.place.state, ""
        case Whereabouts.MOVED_IN_STATE:
            place = draws.pick(geography().by_state[firm.place.state])
        case Whereabouts.MOVED_AWAY:
            place = geography().elsewhere(draws, firm.place.state)
        case _:
            return spelled_address(draws, firm.place, firm.zip_code)
    return spelled_address(draws, place, zip_code(draws, place))
