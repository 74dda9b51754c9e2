"""What goes from step to step: where data lie and what they are, never the data."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from sbir_gate.errors import InputError
from sbir_gate.orchestration.names import RAW
from sbir_gate.orchestration.records import Recorded, recorded, refusal
from sbir_gate.orchestration.retries import as_failures


class PathIOManager(dg.IOManager):
    """Gives a step what Dagster recorded of the assets before it."""

    def handle_output(self, context: dg.OutputContext, obj: Path) -> None:
        """Check that the asset wrote what it says. The file is there already."""
        if not obj.exists() and context.asset_key.path[-1] != RAW:  # the source may be a pattern
            raise dg.Failure(f"{obj}: the step did not write what it says it did", allow_retries=False)

    def load_input(self, context: dg.InputContext) -> Recorded | Path:
        """Return the record of an asset to a step that asks for one, to others the path of its file.

        What its blocking checks refused is not given to others. A step of ours asks the gate itself.
        """
        with as_failures():
            found = recorded(
                context.instance,
                context.step_context.dagster_run,
                context.asset_key,
                context.asset_partition_key if context.has_asset_partitions else None,
            )
            if context.dagster_type.typing_type is Recorded:
                return found
            refused = refusal(context.instance, found)
            if refused:
                raise InputError(f"its checks refused these data: {refused}", found.hint, path=found.path)
            return found.path
