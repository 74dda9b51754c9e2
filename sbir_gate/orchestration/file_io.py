"""How assets are handed on: by their path. No table is ever loaded or pickled on the way."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from sbir_gate.orchestration.names import ENRICHED, GATE_RESOURCE, RAW, VALIDATED, award_year_of
from sbir_gate.orchestration.resources import GateResource
from sbir_gate.pipeline.asset_files import asset_files


class PathIOManager(dg.IOManager):
    """Gives a step the paths of what the steps before it have written."""

    def handle_output(self, context: dg.OutputContext, obj: Path) -> None:
        """Check that the asset wrote what it says. The file is there already."""
        if not obj.exists() and context.asset_key.path[-1] != RAW:  # the source may be a pattern
            raise dg.Failure(f"{obj}: the step did not write what it says it did", allow_retries=False)

    def load_input(self, context: dg.InputContext) -> Path:
        """Return the path of the asset that a step asks for, by the settings of this run."""
        gate: GateResource = getattr(context.resources, GATE_RESOURCE)
        settings = gate.effective().settings
        files = asset_files(settings, award_year_of(context))
        paths = {RAW: settings.fixtures.awards, VALIDATED: files.validated, ENRICHED: files.enriched}
        return paths[context.asset_key.path[-1]]


# not a ConfigurableIOManager: what is nested in one does not see what the config of a run sets
path_io_manager = dg.IOManagerDefinition(
    resource_fn=lambda _context: PathIOManager(), required_resource_keys={GATE_RESOURCE}
)
