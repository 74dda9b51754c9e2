"""Features of candidate pairs: how alike two names and places are, as columns of numbers.

Pure: arrays of strings in, one float matrix out. Strings are compared by rapidfuzz's vectorised
`cpdist` in canonical form; a shared token is weighted by its inverse document frequency among the recipients.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler, Prefix
from rapidfuzz.process import cpdist

from sbir_gate.engine.matching.normalise import ROMAN_NUMERALS, canonical_tokens

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_FEATURES = """
token_sort token_set partial plain compact compact_hinge jaro_winkler overlap near_overlap
query_unmatched recipient_unmatched shared_rarity near_rarity same_first_token same_compact same_canonical
cut_prefix acronym numbers_differ same_zip5 same_zip3 zip_conflict same_city city_conflict same_state
state_conflict uei_conflict duns_conflict same_compact_elsewhere rare_token rare_token_elsewhere
name_frequency runner_ups margin shared_keys shortness
"""
FEATURES = tuple(_FEATURES.split())
"""The columns of the feature matrix, in their order; the stored model names them."""

_COMPETING = ("token_sort", "compact", "jaro_winkler", "same_zip5", "same_city", "same_state")


@dataclass(frozen=True, slots=True)
class NameTable:
    """Distinct names with what the comparison needs of each; pairs refer to rows by index.

    `tokens` holds token numbers padded with -1; `weights` the inverse document frequency of each,
    `rareness` is 1 for a token that no other name holds and 1/n for one that n names hold,
    `vocabulary` the token of each number.
    """

    normal: NDArray[np.object_]
    compact: NDArray[np.object_]
    canonical: NDArray[np.object_]
    sorted_canonical: NDArray[np.object_]
    tokens: Integers
    weights: Floats
    rareness: Floats
    vocabulary: NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Places:
    """City, state and zip5 of each row; '' where unknown."""

    city: NDArray[np.object_]
    state: NDArray[np.object_]
    zip5: NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Candidate pairs, sorted by query; every array has one entry per pair.

    `query` numbers the queries; `left` and `right` are rows of the name table. `name_frequency` is the name
    frequency: how many distinct recipients have the compact name. `uei_conflict` and `duns_conflict` say
    that both sides have such an identifier and share none. `is_cut` says that the recipient's or
    the query's raw name has the length of a column that cuts names.
    """

    query: Integers
    left: Integers
    right: Integers
    left_places: Places
    right_places: Places
    shared_keys: Integers
    name_frequency: Integers
    uei_conflict: NDArray[np.bool_]
    duns_conflict: NDArray[np.bool_]
    is_cut: NDArray[np.bool_]


def build_name_table(normal_names: Sequence[str], frequencies: Mapping[str, float], total: int) -> NameTable:
    """Return the table of `normal_names` (same order), weighted by token `frequencies` among `total` names.

    A token's weight is ln((total + 1) / (frequency + 1)): Sparck Jones' inverse document frequency,
    smoothed so that an unseen token has the largest weight and none is negative.
    """
    canonical = [canonical_tokens(name) for name in normal_names]
    numbers: dict[str, int] = {}
    width = max((len(set(row)) for row in canonical), default=0)
    tokens = np.full((len(canonical), max(width, 1)), -1, dtype=np.int64)
    for row, row_tokens in enumerate(canonical):
        for column, token in enumerate(dict.fromkeys(row_tokens)):
            tokens[row, column] = numbers.setdefault(token, len(numbers))
    counts = np.array([frequencies.get(token, 0) for token in numbers] + [1])
    idf = [math.log((total + 1) / (frequencies.get(token, 0) + 1)) for token in numbers]
    by_number = np.array([*idf, 0.0])
    return NameTable(
        normal=_objects(list(normal_names)),
        compact=_objects([name.replace(" ", "") for name in normal_names]),
        canonical=_objects([" ".join(row) for row in canonical]),
        sorted_canonical=_objects([" ".join(sorted(row)) for row in canonical]),
        tokens=tokens,
        weights=np.where(tokens >= 0, np.maximum(by_number[tokens], 0.0), 0.0),
        rareness=np.where(tokens >= 0, 1.0 / np.maximum(counts[tokens], 1), 0.0),
        vocabulary=_objects(list(numbers)),
    )


def features(pairs: Pairs, names: NameTable, total: int) -> Floats:
    """Return the matrix (pairs x FEATURES), values about 0..1, without NaN."""
    columns = _string_features(pairs, names) | _token_features(pairs, names, total) | _place_features(pairs)
    same_compact = columns["same_compact"]
    columns["uei_conflict"] = pairs.uei_conflict.astype(np.float64)
    columns["duns_conflict"] = pairs.duns_conflict.astype(np.float64)
    columns["same_compact_elsewhere"] = same_compact * columns["state_conflict"]
    columns["rare_token_elsewhere"] = columns["rare_token"] * columns["same_compact_elsewhere"]
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
    shorter = np.minimum(_lengths(names.compact)[left], _lengths(names.compact)[right])
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


def _token_features(pairs: Pairs, names: NameTable, total: int) -> dict[str, Floats]:
    left_tokens, right_tokens = names.tokens[pairs.left], names.tokens[pairs.right]
    left_weights, right_weights = names.weights[pairs.left], names.weights[pairs.right]
    equal = (left_tokens[:, :, None] == right_tokens[:, None, :]) & (left_tokens[:, :, None] >= 0)
    is_shared, is_shared_right = equal.any(axis=2), equal.any(axis=1)
    shared = (left_weights * is_shared).sum(axis=1)
    open_left, open_right = (left_tokens >= 0) & ~is_shared, (right_tokens >= 0) & ~is_shared_right
    near, near_right = _near_tokens(left_tokens, right_tokens, open_left, open_right, names.vocabulary)
    left_near = (left_weights * near).sum(axis=1)
    right_near = (right_weights * near_right).sum(axis=1)
    left_mass, right_mass = left_weights.sum(axis=1), right_weights.sum(axis=1)
    largest = math.log(total + 1) or 1.0
    digits = _numbers(names.normal)
    rare_token = (names.rareness[pairs.left] * is_shared).max(axis=1)
    first = (left_tokens[:, 0] == right_tokens[:, 0]) & (left_tokens[:, 0] >= 0)
    return {
        "overlap": _divided(2 * shared, left_mass + right_mass),
        "near_overlap": _divided(2 * shared + left_near + right_near, left_mass + right_mass),
        "query_unmatched": (left_mass - shared - left_near) / largest / 3.0,
        "recipient_unmatched": (right_mass - shared - right_near) / largest / 3.0,
        "shared_rarity": np.minimum(shared / largest, 3.0) / 3.0,
        "near_rarity": np.minimum((shared + np.minimum(left_near, right_near)) / largest, 3.0) / 3.0,
        "rare_token": rare_token,
        "same_first_token": first.astype(np.float64),
        "numbers_differ": (digits[pairs.left] != digits[pairs.right]).astype(np.float64),
    }


def _near_tokens(
    left_tokens: Integers,
    right_tokens: Integers,
    open_left: NDArray[np.bool_],
    open_right: NDArray[np.bool_],
    vocabulary: NDArray[np.object_],
) -> tuple[Floats, Floats]:
    """Return the similarity 0..1 of each left and each right token to the nearest one on the other side.

    Only the open tokens, which equal none on the other side, take part; a similarity below 0.75 counts as 0.
    A token of three letters or more that starts the other is an abbreviation: 0.9.
    """
    near_left, near_right = np.zeros(left_tokens.shape), np.zeros(right_tokens.shape)
    pair, left_column, right_column = np.nonzero(open_left[:, :, None] & open_right[:, None, :])
    if not len(pair):
        return near_left, near_right
    both = left_tokens[pair, left_column] * len(vocabulary) + right_tokens[pair, right_column]
    distinct, position = np.unique(both, return_inverse=True)
    left, right = np.divmod(distinct, len(vocabulary))
    texts = (list(vocabulary[left]), list(vocabulary[right]))
    similarity = cpdist(*texts, scorer=fuzz.ratio, dtype=np.float64) / 100.0
    lengths = _lengths(vocabulary)
    shorter = np.minimum(lengths[left], lengths[right])
    is_start = (shorter >= 3) & (cpdist(*texts, scorer=Prefix.similarity, dtype=np.float64) == shorter)
    similarity = np.where(is_start, np.maximum(similarity, 0.9), similarity)
    nearness = np.where(similarity >= 0.75, similarity, 0.0)[position]
    np.maximum.at(near_left, (pair, left_column), nearness)
    np.maximum.at(near_right, (pair, right_column), nearness)
    return near_left, near_right


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

    Rows under one canonical name in places that do not contradict each other are one firm, spelled or listed
    more than once: they do not compete.
    """
    nearness = 0.5 * columns["same_zip5"] + 0.3 * columns["same_city"] + 0.2 * columns["same_state"]
    similarity = (columns["token_sort"] + columns["compact"] + columns["jaro_winkler"]) / 3 + 0.1 * nearness
    slots = _slots(pairs.query)
    is_filled = slots >= 0
    name = np.where(is_filled, _codes(names.sorted_canonical[pairs.right])[slots], -1)
    state = np.where(is_filled, _codes(pairs.right_places.state)[slots], 0)
    is_same_name = (name[:, :, None] == name[:, None, :]) & is_filled[:, None, :]
    is_elsewhere = (
        (state[:, :, None] != state[:, None, :]) & (state[:, :, None] > 0) & (state[:, None, :] > 0)
    )
    runner_ups = (is_same_name & is_elsewhere).sum(axis=2)
    other = np.where(is_filled[:, None, :] & ~is_same_name, similarity[slots][:, None, :], -1.0)
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


_ROMAN = "|".join(ROMAN_NUMERALS)
_NUMBER = re.compile(rf"[A-Z]*[0-9][A-Z0-9]*|{_ROMAN}")
_MAY_HAVE_NUMBER = re.compile(rf"[0-9]|\b(?:{_ROMAN})\b")


def _numbers(names: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return, per name, the tokens that number a firm among its sisters: digits and Roman numerals."""
    # most names have none: those are not split
    may_have, is_number = _MAY_HAVE_NUMBER.search, _NUMBER.fullmatch
    return _objects(
        [tuple(sorted(filter(is_number, name.split()))) if may_have(name) else () for name in names]
    )


def _zip3(zips: NDArray[np.object_]) -> NDArray[np.object_]:
    return _objects([code[:3] for code in zips])


def _lengths(texts: NDArray[np.object_]) -> Floats:
    return np.array([len(text) for text in texts], dtype=np.float64)


def _divided(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def _objects(texts: Sequence[object]) -> NDArray[np.object_]:
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array
