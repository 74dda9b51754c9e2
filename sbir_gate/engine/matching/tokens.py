"""Names compared token by token: what both share, how rare it is, and what neither explains.

A token of one name is matched if the other has it in canonical form, or one that is near: a typing fault,
an abbreviation, or a word that was glued or split. What is left over on both sides contradicts, and so does a
trade that one name lacks: neither ZEPHYR PHOTONICS nor ZEPHYR is ZEPHYR PIZZA, whatever their place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.distance import Prefix
from rapidfuzz.process import cpdist

from sbir_gate.engine.matching.normalise import BACKGROUND_NAMES, ROMAN_NUMERALS, TRADES, spelled_tokens

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_NEAR = 0.75
"""Similarity from which two tokens, or what is left over of two names, are one word spelled in two ways."""


_RARE = math.log(BACKGROUND_NAMES)
"""Weight of a token that one of 10,000 names holds, so that a word weighs the same in tables of all sizes."""


@dataclass(frozen=True, slots=True)
class NameTable:
    """Distinct names with what the comparison needs of each; pairs refer to rows by index.

    `tokens` holds the numbers of the canonical tokens, `spelled` those of the same tokens as the name
    spells them, both padded with -1; `weights` the inverse document frequency of each, `rareness` is 1 for a
    token that no other name holds and 1/n for one that n names hold, `is_trade` marks words of TRADES,
    `vocabulary` the text of each number.
    """

    normal: NDArray[np.object_]
    compact: NDArray[np.object_]
    canonical: NDArray[np.object_]
    sorted_canonical: NDArray[np.object_]
    tokens: Integers
    spelled: Integers
    weights: Floats
    rareness: Floats
    is_trade: Flags
    vocabulary: NDArray[np.object_]


def build_name_table(normal_names: Sequence[str], frequencies: Mapping[str, float], total: int) -> NameTable:
    """Return the table of `normal_names` (same order), weighted by token `frequencies` among `total` names.

    A token's weight is ln((total + 1) / (frequency + 1)): Sparck Jones' inverse document frequency,
    smoothed so that an unseen token has the largest weight and none is negative.
    """
    rows = [spelled_tokens(name) for name in normal_names]
    numbers: dict[str, int] = {}
    number = numbers.setdefault
    # the first spelling of a canonical token is the one that is compared
    distinct = [_first_spellings(row) for row in rows]
    numbered = [
        (number(token, len(numbers)), number(spelling, len(numbers)))
        for spellings in distinct
        for token, spelling in spellings.items()
    ]
    sizes = np.array([len(spellings) for spellings in distinct], dtype=np.int64)
    width = max(int(sizes.max(initial=0)), 1)
    is_token = np.arange(width) < sizes[:, None]
    tokens = np.full((len(rows), width), -1, dtype=np.int64)
    spelled = tokens.copy()
    tokens[is_token], spelled[is_token] = np.array(numbered, dtype=np.int64).reshape(-1, 2).T
    counts = np.array([frequencies.get(token, 0) for token in numbers] + [1])
    idf = [math.log((total + 1) / (frequencies.get(token, 0) + 1)) for token in numbers]
    by_number = np.array([*idf, 0.0])
    canonical = [[token for token, _ in row] for row in rows]
    return NameTable(
        normal=objects(list(normal_names)),
        compact=objects([name.replace(" ", "") for name in normal_names]),
        canonical=objects([" ".join(row) for row in canonical]),
        sorted_canonical=objects([" ".join(sorted(row)) for row in canonical]),
        tokens=tokens,
        spelled=spelled,
        weights=np.where(tokens >= 0, np.maximum(by_number[tokens], 0.0), 0.0),
        rareness=np.where(tokens >= 0, 1.0 / np.maximum(counts[tokens], 1), 0.0),
        is_trade=np.where(
            spelled >= 0, np.array([*(text in TRADES for text in numbers), False])[spelled], False
        ),
        vocabulary=objects(list(numbers)),
    )


def _first_spellings(row: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return each canonical token once, in its order, with the first of its spellings."""
    spellings = dict(row)
    if len(spellings) < len(row):
        first = dict(reversed(row))
        spellings = {token: first[token] for token, _ in row}
    return spellings


def token_features(left: Integers, right: Integers, names: NameTable, total: int) -> dict[str, Floats]:
    """Return the features of pairs of names (rows of `names`) that their tokens tell."""
    left_tokens, right_tokens = names.tokens[left], names.tokens[right]
    left_weights, right_weights = names.weights[left], names.weights[right]
    equal = (left_tokens[:, :, None] == right_tokens[:, None, :]) & (left_tokens[:, :, None] >= 0)
    is_shared = equal.any(axis=2)
    shared = (left_weights * is_shared).sum(axis=1)
    open_left, open_right = (left_tokens >= 0) & ~is_shared, (right_tokens >= 0) & ~equal.any(axis=1)
    near_left, near_right = _near_tokens(left, right, open_left, open_right, names)
    left_near = (left_weights * near_left).sum(axis=1)
    right_near = (right_weights * near_right).sum(axis=1)
    left_mass, right_mass = left_weights.sum(axis=1), right_weights.sum(axis=1)
    largest = math.log(total + 1) or 1.0
    digits = _numbers(names.normal)
    first = (left_tokens[:, 0] == right_tokens[:, 0]) & (left_tokens[:, 0] >= 0)
    # what neither shares nor nearly shares, rarest first
    left_rest, right_rest = open_left & (near_left == 0), open_right & (near_right == 0)
    query_rest = np.minimum((left_weights * left_rest).max(axis=1) / _RARE, 1.0)
    recipient_rest = np.minimum((right_weights * right_rest).max(axis=1) / _RARE, 1.0)
    contradiction = np.minimum(query_rest, recipient_rest)
    is_trade = names.is_trade
    has_trade = (left_rest & is_trade[left]).any(axis=1) | (right_rest & is_trade[right]).any(axis=1)
    contradiction[has_trade] = 1.0
    contradiction[_is_respelled(left, right, left_rest, right_rest, contradiction > 0, names)] = 0.0
    return {
        "overlap": _divided(2 * shared, left_mass + right_mass),
        "near_overlap": _divided(2 * shared + left_near + right_near, left_mass + right_mass),
        "query_unmatched": (left_mass - shared - left_near) / largest / 3.0,
        "recipient_unmatched": (right_mass - shared - right_near) / largest / 3.0,
        "shared_rarity": np.minimum(shared / largest, 3.0) / 3.0,
        "near_rarity": np.minimum((shared + np.minimum(left_near, right_near)) / largest, 3.0) / 3.0,
        "rare_token": (names.rareness[left] * is_shared).max(axis=1),
        "same_first_token": first.astype(np.float64),
        "numbers_differ": (digits[left] != digits[right]).astype(np.float64),
        "query_rest": query_rest,
        "recipient_rest": recipient_rest,
        "contradiction": contradiction,
    }


def _near_tokens(
    left: Integers, right: Integers, open_left: Flags, open_right: Flags, names: NameTable
) -> tuple[Floats, Floats]:
    """Return the similarity 0..1 of each left and each right token to the nearest one on the other side.

    Only the open tokens, which equal none on the other side, take part; a similarity below 0.75 counts as 0.
    Both the canonical form and the spelling are compared (DIANOSTICS is near DIAGNOSTICS, not DIAG).
    """
    near_left, near_right = np.zeros(open_left.shape), np.zeros(open_right.shape)
    pair, left_column, right_column = np.nonzero(open_left[:, :, None] & open_right[:, None, :])
    if not len(pair):
        return near_left, near_right
    of_left, of_right = (left[pair], left_column), (right[pair], right_column)
    canonical = _similarity(names.tokens[of_left], names.tokens[of_right], names.vocabulary)
    spelled = _similarity(names.spelled[of_left], names.spelled[of_right], names.vocabulary)
    similarity = np.maximum(canonical, spelled)
    nearness = np.where(similarity >= _NEAR, similarity, 0.0)
    np.maximum.at(near_left, (pair, left_column), nearness)
    np.maximum.at(near_right, (pair, right_column), nearness)
    return near_left, near_right


def _similarity(left: Integers, right: Integers, vocabulary: NDArray[np.object_]) -> Floats:
    """Return how similar tokens are, given by their numbers; each pair of tokens is compared once.

    A token of three letters or more that starts the other is an abbreviation: 0.9.
    """
    distinct, position = np.unique(left * len(vocabulary) + right, return_inverse=True)
    left, right = np.divmod(distinct, len(vocabulary))
    texts = (list(vocabulary[left]), list(vocabulary[right]))
    similarity = cpdist(*texts, scorer=fuzz.ratio, dtype=np.float64) / 100.0
    size = lengths(vocabulary)
    shorter = np.minimum(size[left], size[right])
    is_start = (shorter >= 3) & (cpdist(*texts, scorer=Prefix.similarity, dtype=np.float64) == shorter)
    found: Floats = np.where(is_start, np.maximum(similarity, 0.9), similarity)[position]
    return found


def _is_respelled(
    left: Integers, right: Integers, left_rest: Flags, right_rest: Flags, chosen: Flags, names: NameTable
) -> Flags:
    """Say of the chosen pairs whether what is left over on both sides is one text, glued or split."""
    is_respelled = np.zeros(len(left), dtype=np.bool_)
    places = np.flatnonzero(chosen)
    if not len(places):
        return is_respelled

    def text(side: Integers, rest: Flags) -> list[str]:
        texts = [""] * len(places)
        pair, column = np.nonzero(rest[places])
        words = names.vocabulary[names.spelled[side[places[pair]], column]]
        for number, word in zip(pair.tolist(), words, strict=True):
            texts[number] += word
        return texts

    similarity = cpdist(text(left, left_rest), text(right, right_rest), scorer=fuzz.ratio, dtype=np.float64)
    is_respelled[places] = similarity >= 100.0 * _NEAR
    return is_respelled


_NUMBER = re.compile(rf"[A-Z]*[0-9][A-Z0-9]*|{'|'.join(ROMAN_NUMERALS)}")


def _numbers(names: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return, per name, the tokens that number a firm among its sisters: digits and Roman numerals."""
    split = [name.split() for name in names]
    numbers = {word for word in {word for words in split for word in words} if _NUMBER.fullmatch(word)}
    return objects(
        [
            () if numbers.isdisjoint(words) else tuple(sorted(filter(numbers.__contains__, words)))
            for words in split
        ]
    )


def lengths(texts: NDArray[np.object_]) -> Floats:
    """Return the number of letters of each text."""
    return np.array([len(text) for text in texts], dtype=np.float64)


def _divided(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def objects(values: Sequence[object]) -> NDArray[np.object_]:
    """Return an array of Python objects, one per value, whatever they hold."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
