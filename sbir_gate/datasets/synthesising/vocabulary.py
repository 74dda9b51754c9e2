"""The words of names, by how common they are, and the templates that make names of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from sbir_gate.datasets.synthesising.draws import Draws, Weighted

# The pieces of rare tokens are drawn evenly: their 288,000 combinations distinguish the firms.
_EVEN_LISTS = frozenset({"head", "middle", "tail", "letter"})
_PIECE = re.compile(r"\{(\w+)\}|([^{]+)")
_FORM = "{form}"


@dataclass(frozen=True, slots=True)
class NameTemplate:
    """A name as pieces: a fixed text, or a list of words to draw from.

    A distinctive name has a rare token in it; an incorporated one ends in a designator.
    """

    pieces: tuple[str | Weighted[str], ...]
    is_distinctive: bool
    is_incorporated: bool

    def one(self, draws: Draws) -> str:
        """Return one name."""
        return "".join(piece if isinstance(piece, str) else draws.weighted(piece) for piece in self.pieces)

    def many(self, draws: Draws, count: int) -> NDArray[np.object_]:
        """Return `count` names, shape (count,)."""
        names = np.full(count, "", dtype=object)
        for piece in self.pieces:
            if isinstance(piece, str):
                names += piece
            else:
                names += np.array(piece.items, dtype=object)[draws.many_indices(count, piece)]
        return names


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All that names and texts are made of. `texts` are lists of words for titles and streets."""

    words: Mapping[str, Weighted[str]]
    firm_names: Weighted[NameTemplate]
    bystander_names: Weighted[NameTemplate]
    designators: Weighted[str]
    abbreviations: Mapping[str, str]
    texts: Mapping[str, tuple[str, ...]]


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary that is shipped in vocabulary.toml."""
    source = tomllib.loads(
        resources.files(__package__).joinpath("vocabulary.toml").read_text(encoding="utf-8")
    )
    words = {name: _word_table(name, text.split()) for name, text in source["words"].items()}
    return Vocabulary(
        words=words,
        firm_names=_templates(source["names"]["firm"], words),
        bystander_names=_templates(source["names"]["bystander"], words),
        designators=Weighted.of((word, weight) for weight, word in _weighted_lines(source["designators"])),
        abbreviations=source["abbreviations"],
        texts={name: tuple(text.split()) for name, text in source["text"].items()},
    )


def _word_table(name: str, words: list[str]) -> Weighted[str]:
    return Weighted.of((word, 1) for word in words) if name in _EVEN_LISTS else Weighted.zipf(words)


def _templates(text: str, lists: Mapping[str, Weighted[str]]) -> Weighted[NameTemplate]:
    return Weighted.of((_template(line, lists), weight) for weight, line in _weighted_lines(text))


def _template(line: str, lists: Mapping[str, Weighted[str]]) -> NameTemplate:
    found = _PIECE.findall(line.removesuffix(_FORM))
    pieces = tuple(lists[name] if name else text for name, text in found)
    return NameTemplate(pieces, is_distinctive="{head}" in line, is_incorporated=line.endswith(_FORM))


def _weighted_lines(text: str) -> list[tuple[int, str]]:
    lines = [line.split(" ", 1) for line in text.strip().splitlines()]
    return [(int(weight), rest) for weight, rest in lines]
