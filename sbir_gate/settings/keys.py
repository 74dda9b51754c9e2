"""The keys that the schema knows, and the nearest one to a key that it does not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from inspect import isclass
from typing import get_args, get_origin

from pydantic import BaseModel

from sbir_gate.settings.schema import Settings

ANY_NAME = "*"

# a limit that another key holds: it is refused here, so that the number stands once
HELD_BY = {"gate.metrics.match_rate.minimum": "enrichment.performance.match_rate_threshold"}


def known_keys(section: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    """Yield the dotted key of every value; `*` stands for a name that the user gives (of a metric)."""
    for name, field in section.model_fields.items():
        key = f"{prefix}{name}"
        annotation = field.annotation
        if isclass(annotation) and issubclass(annotation, BaseModel):
            yield from known_keys(annotation, f"{key}.")
        elif get_origin(annotation) is Mapping:
            yield from known_keys(get_args(annotation)[1], f"{key}.{ANY_NAME}.")
        else:
            yield key


KNOWN_KEYS = tuple(known_keys())
_KNOWN_PARTS = frozenset(tuple(key.split(".")) for key in KNOWN_KEYS)
_SECTIONS = frozenset(parts[:depth] for parts in _KNOWN_PARTS for depth in range(1, len(parts)))
_NAMED_SECTIONS = frozenset(parts[:-1] for parts in _SECTIONS if parts[-1] == ANY_NAME)


def is_known(key: str) -> bool:
    """Return whether the key holds a value."""
    return _generalised(key) in _KNOWN_PARTS and key not in HELD_BY


def is_section(key: str) -> bool:
    """Return whether the key holds further keys."""
    return _generalised(key) in _SECTIONS


def metric_names(keys: Iterable[str]) -> tuple[str, ...]:
    """Return the names that stand for `*` in the keys, each once, in their order."""
    generalised = ((key, _generalised(key)) for key in keys)
    return tuple(
        dict.fromkeys(
            key.split(".")[parts.index(ANY_NAME)] for key, parts in generalised if ANY_NAME in parts
        )
    )


def nearest_key(key: str, names: Iterable[str]) -> str:
    """Return the known key that is most like `key`, or an empty string; `names` are the metrics' names."""
    candidates = _named(names)
    near = difflib.get_close_matches(key[:200], candidates, n=1, cutoff=0.6)
    if near:
        return near[0]
    by_word = {candidate.rpartition(".")[2]: candidate for candidate in reversed(candidates)}
    near = difflib.get_close_matches(key.rpartition(".")[2][:200], by_word, n=1, cutoff=0.8)
    return by_word[near[0]] if near else ""


def _generalised(key: str) -> tuple[str, ...]:
    parts = tuple(key.split("."))
    for section in _NAMED_SECTIONS:
        depth = len(section)
        if parts[:depth] == section and len(parts) > depth:
            return (*section, ANY_NAME, *parts[depth + 1 :])
    return parts


def _named(names: Iterable[str]) -> list[str]:
    known_names = tuple(names)
    return [
        key.replace(ANY_NAME, name)
        for key in KNOWN_KEYS
        for name in (known_names if ANY_NAME in key else ("",))
    ]
