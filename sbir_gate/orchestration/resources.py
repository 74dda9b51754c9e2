"""The settings inside Dagster: the layers of the command line, and what a run's own config sets over them."""

# no postponed annotations here: Dagster reads those of the class

import os
from pathlib import Path
from typing import ClassVar

import dagster as dg
from pydantic import Field, PrivateAttr

from sbir_gate.settings.effective import (
    EffectiveSettings,
    changed_settings,
    load_settings,
    resolved_settings,
)
from sbir_gate.settings.layers import assignment_layer, option_layer
from sbir_gate.settings.repository_file import settings_file


class GateResource(dg.ConfigurableResource[None]):
    """Settings of sbir-gate for the assets; what is left out comes from config/base.yaml and the environment.

    In the config of a run it is at `resources.sbir_gate_settings.config`.
    """

    config_file: str | None = Field(default=None, description="YAML file over config/base.yaml.")
    assignments: list[str] = Field(
        default_factory=list, description="Single settings, each as KEY=VALUE, e.g. gate.max_lost=3."
    )
    awards: str | None = Field(default=None, description="fixtures.awards: file of the awards.")
    recipients: str | None = Field(default=None, description="fixtures.recipients: what they are linked to.")
    truth: str | None = Field(default=None, description="fixtures.truth: the known right recipients.")
    folder: str | None = Field(default=None, description="orchestration.folder: where the assets lie.")
    chunk_size: int | None = Field(
        default=None, description="enrichment.performance.chunk_size: recipients per chunk."
    )
    memory_threshold_mb: int | None = Field(
        default=None, description="enrichment.performance.memory_threshold_mb, in MiB."
    )
    match_rate_threshold: float | None = Field(
        default=None, description="enrichment.performance.match_rate_threshold, 0..1."
    )
    timeout_seconds: float | None = Field(
        default=None,
        description="enrichment.performance.timeout_seconds: the longest time without progress of the"
        " enrichment; of an engine that reports none, of all of it.",
    )
    workers: int | None = Field(
        default=None, description="enrichment.performance.workers: threads; 0 means one per core."
    )
    paths_from: str | None = Field(
        default=None,
        description="Folder that relative paths start from; left out, it is that of the settings file.",
    )
    is_fresh: bool = Field(
        default=False, description="Start over instead of resuming from the chunks of an interrupted run."
    )

    # what a set was built with; None means the file and the environment
    base: ClassVar[EffectiveSettings | None] = None

    _loaded: EffectiveSettings | None = PrivateAttr(default=None)

    def effective(self) -> EffectiveSettings:
        """Return the settings in force, read once. Raises ConfigurationError with all faults at once."""
        if self._loaded is None:
            folder = Path(self.paths_from) if self.paths_from else None
            self._loaded = resolved_settings(self._load(), folder)
        return self._loaded

    def _load(self) -> EffectiveSettings:
        options = {
            "fixtures.awards": self.awards,
            "fixtures.recipients": self.recipients,
            "fixtures.truth": self.truth,
            "orchestration.folder": self.folder,
            "enrichment.performance.chunk_size": self.chunk_size,
            "enrichment.performance.memory_threshold_mb": self.memory_threshold_mb,
            "enrichment.performance.match_rate_threshold": self.match_rate_threshold,
            "enrichment.performance.timeout_seconds": self.timeout_seconds,
            "enrichment.performance.workers": self.workers,
        }
        if self.base is not None and self.config_file is None:
            return changed_settings(self.base, assignment_layer(self.assignments), option_layer(options))
        file = Path(self.config_file) if self.config_file else None
        return load_settings(file, os.environ, options, self.assignments)


def settings_resource(settings: EffectiveSettings | Path | str | None) -> GateResource:
    """Return the resource of settings that are loaded, or of a file. A run makes it anew from its config."""
    if not isinstance(settings, EffectiveSettings):
        # the same file for every process of a run, in whatever folder it is started
        file = settings_file(Path(settings) if settings else None, Path.cwd())
        return GateResource(config_file=str(file.absolute()) if file is not None else None)

    loaded: EffectiveSettings = resolved_settings(settings)

    class LoadedResource(GateResource):
        base: ClassVar[EffectiveSettings | None] = loaded

    LoadedResource.__doc__ = GateResource.__doc__
    return LoadedResource()
