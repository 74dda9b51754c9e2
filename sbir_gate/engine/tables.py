"""The engine from Python: files or tables in memory in, enriched awards out."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

import duckdb

from sbir_gate.engine.enrichment import EnrichRequest, EnrichSummary, link_and_write
from sbir_gate.engine.tracking import no_progress
from sbir_gate.errors import SbirGateError
from sbir_gate.files import place_output
from sbir_gate.model.finding import Fact
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.progress import Progress
from sbir_gate.reading.memory_tables import load_table, loaded_relation, write_table
from sbir_gate.remote_paths import path_of
from sbir_gate.settings.effective import load_settings
from sbir_gate.settings.reading import work_folder
from sbir_gate.settings.schema import Settings

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from sbir_gate.reading.memory_tables import Table

    Source: TypeAlias = str | Path | Table

_ENRICHED = "enriched.parquet"


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Enriched:
    """Enriched awards: one row per award, in the order of the awards.

    `summary` counts awards, recipients, rejects and decisions. `path` is the enriched file: the output that
    was named, or a temporary one that is removed with this object. Its columns are those of the awards with
    their types, `award_id` first if they have none, and then `recipient_id`, `recipient_name`,
    `recipient_uei`, `recipient_duns`, `match_method`, `match_score` (0 to 100), `match_confidence` (0 to 1),
    `match_place` (what the place says), `match_decision` (`link`, `candidate`, `none`) and
    `match_candidates` (JSON). Only a `link` is accepted.

    Each method loads a new table. They raise UsageError if the output is CSV, which has no types, or if a
    library is missing.
    """

    summary: EnrichSummary
    path: Path
    is_temporary: bool = False

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas DataFrame with a new index.

        Dates are `datetime.date`, decimals `decimal.Decimal`, integers with missing values `Int64`.
        """
        return cast("pd.DataFrame", load_table("pandas.DataFrame", self.path))

    def to_arrow(self) -> pa.Table:
        """Return a pyarrow Table. Needs the extra `arrow`."""
        return cast("pa.Table", load_table("pyarrow.Table", self.path))

    def to_polars(self) -> pl.DataFrame:
        """Return a polars DataFrame. Needs the extra `polars`."""
        return cast("pl.DataFrame", load_table("polars.DataFrame", self.path))

    @property
    def relation(self) -> duckdb.DuckDBPyRelation:
        """A DuckDB relation, to query with SQL; of a temporary file the rows are loaded into memory."""
        if self.is_temporary:
            return loaded_relation(self.path)
        return cast("duckdb.DuckDBPyRelation", load_table("duckdb.DuckDBPyRelation", self.path))


def enrich(
    awards: Source,
    recipients: Source,
    output: str | Path | None = None,
    *,
    rejects: str | Path | None = None,
    metrics: str | Path | None = None,
    settings: Settings | Mapping[str, object] | None = None,
    is_resuming: bool = True,
    monitor: PerformanceMonitor | None = None,
    progress: Progress = no_progress,
) -> Enriched:
    """Link SBIR awards to USAspending recipients.

    `awards` and `recipients` are each a path or address (of a file, folder, glob or dump), or a table: a
    pandas or polars DataFrame, a pyarrow Table or record batches, or a DuckDB relation. Tables are not
    changed, and the result is the same as that of a Parquet file with their columns. Columns are recognized
    by the names that SBIR.gov, USAspending and SAM use. An award without an `award_id` gets an id made of its
    cells.

    `output` is the path or address of the enriched file to write: .parquet, .csv or .csv.gz. Without it the
    result is in a temporary file. `rejects` is a CSV file for the rows that could not be read, `metrics` a
    JSON file for seconds, memory and counters. `settings` maps keys to values, such as
    {"matching.min_precision": 0.99}, over the settings file and the environment; or it is a whole `Settings`.
    With `is_resuming`, chunks of recipients that an interrupted call finished are used again, if recipients
    and output are files. `monitor` collects seconds and peak memory of each stage; `progress` is called with
    a stage, the rows done and their total or None.

    Raises UsageError for what is not a table, or an output that would replace an input; InputError for awards
    or recipients that cannot be read, such as a column without one type; OutputError for outputs that cannot
    be written; ConfigurationError for settings; ToolError if time or memory does not suffice.
    """
    if not isinstance(settings, Settings):
        settings = load_settings(None, os.environ, settings or {}).settings
    if output is None or not isinstance(recipients, str | Path):
        settings = _without_chunks(settings)
    with _work_folder(settings) as folder:
        with _named_tables(folder):
            request = EnrichRequest(
                _file_of(awards, folder, "awards"),
                _file_of(recipients, folder, "recipients"),
                folder / _ENRICHED if output is None else path_of(output),
                _path(rejects),
                _path(metrics),
                is_resuming,
            )
            summary = link_and_write(request, settings, monitor, progress)
        summary = _renamed(summary, folder)
        if output is not None:
            return Enriched(summary, path_of(output))
        return _kept(summary, folder)


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)


def _without_chunks(settings: Settings) -> Settings:
    """Return the settings for a call that nothing can be resumed of: its files are temporary."""
    enrichment = settings.enrichment.model_copy(update={"keeps_chunks": False})
    return settings.model_copy(update={"enrichment": enrichment})


@contextmanager
def _work_folder(settings: Settings) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sbir-gate-", dir=work_folder(settings)) as folder:
        yield Path(folder)


def _file_of(source: object, folder: Path, what: str) -> str:
    """Return what the engine reads: the path that was given, or a file of the table."""
    if isinstance(source, str | Path):
        return str(source)
    path = folder / f"{what}.parquet"
    write_table(source, path, what)
    return str(path)


@contextmanager
def _named_tables(folder: Path) -> Iterator[None]:
    """Name a table in an error by what it is, not by the temporary file."""
    try:
        yield
    except SbirGateError as error:
        error.faults = tuple(
            replace(
                fault,
                problem=_without_folder(fault.problem, folder),
                path=_without_folder(fault.path, folder),
                hint=_without_folder(fault.hint, folder),
            )
            for fault in error.faults
        )
        error.hint = _without_folder(error.hint, folder)
        raise


def _renamed(summary: EnrichSummary, folder: Path) -> EnrichSummary:
    """Return the summary with tables named by what they are."""

    def fact(value: Fact) -> Fact:
        return _without_folder(value, folder) if isinstance(value, str) else value

    findings = tuple(
        replace(
            found,
            place=_without_folder(found.place, folder),
            facts={name: fact(value) for name, value in found.facts.items()},
        )
        for found in summary.findings
    )
    return replace(summary, findings=findings)


def _without_folder(text: str, folder: Path) -> str:
    for what in ("awards", "recipients"):
        text = text.replace(str(folder / f"{what}.parquet"), what)
    return text


def _kept(summary: EnrichSummary, folder: Path) -> Enriched:
    """Return the result in a folder of its own, which is removed with it."""
    own = tempfile.mkdtemp(prefix="sbir-gate-", dir=folder.parent)
    kept = Path(own) / _ENRICHED
    place_output(folder / _ENRICHED, kept)
    enriched = Enriched(summary, kept, is_temporary=True)
    weakref.finalize(enriched, shutil.rmtree, own, ignore_errors=True)
    return enriched
