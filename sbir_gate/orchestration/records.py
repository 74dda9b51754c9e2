"""What Dagster recorded of an asset: where its data lie and what they are, whatever the settings say now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from sbir_gate.errors import InputError
from sbir_gate.gate.comparing.award_checks import INPUT_CHECKS
from sbir_gate.gate.comparing.run_checks import RUN_CHECKS
from sbir_gate.pipeline.places import Place

_UNFINISHED = [
    status
    for status in dg.DagsterRunStatus
    if status not in {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
]
# older ones are not looked for: as many as no number of runs makes in the time that one takes
_MOST_RECORDS = 500

PATH = "path"
FINGERPRINT = "fingerprint"
SOURCE_PATH = "source_path"
SOURCE_FINGERPRINT = "source_fingerprint"
VALIDATED_FINGERPRINT = "validated_fingerprint"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One materialisation of an asset, or of one partition of it: the data that steps after it are about."""

    asset_key: dg.AssetKey
    run_id: str
    metadata: Mapping[str, dg.MetadataValue]

    @property
    def path(self) -> Path:
        """The file of the data; of raw awards the source, which may be a folder or a pattern."""
        return Path(self.text(PATH))

    @property
    def fingerprint(self) -> str:
        """What the content of the data, or of their place, was when they were recorded."""
        return self.text(FINGERPRINT)

    @property
    def place(self) -> Place:
        """The folder of the data."""
        return Place(self.path.parent, self.fingerprint)

    @property
    def hint(self) -> str:
        """What to do where the data do not fit."""
        return f"materialise {self.asset_key.to_user_string()} again"

    def text(self, name: str) -> str:
        """Return one text of the record. Raises InputError for a record that an older version made."""
        value = self.metadata.get(name)
        if isinstance(value, dg.TextMetadataValue | dg.PathMetadataValue) and value.value:
            return str(value.value)
        raise InputError(
            f"{self.asset_key.to_user_string()} was materialised without its {name}, by another version",
            self.hint,
        )


def recorded(
    instance: dg.DagsterInstance, run: dg.DagsterRun, key: dg.AssetKey, partition: str | None
) -> Recorded:
    """Return what a run must read of an asset: what it made itself, else the run that it resumes.

    A run of its own takes the latest. Raises InputError where the asset was never materialised.
    """
    for run_id in run_line(instance, run):
        records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        for record in reversed(records.records):
            found = record.asset_materialization
            if found is not None and found.asset_key == key and found.partition == partition:
                return Recorded(key, run_id, found.metadata)
    wanted = dg.AssetRecordsFilter(key, asset_partitions=[partition] if partition is not None else None)
    latest = instance.fetch_materializations(wanted, limit=1).records
    if not latest or latest[0].asset_materialization is None:
        name = key.to_user_string() if partition is None else f"{key.to_user_string()} of {partition}"
        raise InputError(f"{name} was never materialised", f"materialise {key.to_user_string()} first")
    return Recorded(key, latest[0].run_id, latest[0].asset_materialization.metadata)


def read_later(instance: dg.DagsterInstance, key: dg.AssetKey) -> set[Path]:
    """Return the places of an asset that runs may yet read: the latest ones, and those of unfinished runs."""
    unfinished = {run.run_id for run in instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED))}
    records = instance.fetch_materializations(key, limit=_MOST_RECORDS).records
    found: dict[str | None, Path] = {}
    kept = set()
    for record in records:
        made = record.asset_materialization
        path = made.metadata.get(PATH) if made is not None else None
        if made is None or path is None:
            continue
        place = Path(str(path.value)).parent
        if made.partition not in found or record.run_id in unfinished:
            found.setdefault(made.partition, place)
            kept.add(place)
    return kept


def run_line(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Iterator[str]:
    """Yield the run, and those that it was launched again from, the last one first."""
    current: dg.DagsterRun | None = run
    while current is not None:
        yield current.run_id
        parent = current.parent_run_id
        current = instance.get_run_by_id(parent) if parent is not None else None


def refusals(instance: dg.DagsterInstance, found: Recorded) -> tuple[str, ...]:
    """Return why the blocking checks of what was recorded refuse it, by the last answer of each."""
    records = instance.get_records_for_run(
        found.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records
    asked = [_evaluation(record.event_log_entry) for record in records]
    answers = {each.check_name: each for each in asked if each is not None and _is_of(found, each)}
    for check in (*INPUT_CHECKS, *RUN_CHECKS):
        # by a run that resumed this one, or by hand
        latest = instance.get_latest_asset_check_evaluation_record(
            dg.AssetCheckKey(found.asset_key, check.name)
        )
        again = _evaluation(latest.event) if latest is not None and latest.event is not None else None
        if again is not None and _is_of(found, again):
            answers[check.name] = again
    return tuple(
        f"{name}: {answer.description}"
        for name, answer in answers.items()
        if not answer.passed and answer.severity is dg.AssetCheckSeverity.ERROR
    )


def _is_of(found: Recorded, answer: dg.AssetCheckEvaluation) -> bool:
    """Say whether these data were checked: what Dagster calls the target is the latest there was."""
    fingerprint = answer.metadata.get(FINGERPRINT)
    return (
        answer.asset_key == found.asset_key
        and fingerprint is not None
        and fingerprint.value == found.fingerprint
    )


def _evaluation(entry: dg.EventLogEntry) -> dg.AssetCheckEvaluation | None:
    event = entry.dagster_event
    is_answer = event is not None and event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
    return event.asset_check_evaluation_data if event is not None and is_answer else None
