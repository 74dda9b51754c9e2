"""The settings in force: the layers merged and validated, with all faults reported at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel

from sbir_gate.errors import Fault
from sbir_gate.settings.entries import (
    MAX_FAULTS_SHOWN,
    Entry,
    Layer,
    configuration_error,
    flat,
    in_order,
    is_in_file,
)
from sbir_gate.settings.keys import (
    HELD_BY,
    is_known,
    is_section,
    is_switch,
    merged,
    metric_names,
    nearest_key,
    nearest_section,
    strange_section,
    with_patterns,
)
from sbir_gate.settings.layers import (
    assignment_layer,
    base_file,
    base_layer,
    environment_layer,
    file_layer,
    is_default,
    option_layer,
)
from sbir_gate.settings.repository_file import NAME, find_settings_file, settings_file
from sbir_gate.settings.schema import Settings
from sbir_gate.settings.validation import validated

SectionT = TypeVar("SectionT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    """The settings in force, and for each dotted key where its value comes from.

    `file` is the settings file over base.yaml, None if there is none. `folder` is where relative paths start,
    if they were resolved (`resolved_settings`).
    """

    settings: Settings
    origins: Mapping[str, str]
    file: Path | None = None
    folder: Path = Path()

    def is_from_file(self, key: str) -> bool:
        """Say whether the value is written in a file, and not set for this call by an option or variable."""
        return is_in_file(self.origins[key])

    def place_of(self, key: str) -> str:
        """Return where the value is set. A default is to be set in the settings file, by its key.

        Only in a checkout of this project the file of the defaults is the user's own.
        """
        origin = self.origins[key]
        if not is_default(origin) or Path.cwd() / origin.rpartition(":")[0] == base_file():
            return origin
        return f"{self.file or NAME}: {key} (default)"


def load_settings(
    config_file: Path | None,
    environment: Mapping[str, str],
    options: Mapping[str, object] = MappingProxyType({}),
    assignments: Sequence[str] = (),
) -> EffectiveSettings:
    """Return the settings from base.yaml < `config_file` < `environment` < `assignments` < `options`.

    Without a `config_file` it is the file of the repository that the process runs in (`settings_file`).
    `environment` is the whole environment; only SBIR_GATE__A__B counts, with a YAML scalar or list
    as its value. `assignments` are the texts of `--set a.b=value`. `options` maps a dotted key to the value
    of its option, already of its type; None means "not given".

    Raises ConfigurationError, with one line per fault, for all faults of all layers together.
    """
    file = settings_file(config_file, Path.cwd())
    effective, faults = _validated(_layers(file, environment, options, assignments))
    if effective is None or faults:
        raise configuration_error(faults)
    return replace(effective, file=file)


def default_settings(options: Mapping[str, object]) -> EffectiveSettings:
    """Return the settings of base.yaml under `options`, whatever a file or the environment says."""
    effective, faults = _validated([base_layer(), option_layer(options)])
    if effective is None or faults:
        raise configuration_error(faults)
    return effective


def changed_settings(effective: EffectiveSettings, *layers: Layer) -> EffectiveSettings:
    """Return the settings with layers over them. Raises ConfigurationError with all faults at once."""
    values = flat(effective.settings.model_dump(mode="json", exclude_unset=True))
    loaded = Layer(
        tuple(
            Entry(key, tuple(value) if isinstance(value, list) else value, effective.origins[key])
            for key, value in values
        )
    )
    changed, faults = _validated([loaded, *layers])
    if changed is None or faults:
        raise configuration_error(faults)
    return replace(changed, file=effective.file, folder=effective.folder)


def resolved_settings(effective: EffectiveSettings, folder: Path | None = None) -> EffectiveSettings:
    """Return the settings with relative paths starting from `folder`, else from that of the settings file.

    Without either they start from the folder that the process runs in.
    """
    if folder is None and effective.folder.is_absolute():
        folder = effective.folder
    if folder is None:
        # not resolved: the files of a ConfigMap, say, are links to another folder
        folder = effective.file.absolute().parent if effective.file is not None else Path.cwd()
    return replace(effective, settings=_resolved(effective.settings, folder), folder=folder)


def _resolved(section: SectionT, folder: Path) -> SectionT:
    found = {
        name: folder / value if isinstance(value, Path) else _resolved(value, folder)
        for name, value in section
        if isinstance(value, Path | BaseModel)
    }
    return section.model_copy(update=found)


def inspect_settings(
    config_file: Path | None,
    environment: Mapping[str, str],
    options: Mapping[str, object] = MappingProxyType({}),
    assignments: Sequence[str] = (),
) -> tuple[EffectiveSettings | None, tuple[Fault, ...]]:
    """Return the settings as far as they are sound, and every fault.

    A value at fault gives way to that of the layer below. None if base.yaml itself lacks what is needed.
    """
    found = find_settings_file(config_file, Path.cwd())
    file, unclear = (None, [found]) if isinstance(found, Fault) else (found, [])
    layers = _layers(file, environment, options, assignments)
    effective, faults = _validated(layers)
    for _ in layers:
        if effective is not None:
            break
        wrong = {(fault.place, fault.column) for fault in faults}
        layers = [_without(layer, wrong) for layer in layers]
        effective, more = _validated(layers)
        faults += [fault for fault in more if fault not in faults]
    faults = [*unclear, *in_order(faults)]
    return replace(effective, file=file) if effective is not None else None, tuple(faults)


def _without(layer: Layer, wrong: Set[tuple[str, str]]) -> Layer:
    """Return the layer without entries at fault; a fault of a section takes all that is in it along."""
    sections = {key for _, key in wrong if key}
    return Layer(
        tuple(
            entry
            for entry in layer.entries
            if (entry.origin, entry.key) not in wrong
            and not any(entry.key.startswith(f"{section}.") for section in sections)
        ),
        layer.faults,
    )


def _layers(
    config_file: Path | None,
    environment: Mapping[str, str],
    options: Mapping[str, object],
    assignments: Sequence[str],
) -> list[Layer]:
    return [
        base_layer(),
        *([file_layer(config_file)] if config_file is not None else []),
        environment_layer(environment),
        assignment_layer(assignments),
        option_layer(options),
    ]


def _validated(layers: Sequence[Layer]) -> tuple[EffectiveSettings | None, list[Fault]]:
    """Return the merged settings, None if they are not valid, and all faults of all layers."""
    faults = [fault for layer in layers for fault in layer.faults]
    entries = [entry for layer in layers for entry in layer.entries]
    in_force = with_patterns(merged(entries))
    unknown = [entry for entry in entries if not is_known(entry.key) and not is_switch(entry)]
    names = metric_names(entry.key for entry in layers[0].entries)
    faults += _unknown_key_faults(unknown, names)
    settings, value_faults = validated(in_force, names)
    faults += value_faults
    if settings is None:
        return None, faults
    origins = MappingProxyType({key: entry.origin for key, entry in in_force.items()})
    return EffectiveSettings(settings, origins), faults


def _unknown_key_faults(entries: Sequence[Entry], names: Sequence[str]) -> list[Fault]:
    # finding the nearest key takes a while: it is looked for only where the fault is shown
    found = (strange_section(entry) or entry for entry in entries)
    strange = {(entry.origin, entry.key): entry for entry in found}.values()
    return [
        _unknown_key_fault(entry, names if number < MAX_FAULTS_SHOWN else None)
        for number, entry in enumerate(strange)
    ]


def _unknown_key_fault(entry: Entry, names: Sequence[str] | None) -> Fault:
    problem, meant, value = "unknown key", "", None
    if entry.value is None and f"{entry.key}.minimum" in HELD_BY:
        problem = f"cannot be switched off: {HELD_BY[f'{entry.key}.minimum']} always holds"
    elif is_section(entry.key):
        problem, value = "is not a section: it must contain keys", entry.value
    elif entry.key in HELD_BY:
        problem = f"is set by {HELD_BY[entry.key]}"
    elif names is not None:
        is_of_file = entry.value is None and entry.is_from_file
        near = (nearest_section(entry.key) if is_of_file else "") or nearest_key(entry.key, names)
        meant = f"did you mean {near}?" if near else ""
    return entry.fault(problem, meant, value)
