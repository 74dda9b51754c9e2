"""Sensors that report what runs came to: a fault once, why, and its end; a backfill in one message."""

# no postponed annotations here: Dagster reads those of the functions that it decorates

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import dagster as dg
import requests

from sbir_gate.gate.announcing import SENT, announce_run
from sbir_gate.gate.publishing.slack import WEBHOOK_VARIABLE, SlackEdges
from sbir_gate.gate.reporting.messages import text
from sbir_gate.gate.reporting.notices import alert_text, alert_title
from sbir_gate.model.alert import RunNotice
from sbir_gate.model.run import Source
from sbir_gate.orchestration.names import BACKFILL_SENSOR, FAILURE_SENSOR, WARNING_SENSOR, named
from sbir_gate.orchestration.reported import is_reported, keep_reported, reported_before
from sbir_gate.orchestration.run_notices import RunNews, backfill_notice, run_news, run_notice
from sbir_gate.orchestration.run_records import (
    BACKFILL_TAG,
    ended_backfills,
    facts_of_run,
    is_retried,
    latest_runs,
    series_of,
)
from sbir_gate.settings.schema import Settings

Announce = Callable[[RunNotice], str]
"""Sends a notice to whom it concerns, and returns what was done."""

_COMMIT_CHARACTERS = 12
_BACKFILL_SECONDS = 30


@dataclass(frozen=True, slots=True)
class SensorEdges:
    """What the sensors need of the world: a channel, the time, and the commit of the code that runs here."""

    announce: Announce
    now: Callable[[], datetime]
    source: Callable[[], Source]


def announce_by_environment(notice: RunNotice) -> str:
    """Notify Slack if the environment holds its webhook."""
    webhook = os.environ.get(WEBHOOK_VARIABLE)
    if not webhook:
        return f"no notification was sent: {WEBHOOK_VARIABLE} is not set"
    announce_run(notice, webhook, SlackEdges(requests.Session()))
    return SENT


def unheard_alerts(settings: Settings, environment: Mapping[str, str]) -> str:
    """Return a warning where alerts have a channel and the sensors that send them are off; else nothing."""
    if not environment.get(WEBHOOK_VARIABLE) or settings.orchestration.sensor_status == "running":
        return ""
    return (
        f"{WEBHOOK_VARIABLE} is set, but the sensors that send alerts are off unless they were switched on:"
        " set orchestration.sensor_status to running"
    )


@dataclass(frozen=True, slots=True)
class _Watch:
    """The runs that materialise any of the assets of a set, launched by a job or by hand."""

    settings: Settings
    assets: frozenset[dg.AssetKey]
    edges: SensorEdges
    prefix: Sequence[str]

    def news(self, instance: dg.DagsterInstance, run: dg.DagsterRun) -> RunNews | None:
        """Return what is news of a run; None of a run of other assets, and of one that was reported."""
        commit = self.edges.source().commit[:_COMMIT_CHARACTERS]
        code = f"commit {commit}" if commit else ""
        facts = facts_of_run(instance, run, self.assets, self.settings.gate.name, code)
        if facts is None or is_reported(run, series := series_of(facts, self.prefix)):
            return None
        before = reported_before(instance, series, run.run_id)
        return run_news(facts, before, self.edges.now())

    def keep(self, instance: dg.DagsterInstance, run: dg.DagsterRun, news: RunNews) -> None:
        """Keep what was reported, once it was sent: what could not be sent is news of the next run again."""
        keep_reported(instance, series_of(news.facts, self.prefix), run.run_id, news.reported)

    def report_run(self, context: dg.RunStatusSensorContext) -> None:
        """Report one run; not one that Dagster launches again, and not one of a backfill by itself."""
        instance = context.instance
        run = instance.get_run_by_id(context.dagster_run.run_id) or context.dagster_run
        if is_retried(run) or BACKFILL_TAG in run.tags:
            return
        news = self.news(instance, run)
        if news is None:
            return
        for alert in news.alerts.alerts:
            context.log.warning("%s: %s", alert_title(alert), alert_text(alert))
        notice = run_notice(news, self._page(f"runs/{run.run_id}"))
        if notice is not None:
            context.log.info("%s: %s", text(notice.headline), self.edges.announce(notice))
        self.keep(instance, run, news)

    def report_backfill(self, instance: dg.DagsterInstance, backfill: str) -> Iterator[str]:
        """Report all runs of a backfill that ended; yield what was done."""
        found = [
            (run, news)
            for run in latest_runs(instance, backfill)
            if (news := self.news(instance, run)) is not None
        ]
        if not found:
            return
        notice = backfill_notice(backfill, [news for _, news in found], self._page(f"runs/b/{backfill}"))
        if notice is not None:
            yield f"{text(notice.headline)}: {self.edges.announce(notice)}"
        for run, news in found:
            self.keep(instance, run, news)

    def _page(self, path: str) -> str:
        address = self.settings.orchestration.webserver_url
        return f"{address.rstrip('/')}/{path}" if address else ""


def make_sensors(
    settings: Settings, assets: frozenset[dg.AssetKey], edges: SensorEdges, prefix: Sequence[str] = ()
) -> list[dg.SensorDefinition]:
    """Return the sensors of one set of assets."""
    watch = _Watch(settings, assets, edges, prefix)
    status = dg.DefaultSensorStatus[settings.orchestration.sensor_status.upper()]

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.FAILURE,
        name=named(*prefix, FAILURE_SENSOR),
        default_status=status,
        description="Reports a run that failed: what its checks say, or why it broke.",
    )
    def enrichment_failure_sensor(context: dg.RunStatusSensorContext) -> None:
        watch.report_run(context)

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name=named(*prefix, WARNING_SENSOR),
        default_status=status,
        description="Reports a run that succeeded with warnings, or that succeeded again.",
    )
    def enrichment_warning_sensor(context: dg.RunStatusSensorContext) -> None:
        watch.report_run(context)

    @dg.sensor(
        name=named(*prefix, BACKFILL_SENSOR),
        minimum_interval_seconds=_BACKFILL_SECONDS,
        default_status=status,
        description="Reports a backfill in one message, when its last run has ended.",
    )
    def enrichment_backfill_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        known: dict[str, bool] = json.loads(context.cursor or "{}")
        states = ended_backfills(context.instance)
        if context.cursor is None:  # what ended before the sensor was switched on is old
            known = {name: True for name, has_ended in states.items() if has_ended}
        said: list[str] = []
        for name, has_ended in states.items():
            if has_ended and not known.get(name):
                said += watch.report_backfill(context.instance, name)
                known[name] = True
                context.update_cursor(json.dumps(known))
        context.update_cursor(json.dumps({name: True for name in states if known.get(name)}))
        return dg.SkipReason("; ".join(said) or "no backfill has ended since the last look")

    return [enrichment_failure_sensor, enrichment_warning_sensor, enrichment_backfill_sensor]
