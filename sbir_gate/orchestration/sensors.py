"""Sensors that tell what the checks of a run say: of one that failed, and one that warnings left green."""

# no postponed annotations here: Dagster reads those of the functions that it decorates

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import dagster as dg
import requests

from sbir_gate.gate.announcing import SENT, announce_alerts
from sbir_gate.gate.publishing.slack import WEBHOOK_VARIABLE, SlackEdges
from sbir_gate.gate.reporting.notices import alert_text, alert_title
from sbir_gate.model.alert import AlertList
from sbir_gate.model.publication import Links
from sbir_gate.orchestration.names import FAILURE_SENSOR, WARNING_SENSOR, named
from sbir_gate.orchestration.run_alerts import alerts_of_run
from sbir_gate.settings.schema import Settings

Announce = Callable[[AlertList, Links], str]
"""Sends alerts to whom they concern, and says what was done; is called for lists that hold any."""


def announce_by_environment(alerts: AlertList, links: Links) -> str:
    """Tell Slack if the environment holds its webhook."""
    webhook = os.environ.get(WEBHOOK_VARIABLE)
    if not webhook:
        return f"no notification was sent: {WEBHOOK_VARIABLE} is not set"
    announce_alerts(alerts, webhook, links, SlackEdges(requests.Session()))
    return SENT


def make_sensors(
    settings: Settings, assets: frozenset[dg.AssetKey], announce: Announce, prefix: Sequence[str] = ()
) -> list[dg.SensorDefinition]:
    """Return the sensors of runs that materialise any of the assets, by a job or by hand."""
    address = settings.orchestration.webserver_url

    def tell(context: dg.RunStatusSensorContext, fault: str | None) -> None:
        if assets.isdisjoint(_selected(context)):
            return
        alerts = alerts_of_run(settings.gate.name, evaluations_of(context), _started_at(context), fault)
        for alert in alerts.alerts:
            context.log.warning("%s: %s", alert_title(alert), alert_text(alert))
        if alerts.alerts:
            run = f"{address.rstrip('/')}/runs/{context.dagster_run.run_id}" if address else ""
            context.log.info("%s", announce(alerts, Links(run=run)))

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.FAILURE,
        name=named(*prefix, FAILURE_SENSOR),
        description="Alerts of a run that failed: what its checks say, or why it broke.",
    )
    def enrichment_failure_sensor(context: dg.RunStatusSensorContext) -> None:
        tell(context, context.dagster_event.message or "the run failed")

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name=named(*prefix, WARNING_SENSOR),
        description="Alerts of a run that succeeded with warnings.",
    )
    def enrichment_warning_sensor(context: dg.RunStatusSensorContext) -> None:
        tell(context, None)

    return [enrichment_failure_sensor, enrichment_warning_sensor]


def evaluations_of(context: dg.RunStatusSensorContext) -> list[dg.AssetCheckEvaluation]:
    """Return what the checks of the run said, in their order."""
    records = context.instance.get_records_for_run(
        context.dagster_run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records
    return [
        event.asset_check_evaluation_data
        for record in records
        if (event := record.event_log_entry.dagster_event) is not None
    ]


def _selected(context: dg.RunStatusSensorContext) -> Iterable[dg.AssetKey]:
    """Return the assets that the run was to materialise."""
    planned = context.instance.get_records_for_run(
        context.dagster_run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    ).records
    keys = (record.event_log_entry.dagster_event for record in planned)
    return [event.asset_key for event in keys if event is not None and event.asset_key is not None]


def _started_at(context: dg.RunStatusSensorContext) -> datetime:
    record = context.instance.get_run_record_by_id(context.dagster_run.run_id)
    moment = record.create_timestamp.astimezone(UTC) if record is not None else datetime.fromtimestamp(0, UTC)
    return moment.replace(microsecond=0)
