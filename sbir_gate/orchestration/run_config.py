"""What the config of a run can set: typed, with the bounds of the settings and the defaults in force."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Literal, get_args, get_origin

import dagster as dg
from pydantic.fields import FieldInfo

from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.entries import flat
from sbir_gate.settings.keys import field_of

CONFIG_FILE = "config_file"
ASSIGNMENTS = "assignments"
IS_FRESH = "is_fresh"

_PERFORMANCE = "enrichment.performance"
# a name in the launchpad: the setting that it sets, and what it is
RUN_SETTINGS = {
    "awards": ("fixtures.awards", "file of the awards"),
    "recipients": ("fixtures.recipients", "file or database dump of the recipients"),
    "truth": ("fixtures.truth", "file of the known correct recipients; null without one"),
    "folder": ("orchestration.folder", "folder of the assets; null means dagster/ in reports.folder"),
    "chunk_size": (f"{_PERFORMANCE}.chunk_size", "recipients per chunk"),
    "memory_threshold_mb": (f"{_PERFORMANCE}.memory_threshold_mb", "memory budget in MiB"),
    "match_rate_threshold": (f"{_PERFORMANCE}.match_rate_threshold", "least share of linked awards"),
    "timeout_seconds": (
        f"{_PERFORMANCE}.timeout_seconds",
        "longest time without progress in seconds; of an engine that reports none, of all of it",
    ),
    "retry_backoff": (f"{_PERFORMANCE}.retry_backoff", "how waits between attempts grow"),
    "workers": (f"{_PERFORMANCE}.workers", "threads; 0 means one per core"),
    "cluster": (
        "enrichment.cluster",
        "local:N for N worker processes, or a Dask scheduler, as tcp://HOST:8786; null without a cluster",
    ),
    "stores_baseline": ("orchestration.stores_baseline", "whether a sound Run becomes the baseline"),
}
KEYS = {name: key for name, (key, _) in RUN_SETTINGS.items()}
_WRITTEN: Mapping[type, type] = {str: Path}  # what a text is read as
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def config_schema(loaded: EffectiveSettings) -> dict[str, dg.Field]:
    """Return the fields of the config, with the loaded settings as their defaults."""
    values = dict(flat(loaded.settings.model_dump(mode="json")))
    return {
        **{name: _field(name, values[key]) for name, key in KEYS.items()},
        CONFIG_FILE: dg.Field(
            dg.Noneable(str),
            default_value=None,
            description="Another settings file, instead of that of the code location; the fields that the"
            " config changes are above it.",
        ),
        ASSIGNMENTS: dg.Field(
            [str],
            default_value=[],
            description="Any other settings, each as KEY=VALUE, e.g. gate.max_lost=3.",
        ),
        IS_FRESH: dg.Field(
            bool,
            default_value=False,
            description="Start over instead of resuming from the chunks of an interrupted run.",
        ),
    }


def given_options(config: Mapping[str, object], loaded: EffectiveSettings) -> dict[str, object]:
    """Return, by setting, what a config changes; a value at its default is not given."""
    values = dict(flat(loaded.settings.model_dump(mode="json")))
    return {
        key: _value(key, config[name])
        for name, key in KEYS.items()
        if name in config and config[name] != values[key]
    }


def _value(key: str, value: object) -> object:
    kind = _kinds(field_of(key))
    return float(value) if float in kind and isinstance(value, int) else value


def _field(field: str, default: object) -> dg.Field:
    key, words = RUN_SETTINGS[field]
    bounds = [
        f"{word} {getattr(limit, name):,}"
        for name, word in _BOUNDS.items()
        for limit in field_of(key).metadata
        if hasattr(limit, name)
    ]
    return dg.Field(
        _config_type(field),
        default_value=default,
        description=f"{key}: {', '.join([words, *bounds])}. Default: {default}.",
    )


@cache
def _config_type(name: str) -> dg.Noneable | dg.Enum | type:
    kinds = _kinds(field_of(KEYS[name]))
    if all(isinstance(kind, str) for kind in kinds):
        return dg.Enum(f"sbir_gate_{name}", [dg.EnumValue(str(kind)) for kind in kinds])
    scalar = next(kind for kind in (bool, int, float, str) if {kind, _WRITTEN.get(kind)} & {*kinds})
    return dg.Noneable(scalar) if NoneType in kinds else scalar


def _kinds(info: FieldInfo) -> tuple[object, ...]:
    """Return the types, or the words, that a value may be of."""
    annotation = info.annotation
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    parts = get_args(annotation) or (annotation,)
    return tuple(get_args(part)[0] if get_args(part) else part for part in parts)
