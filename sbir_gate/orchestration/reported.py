"""What was reported of earlier runs, kept as tags of the runs: a fault is reported once, as is its end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

import dagster as dg

SERIES_TAG = "sbir_gate/series"
REPORTED_TAG = "sbir_gate/reported"
# a run that is launched again gets the tags of the run before, so they say whose they are
_RUN_TAG = "sbir_gate/reported_run"
# the same fault is reported again, at most so often
_REMINDER = timedelta(days=1)
_WARNING = dg.AssetCheckSeverity.WARN.value


class News(Enum):
    """What a run has to tell beside the runs before."""

    NONE = "none"
    FAULT = "fault"
    STILL = "still"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Reported:
    """The reported faults of a series of runs: what was wrong by place, since when, when reported last."""

    faults: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    at: datetime | None = None

    def as_text(self) -> str:
        """Return it as the value of a tag."""
        moments = {"since": self.since, "at": self.at}
        return json.dumps(
            {
                "faults": dict(self.faults),
                **{name: moment.isoformat() for name, moment in moments.items() if moment is not None},
            }
        )

    @property
    def is_failure(self) -> bool:
        """Say whether a run failed for one of them."""
        return not all(fault.startswith(_WARNING) for fault in self.faults.values())

    @classmethod
    def of_text(cls, text: str) -> Reported:
        """Return what the value of a tag says; nothing was reported where it cannot be read."""
        try:
            document = json.loads(text)
            faults = {str(place): str(fault) for place, fault in document["faults"].items()}
            moments = [datetime.fromisoformat(document[name]) for name in ("since", "at") if faults]
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()
        return cls(faults, *moments)


def news_of(
    before: Reported, faults: Mapping[str, str], resolved: frozenset[str], now: datetime
) -> tuple[News, Reported]:
    """Return what is news of a run with these faults, and what is reported of its series then.

    What a run did not look at again stays: it has neither failed nor recovered. The end of a
    warning is not news.
    """
    left = {place: fault for place, fault in before.faults.items() if place not in resolved}
    all_faults = {**left, **faults}
    if not all_faults:
        return (News.RECOVERED if before.is_failure else News.NONE), Reported()
    if any(before.faults.get(place) != fault for place, fault in faults.items()):
        return News.FAULT, Reported(all_faults, now, now)
    is_due = bool(faults) and (before.at is None or now - before.at >= _REMINDER)
    return (News.STILL if is_due else News.NONE), Reported(
        all_faults, before.since, now if is_due else before.at
    )


def reported_before(instance: dg.DagsterInstance, series: str, run_id: str) -> Reported:
    """Return what was reported of the newest other run of the series."""
    filters = dg.RunsFilter(tags={SERIES_TAG: series})
    for record in instance.get_run_records(filters, limit=2):
        if record.dagster_run.run_id != run_id:
            return Reported.of_text(record.dagster_run.tags.get(REPORTED_TAG, ""))
    return Reported()


def is_reported(run: dg.DagsterRun, series: str) -> bool:
    """Say whether a run was reported already: by another code location, or before a restart of the daemon."""
    return (run.tags.get(SERIES_TAG), run.tags.get(_RUN_TAG)) == (series, run.run_id)


def keep_reported(instance: dg.DagsterInstance, series: str, run_id: str, reported: Reported) -> None:
    """Keep what was reported with the run."""
    tags = {SERIES_TAG: series, REPORTED_TAG: reported.as_text(), _RUN_TAG: run_id}
    instance.add_run_tags(run_id, tags)
