"""Which attempt a step is, over all runs that were launched again, and what the ones before it cost."""

from __future__ import annotations

import dagster as dg

from sbir_gate.orchestration.facts import Metadata
from sbir_gate.orchestration.records import run_line

_STARTS = {dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_RESTARTED}


def attempt_facts(context: dg.AssetExecutionContext) -> Metadata:
    """Return the number of the attempt, and the seconds from the start of the first one to its own."""
    step = context.op_execution_context.get_step_execution_context().step.key
    starts = sorted(
        record.event_log_entry.timestamp
        for run_id in run_line(context.instance, context.run)
        for record in context.instance.get_records_for_run(run_id, of_type=_STARTS).records
        if record.event_log_entry.step_key == step
    )
    lost = starts[-1] - starts[0] if starts else 0.0
    return {
        "attempt": dg.MetadataValue.int(max(len(starts), 1)),
        "recovery_seconds": dg.MetadataValue.float(lost),
    }
