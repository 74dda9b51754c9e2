"""The settings in force as text: YAML that can be read again, or JSON, with the origin of each value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import yaml

from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.entries import flat
from sbir_gate.settings.repository_file import name_from
from sbir_gate.settings.yaml_text import plain_value

_PLAIN_TEXT = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_NO_WRAPPING = 1_000_000
# where results and the interpreter are: outside of the repository another machine has its own
_PLACES = ("enricher.python", "history.folder", "reports.folder")

Tree = Mapping[str, object]


class ShowFormat(StrEnum):
    """How `sbir-gate config show` prints."""

    YAML = "yaml"
    JSON = "json"


def render_effective(effective: EffectiveSettings, format_: ShowFormat = ShowFormat.YAML) -> str:
    """Return every value with its origin, in the order of base.yaml, ending in a newline.

    YAML is nested, with the origin as a comment, and serves as a `--config` file. JSON maps each
    dotted key to `value` and `origin`. What a metric leaves out is not shown.
    """
    if format_ is ShowFormat.JSON:
        return json.dumps(settings_in_force(effective), indent=2, allow_nan=False) + "\n"
    tree: Tree = effective.settings.model_dump(mode="json", exclude_unset=True)
    return "".join(f"{line}\n" for line in _yaml_lines(tree, "", effective.origins))


def settings_in_force(effective: EffectiveSettings) -> dict[str, dict[str, object]]:
    """Return `value` and `origin` of each dotted key; no setting is a secret."""
    tree: Tree = effective.settings.model_dump(mode="json", exclude_unset=True)
    return {key: {"value": value, "origin": effective.origins[key]} for key, value in flat(tree)}


def overrides(effective: EffectiveSettings) -> Mapping[str, str]:
    """Return what options, `--set` and variables set for this run alone, each value as YAML on one line.

    Where results and the interpreter are is a path within the repository, or left out.
    """
    tree: Tree = effective.settings.model_dump(mode="json", exclude_unset=True)
    given = {key: value for key, value in flat(tree) if not effective.is_from_file(key)}
    places = {key: name_from(Path.cwd(), Path(str(given[key]))) for key in _PLACES if given.get(key)}
    outside = [key for key, name in places.items() if Path(name).is_absolute()]
    return {key: _yaml_value(places.get(key, value)) for key, value in given.items() if key not in outside}


def _yaml_lines(tree: Tree, prefix: str, origins: Mapping[str, str]) -> Iterator[str]:
    indent = "  " * prefix.count(".")
    for name, content in tree.items():
        if isinstance(content, dict):
            yield f"{indent}{name}:"
            yield from _yaml_lines(content, f"{prefix}{name}.", origins)
        else:
            yield f"{indent}{name}: {_yaml_value(content)}  # {_one_line(origins[prefix + name])}"


def _yaml_value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_yaml_value(item) for item in value)}]"
    if not isinstance(value, str):
        return json.dumps(value)  # null, true and numbers are written alike in JSON and YAML
    if _PLAIN_TEXT.fullmatch(value) and plain_value(value) == value:
        return value
    return yaml.safe_dump(value, default_style='"', width=_NO_WRAPPING).strip()


def _one_line(origin: str) -> str:
    return origin if origin.isprintable() else repr(origin)
