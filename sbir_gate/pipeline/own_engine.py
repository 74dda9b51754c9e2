# ruff: noqa: S608 -- the SQL is built from this package's names, and from paths that are quoted
"""An enrichment by the team's own engine, as a step of a pipeline: a process, measured as the gate does."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from sbir_gate.documents import write_run
from sbir_gate.engine.enrichment import EnrichSummary
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.enricher_plan import plan_of, sealed_files
from sbir_gate.gate.fixture import ReadFixture
from sbir_gate.gate.measuring.benchmark import Bench, BenchmarkPlan, Tally
from sbir_gate.gate.measuring.interleaving import Side
from sbir_gate.gate.measuring.seals import Seals
from sbir_gate.gate.run import run_of
from sbir_gate.model.award_columns import uncollected
from sbir_gate.model.matches import ENRICHED_COLUMNS, Decision, DecisionKind
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.pipeline.asset_files import EnrichedFiles, with_awards
from sbir_gate.pipeline.asset_run import Measured, ValidatedAwards, refuse_bad_awards, validated_fixture
from sbir_gate.progress import Progress
from sbir_gate.reading.database import PARQUET_OPTIONS, copy_rows, open_database
from sbir_gate.reading.handed_files import hand_recipients, hand_validated
from sbir_gate.reading.recipient_index import index_recipients
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.reading import database_options, reading_options
from sbir_gate.sql_text import file_literal, identifier
from sbir_gate.time_left import INDEX, QUALITY, WRITE

ENGINE = "engine"
_DECISIONS = "decisions"


def measure_own_engine(
    effective: EffectiveSettings,
    validated: ValidatedAwards,
    files: EnrichedFiles,
    edges: Edges,
    monitor: PerformanceMonitor,
    progress: Progress,
    environment: Mapping[str, str],
) -> Measured:
    """Run `enricher.command` once on the validated awards, and save its Run and the enriched awards.

    `environment` is what the engine sees besides its own. Raises EnricherError for an engine that breaks or
    takes too long, InputError where the awards did not pass their checks.
    """
    effective = with_awards(effective, validated.source)
    settings = effective.settings
    refuse_bad_awards(settings, validated.files)
    started_at, options = edges.now(), reading_options(settings)
    scratch = settings.enrichment.work_folder or files.folder
    with tempfile.TemporaryDirectory(prefix="sbir-gate-", dir=scratch) as name, edges.keep_code():
        folder, source = Path(name), str(settings.fixtures.recipients)
        progress(INDEX, 0, None)
        with monitor.monitor_block(INDEX), open_database(database_options(settings), folder) as connection:
            recipients = index_recipients(connection, source, folder, options)
            is_altered = recipients.rejects > 0 or recipients.has_padded_ids
            handed = (
                hand_validated(connection, str(validated.source), validated.files.awards, folder, options),
                hand_recipients(connection, source, folder, options, is_altered=is_altered)
                or settings.fixtures.recipients,
            )
        read = validated_fixture(effective, validated, started_at, recipients, handed)
        plan = _plan(effective, read, folder, environment)
        seals = Seals(lambda: sealed_files(effective, plan))
        bench = Bench(plan, edges.launch, lambda: seals.check(Side.HEAD))
        tally, calibration = Tally(plan.award_ids), edges.calibrate()
        progress(ENGINE, 0, None)
        with monitor.monitor_block(ENGINE):
            repeat = bench.run_once()
        tally.add(repeat, calibration)
        with monitor.monitor_block(WRITE):
            _write_enriched(validated.files.awards, repeat.decisions, read, files.awards)
        # what judges the awards needs no other place than theirs
        shutil.copyfile(validated.files.profiles, files.profiles)
        with monitor.monitor_block(QUALITY), uncollected():
            run = run_of(effective, edges, read, tally.result(edges.calibrate()))
            write_run(files.run, run)
    kinds = Counter(decision.kind.value for decision in repeat.decisions)
    return Measured(
        run,
        EnrichSummary(
            len(read.profiles),
            recipients.rows,
            recipients.rejects,
            decisions=kinds,
            notes=repeat.telemetry.notes,
            accounts=(),
            findings=(),
            first_reject=recipients.first_reject,
        ),
    )


def _plan(
    effective: EffectiveSettings, read: ReadFixture, folder: Path, environment: Mapping[str, str]
) -> BenchmarkPlan:
    """Return how the engine runs: in the folder of the settings file, with the Python of this process."""
    plan, python = plan_of(effective, read, folder), effective.settings.enricher.python
    return replace(
        plan,
        repeats=1,
        warmups=0,
        working_folder=effective.folder.absolute(),
        environment={**os.environ, **environment},
        pass_environment=(*plan.pass_environment, *environment),
        python=str(python or sys.executable),
    )


def _write_enriched(awards: Path, decisions: Sequence[Decision], read: ReadFixture, path: Path) -> None:
    """Write every award once, in its order, with what the engine decided of it and the recipient's name."""
    found: dict[str, Decision] = {}
    for decision in decisions:
        found.setdefault(decision.award_id, decision)
    known = read.recipients.facts_of(
        id_ for decision in decisions for id_ in (decision.recipient_id, *decision.candidate_ids)
    ).rows
    rows = [
        (
            decision.award_id,
            decision.recipient_id or None,
            known[decision.recipient_id].name if decision.recipient_id in known else None,
            known[decision.recipient_id].uei if decision.recipient_id in known else None,
            decision.method,
            decision.score,
            decision.confidence,
            decision.place.value if decision.place else None,
            decision.kind.value,
            list(decision.candidate_ids),
        )
        for decision in found.values()
    ]
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE TABLE {_DECISIONS} AS SELECT unnest($1::VARCHAR[]) AS award_id,"
            " unnest($2::VARCHAR[]) AS recipient_id, unnest($3::VARCHAR[]) AS recipient_name,"
            " unnest($4::VARCHAR[]) AS recipient_uei, CAST(NULL AS VARCHAR) AS recipient_duns,"
            " unnest($5::VARCHAR[]) AS match_method, unnest($6::DOUBLE[]) AS match_score,"
            " unnest($7::DOUBLE[]) AS match_confidence, unnest($8::VARCHAR[]) AS match_place,"
            " unnest($9::VARCHAR[]) AS match_decision,"
            " CAST(to_json(unnest($10::VARCHAR[][])) AS VARCHAR) AS match_candidates",
            [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(10)],
        )
        copy_rows(connection, _enriched_query(connection, awards), path, PARQUET_OPTIONS)


def _enriched_query(connection: duckdb.DuckDBPyConnection, awards: Path) -> str:
    source = f"read_parquet({file_literal(awards)}, file_row_number = true)"
    columns = [str(row[0]) for row in connection.execute(f"DESCRIBE FROM {source}").fetchall()]
    own = [name for name in columns if name.casefold() not in {*ENRICHED_COLUMNS, "file_row_number"}]
    none = {"match_method": DecisionKind.NONE, "match_decision": DecisionKind.NONE, "match_candidates": "[]"}
    decided = [
        f"coalesce(d.{name}, '{none[name]}') AS {name}" if name in none else f"d.{name}"
        for name in ENRICHED_COLUMNS
    ]
    return (
        f"SELECT {', '.join([*(f'a.{identifier(name)}' for name in own), *decided])}"
        f" FROM {source} a LEFT JOIN {_DECISIONS} d USING (award_id) ORDER BY a.file_row_number"
    )
