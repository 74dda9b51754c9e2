"""The assets as a component of Dagster: a few lines of YAML instead of Python."""

# no postponed annotations here: Dagster reads those of the classes

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import dagster as dg
from pydantic import Field

from sbir_gate.orchestration.definitions import build_definitions
from sbir_gate.orchestration.names import ASSETS, GROUP, JOBS
from sbir_gate.settings.effective import EffectiveSettings, changed_settings, load_settings, resolved_settings
from sbir_gate.settings.entries import Entry, Layer
from sbir_gate.settings.layers import environment_layer

_attribute = dg.Resolver.default
Value = str | int | float | bool | None | list[str]


class Inputs(dg.Model):
    """The parameters of `dg scaffold defs sbir_gate.SbirGate`."""

    awards: str = Field(default="awards.csv", description="File of the awards, seen from the new folder.")
    recipients: str = Field(default="recipients.csv", description="File of the recipients, seen from there.")


class SbirGateScaffolder(dg.Scaffolder[Inputs]):
    """Writes the first `defs.yaml`."""

    @classmethod
    def get_scaffold_params(cls) -> type[Inputs]:
        """Return the options that the command has."""
        return Inputs

    def scaffold(self, request: dg.ScaffoldRequest[Inputs]) -> None:
        """Write the component with the two files that differ from project to project."""
        files = {"fixtures.awards": request.params.awards, "fixtures.recipients": request.params.recipients}
        # the truth of the default is of other awards
        dg.scaffold_component(request, {"settings": {**files, "fixtures.truth": None}})


@dg.scaffold_with(SbirGateScaffolder)
class SbirGate(dg.Component, dg.Model, dg.Resolvable):
    """SBIR awards linked to USAspending recipients, as assets whose checks hold up what is not good enough.

    The attributes are the parameters of `sbir_gate.orchestration.build_definitions`.
    """

    settings_file: Annotated[
        str | None,
        _attribute(
            description="YAML file over the defaults of sbir-gate, seen from the folder of this file."
        ),
    ] = None
    settings: Annotated[
        Mapping[str, Value],
        _attribute(
            description="Settings over those of the file, by dotted key; files are seen from this folder.",
            examples=[{"fixtures.awards": "awards.csv", "gate.max_lost": 3}],
        ),
    ] = {}
    key_prefix: Annotated[
        str,
        _attribute(
            description="What begins asset keys and names of jobs and sensors; parts between slashes."
        ),
    ] = ""
    group: Annotated[str, _attribute(description="Group of the assets.")] = GROUP
    owners: Annotated[
        Sequence[str], _attribute(description="Owners of the assets: team:NAME or an address.")
    ] = ()
    tags: Annotated[Mapping[str, str], _attribute(description="Tags of the assets.")] = {}
    awards_from: Annotated[
        str | None,
        _attribute(description="Key of the asset that fetches the awards; parts between slashes."),
    ] = None
    recipients_from: Annotated[
        str | None, _attribute(description="Key of the asset that fetches the recipients.")
    ] = None
    assets: Annotated[
        Sequence[str],
        _attribute(description="Assets to include, from the first on.", examples=[list(ASSETS)]),
    ] = ASSETS
    jobs: Annotated[Sequence[str], _attribute(description="Jobs to include.", examples=[list(JOBS)])] = JOBS
    resource_name: Annotated[
        str,
        _attribute(description="Name of the resource of settings, if not sbir_gate_settings_PREFIX."),
    ] = ""
    io_manager_name: Annotated[
        str, _attribute(description="Name of the IO manager, if not sbir_gate_io_manager_PREFIX.")
    ] = ""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the definitions of this set of the assets."""
        return build_definitions(
            self._loaded(context.path, context.project_root),
            key_prefix=self.key_prefix,
            group=self.group,
            owners=self.owners,
            tags=self.tags,
            awards_from=self.awards_from,
            recipients_from=self.recipients_from,
            assets=self.assets,
            jobs=self.jobs,
            resource_name=self.resource_name,
            io_manager_name=self.io_manager_name,
        )

    def _loaded(self, folder: Path, project: Path) -> EffectiveSettings:
        """Return the settings: paths start from the folder of the YAML that names them, or the project."""
        file = folder / self.settings_file if self.settings_file is not None else None
        loaded = load_settings(file, {})
        base = resolved_settings(loaded, project if loaded.file is None else None)
        origin = folder / "defs.yaml"
        entries = [Entry(key, _plain(value), str(origin)) for key, value in self.settings.items()]
        changed = changed_settings(base, Layer(tuple(entries)), environment_layer(os.environ))
        resolved = resolved_settings(changed, folder)
        return replace(resolved, file=loaded.file or origin, folder=base.folder)


def _plain(value: Value) -> object:
    return tuple(value) if isinstance(value, list) else value
