"""Features of candidate pairs: how alike two names and places are, as columns of numbers.

Pure: arrays of strings in, one float matrix out. Strings are compared by rapidfuzz's vectorised
`cpdist` in canonical form; a shared token is weighted by its inverse document frequency among the recipients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler, Prefix
from rapidfuzz.process import cpdist

from sbir_gate.engine.matching.tokens import Floats, Integers, NameTable, lengths, objects, token_features

_FEATURES = """
token_sort token_set partial plain compact compact_hinge jaro_winkler overlap near_overlap
query_unmatched recipient_unmatched shared_rarity near_rarity same_first_token same_compact same_canonical
cut_prefix acronym numbers_differ same_zip5 same_zip3 zip_conflict same_city city_conflict same_state
state_conflict uei_conflict duns_conflict same_compact_elsewhere rare_token rare_token_elsewhere
name_frequency runner_ups margin shared_keys shortness query_rest recipient_rest contradiction
unconfirmed_rest form_conflict alias
"""
FEATURES = tuple(_FEATURES.split())
"""The columns of the feature matrix, in their order; the stored model names them."""

_COMPETING = ("token_sort", "compact", "jaro_winkler", "same_zip5", "same_city", "same_state")


@dataclass(frozen=True, slots=True)
class Places:
    """City, state and zip5 of each row; '' where unknown."""

    city: NDArray[np.object_]
    state: NDArray[np.object_]
    zip5: NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Candidate pairs, sorted by query; every array has one entry per pair.

    `query` numbers the queries; `left` and `right` are rows of the name table; `entity` is the id of one row
    of the recipient's entity. `name_frequency` is how many distinct recipients have the compact name.
    `uei_conflict` and `duns_conflict` say that both sides have such an identifier and share none,
    `form_conflict` that one is a corporation and the other a limited liability company or partnership,
    `is_alias` that one of the names is an alias.
    `is_cut` says that the recipient's or the query's raw name has the length of a column that cuts names.
    """

    query: Integers
    left: Integers
    right: Integers
    entity: NDArray[np.object_]
    left_places: Places
    right_places: Places
    shared_keys: Integers
    name_frequency: Integers
    uei_conflict: NDArray[np.bool_]
    duns_conflict: NDArray[np.bool_]
    is_cut: NDArray[np.bool_]
    form_conflict: NDArray[np.bool_]
    is_alias: NDArray[np.bool_]


def features(pairs: Pairs, names: NameTable, total: int) -> Floats:
    """Return the matrix (pairs x FEATURES), values about 0..1, without NaN."""
    columns = (
        _string_features(pairs, names)
        | token_features(pairs.left, pairs.right, names, total)
        | _place_features(pairs)
    )
    same_compact = columns["same_compact"]
    columns["uei_conflict"] = pairs.uei_conflict.astype(np.float64)
    columns["duns_conflict"] = pairs.duns_conflict.astype(np.float64)
    columns["same_compact_elsewhere"] = same_compact * columns["state_conflict"]
    columns["rare_token_elsewhere"] = columns["rare_token"] * columns["same_compact_elsewhere"]
    is_confirmed = np.maximum(columns["same_zip5"], columns["same_city"] * columns["same_state"])
    rest = np.maximum(columns["query_rest"], columns["recipient_rest"])
    columns["unconfirmed_rest"] = rest * (1.0 - is_confirmed)
    columns["form_conflict"] = pairs.form_conflict.astype(np.float64)
    columns["alias"] = pairs.is_alias.astype(np.float64)
    columns["name_frequency"] = np.log(np.maximum(pairs.name_frequency, 1)) / 3.0
    columns["runner_ups"], columns["margin"] = _competition(pairs, names, columns)
    columns["shared_keys"] = np.minimum(pairs.shared_keys, 12) / 12.0
    return np.column_stack([columns[name] for name in FEATURES])


def without_identifiers(matrix: Floats, pairs: Pairs, names: NameTable) -> Floats:
    """Return the matrix of fewer pairs: who competes is counted again, and identifiers say nothing."""
    columns = {name: matrix[:, FEATURES.index(name)] for name in _COMPETING}
    changed: Floats = matrix.copy()
    runner_ups, margin = _competition(pairs, names, columns)
    silent = np.zeros(len(matrix))
    for name, column in (
        ("runner_ups", runner_ups),
        ("margin", margin),
        ("uei_conflict", silent),
        ("duns_conflict", silent),
    ):
        changed[:, FEATURES.index(name)] = column
    return changed


def _string_features(pairs: Pairs, names: NameTable) -> dict[str, Floats]:
    left, right = pairs.left, pairs.right
    canonical = (list(names.canonical[left]), list(names.canonical[right]))
    ordered = (list(names.sorted_canonical[left]), list(names.sorted_canonical[right]))
    compact = (list(names.compact[left]), list(names.compact[right]))
    compact_ratio = cpdist(*compact, scorer=fuzz.ratio, dtype=np.float64) / 100.0
    shorter = np.minimum(lengths(names.compact)[left], lengths(names.compact)[right])
    is_prefix = cpdist(*compact, scorer=Prefix.similarity, dtype=np.float64) == shorter
    return {
        "token_sort": cpdist(*ordered, scorer=fuzz.ratio, dtype=np.float64) / 100.0,
        "token_set": cpdist(*canonical, scorer=fuzz.token_set_ratio, dtype=np.float64) / 100.0,
        "partial": cpdist(*canonical, scorer=fuzz.partial_ratio, dtype=np.float64) / 100.0,
        "plain": cpdist(*canonical, scorer=fuzz.ratio, dtype=np.float64) / 100.0,
        "compact": compact_ratio,
        "compact_hinge": np.maximum(compact_ratio - 0.85, 0.0) / 0.15,
        "jaro_winkler": cpdist(*compact, scorer=JaroWinkler.similarity, dtype=np.float64),
        "same_compact": (names.compact[left] == names.compact[right]).astype(np.float64),
        "same_canonical": (names.sorted_canonical[left] == names.sorted_canonical[right]).astype(np.float64),
        "cut_prefix": (is_prefix & pairs.is_cut & (shorter >= 20)).astype(np.float64),
        "acronym": _acronyms(names, left, right),
        "shortness": 1.0 / np.maximum(shorter, 1.0),
    }


def _place_features(pairs: Pairs) -> dict[str, Floats]:
    left, right = pairs.left_places, pairs.right_places
    has_zip = (left.zip5 != "") & (right.zip5 != "")
    same_zip5 = has_zip & (left.zip5 == right.zip5)
    same_zip3 = has_zip & (_zip3(left.zip5) == _zip3(right.zip5)) & ~same_zip5
    has_city = (left.city != "") & (right.city != "")
    same_city = has_city & (left.city == right.city)
    has_state = (left.state != "") & (right.state != "")
    same_state = has_state & (left.state == right.state)
    flags = {
        "same_zip5": same_zip5,
        "same_zip3": same_zip3,
        "zip_conflict": has_zip & ~same_zip5 & ~same_zip3,
        "same_city": same_city,
        "city_conflict": has_city & ~same_city,
        "same_state": same_state,
        "state_conflict": has_state & ~same_state,
    }
    return {name: flag.astype(np.float64) for name, flag in flags.items()}


def _competition(pairs: Pairs, names: NameTable, columns: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    """Return, per pair, how many other firms have the same name, and the lead over the runner-up.

    Names of one entity do not compete, nor do rows under one canonical name in places that do not contradict
    each other: they are one firm, spelled or listed more than once.
    """
    nearness = 0.5 * columns["same_zip5"] + 0.3 * columns["same_city"] + 0.2 * columns["same_state"]
    similarity = (columns["token_sort"] + columns["compact"] + columns["jaro_winkler"]) / 3 + 0.1 * nearness
    slots = _slots(pairs.query)
    is_filled = slots >= 0
    name = np.where(is_filled, _codes(names.sorted_canonical[pairs.right])[slots], -1)
    state = np.where(is_filled, _codes(pairs.right_places.state)[slots], 0)
    entity = np.where(is_filled, _codes(pairs.entity)[slots], -1)
    is_same_name = (name[:, :, None] == name[:, None, :]) & is_filled[:, None, :]
    is_same_entity = entity[:, :, None] == entity[:, None, :]
    # of the names of one entity that are the same, the first counts
    is_repeat = np.tril(is_same_name & is_same_entity, -1).any(axis=2)
    is_elsewhere = (
        (state[:, :, None] != state[:, None, :]) & (state[:, :, None] > 0) & (state[:, None, :] > 0)
    )
    runner_ups = (is_same_name & is_elsewhere & ~is_same_entity & ~is_repeat[:, None, :]).sum(axis=2)
    other = np.where(
        is_filled[:, None, :] & ~is_same_name & ~is_same_entity, similarity[slots][:, None, :], -1.0
    )
    best_other = np.max(other, axis=2, initial=-1.0)
    lead = similarity[slots] - np.where(best_other < 0, 0.4, best_other)
    return np.minimum(runner_ups[is_filled], 6) / 6.0, np.clip(lead[is_filled], -0.5, 0.6)


def _slots(query: Integers) -> Integers:
    """Return pair numbers as a matrix (queries x most pairs of one query), -1 where there is none."""
    if not len(query):
        return np.empty((0, 1), dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, query[1:] != query[:-1]])
    sizes = np.diff(np.r_[starts, len(query)])
    columns = np.arange(sizes.max())
    return np.where(columns[None, :] < sizes[:, None], starts[:, None] + columns[None, :], -1)


def _codes(texts: NDArray[np.object_]) -> Integers:
    """Return a number per text, equal for equal texts; 0 for ''."""
    numbers: dict[str, int] = {"": 0}
    return np.array([numbers.setdefault(text, len(numbers)) for text in texts], dtype=np.int64)


def _acronyms(names: NameTable, left: Integers, right: Integers) -> Floats:
    """Return 1 for pairs in which the first token of one name is the initials of the other, 3 at least."""
    numbers: dict[str, int] = {}
    first = np.array(
        [numbers.setdefault(name.partition(" ")[0], len(numbers)) for name in names.normal], dtype=np.int64
    )
    initials = np.array([_initials_number(name, numbers) for name in names.normal], dtype=np.int64)
    hit: Floats = ((initials[left] == first[right]) | (initials[right] == first[left])).astype(np.float64)
    return hit


def _initials_number(name: str, first_tokens: Mapping[str, int]) -> int:
    """Return the number of the first token that is the initials of this name; -1 where there is none."""
    if name.count(" ") < 2:
        return -1
    tokens = [token for token in name.split() if token not in {"AND", "OF", "THE"}]
    if len(tokens) < 3:
        return -1
    return first_tokens.get("".join([token[0] for token in tokens]), -1)


def _zip3(zips: NDArray[np.object_]) -> NDArray[np.object_]:
    return objects([code[:3] for code in zips])
