# ruff: noqa: S608 -- the SQL is built from this package's expressions, and from paths that are quoted
"""What the gate knows of the recipients: ids, names and UEIs on disk; those that matter are looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sbir_gate.model.records import LinkedRecipient, Reject
from sbir_gate.reading.accounts import Account
from sbir_gate.reading.database import copy_rows
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.reading.recipients import iterate_recipients
from sbir_gate.reading.rejects import RejectLog
from sbir_gate.sql_text import file_relation

# A UEI that more names share is one of a placeholder ("MISCELLANEOUS FOREIGN CONTRACTORS"), not of an entity.
MOST_NAMES = 5
_MOST_EXAMPLES = 3
# names that differ in case, blanks and punctuation alone are one
PLAIN_NAME = "regexp_replace(upper(name), '[^A-Z0-9]', '', 'g')"


@dataclass(frozen=True, slots=True)
class RecipientFacts:
    """What the recipients hold of some ids.

    `rows` has those that are there, with the name and UEI of one row each. `entities` maps an id to the UEI
    of its entity where that has several ids, for all ids of the entity, whether asked for or not.
    """

    rows: Mapping[str, LinkedRecipient]
    entities: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SharedIds:
    """The ids that rows of different firms have: how many, and the first with two of their names."""

    count: int
    examples: tuple[str, ...]


class RecipientIndex:
    """Ids, names and UEIs of all recipients in files of a folder, made by `index_recipients`.

    `has_padded_ids` says that blanks stand around ids in the source; here they do not. `has_own_ids` says
    that the source has a column of ids; else they are made of each row.
    """

    def __init__(
        self,
        paths: tuple[Path, ...],
        rows: int,
        rejects: int,
        first_reject: Reject | None,
        *,
        has_padded_ids: bool = False,
        has_own_ids: bool = True,
    ) -> None:
        self.rows = rows
        self.rejects = rejects
        self.first_reject = first_reject
        self.has_padded_ids = has_padded_ids
        self.has_own_ids = has_own_ids
        self._rows = _rows_of(paths)
        self._last: tuple[frozenset[str], RecipientFacts] | None = None
        self._shared: SharedIds | None = None

    def facts_of(self, recipient_ids: Iterable[str]) -> RecipientFacts:
        """Return what the recipients hold of these ids; the last answer is kept."""
        wanted = frozenset(filter(None, recipient_ids))
        if self._last is None or self._last[0] != wanted:
            self._last = wanted, self._look_up(wanted)
        return self._last[1]

    @property
    def shared_ids(self) -> SharedIds:
        """The ids whose rows differ in name and in UEI, or in name where none of them has a UEI.

        Other names under one UEI are of one firm. Found once: it is a pass over all recipients.
        """
        if self._shared is None:
            with duckdb.cursor() as connection:
                rows = connection.execute(f"""
                    WITH repeated AS (
                        SELECT recipient_id FROM {self._rows} GROUP BY recipient_id HAVING count(*) > 1
                    )
                    SELECT recipient_id, min(name), max(name) FROM {self._rows}
                    SEMI JOIN repeated USING (recipient_id) GROUP BY recipient_id
                    HAVING count(DISTINCT {PLAIN_NAME}) > 1 AND (count(DISTINCT uei) > 1 OR count(uei) = 0)
                    ORDER BY recipient_id
                """).fetchall()
            examples = (f"{id_!r} ({first!r}, {last!r})" for id_, first, last in rows[:_MOST_EXAMPLES])
            self._shared = SharedIds(len(rows), tuple(examples))
        return self._shared

    def _look_up(self, wanted: frozenset[str]) -> RecipientFacts:
        if not wanted:
            return RecipientFacts({}, {})
        # to open a database of its own takes longer than the question
        with duckdb.cursor() as connection:
            connection.execute(
                "CREATE TEMP TABLE wanted AS SELECT unnest($ids) AS recipient_id", {"ids": sorted(wanted)}
            )
            # a pass over all recipients is dear: each leaves the few that the next question is about
            connection.execute(
                f"CREATE TEMP TABLE named AS SELECT recipient_id, name, uei FROM {self._rows}"
                " SEMI JOIN wanted USING (recipient_id)"
            )
            rows = connection.execute(
                "SELECT recipient_id, min(name), min(uei) FROM named GROUP BY recipient_id"
            ).fetchall()
            connection.execute(
                f"CREATE TEMP TABLE touched AS SELECT recipient_id, name, uei FROM {self._rows}"
                " SEMI JOIN named USING (uei)"
            )
            # an id that several UEIs share belongs to none of them
            members = connection.execute(f"""
                WITH shared AS (
                    SELECT uei FROM touched GROUP BY uei
                    HAVING count(DISTINCT recipient_id) > 1 AND count(DISTINCT {PLAIN_NAME}) <= {MOST_NAMES}
                ), ids AS (SELECT DISTINCT recipient_id FROM touched SEMI JOIN shared USING (uei))
                SELECT recipient_id, min(uei) FROM {self._rows} SEMI JOIN ids USING (recipient_id)
                WHERE uei IS NOT NULL GROUP BY recipient_id HAVING count(DISTINCT uei) = 1
                ORDER BY recipient_id
            """).fetchall()
        return RecipientFacts(
            {id_: LinkedRecipient(id_, name or "", uei or "") for id_, name, uei in rows}, dict(members)
        )


def find_by_name(folder: Path, text: str, most: int = 20) -> list[LinkedRecipient]:
    """Return the recipients of an index in `folder` whose names hold the text, the most similar first."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT DISTINCT recipient_id, name, coalesce(uei, '') FROM {_index_in(folder)}"
            " WHERE contains(upper(name), upper($text))"
            " ORDER BY jaro_winkler_similarity(upper(name), upper($text)) DESC, name, recipient_id"
            " LIMIT $most",
            {"text": text, "most": most},
        ).fetchall()
    return [LinkedRecipient(*row) for row in rows]


def find_by_id(folder: Path, recipient_ids: Iterable[str]) -> Mapping[str, LinkedRecipient]:
    """Return the recipients of an index in `folder` that have these ids, with the name of one row each."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT recipient_id, coalesce(min(name), ''), coalesce(min(uei), '') FROM {_index_in(folder)}"
            " WHERE recipient_id IN (SELECT unnest($ids::VARCHAR[])) GROUP BY recipient_id",
            {"ids": sorted(recipient_ids)},
        ).fetchall()
    return {row[0]: LinkedRecipient(*row) for row in rows}


def _index_in(folder: Path) -> str:
    return _rows_of(sorted(folder.glob("recipient-index-*.parquet")))


def _rows_of(paths: Sequence[Path]) -> str:
    """Return what SQL selects the recipients from: a file may be a part, which has aliases as rows."""
    return f"(SELECT recipient_id, name, uei FROM {file_relation(paths)} WHERE NOT is_alias)"


def index_recipients(
    connection: duckdb.DuckDBPyConnection, source: str | Path, folder: Path, options: ReadingOptions
) -> RecipientIndex:
    """Read all recipients once, in batches, and write what is asked of them later to files in `folder`.

    Raises InputError as `iterate_recipients` does, OutputError when the folder cannot be written.
    """
    log = RejectLog()
    paths, rows, has_padded_ids = [], 0, False
    accounts: list[Account] = []
    for batch in iterate_recipients(connection, source, folder, options, log, on_account=accounts.append):
        paths.append(write_index(connection, batch.table, folder, batch.index))
        rows += batch.rows + batch.empty_rows
        has_padded_ids = has_padded_ids or batch.has_padded_ids()
    first = log.first[0] if log.first else None
    return RecipientIndex(
        tuple(paths),
        rows,
        log.count,
        first,
        has_padded_ids=has_padded_ids,
        has_own_ids=accounts[0].has_own_ids,
    )


def write_index(connection: duckdb.DuckDBPyConnection, relation: str, folder: Path, number: int) -> Path:
    """Write ids, names and UEIs of the recipients in `relation` to a file of an index, and return its path.

    Raises OutputError when the folder cannot be written.
    """
    path = index_path(folder, number)
    copy_rows(connection, f"SELECT recipient_id, name, uei, false AS is_alias FROM {relation}", path)
    return path


def index_path(folder: Path, number: int) -> Path:
    """Return the path of a file of an index."""
    return folder / f"recipient-index-{number:06d}.parquet"


def with_whole_entities(
    truth: Mapping[str, frozenset[str]], entities: Mapping[str, str]
) -> Mapping[str, frozenset[str]]:
    """Return the truth in which an award's right recipients are all rows of their entities."""
    members: dict[str, set[str]] = {}
    for recipient_id, entity in entities.items():
        members.setdefault(entity, set()).add(recipient_id)
    return {
        award_id: right.union(*(members[entities[id_]] for id_ in right if id_ in entities))
        for award_id, right in truth.items()
    }
