"""The names that a user of the Dagster pipeline meets, and which award year a step is about."""

from __future__ import annotations

import re

import dagster as dg

RAW = "raw_sbir_awards"
VALIDATED = "validated_sbir_awards"
ENRICHED = "enriched_sbir_awards"
RECIPIENTS = "usaspending_recipients"
REPORT = "sbir_usaspending_enrichment_report"

GROUP = "sbir_etl"
JOB = "sbir_etl_job"
YEARLY_JOB = "sbir_etl_by_award_year_job"
YEARLY_PREFIX = "by_award_year"
ASSETS = (RAW, VALIDATED, ENRICHED, REPORT)
JOBS = (JOB, YEARLY_JOB)

SCHEDULE = "sbir_etl_schedule"
FAILURE_SENSOR = "enrichment_failure_sensor"
WARNING_SENSOR = "enrichment_warning_sensor"
BACKFILL_SENSOR = "enrichment_backfill_sensor"

# of all sets: an enrichment takes the memory that the settings grant it
POOL = "sbir_gate_enrichment"

# the prefix keeps them apart from the resources of other assets in a code location
SETTINGS_RESOURCE = "sbir_gate_settings"
IO_MANAGER = "sbir_gate_io_manager"


def named(*parts: str) -> str:
    """Return the name of a job, a sensor, a schedule or a resource, made of the parts of its set's prefix."""
    return re.sub(r"\W", "_", "_".join(parts))


def award_year_of(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
) -> int | None:
    """Return the award year of the partition that a step is about; None where there are no partitions."""
    return int(context.partition_key) if context.has_partition_key else None
