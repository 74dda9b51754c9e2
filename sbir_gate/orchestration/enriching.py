"""The enrichment as a step: by the built-in engine in this process, or by the team's own in another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import dagster as dg

from sbir_gate.orchestration.engine_messages import engine_messages
from sbir_gate.orchestration.facts import Metadata
from sbir_gate.orchestration.progress_events import ProgressEvents
from sbir_gate.orchestration.records import Recorded
from sbir_gate.orchestration.steps import AssetEdges, Step
from sbir_gate.pipeline.asset_files import EnrichedFiles, ValidatedFiles, asset_files, asset_settings
from sbir_gate.pipeline.asset_run import Measured, ValidatedAwards, chunk_folder, measure_enrichment
from sbir_gate.pipeline.own_engine import measure_own_engine
from sbir_gate.pipeline.places import Place, drafted, settle, used

SOURCE_PATH = "source_path"
SOURCE_FINGERPRINT = "source_fingerprint"


@dataclass(frozen=True, slots=True)
class Enrichment:
    """Enriched awards in their place, their Run, and what the engine itself reported to Dagster."""

    place: Place
    measured: Measured
    reported: Metadata


def enrich_recorded(
    step: Step,
    context: dg.AssetExecutionContext,
    validated: Recorded,
    events: ProgressEvents,
    edges: AssetEdges,
) -> Enrichment:
    """Enrich the awards that were recorded."""
    context.log.debug("enriching %s", validated.path)
    with used(validated.place, validated.hint), drafted(step.files.enriched) as draft:
        if step.settings.enricher.command is None:
            measured = _by_engine(step, validated, EnrichedFiles(draft), events, edges)
            return Enrichment(settle(draft), measured, {})
        measured, reported = _by_own_engine(step, context, validated, EnrichedFiles(draft), events, edges)
        return Enrichment(settle(draft), measured, reported)


def _by_engine(
    step: Step, validated: Recorded, files: EnrichedFiles, events: ProgressEvents, edges: AssetEdges
) -> Measured:
    """Enrich alone with the chunks of these recipients."""
    effective = step.gate.effective()
    chunks = chunk_folder(effective.settings, asset_files(effective.settings))
    with step.alone(chunks.with_suffix(".lock"), events.waiting):
        return measure_enrichment(
            asset_settings(effective, step.files, step.award_year),
            _awards(step, validated),
            files,
            edges.gate,
            step.monitor,
            events.stage,
            events.chunk,
            edges.engine,
            chunks=chunks,
            is_resuming=not step.gate.is_fresh,
        )


def _by_own_engine(
    step: Step,
    context: dg.AssetExecutionContext,
    validated: Recorded,
    files: EnrichedFiles,
    events: ProgressEvents,
    edges: AssetEdges,
) -> tuple[Measured, Metadata]:
    with engine_messages(context, events) as messages:
        measured = measure_own_engine(
            asset_settings(step.gate.effective(), step.files, step.award_year),
            _awards(step, validated),
            files,
            replace(edges.gate, launch=messages.watching(edges.gate.launch)),
            step.monitor,
            events.stage,
            messages.environment,
        )
    return measured, messages.metadata()


def _awards(step: Step, validated: Recorded) -> ValidatedAwards:
    return ValidatedAwards(
        ValidatedFiles(validated.place.folder),
        Path(validated.text(SOURCE_PATH)),
        validated.text(SOURCE_FINGERPRINT),
        is_partial=step.award_year is not None,
    )
