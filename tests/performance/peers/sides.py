"""What every peer is given and gives back: normalised names on both sides, one answer per query.

This module runs in the peers' environment, which has nothing of the engine's but DuckDB, numpy and
rapidfuzz. The recipients are read by one DuckDB statement on all cores, with the engine's own cleaning and
normalising expressions, but without its chunks, rejects and part files: no reader could cost a peer less.
"""

import argparse
import json
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from sbir_gate.engine.matching.parts import names_query, register_functions
from sbir_gate.reading import cleaning
from sbir_gate.reading.spelling import register_repair


@dataclass
class Task:
    """The arguments of one peer, and the seconds of its stages as they pass."""

    recipients: Path
    query_names: Path
    answers: Path
    variant: str
    stages: dict = field(default_factory=dict)

    @contextmanager
    def stage(self, name):
        """Time a block by wall and by processor, children included."""
        wall, cpu = time.perf_counter(), cpu_seconds()
        yield
        self.stages[name] = {
            "wall_seconds": time.perf_counter() - wall,
            "cpu_seconds": cpu_seconds() - cpu,
        }

    def finish(self, connection, answers, **facts):
        """Write the best answer of each query, and the stages beside it.

        `answers` is the name of a table with query_id, recipient_id and score; the lowest recipient_id
        wins among equal scores.
        """
        connection.execute(f"""
            COPY (
                SELECT query_id, recipient_id, score FROM {answers}
                QUALIFY row_number() OVER (PARTITION BY query_id ORDER BY score DESC, recipient_id) = 1
                ORDER BY query_id
            ) TO '{self.answers}' (FORMAT parquet)
        """)
        self.answers.with_suffix(".json").write_text(json.dumps({"stages": self.stages, **facts}))


def read_task():
    """Return what the command line asks of this peer."""
    parser = argparse.ArgumentParser()
    for name in ("recipients", "query-names", "answers"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--variant", default="")
    arguments = parser.parse_args()
    return Task(arguments.recipients, arguments.query_names, arguments.answers, arguments.variant)


def cpu_seconds():
    """Return the processor time of this process and of its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def open_sides(task):
    """Return a connection with `recipients` (row_id, recipient_id) and `queries` (row_id, query_id).

    Both have normal, compact, city, state, zip5, and a row per name: those that a DBA mark or brackets
    give are rows of their own. A query has as many rows as its firm has names. `name` is as it is written.
    """
    connection = duckdb.connect(config={"preserve_insertion_order": False})
    register_functions(connection)
    register_repair(connection)
    with task.stage("read"):
        connection.execute(f"""
            CREATE TEMP VIEW cleaned AS
            SELECT recipient_id, {cleaning.name_text("legal_business_name")} AS name,
                   {cleaning.city("city")} AS city, {cleaning.state("state")} AS state,
                   {cleaning.zip5("zip")} AS zip5
            FROM read_parquet('{task.recipients}')
        """)
        named = names_query(
            "(SELECT * FROM cleaned WHERE name IS NOT NULL)",
            "recipient_id, raw_name, city, state, zip5",
            "is_alias",
        )
        connection.execute(f"""
            CREATE TABLE recipients AS
            SELECT row_number() OVER (ORDER BY recipient_id, normal, state, city, zip5) AS row_id, *
            FROM (SELECT recipient_id, normal, compact, city, state, zip5, min(raw_name) AS name
                  FROM ({named}) WHERE normal <> '' GROUP BY ALL)
            ORDER BY row_id
        """)
        connection.execute(f"""
            CREATE TABLE queries AS
            SELECT row_number() OVER (ORDER BY query_id, normal) AS row_id, *
            FROM read_parquet('{task.query_names}')
            ORDER BY row_id
        """)
    return connection
