"""What Dagster recorded of runs that ended, as facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from sbir_gate import __version__
from sbir_gate.orchestration.names import named
from sbir_gate.orchestration.retries import RefusalError
from sbir_gate.orchestration.run_alerts import RunFacts, StepFailure

BACKFILL_TAG = "dagster/backfill"
# the newest backfills that are looked at: an older one has ended
_BACKFILLS = 100
_AT_WORK = ("REQUESTED", "CANCELING", "FAILING")
_WILL_RETRY_TAG = "dagster/will_retry"
_CODE_VERSION_TAG = "dagster/code_version"
_PARTITION_TAGS = (
    ("dagster/partition",),
    ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end"),
)
_OF_CHECKS = ("DagsterAssetCheckFailedError", RefusalError.__name__)
_KINDS = {
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_SUCCESS,
}


def is_retried(run: dg.DagsterRun) -> bool:
    """Say whether Dagster launches the run again by itself."""
    return run.tags.get(_WILL_RETRY_TAG) == "true"


def partition_of(run: dg.DagsterRun) -> str:
    """Return the partition of a run, or the first and the last of several; empty without any."""
    for names in _PARTITION_TAGS:
        found = [run.tags[name] for name in names if name in run.tags]
        if len(found) == len(names):
            return " to ".join(dict.fromkeys(found))
    return ""


def ended_backfills(instance: dg.DagsterInstance) -> dict[str, bool]:
    """Return of each of the newest backfills whether it has ended, with all of its runs."""
    return {
        each.backfill_id: each.status.value not in _AT_WORK
        and all(run.is_finished for run in latest_runs(instance, each.backfill_id))
        for each in instance.get_backfills(limit=_BACKFILLS)
    }


def latest_runs(instance: dg.DagsterInstance, backfill: str) -> list[dg.DagsterRun]:
    """Return the runs of a backfill, of each partition the last one."""
    runs = instance.get_runs(dg.RunsFilter(tags={BACKFILL_TAG: backfill}))
    return list({partition_of(run) or run.run_id: run for run in reversed(runs)}.values())


def facts_of_run(
    instance: dg.DagsterInstance, run: dg.DagsterRun, assets: frozenset[dg.AssetKey], gate: str, code: str
) -> RunFacts | None:
    """Return what is known of a run that ended; None of one that was to materialise none of the assets.

    `code` is the version of the code; empty where that of a materialization is taken.
    """
    records = instance.get_records_for_run(run.run_id, of_type=_KINDS).records
    events = [event for record in records if (event := record.event_log_entry.dagster_event) is not None]
    planned = (each for each in events if each.is_asset_materialization_planned)
    if assets.isdisjoint(event.asset_key for event in planned):
        return None
    failures = [event for event in events if event.event_type is dg.DagsterEventType.STEP_FAILURE]
    record = instance.get_run_record_by_id(run.run_id)
    started = record.create_timestamp if record is not None else datetime.fromtimestamp(0, UTC)
    return RunFacts(
        gate=gate,
        job=_job_name(run),
        started_at=started.astimezone(UTC).replace(microsecond=0),
        partition=partition_of(run),
        code=code or _code_version(events) or f"sbir-gate {__version__}",
        evaluations=tuple(
            event.asset_check_evaluation_data
            for event in events
            if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ),
        failures=tuple(map(_failure, failures)),
        steps_done=frozenset(
            event.step_key
            for event in events
            if event.event_type is dg.DagsterEventType.STEP_SUCCESS and event.step_key is not None
        ),
        fault=_fault(events) if run.status is dg.DagsterRunStatus.FAILURE else "",
    )


def _job_name(run: dg.DagsterRun) -> str:
    """Return the name of the job; assets that are materialised by hand have one without a name."""
    return "assets by hand" if run.job_name.startswith("__") else run.job_name


def _failure(event: dg.DagsterEvent) -> StepFailure:
    """Return the step's own error: what it was given as, else the first cause of what was raised."""
    failure = event.step_failure_data
    error = failure.error
    is_of_checks = error is not None and error.cls_name in _OF_CHECKS
    said = failure.user_failure_data.description if failure.user_failure_data is not None else None
    while error is not None and error.cause is not None:
        error = error.cause
    text = said or (error.message if error is not None else "") or event.message or "failed without a message"
    return StepFailure(event.step_key or "", " ".join(text.split()), is_of_checks)


def _fault(events: Sequence[dg.DagsterEvent]) -> str:
    """Return why the run failed, as Dagster says it."""
    for event in events:
        if event.event_type is dg.DagsterEventType.RUN_FAILURE:
            error = event.job_failure_data.error
            text = error.message if error is not None else event.message
            return " ".join((text or "").split()) or "the run failed"
    return "the run failed"


def _code_version(events: Sequence[dg.DagsterEvent]) -> str:
    """Return the version of the code, as a materialization has it; empty without one."""
    for event in events:
        if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION:
            version = (event.step_materialization_data.materialization.tags or {}).get(_CODE_VERSION_TAG)
            if version:
                return f"code version {version}"
    return ""


def series_of(facts: RunFacts, prefix: Sequence[str]) -> str:
    """Return the name of the runs whose faults are reported together: those of one set and one partition."""
    return named(*prefix, facts.gate, *filter(None, (facts.partition,)))
