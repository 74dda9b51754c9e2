"""The settings inside Dagster: those of the code location, and what a run's own config sets over them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import dagster as dg

from sbir_gate.errors import ConfigurationError
from sbir_gate.orchestration.run_config import (
    ASSIGNMENTS,
    CONFIG_FILE,
    IS_FRESH,
    config_schema,
    given_options,
)
from sbir_gate.settings.display import overrides
from sbir_gate.settings.effective import (
    EffectiveSettings,
    changed_settings,
    load_settings,
    resolved_settings,
)
from sbir_gate.settings.entries import Entry, Layer
from sbir_gate.settings.layers import ASSIGNMENT_OPTION, assignment_layer

_RUN = "config of the run"

Config = Mapping[str, object]


@dataclass(slots=True)
class GateResource:
    """Settings of sbir-gate for the assets: `loaded` are those of the code location.

    In the config of a run it is at `resources.sbir_gate_settings.config`. A field at its default changes
    nothing, so another file that the config names is not hidden by the defaults that the launchpad fills in.
    """

    loaded: EffectiveSettings
    config: Config = field(default_factory=dict)
    _effective: EffectiveSettings | None = field(default=None, init=False, repr=False)
    _is_said: bool = field(default=False, init=False, repr=False)

    @property
    def is_fresh(self) -> bool:
        """Say whether the chunks of an interrupted run are not to be used."""
        return bool(self.config.get(IS_FRESH))

    def effective(self) -> EffectiveSettings:
        """Return the settings in force, read once. Raises ConfigurationError with all faults at once."""
        if self._effective is None:
            self._effective = self._read()
        return self._effective

    def say_changes(self, say: Callable[[str], None]) -> None:
        """Report what the environment and the config of the run set, once for all steps of a process."""
        effective = self.effective()
        changed = {} if self._is_said else overrides(effective)
        self._is_said = True
        if changed:
            lines = (f"{key}: {value}  # {effective.origins[key]}" for key, value in changed.items())
            say("settings of this run alone:\n" + "\n".join(lines))

    def _read(self) -> EffectiveSettings:
        found = self.config.get(ASSIGNMENTS)
        assignments = list(map(str, found)) if isinstance(found, list) else []
        file = self.config.get(CONFIG_FILE)
        base = load_settings(Path(file), os.environ) if isinstance(file, str) else self.loaded
        given = given_options(self.config, self.loaded)
        options = Layer(tuple(Entry(key, value, _RUN) for key, value in given.items()))
        changed = changed_settings(base, assignment_layer(assignments), options)
        origins = {
            key: _RUN if origin == ASSIGNMENT_OPTION else origin for key, origin in changed.origins.items()
        }
        return resolved_settings(replace(changed, origins=origins))


def load_base(settings: EffectiveSettings | Path | str | None) -> EffectiveSettings:
    """Return settings that are loaded, or those of a file under the environment, with absolute paths.

    So they mean the same in every process of a run, whatever folder it is started in. Raises
    ConfigurationError.
    """
    if not isinstance(settings, EffectiveSettings):
        settings = load_settings(Path(settings) if settings is not None else None, os.environ)
    return resolved_settings(settings)


def settings_resource(loaded: EffectiveSettings, name: str) -> dg.ResourceDefinition:
    """Return the resource `name`. A config with a value that is not valid is refused when it is launched."""
    schema = config_schema(loaded)

    def check(config: Config) -> Config:
        try:
            GateResource(loaded, config).effective()
        except ConfigurationError as error:
            words = f"resources.{name}.config: {error}"
            # the error of Dagster's own checks of a config: whoever launches the run gets it
            raise dg.DagsterInvalidConfigError(  # type: ignore[no-untyped-call]  # Dagster left it untyped
                words, [], config
            ) from None
        return config

    def make(context: dg.InitResourceContext) -> GateResource:
        return GateResource(loaded, context.resource_config)

    inner = dg.ResourceDefinition(make, config_schema=schema, description=GateResource.__doc__)
    return dg.configured(inner, config_schema=schema)(check)
