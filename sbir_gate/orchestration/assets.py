"""The four assets: raw, validated and enriched awards, and the report. Nothing but translation."""

# no postponed annotations here: Dagster reads those of the functions that it decorates

from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg

from sbir_gate.errors import InputError, NoAwardsError
from sbir_gate.files import sha256_of
from sbir_gate.gate.conclusion import REPORT_NAME
from sbir_gate.gate.reporting.diagnoses import diagnosis_lines
from sbir_gate.gate.reporting.messages import text, texts
from sbir_gate.model.diagnosis import Diagnosis, Gravity
from sbir_gate.model.finding import Rule, note
from sbir_gate.orchestration.enriching import enrich_recorded
from sbir_gate.orchestration.facts import (
    Metadata,
    attempt_facts,
    numbers,
    place_facts,
    quality_facts,
    report_facts,
    source_facts,
)
from sbir_gate.orchestration.names import ENRICHED, POOL, RAW, REPORT, VALIDATED
from sbir_gate.orchestration.progress_events import ProgressEvents
from sbir_gate.orchestration.records import (
    FINGERPRINT,
    PATH,
    SOURCE_FINGERPRINT,
    SOURCE_PATH,
    VALIDATED_FINGERPRINT,
    Recorded,
)
from sbir_gate.orchestration.steps import AssetEdges, AssetShape, judging, opened_step
from sbir_gate.orchestration.table_facts import (
    RECIPIENT_COLUMNS,
    ROW_COUNT,
    column_lineage,
    table_facts,
    uri_facts,
)
from sbir_gate.pipeline.asset_files import (
    EnrichedFiles,
    ValidatedFiles,
    unfollowed,
    with_awards,
)
from sbir_gate.pipeline.asset_verdict import conclude_assets, store_baseline
from sbir_gate.pipeline.places import drafted, settle
from sbir_gate.pipeline.validation import validate_awards
from sbir_gate.reading.sources import source_digest
from sbir_gate.settings.display import settings_in_force
from sbir_gate.settings.reading import reading_options


def make_assets(shape: AssetShape, edges: AssetEdges) -> list[dg.AssetsDefinition]:
    """Return the four assets of one set."""
    return [
        _raw(shape),
        _validated(shape),
        _enriched(shape, edges),
        _report(shape, edges),
    ]


def _raw(shape: AssetShape) -> dg.AssetsDefinition:
    @dg.asset(
        key=shape.key(RAW),
        **shape.options(),
        deps=list(filter(None, [shape.awards_from])),
        kinds={*shape.awards_kinds},
        automation_condition=_when_fetched(shape),
        description="The awards as they were published: the files themselves, known by their fingerprint.",
    )
    def raw_sbir_awards(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Path]:
        gate = shape.gate(context)
        with opened_step(context, gate) as step:
            source = step.settings.fixtures.awards.absolute()
            known = source_facts(source, step.settings)
            digest = source_digest(source, reading_options(step.settings))
            rows = step.count_rows(source)
            return dg.MaterializeResult(
                value=source,
                data_version=dg.DataVersion(digest),
                metadata={
                    **known,
                    **uri_facts(source),
                    **({} if rows is None else {ROW_COUNT: dg.MetadataValue.int(rows)}),
                    PATH: dg.MetadataValue.path(source),
                    FINGERPRINT: dg.MetadataValue.text(digest),
                    **step.performance(rows),
                },
            )

    return raw_sbir_awards


def _validated(shape: AssetShape) -> dg.AssetsDefinition:
    @dg.asset(
        key=shape.key(VALIDATED),
        ins=shape.asset_in(RAW),
        **shape.options(),
        kinds={"parquet", "duckdb"},
        automation_condition=_when_fetched(shape),
        # a partition without awards is skipped, and so is what follows
        output_required=False,
        description="The awards that could be read, with an id each, as one Parquet file.",
    )
    def validated_sbir_awards(
        context: dg.AssetExecutionContext, raw_sbir_awards: Recorded
    ) -> Iterator[dg.MaterializeResult[Path]]:
        gate = shape.gate(context)
        with opened_step(context, gate) as step, drafted(step.files.validated) as draft:
            raw = raw_sbir_awards
            context.log.debug("reading %s", raw.path)
            step.warn(unfollowed(step.settings, {"awards": str(raw.path)}))
            settings = with_awards(gate.effective(), raw.path).settings
            try:
                table = validate_awards(
                    settings, raw.fingerprint, ValidatedFiles(draft), step.monitor, step.award_year
                )
            except NoAwardsError as error:
                _skip_empty(context, error)
                return
            context.log.info("%s awards read, %s rows rejected", f"{table.awards:,}", f"{table.rejects:,}")
            place = settle(draft)
            step.remove_old(step.files.validated, context.asset_key)
            files = ValidatedFiles(place.folder)
            counts = {
                "awards": float(table.awards),
                "rejects": float(table.rejects),
                "repeated_ids": float(table.repeated_ids),
            }
            yield dg.MaterializeResult(
                value=files.awards,
                data_version=dg.DataVersion(place.fingerprint),
                metadata={
                    **place_facts(files.awards, place),
                    **table_facts(files.awards),
                    "rejects_path": dg.MetadataValue.path(files.rejects.absolute()),
                    SOURCE_PATH: dg.MetadataValue.path(raw.path),
                    SOURCE_FINGERPRINT: dg.MetadataValue.text(raw.fingerprint),
                    **numbers(counts),
                    **step.performance(table.awards),
                },
            )

    return validated_sbir_awards


def _skip_empty(context: dg.AssetExecutionContext, error: NoAwardsError) -> None:
    """Note that a partition has no awards. Raises InputError where it had some before."""
    wanted = dg.AssetRecordsFilter(context.asset_key, asset_partitions=[context.partition_key])
    if context.instance.fetch_materializations(wanted, limit=1).records:
        raise InputError(
            f"no award is of {context.partition_key} any more, and there were some before",
            "check the source of the awards (fixtures.awards)",
        ) from error
    words = text(note(Rule.PARTITION_EMPTY, place=f"award year {context.partition_key}"))
    context.log.info("%s", words)
    context.log_event(
        dg.AssetObservation(context.asset_key, description=words, partition=context.partition_key)
    )


def _enriched(shape: AssetShape, edges: AssetEdges) -> dg.AssetsDefinition:
    @dg.asset(
        key=shape.key(ENRICHED),
        ins=shape.asset_in(VALIDATED),
        deps=[shape.recipients],
        **shape.options(),
        pool=POOL,
        kinds={"parquet", "duckdb"},
        automation_condition=_when_sound(),
        description="Every award, and the USAspending recipient it was linked to, how, and how surely.",
    )
    def enriched_sbir_awards(
        context: dg.AssetExecutionContext, validated_sbir_awards: Recorded
    ) -> dg.MaterializeResult[Path]:
        gate = shape.gate(context)
        partition = context.partition_key if context.has_partition_key else None
        least_seconds = gate.effective().settings.orchestration.progress_seconds
        events = ProgressEvents(
            context.log_event, context.log.info, context.asset_key, partition, least_seconds
        )

        with opened_step(context, gate) as step:
            done = enrich_recorded(step, context, validated_sbir_awards, events, edges)
            place, measured = done.place, done.measured
            step.remove_old(step.files.enriched, context.asset_key)
            files, summary = EnrichedFiles(place.folder), measured.summary
            context.log.info(
                "%s of %s awards linked", f"{measured.run.quality.links:,}", f"{summary.awards:,}"
            )
            counts = {
                "recipients": float(summary.recipients),
                "rejects": float(summary.rejects),
            }
            return dg.MaterializeResult(
                value=files.awards,
                data_version=dg.DataVersion(sha256_of(files.awards)),
                metadata={
                    **done.reported,
                    **place_facts(files.awards, place),
                    **table_facts(files.awards),
                    **column_lineage(
                        files.awards,
                        shape.key(VALIDATED),
                        dict.fromkeys(RECIPIENT_COLUMNS, shape.recipients),
                    ),
                    **attempt_facts(context),
                    "settings": dg.MetadataValue.json(settings_in_force(gate.effective())),
                    "run_path": dg.MetadataValue.path(files.run.absolute()),
                    VALIDATED_FINGERPRINT: dg.MetadataValue.text(validated_sbir_awards.fingerprint),
                    "is_recovered": dg.MetadataValue.bool(events.reused > 0),
                    **events.finished(),
                    "warnings": _lines(summary.findings, Gravity.WARNING),
                    "reading": _lines(summary.findings, Gravity.NOTE),
                    **quality_facts(measured.run),
                    **numbers(counts),
                    **step.performance(summary.awards),
                },
            )

    return enriched_sbir_awards


def _lines(findings: Sequence[Diagnosis], gravity: Gravity) -> dg.JsonMetadataValue:
    return dg.MetadataValue.json(diagnosis_lines(findings, gravity))


def _report(shape: AssetShape, edges: AssetEdges) -> dg.AssetsDefinition:
    @dg.asset(
        key=shape.key(REPORT),
        ins=shape.asset_in(ENRICHED),
        **shape.options(),
        kinds={"markdown"},
        automation_condition=_when_sound(),
        description="The verdict of the gate on the enriched awards. It is refused where they are.",
    )
    def sbir_usaspending_enrichment_report(
        context: dg.AssetExecutionContext, enriched_sbir_awards: Recorded
    ) -> dg.MaterializeResult[Path]:
        gate = shape.gate(context)
        with opened_step(context, gate) as step, judging(step, enriched_sbir_awards) as enriched:
            context.log.debug("judging %s", enriched.files.awards)
            effective = gate.effective()
            # asked again: a run that selects this asset alone has run no check
            judged = conclude_assets(effective, enriched, edges.gate, is_final=True)
            verdict, reasons = judged.verdict, texts(judged.verdict.deciding)
            context.log.info("verdict %s: %s", verdict.outcome, "; ".join(reasons) or "within the limits")
            place = judged.kept_report()
            step.remove_old(enriched.assets.reports, context.asset_key)
            report = place.folder / REPORT_NAME
            shown: Metadata = {
                "verdict": dg.MetadataValue.text(verdict.outcome.value),
                "reasons": dg.MetadataValue.json(list(reasons)),
                **report_facts(place.folder),
                **place_facts(report, place),
                **uri_facts(report),
                "alerts": dg.MetadataValue.int(len(judged.alerts.alerts)),
                "enriched_path": dg.MetadataValue.path(enriched.files.awards),
                "published_path": dg.MetadataValue.path(enriched.assets.published.absolute()),
            }
            if judged.is_refused:
                raise dg.Failure(
                    f"the gate refuses the enriched awards ({verdict.outcome}): {'; '.join(reasons)}",
                    metadata={**shown, "is_published": dg.MetadataValue.bool(False)},
                    allow_retries=False,
                )
            warnings = (*judged.warnings, *step.newer(shape.key(VALIDATED), enriched_sbir_awards))
            step.warn(warnings)
            is_published = enriched.assets.publish(enriched.files)
            baseline = store_baseline(judged, effective, enriched)
            return dg.MaterializeResult(
                value=report,
                data_version=dg.DataVersion(place.fingerprint),
                metadata={
                    **shown,
                    "is_published": dg.MetadataValue.bool(is_published),
                    "baseline": dg.MetadataValue.text(baseline),
                    "warnings": dg.MetadataValue.json(list(warnings)),
                    **quality_facts(judged.run),
                    **step.performance(judged.run.quality.awards),
                },
            )

    return sbir_usaspending_enrichment_report


def _when_sound() -> dg.AutomationCondition[dg.AssetKey | dg.AssetCheckKey]:
    """Return when an asset may run by itself: something before it is new, and its blocking checks passed."""
    return dg.AutomationCondition.eager() & dg.AutomationCondition.all_deps_blocking_checks_passed()


def _when_fetched(
    shape: AssetShape,
) -> dg.AutomationCondition[dg.AssetKey | dg.AssetCheckKey] | None:
    """Return when the awards are read by themselves: when the asset that they come from is new."""
    return _when_sound() if shape.awards_from is not None else None
