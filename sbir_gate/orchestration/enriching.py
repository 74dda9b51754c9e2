"""The enrichment as a step: by the built-in engine in this process, or by the team's own in another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import dagster as dg

from sbir_gate.documents import load_award_table
from sbir_gate.orchestration.engine_messages import engine_messages
from sbir_gate.orchestration.facts import Metadata, numbers
from sbir_gate.orchestration.progress_events import ProgressEvents
from sbir_gate.orchestration.records import SOURCE_FINGERPRINT, SOURCE_PATH, Recorded
from sbir_gate.orchestration.steps import AssetEdges, Step
from sbir_gate.pipeline.asset_files import (
    EnrichedFiles,
    ValidatedFiles,
    asset_files,
    asset_settings,
    unfollowed,
)
from sbir_gate.pipeline.asset_run import Measured, RecipientParts, ValidatedAwards, measure_enrichment
from sbir_gate.pipeline.own_engine import measure_own_engine
from sbir_gate.pipeline.places import Place, drafted, settle, used
from sbir_gate.pipeline.recipient_store import chunk_folder, stored_recipients


@dataclass(frozen=True, slots=True)
class Enrichment:
    """Enriched awards in their place, their Run, and metadata of the engine or of the recipients."""

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
    step.warn(unfollowed(step.settings, {"awards": validated.text(SOURCE_PATH)}))
    with used(validated.place, validated.hint), drafted(step.files.enriched) as draft:
        if step.settings.enricher.command is None:
            measured, reported = _by_engine(step, validated, EnrichedFiles(draft), events, edges)
            return Enrichment(settle(draft), measured, reported)
        measured, reported = _by_own_engine(step, context, validated, EnrichedFiles(draft), events, edges)
        return Enrichment(settle(draft), measured, reported)


def _by_engine(
    step: Step, validated: Recorded, files: EnrichedFiles, events: ProgressEvents, edges: AssetEdges
) -> tuple[Measured, Metadata]:
    with _recipients(step, validated, events) as (parts, reported):
        measured = measure_enrichment(
            asset_settings(step.gate.effective(), step.files, step.award_year),
            _awards(step, validated),
            files,
            edges.gate,
            step.monitor,
            events.stage,
            events.chunk,
            parts,
            edges.engine,
        )
    return measured, reported


@contextmanager
def _recipients(
    step: Step, validated: Recorded, events: ProgressEvents
) -> Iterator[tuple[RecipientParts, Metadata]]:
    """Hold the recipients: those of award years are read once for all, those of all awards in each run.

    So the time of a year is that of its awards, whichever year came first; and that of all awards is of all
    the work.
    """
    settings, is_resuming = step.settings, not step.gate.is_fresh
    assets = asset_files(settings)

    def alone(path: Path) -> AbstractContextManager[None]:
        return step.alone(path, events.waiting)

    if step.award_year is None or not settings.enrichment.keeps_chunks:
        chunks = chunk_folder(settings, assets)
        is_shared = settings.enrichment.keeps_chunks
        with alone(chunks.with_suffix(".lock")) if is_shared else nullcontext():
            yield RecipientParts(chunks, is_resuming=is_resuming), {}
        return
    awards = load_award_table(ValidatedFiles(validated.place.folder).table).awards
    with stored_recipients(
        settings, assets, alone, awards, events.stage, events.chunk, is_resuming=is_resuming
    ) as stored:
        yield (
            RecipientParts(kept=stored.folder),
            {
                "recipients_read": dg.MetadataValue.bool(stored.is_new),
                **numbers({"recipients_read_seconds": stored.seconds}),
            },
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
