# ruff: noqa: S608 -- the SQL is built from this module's names and quoted paths
"""Which recipients are drawn for a fixture: those that share an identifier, near misses, and strangers.

All recipients are read once and compared in the database, so that a table of millions needs no more memory
than it is given.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sbir_gate.datasets.drawing.identifier_labels import IdentifierMatch
from sbir_gate.model.matches import COMPARED_CHARACTERS
from sbir_gate.model.records import AwardProfile
from sbir_gate.reading.accounts import Account
from sbir_gate.reading.database import copy_rows, count_rows
from sbir_gate.reading.options import ReadingOptions
from sbir_gate.reading.recipient_index import MOST_NAMES
from sbir_gate.reading.recipients import iterate_recipients
from sbir_gate.sql_text import file_relation

KEPT = "drawn_recipients"
"""The table of the ids that were drawn."""

NEAR_MISSES = 7
"""The recipients that are drawn per firm by its rarest tokens, and as many by the spelling of its name."""

_FIRMS = "drawn_firms"
# a key of more recipients ("TECHNOLOGIES") makes no near miss by itself
_MOST_WITH_KEY = 2_000
# of an identifier that firms share, this number of recipients is enough
_MOST_OF_GENERIC = 20
_PLAIN = f"regexp_replace(strip_accents(upper(left({{0}}, {COMPARED_CHARACTERS}))), '[^A-Z0-9]', '', 'g')"
_TOKENS = "regexp_extract_all(strip_accents(upper(name)), '[A-Z0-9]+')"
# of `tokens`: each, each with its neighbour, and how the name begins when its blanks are ignored
_KEYS = (
    "list_distinct(list_concat(tokens, [left(array_to_string(tokens, ''), 5) || '*'], "
    "list_transform(list_zip(tokens[:-2], tokens[2:]), lambda pair: pair[1] || ' ' || pair[2])))"
)


@dataclass(frozen=True, slots=True)
class RecipientDraw:
    """How many recipients were drawn, of `recipients` rows in all, and those that share an identifier."""

    recipients: int
    same_identifier: int
    near_misses: int
    strangers: int
    matches: tuple[IdentifierMatch, ...]


def load_recipients(
    connection: duckdb.DuckDBPyConnection, source: str, folder: Path, options: ReadingOptions
) -> Account:
    """Read all recipients, which can then be drawn. Raises InputError as `iterate_recipients` does."""
    paths: list[Path] = []
    accounts: list[Account] = []
    for batch in iterate_recipients(connection, source, folder, options, on_account=accounts.append):
        paths.append(folder / f"drawn-{batch.index:06d}.parquet")
        copy_rows(connection, f"SELECT recipient_id, name, uei, duns FROM {batch.table}", paths[-1])
    connection.execute(f"CREATE OR REPLACE TEMP VIEW all_recipients AS FROM {file_relation(paths)}")
    return accounts[0]


def known_ids(connection: duckdb.DuckDBPyConnection, recipient_ids: Collection[str]) -> frozenset[str]:
    """Return those of the ids that a recipient has."""
    found = connection.execute(
        "SELECT DISTINCT recipient_id FROM all_recipients "
        "WHERE recipient_id IN (SELECT unnest($ids::VARCHAR[]))",
        {"ids": sorted(recipient_ids)},
    )
    return frozenset(str(row[0]) for row in found.fetchall())


def draw_recipients(
    connection: duckdb.DuckDBPyConnection,
    awards: Sequence[AwardProfile],
    labelled: Collection[str],
    strangers: int,
    seed: int,
) -> RecipientDraw:
    """Fill the table `KEPT` with the ids of the loaded recipients that matter to the awards.

    `labelled` are ids that a truth names.
    """
    _load_firms(connection, awards)
    matches = _identifier_matches(connection)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {KEPT} AS SELECT DISTINCT recipient_id FROM same_key")
    named = "(SELECT unnest($ids::VARCHAR[]))"
    condition = f"recipient_id IN {named} AND recipient_id NOT IN (FROM {KEPT})"
    connection.execute(
        f"INSERT INTO {KEPT} SELECT DISTINCT recipient_id FROM all_recipients WHERE {condition}",
        {"ids": sorted(labelled)},
    )
    same = count_rows(connection, KEPT)
    _add_near_misses(connection)
    near = count_rows(connection, KEPT)
    connection.execute(
        f"INSERT INTO {KEPT} SELECT recipient_id FROM all_recipients "
        f"WHERE recipient_id NOT IN (FROM {KEPT}) GROUP BY recipient_id "
        f"ORDER BY md5(concat({seed}, '|', recipient_id)), recipient_id LIMIT {strangers}"
    )
    all_kept = count_rows(connection, KEPT)
    rows = count_rows(connection, "all_recipients")
    return RecipientDraw(rows, same, near - same, all_kept - near, matches)


def _load_firms(connection: duckdb.DuckDBPyConnection, awards: Sequence[AwardProfile]) -> None:
    columns = {
        "ids": [award.award_id for award in awards],
        "names": [award.firm_name for award in awards],
        "ueis": [award.uei for award in awards],
        "duns": [award.duns for award in awards],
    }
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_FIRMS} AS SELECT unnest($ids::VARCHAR[]) AS award_id, "
        "unnest($names::VARCHAR[]) AS name, unnest($ueis::VARCHAR[]) AS uei, "
        "unnest($duns::VARCHAR[]) AS duns",
        columns,
    )


def _identifier_matches(connection: duckdb.DuckDBPyConnection) -> tuple[IdentifierMatch, ...]:
    """Fill `same_key` with the recipients that share a key with an award; return those of rare keys."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE wanted_keys AS
            SELECT DISTINCT 'UEI' AS kind, uei AS key FROM {_FIRMS} WHERE uei <> ''
            UNION ALL
            SELECT DISTINCT 'DUNS', unnest(string_split(duns, ' ')) FROM {_FIRMS} WHERE duns <> ''
    """)
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE keyed AS
            SELECT 'UEI' AS kind, uei AS key, recipient_id, name, uei FROM all_recipients
                SEMI JOIN wanted_keys w ON w.kind = 'UEI' AND w.key = all_recipients.uei
            UNION ALL
            SELECT 'DUNS', one.key, recipient_id, name, uei FROM (
                SELECT unnest(string_split(duns, ' ')) AS key, recipient_id, name, uei
                FROM all_recipients WHERE duns IS NOT NULL
            ) one SEMI JOIN wanted_keys w ON w.kind = 'DUNS' AND w.key = one.key
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE generic_keys AS
            SELECT kind, key FROM keyed GROUP BY kind, key
            HAVING count(DISTINCT {_PLAIN.format("name")}) > {MOST_NAMES}
    """)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE same_key AS
            SELECT recipient_id FROM keyed ANTI JOIN generic_keys USING (kind, key)
            UNION
            SELECT recipient_id FROM (
                SELECT recipient_id,
                    row_number() OVER (PARTITION BY kind, key ORDER BY md5(recipient_id)) AS place
                FROM keyed SEMI JOIN generic_keys USING (kind, key)
            ) WHERE place <= {_MOST_OF_GENERIC}
    """)
    found = connection.execute(f"""
        WITH rare AS (FROM keyed ANTI JOIN generic_keys USING (kind, key)),
        award_keys AS (
            SELECT award_id, name, uei, 'UEI' AS kind, uei AS key FROM {_FIRMS} WHERE uei <> ''
            UNION ALL
            SELECT award_id, name, uei, 'DUNS', unnest(string_split(duns, ' ')) FROM {_FIRMS}
            WHERE duns <> ''
        )
        SELECT a.award_id, r.recipient_id, r.kind, a.uei, coalesce(r.uei, ''), max(
            jaro_winkler_similarity({_PLAIN.format("a.name")}, {_PLAIN.format("coalesce(r.name, '')")})
        ) FROM award_keys a JOIN rare r USING (kind, key) GROUP BY ALL ORDER BY ALL
    """)
    return tuple(IdentifierMatch(*row) for row in found.fetchall())


def _add_near_misses(connection: duckdb.DuckDBPyConnection) -> None:
    """Add, for each firm, the recipients that share its rarest keys, and those most similar in spelling."""
    similarity = f"jaro_winkler_similarity({_PLAIN.format('name')}, {_PLAIN.format('firm')})"
    connection.execute(f"""
        INSERT INTO {KEPT}
        WITH firms AS (SELECT name, {_TOKENS} AS tokens FROM {_FIRMS} WHERE name <> '' GROUP BY name),
        wanted AS (SELECT name AS firm, unnest({_KEYS}) AS key FROM firms),
        named AS MATERIALIZED (
            SELECT recipient_id, name, {_TOKENS} AS tokens FROM all_recipients WHERE name IS NOT NULL
        ),
        keyed_names AS (SELECT recipient_id, name, unnest({_KEYS}) AS key FROM named),
        known AS (FROM keyed_names SEMI JOIN wanted USING (key)),
        rare AS (SELECT key, count(*) AS held FROM known GROUP BY key HAVING held <= {_MOST_WITH_KEY}),
        pairs AS (
            SELECT firm, recipient_id, min(name) AS name, round(sum(1 / (1 + ln(held))), 9) AS weight
            FROM rare JOIN known USING (key) JOIN wanted USING (key) GROUP BY firm, recipient_id
        ),
        placed AS (
            SELECT recipient_id,
                row_number() OVER (PARTITION BY firm ORDER BY weight DESC, recipient_id) AS by_keys,
                row_number() OVER (PARTITION BY firm ORDER BY {similarity} DESC, recipient_id) AS by_spelling
            FROM pairs
        )
        SELECT DISTINCT recipient_id FROM placed
        WHERE least(by_keys, by_spelling) <= {NEAR_MISSES} AND recipient_id NOT IN (FROM {KEPT})
    """)
