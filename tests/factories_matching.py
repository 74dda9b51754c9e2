"""Small tables of awards and recipients, and the engine over them, for the tests of matching."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import astuple, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from sbir_gate.engine.enrichment import EnrichRequest, EnrichSummary, link_and_write
from sbir_gate.engine.matching.cascade import Matched, MatchingOptions, match_firms
from sbir_gate.engine.matching.decisions import FirmDecision
from sbir_gate.engine.matching.parts import Part, open_parts, register_functions, write_part
from sbir_gate.monitor import PerformanceMonitor
from sbir_gate.settings import Settings, load_settings
from tests.step_options import matching_options

UEIS = ("CSQJZSE9KFD9", "ZQGGHJH74DW7", "F1TQKLH3LJ79", "KM2NSHN4VHN4", "XLB8UJ1ZD2C5", "MAZ1QSN4VB95")


@dataclass(frozen=True)
class Award:
    """One award as reading leaves it: clean text, None where unknown."""

    award_id: str
    name: str | None = None
    uei: str | None = None
    duns: str | None = None
    city: str | None = None
    state: str | None = None
    zip5: str | None = None


@dataclass(frozen=True)
class Recipient:
    """One recipient as reading leaves it."""

    recipient_id: str
    name: str | None = None
    uei: str | None = None
    duns: str | None = None
    city: str | None = None
    state: str | None = None
    zip5: str | None = None


@dataclass(frozen=True)
class Matching:
    """The engine's result over small tables, by award."""

    matched: Matched
    by_award: Mapping[str, FirmDecision] = field(default_factory=dict)

    def said(self, award_id: str) -> tuple[str, str, str]:
        """Return (decision, method, recipient id) of an award, '' for no recipient."""
        decision = self.by_award[award_id]
        return decision.kind.value, decision.method.value, decision.best.recipient_id if decision.best else ""


@contextmanager
def database(threads: int = 1) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory database that knows the functions of matching."""
    with duckdb.connect(config={"threads": threads}) as connection:
        register_functions(connection)
        yield connection


def load_awards(connection: duckdb.DuckDBPyConnection, awards: Sequence[Award]) -> None:
    """Create `awards` and `award_rows` as reading does."""
    connection.execute(
        "CREATE OR REPLACE TABLE awards (position BIGINT, award_id VARCHAR, name VARCHAR, uei VARCHAR,"
        " duns VARCHAR, city VARCHAR, state VARCHAR, zip5 VARCHAR)"
    )
    if awards:
        rows = [[number, *astuple(award)] for number, award in enumerate(awards)]
        connection.executemany("INSERT INTO awards VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.execute('CREATE OR REPLACE TABLE award_rows AS SELECT position, name AS "Company" FROM awards')


def load_recipients(
    connection: duckdb.DuckDBPyConnection, recipients: Sequence[Recipient], folder: Path, part_rows: int = 100
) -> list[Part]:
    """Create `recipients` from parts of `part_rows` rows in `folder`; return the parts."""
    parts = []
    for start in range(0, max(len(recipients), 1), part_rows):
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE batch (recipient_id VARCHAR, name VARCHAR, uei VARCHAR,"
            " duns VARCHAR, city VARCHAR, state VARCHAR, zip5 VARCHAR)"
        )
        rows = [list(astuple(recipient)) for recipient in recipients[start : start + part_rows]]
        if rows:
            connection.executemany("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        parts.append(write_part(connection, "batch", folder / f"part-{start}.parquet"))
    open_parts(connection, parts)
    return parts


def untimed(_stage: str) -> AbstractContextManager[object]:
    """Time nothing: the stage timer of tests that measure nothing."""
    return nullcontext()


def match(
    awards: Sequence[Award],
    recipients: Sequence[Recipient],
    options: MatchingOptions | None = None,
    threads: int = 1,
) -> Matching:
    """Run the whole cascade over small tables."""
    with database(threads) as connection, TemporaryDirectory() as folder:
        load_awards(connection, awards)
        batches = open_parts(connection, load_recipients(connection, recipients, Path(folder)))
        matched = match_firms(connection, options or matching_options(), untimed, batches)
        decisions = {decision.firm_id: decision for decision in matched.decisions}
        firms = connection.execute("SELECT award_id, firm_id FROM award_firms").fetchall()
    return Matching(matched, {award_id: decisions[firm_id] for award_id, firm_id in firms})


def make_settings(**options: object) -> Settings:
    """Return the default settings; keyword arguments replace keys, with `__` for the dot."""
    return load_settings(None, {}, {key.replace("__", "."): value for key, value in options.items()}).settings


def csv_text(header: Sequence[str], rows: Sequence[Sequence[str | None]]) -> str:
    """Return CSV with `\\n` line ends, None as an empty cell."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


AWARD_HEADER = ("award_id", "Company", "UEI", "Duns", "City", "State", "Zip")
RECIPIENT_HEADER = ("recipient_id", "legal_business_name", "uei", "duns", "city", "state", "zip")


def write_tables(folder: Path, awards: Sequence[Award], recipients: Sequence[Recipient]) -> tuple[Path, Path]:
    """Write both tables as CSV files that reading knows, and return their paths."""
    awards_path, recipients_path = folder / "awards.csv", folder / "recipients.csv"
    awards_path.write_text(csv_text(AWARD_HEADER, [astuple(award) for award in awards]), "utf-8")
    recipients_path.write_text(
        csv_text(RECIPIENT_HEADER, [astuple(recipient) for recipient in recipients]), "utf-8"
    )
    return awards_path, recipients_path


def enrich_files(
    awards: Path | str, recipients: Path | str, output: Path, settings: Settings | None = None
) -> EnrichSummary:
    """Enrich files with the default settings, or others."""
    request = EnrichRequest(awards=str(awards), recipients=str(recipients), output=output)
    return link_and_write(request, settings or make_settings(), PerformanceMonitor(), lambda *_facts: None)
