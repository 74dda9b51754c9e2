"""The job run once, in this process and with no instance left behind: the engine as operators run it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from sbir_gate.engine.enrichment import EnrichRequest
from sbir_gate.errors import ExitStatus, InputError, OutputError, ToolError, UsageError
from sbir_gate.files import output_target, place_output
from sbir_gate.orchestration.definitions import build_definitions
from sbir_gate.orchestration.names import ENRICHED, JOB, SETTINGS_RESOURCE
from sbir_gate.orchestration.records import PATH
from sbir_gate.orchestration.run_config import IS_FRESH
from sbir_gate.orchestration.steps import AssetEdges
from sbir_gate.pipeline.asset_files import EnrichedFiles
from sbir_gate.settings.effective import load_settings, resolved_settings

_PARQUET = ".parquet"


def enrich_through_job(
    request: EnrichRequest,
    config_file: Path | None,
    assignments: Sequence[str],
    *,
    is_quiet: bool,
    edges: AssetEdges | None = None,
) -> tuple[str, ...]:
    """Run `sbir_etl_job` over the files of the request, and leave there what `enrich` would.

    Return what the checks refused: it is written all the same, for whoever called judges it. Raises
    UsageError for an output that is not Parquet, InputError and ToolError as the enrichment itself does.
    """
    output = request.output
    if output.suffix.lower() != _PARQUET:
        raise UsageError("a job of Dagster writes Parquet alone", "end the name in .parquet", path=output)
    if not output.parent.is_dir():
        raise OutputError(f"the folder {output.parent} does not exist", "make the folder first", path=output)
    with tempfile.TemporaryDirectory(dir=output_target(output).parent, prefix=".sbir-gate-job-") as name:
        result = _execute(request, Path(name), config_file, assignments, is_quiet=is_quiet, edges=edges)
        files = _enriched(result)
        if files is None:
            raise _error_of(result)
        place_output(files.awards, output)
        for source, target in ((files.rejects, request.rejects), (files.metrics, request.metrics)):
            if target is not None:
                shutil.copyfile(source, target)
    return _refused(result)


def _execute(
    request: EnrichRequest,
    folder: Path,
    config_file: Path | None,
    assignments: Sequence[str],
    *,
    is_quiet: bool,
    edges: AssetEdges | None,
) -> dg.ExecuteInProcessResult:
    options: dict[str, object] = {
        "fixtures.awards": request.awards,
        "fixtures.recipients": request.recipients,
        "orchestration.folder": str(folder),
        # its folder is removed, and a baseline in it with it
        "orchestration.stores_baseline": False,
    }
    # it is the built-in engine that is asked for, whatever the settings have for 'sbir-gate run'
    assignments = [*assignments, "enricher.command=null"]
    # the paths of a command line start from the folder that it is called in
    settings = resolved_settings(load_settings(config_file, os.environ, options, assignments), Path.cwd())
    level = "CRITICAL" if is_quiet else "INFO"
    with dg.DagsterInstance.ephemeral() as instance:
        return (
            build_definitions(settings, edges)
            .resolve_job_def(JOB)
            .execute_in_process(
                instance=instance,
                raise_on_error=False,
                run_config={
                    "resources": {SETTINGS_RESOURCE: {"config": {IS_FRESH: True}}},
                    "loggers": {"console": {"config": {"log_level": level}}},
                },
            )
        )


def _enriched(result: dg.ExecuteInProcessResult) -> EnrichedFiles | None:
    """Return the files of the enriched awards, None where nothing was enriched."""
    for event in result.get_asset_materialization_events():
        if event.asset_key == dg.AssetKey(ENRICHED):
            path = event.materialization.metadata[PATH]
            return EnrichedFiles(Path(str(path.value)).parent)
    return None


def _error_of(result: dg.ExecuteInProcessResult) -> InputError | ToolError:
    """Return the error that ended the job before anything was enriched, in its own words."""
    refused = _refused(result)
    if refused:
        # Dagster's own failure of the step names the checks alone
        return InputError("; ".join(refused))
    for event in result.all_events:
        if event.event_type is not dg.DagsterEventType.STEP_FAILURE:
            continue
        failure = event.step_failure_data
        said = failure.user_failure_data
        words = (said.description if said else None) or (failure.error.message if failure.error else "")
        status = said.metadata.get("status") if said else None
        is_wrong_input = (
            isinstance(status, dg.TextMetadataValue) and status.text == ExitStatus.WRONG_INPUT.name
        )
        message = f"{event.step_key}: {words.strip()}"
        return InputError(message) if is_wrong_input else ToolError(message)
    return ToolError(f"{JOB} ended before {ENRICHED}, and does not say why", "look at its log")


def _refused(result: dg.ExecuteInProcessResult) -> tuple[str, ...]:
    return tuple(
        f"{evaluation.check_name}: {evaluation.description}"
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed and evaluation.severity is dg.AssetCheckSeverity.ERROR
    )
