"""The checks of the assets, each a part of what the gate says. Those that block hold up the next asset."""

# no postponed annotations here: Dagster reads those of the functions that it decorates

from collections.abc import Iterator, Sequence

import dagster as dg

from sbir_gate.gate.comparing.award_checks import INPUT_CHECKS
from sbir_gate.gate.comparing.run_checks import GATE, RUN_CHECKS
from sbir_gate.model.asset_check import AssetCheck, CheckFinding
from sbir_gate.orchestration.facts import Metadata, check_result, report_facts
from sbir_gate.orchestration.names import ENRICHED, VALIDATED
from sbir_gate.orchestration.records import SOURCE_FINGERPRINT, Recorded
from sbir_gate.orchestration.retries import RefusalError
from sbir_gate.orchestration.steps import AssetEdges, AssetShape, judging, opened_step
from sbir_gate.pipeline.asset_files import ValidatedFiles
from sbir_gate.pipeline.asset_verdict import conclude_assets
from sbir_gate.pipeline.places import used
from sbir_gate.pipeline.validation import check_inputs


def make_checks(shape: AssetShape, edges: AssetEdges) -> list[dg.AssetChecksDefinition]:
    """Return the checks of one set of assets."""
    return [_validated_checks(shape), _enriched_checks(shape, edges)]


def _specs(shape: AssetShape, name: str, checks: Sequence[AssetCheck]) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            check.name,
            asset=shape.key(name),
            description=check.description,
            blocking=check.is_blocking,
        )
        for check in checks
    ]


def _results(
    context: dg.AssetCheckExecutionContext,
    found: Recorded,
    data_set: str,
    checks: Sequence[AssetCheck],
    findings: Sequence[CheckFinding],
    report: Metadata | None = None,
) -> Iterator[dg.AssetCheckResult]:
    """Yield the results of those checks that the run selects: of one alone, asked again by hand, only its.

    Blocking ones that fail end the step here, with their reasons and the report: Dagster's own error has only
    their names.
    """
    is_blocking = {check.name: check.is_blocking for check in checks}
    reasons: dict[str, str] = {}
    for finding in findings:
        if dg.AssetCheckKey(found.asset_key, finding.name) in context.selected_asset_check_keys:
            result = check_result(
                finding, found.asset_key, is_blocking[finding.name], found.fingerprint, data_set
            )
            if is_blocking[finding.name] and finding.is_blocking:
                reasons[finding.name] = f"{finding.name}: {result.description}"
            yield result
    if reasons:
        # what the gate says holds what the other checks found
        said = reasons.get(GATE.name) or "; ".join(reasons.values())
        raise RefusalError(said, metadata=report or {}, allow_retries=False)


def _validated_checks(shape: AssetShape) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name="_".join([*shape.prefix, VALIDATED, "checks"]),
        specs=_specs(shape, VALIDATED, INPUT_CHECKS),
        description="What was read, held against the limits.",
        required_resource_keys={shape.settings_resource},
        retry_policy=shape.retries,
        can_subset=True,
    )
    def validated_checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        gate = shape.gate(context)
        with opened_step(context, gate) as step:
            found = step.recorded(shape.key(VALIDATED))
            with used(found.place, found.hint):
                findings = check_inputs(step.settings, ValidatedFiles(found.place.folder))
            data_set = found.text(SOURCE_FINGERPRINT)
        yield from _results(context, found, data_set, INPUT_CHECKS, findings)

    return validated_checks


def _enriched_checks(shape: AssetShape, edges: AssetEdges) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name="_".join([*shape.prefix, ENRICHED, "checks"]),
        specs=_specs(shape, ENRICHED, RUN_CHECKS),
        description="The verdict of the gate on what was enriched, part by part.",
        required_resource_keys={shape.settings_resource},
        retry_policy=shape.retries,
        can_subset=True,
    )
    def enriched_checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        gate = shape.gate(context)
        with opened_step(context, gate) as step:
            found = step.recorded(shape.key(ENRICHED))
            with judging(step, found) as enriched:
                judged = conclude_assets(gate.effective(), enriched, edges.gate, is_final=False)
                report = report_facts(judged.kept_report().folder) if judged.is_refused else None
            step.warn(judged.warnings)
        data_set = judged.run.fixture.fingerprint
        yield from _results(context, found, data_set, RUN_CHECKS, judged.findings, report)

    return enriched_checks
