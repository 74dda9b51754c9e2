"""How assets are handed on: by their path. No table is ever loaded or pickled on the way."""

# no postponed annotations here: Dagster reads those of the class

from pathlib import Path

import dagster as dg

from sbir_gate.orchestration.names import ENRICHED, RAW, VALIDATED, award_year_of
from sbir_gate.orchestration.resources import GateResource
from sbir_gate.pipeline.asset_files import asset_files


class PathIOManager(dg.ConfigurableIOManager):
    """Gives a step the paths of what the steps before it have written."""

    gate: dg.ResourceDependency[GateResource]

    def handle_output(self, context: dg.OutputContext, obj: Path) -> None:
        """Check that the asset wrote what it says. The file is there already."""
        if not obj.exists():
            raise dg.Failure(f"{obj}: the step did not write what it says it did", allow_retries=False)
        context.log.debug("%s is at %s", context.asset_key.to_user_string(), obj)

    def load_input(self, context: dg.InputContext) -> Path:
        """Return the path of the asset that a step asks for."""
        settings = self.gate.effective().settings
        files = asset_files(settings, award_year_of(context))
        paths = {RAW: settings.fixtures.awards, VALIDATED: files.validated, ENRICHED: files.enriched}
        return paths[context.asset_key.path[-1]]
