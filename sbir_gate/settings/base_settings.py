"""The settings that the base's enricher runs with: the base's own, under what was set from outside.

A change may consist of settings alone: a default in base.yaml, a value in the repository's own `--config`
file. If the base ran with head's values, such a change could not be seen. So the base has the defaults of
its own code and its own version of the file; variables and options come from whoever runs the gate, and
hold for both sides.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.errors import ConfigurationError
from sbir_gate.settings.entries import Layer, configuration_error, flat, nested
from sbir_gate.settings.keys import FOLLOWERS
from sbir_gate.settings.layers import (
    assignment_layer,
    base_layer,
    environment_layer,
    file_layer,
    option_layer,
)
from sbir_gate.settings.schema import Settings
from sbir_gate.wrong_input import shown

ENGINE_SECTIONS = ("enrichment", "matching", "reading")
RESULT_SECTIONS = ("matching.", "reading.")
COMMAND = "enricher.command"
_ABSENT = object()
# in a checkout of this project, and in an unpacked package of it
_DEFAULTS = ("config/base.yaml", "sbir_gate/base.yaml")


@dataclass(frozen=True, slots=True)
class Given:
    """What was set beyond the defaults, as `load_settings` takes it, to be laid over other defaults."""

    config_file: Path | None
    environment: Mapping[str, str]
    options: Mapping[str, object]
    assignments: Sequence[str]


@dataclass(frozen=True, slots=True)
class BaseSettings:
    """What the base's enricher is given.

    `text` is a `--config` file for the base's built-in engine, empty if nothing is set. `command` is its
    enricher, None for the built-in one. `unknown` are keys that were set and that the base does not know:
    it runs without them. `differing` are settings of the engine: key, head's value, the base's.
    `digest` is `head_digest` if none of them changes results, else one of the base's own.
    """

    text: str
    command: tuple[str, ...] | None
    unknown: tuple[str, ...]
    differing: tuple[tuple[str, str, str], ...]
    digest: str


def base_settings(
    given: Given, config_file: Path | None, engine: Path | None, head: Settings, head_digest: str
) -> BaseSettings:
    """Return the settings of the base.

    `config_file` is the base's version of the file that `given` names, or that file itself where the base
    has none. `engine` is the folder that holds the base's own built-in engine, whose base.yaml gives the
    defaults; None if it has none, so that both sides run the installed one. `head` and `head_digest` are
    what the base is held against.

    Raises ConfigurationError for a file of the base that cannot be read as settings.
    """
    defaults = _by_key(_defaults(engine))
    given_layers = (
        file_layer(config_file, f"{config_file.name} (of the base)") if config_file else Layer(),
        environment_layer(given.environment),
        assignment_layer(given.assignments),
        option_layer(given.options),
    )
    named = [_by_key(layer) for layer in given_layers]
    over = {key: value for layer in named for key, value in _followed(layer).items()}
    engines = {key: value for key, value in over.items() if _is_engines(key)}
    known = {key: value for key, value in engines.items() if key in defaults}
    unknown = {key for layer in named for key in layer if _is_engines(key)} - defaults.keys()
    values = {key: value for key, value in {**defaults, **known}.items() if _is_engines(key)}
    heads = {key: value for key, value in flat(head.model_dump(mode="json")) if _is_engines(key)}
    differing = [key for key in {**heads, **values} if heads.get(key, _ABSENT) != values.get(key, _ABSENT)]
    changes_results = any(key.startswith(RESULT_SECTIONS) for key in differing)
    return BaseSettings(
        text=json.dumps(nested(known), ensure_ascii=False, indent=1) + "\n" if known else "",
        command=_command(over.get(COMMAND, defaults.get(COMMAND))),
        unknown=tuple(sorted(unknown)),
        differing=tuple((key, _shown(heads, key), _shown(values, key)) for key in differing),
        digest=_digest(values) if changes_results else head_digest,
    )


def _is_engines(key: str) -> bool:
    return key.partition(".")[0] in ENGINE_SECTIONS


def _defaults(engine: Path | None) -> Layer:
    for name in _DEFAULTS if engine else ():
        if engine and (engine / name).is_file():
            return file_layer(engine / name, f"{name} (of the base)")
    return base_layer()


def _by_key(layer: Layer) -> dict[str, object]:
    """Return the values of a layer, lists as lists. Raises ConfigurationError for its faults."""
    if layer.faults:
        raise configuration_error(list(layer.faults))
    return {
        entry.key: list(entry.value) if isinstance(entry.value, tuple) else entry.value
        for entry in layer.entries
    }


def _followed(layer: Mapping[str, object]) -> Mapping[str, object]:
    """Return the values of a layer with those that it sets along with them."""
    return {**{FOLLOWERS[key]: value for key, value in layer.items() if key in FOLLOWERS}, **layer}


def _command(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    try:
        return tuple(shlex.split(value)) if isinstance(value, str) else tuple(map(str, _items(value)))
    except ValueError as error:
        raise ConfigurationError(
            f"{COMMAND} of the base: {shown(value)} is not a valid command line ({error})",
            "fix it in the base",
        ) from error


def _items(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("a text or a list is needed")  # noqa: TRY004 -- reported as the fault of a value
    return value


def _shown(values: Mapping[str, object], key: str) -> str:
    return shown(values[key]) if key in values else "not known"


def _digest(values: Mapping[str, object]) -> str:
    results = {key: value for key, value in sorted(values.items()) if key.startswith(RESULT_SECTIONS)}
    return hashlib.sha256(json.dumps(results, ensure_ascii=True).encode()).hexdigest()
