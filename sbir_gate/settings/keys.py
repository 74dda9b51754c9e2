"""The keys that the schema knows, and the nearest one to a key that it does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from inspect import isclass
from pathlib import PurePath
from typing import get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sbir_gate.model.verdict import limit_names
from sbir_gate.settings.entries import Entry
from sbir_gate.settings.schema import MetricSettings, Settings
from sbir_gate.wrong_input import nearest

ANY_NAME = "*"
_METRICS = "gate.metrics."
_WHOLE = ("unit", "direction", "kind")

# a limit that another key holds: it is rejected here, so that the number has one place
HELD_BY = {
    f"gate.metrics.{name}.minimum": "enrichment.performance.match_rate_threshold"
    for name in ("match_rate", "population_match_rate")
}
# whoever sets the first alone sets the second too: a size of chunks that is asked for is not outgrown
FOLLOWERS = {"enrichment.performance.chunk_size": "enrichment.performance.chunk_size_max"}
_AWARDS, _DRAW = "fixtures.awards", "fixtures.draw"


def known_keys(section: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    """Yield the dotted key of every value; `*` means a name that the user gives (of a metric)."""
    for name, field in section.model_fields.items():
        key = f"{prefix}{name}"
        annotation = field.annotation
        if isclass(annotation) and issubclass(annotation, BaseModel):
            yield from known_keys(annotation, f"{key}.")
        elif get_origin(annotation) is Mapping:
            yield from known_keys(MetricSettings, f"{key}.{ANY_NAME}.")
        else:
            yield key


def field_of(key: str) -> FieldInfo:
    """Return the field of the schema that holds the key's value. Raises KeyError for one that does not."""
    section: type[BaseModel] = Settings
    *names, last = key.split(".")
    for name in names:
        annotation = section.model_fields[name].annotation
        if not (isclass(annotation) and issubclass(annotation, BaseModel)):
            raise KeyError(key)
        section = annotation
    return section.model_fields[last]


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


def is_switch(entry: Entry) -> bool:
    """Return whether the entry switches a metric, or a group of them, off: `gate.metrics.recall: null`."""
    name = entry.key.removeprefix(_METRICS)
    is_metric = entry.key.startswith(_METRICS) and name and "." not in name
    return bool(is_metric) and entry.value is None and f"{entry.key}.minimum" not in HELD_BY


def merged(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return the entries by key, of those that are known; later ones win.

    null switches a metric off with all that was said of it before; a later limit switches it on again. A key
    of FOLLOWERS sets its follower too, unless the same layer does. Other awards that are named for this call
    leave the draw of a file out: it does not say how they were drawn.
    """
    found: dict[str, Entry] = {}
    for entry in entries:
        if is_switch(entry):
            found = {key: other for key, other in found.items() if not key.startswith(f"{entry.key}.")}
        elif is_known(entry.key):
            found.pop(entry.key.rpartition(".")[0], None)
        else:
            continue
        if entry.key == _AWARDS and _is_of_other_awards(found, entry):
            found[_DRAW] = replace(entry, key=_DRAW, value=None)
        found[entry.key] = entry
        follower = FOLLOWERS.get(entry.key)
        # a value at fault is reported once
        if follower and isinstance(entry.value, int) and entry.value >= 1 and entry.value is not True:
            other = found.get(follower)
            if other is None or other.path != entry.path:
                found[follower] = replace(entry, key=follower)
    return found


def _is_of_other_awards(below: Mapping[str, Entry], awards: Entry) -> bool:
    """Return whether a file names a draw, and `awards`, set for this call, are not those beside it."""
    before, draw = below.get(_AWARDS), below.get(_DRAW)
    if before is None or draw is None or draw.value is None or awards.is_from_file:
        return False
    return draw.is_from_file and PurePath(str(before.value)) != PurePath(str(awards.value))


def with_patterns(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return the entries, where a metric whose own are not whole takes the rest from its pattern.

    So `links/uei-exact: {fail_percent: 30}` has the unit and direction of `links/*`. One that says all that
    a new metric must say stands by itself.
    """
    found = dict(entries)
    for name in metric_names(key for key in entries if key.startswith(_METRICS)):
        is_off = f"{_METRICS}{name}" in entries
        if is_off or all(f"{_METRICS}{name}.{field}" in entries for field in _WHOLE):
            continue
        for pattern in limit_names(name)[1:]:
            prefix = f"{_METRICS}{pattern}."
            for key, entry in entries.items():
                if key.startswith(prefix):
                    own = f"{_METRICS}{name}.{key.removeprefix(prefix)}"
                    found.setdefault(own, replace(entry, key=own))
    return found


def metric_names(keys: Iterable[str]) -> tuple[str, ...]:
    """Return the names that match `*` in the keys, each once, in their order."""
    generalised = ((key, _generalised(key)) for key in keys)
    return tuple(
        dict.fromkeys(
            key.split(".")[parts.index(ANY_NAME)] for key, parts in generalised if ANY_NAME in parts
        )
    )


def nearest_key(key: str, names: Iterable[str]) -> str:
    """Return the known key that is most like `key`, or an empty string; `names` are the metrics' names."""
    candidates = _named(names)
    by_word = {candidate.rpartition(".")[2]: candidate for candidate in reversed(candidates)}
    near = nearest(key.rpartition(".")[2], by_word, cutoff=0.8)
    return nearest(key, candidates) or by_word.get(near, "")


def nearest_section(key: str) -> str:
    """Return the known section that is most like `key`, or an empty string."""
    return nearest(key, sorted(".".join(parts) for parts in _SECTIONS if ANY_NAME not in parts))


def strange_section(entry: Entry) -> Entry | None:
    """Return the outermost section of an entry of a file that is none, as an entry; None if all are."""
    parts = entry.key.split(".")
    for depth, line in enumerate(entry.section_lines, 1):
        section = ".".join(parts[:depth])
        if not is_section(section):
            return None if is_known(section) else Entry(section, None, entry.path, line)
    return None


@lru_cache(maxsize=4096)
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
