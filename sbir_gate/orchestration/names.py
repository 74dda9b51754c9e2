"""The names that a user of the Dagster pipeline meets, and which award year a step is about."""

from __future__ import annotations

import dagster as dg

RAW = "raw_sbir_awards"
VALIDATED = "validated_sbir_awards"
ENRICHED = "enriched_sbir_awards"
REPORT = "sbir_usaspending_enrichment_report"

GROUP = "sbir_etl"
JOB = "sbir_etl_job"
YEARLY_JOB = "sbir_etl_by_award_year_job"
YEARLY_PREFIX = "by_award_year"

GATE_RESOURCE = "gate"
IO_MANAGER = "paths"


def award_year_of(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
) -> int | None:
    """Return the award year of the partition that a step is about; None where there are no partitions."""
    return int(context.partition_key) if context.has_partition_key else None
