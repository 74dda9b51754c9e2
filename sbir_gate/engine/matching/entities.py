"""Entities: the rows of one UEI are one recipient, with all their names, places and identifiers.

Looked up for the compared rows alone, with the rows that share a UEI with them.
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from sbir_gate.engine.matching.normalise import legal_form
from sbir_gate.engine.matching.parts import (
    ROW_KEY,
    Batches,
    content_order,
    drop_repeats,
    gather_rows,
)
from sbir_gate.reading.recipient_index import MOST_NAMES, PLAIN_NAME

# A UEI on more rows is taken for a generic one; it also bounds memory.
_MOST_ROWS = 200

_KNOWN = " + ".join(f"(r.{column} IS NOT NULL)::INT" for column in ("zip5", "city", "state", "duns"))
_HOLDS = " AND ".join(f"(p.{field} IS NULL OR p.{field} = o.{field})" for field in ("city", "state", "zip5"))
# how well a place fits that of a query: one that says nothing is better than another state
_FIT = """CASE WHEN q.zip5 = {0}.zip5 THEN 4 WHEN q.state = {0}.state AND q.city = {0}.city THEN 3
          WHEN q.state = {0}.state THEN 2 WHEN q.state <> {0}.state THEN 0 ELSE 1 END DESC,
          q.city = {0}.city DESC NULLS LAST, left(q.zip5, 3) = left({0}.zip5, 3) DESC NULLS LAST"""


ENTITY_COLUMNS = "coalesce(entity, r.recipient_id) AS entity, coalesce(entity_duns, r.duns) AS entity_duns"
"""SQL for the entity of a row `r` that is joined to `entities` by its UEI, where there is one."""


def find_entities(connection: DuckDBPyConnection, table: str, batches: Batches) -> None:
    """Create `entities` and `entity_rows`: those that the rows of `table`, of the batches, belong to.

    An entity has several rows: `uei`, `entity` (its least recipient id) and `entity_duns` (all its numbers).
    `entity_rows` has all its rows. A UEI is generic if a placeholder name or more than MOST_NAMES names bear
    it: its rows are not an entity, and it is in `generic_ueis`.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE compared_rows AS "
        f"SELECT row_key, uei FROM {table} WHERE uei IS NOT NULL"
    )
    # of a UEI with too many rows some are enough to tell, whichever; two columns are read of rows of others
    gather_rows(
        connection,
        "entity_rows",
        lambda batch: (
            f"""
            SELECT * FROM (
                SELECT DISTINCT * FROM {batch} WHERE row_key IN (
                    SELECT row_key FROM {batch} SEMI JOIN compared_rows USING (uei)
                    ANTI JOIN compared_rows USING (row_key)
                )
            ) QUALIFY row_number() OVER (PARTITION BY uei ORDER BY row_key) <= {_MOST_ROWS + 1}
        """
        ),
        batches,
        ("compared_rows",),
    )
    connection.execute(f"""
        INSERT INTO entity_rows SELECT * FROM {table} WHERE uei IN (
            SELECT uei FROM entity_rows
            UNION ALL SELECT uei FROM compared_rows GROUP BY uei HAVING count(*) > 1
        );
        DROP TABLE compared_rows
    """)
    drop_repeats(connection, "entity_rows")
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE entities AS
        SELECT uei, min(recipient_id) AS entity, string_agg(DISTINCT duns, ' ' ORDER BY duns) AS entity_duns
        FROM entity_rows GROUP BY uei
        HAVING count(*) <= {_MOST_ROWS} AND bool_and(normal IS NOT NULL OR is_alias)
           AND count(DISTINCT {PLAIN_NAME}) FILTER (NOT is_alias) <= {MOST_NAMES};
        CREATE OR REPLACE TEMP TABLE generic_ueis AS
        SELECT DISTINCT uei FROM entity_rows ANTI JOIN entities USING (uei);
        CREATE OR REPLACE TABLE entity_rows AS
        FROM entity_rows SEMI JOIN entities USING (uei) WHERE normal IS NOT NULL
    """)


def join_entities(connection: DuckDBPyConnection) -> None:
    """Make the pairs of a query with rows of one entity one pair for each of its names.

    In `pairs` and `pair_rows` the row is then the best of that name, at the place of the entity that fits the
    query best, be it that of another row. A place that only repeats a part of another is left out.
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE entity_places AS
        WITH places AS (SELECT DISTINCT uei, city, state, zip5 FROM entity_rows)
        FROM places p WHERE NOT EXISTS (
            FROM places o WHERE o.uei = p.uei AND {_HOLDS}
             AND (o.city, o.state, o.zip5) IS DISTINCT FROM (p.city, p.state, p.zip5)
        );
        CREATE OR REPLACE TEMP TABLE entity_pairs AS
        WITH asked AS (
            SELECT query_id, r.uei, r.compact, max(shared_keys) AS shared_keys
            FROM pairs JOIN entity_rows r USING (row_key) GROUP BY ALL
        ), named AS (
            SELECT query_id, shared_keys, r.* FROM asked
            JOIN entity_rows r USING (uei, compact) JOIN queries q USING (query_id)
            QUALIFY row_number() OVER (
                PARTITION BY query_id, r.uei, r.compact
                ORDER BY r.is_alias, coalesce(q.form <> {legal_form("r.name")}, false), r.normal <> q.normal,
                         {_FIT.format("r")}, {_KNOWN} DESC, {content_order("r")}
            ) = 1
        ), moved AS (
            SELECT n.* REPLACE (p.city AS city, p.state AS state, p.zip5 AS zip5)
            FROM named n JOIN entity_places p USING (uei) JOIN queries q USING (query_id)
            QUALIFY row_number() OVER (
                PARTITION BY query_id, n.uei, n.compact
                ORDER BY {_FIT.format("p")},
                         (p.city, p.state, p.zip5) IS DISTINCT FROM (n.city, n.state, n.zip5),
                         p.city, p.state, p.zip5
            ) = 1
        )
        SELECT * REPLACE ({ROW_KEY} AS row_key) FROM moved;
        DELETE FROM pairs WHERE row_key IN (SELECT row_key FROM entity_rows);
        INSERT INTO pairs SELECT query_id, row_key, shared_keys FROM entity_pairs;
        DELETE FROM pair_rows WHERE row_key IN (SELECT row_key FROM entity_rows);
        INSERT INTO pair_rows BY NAME
        SELECT DISTINCT * EXCLUDE (query_id, shared_keys) FROM entity_pairs;
        DROP TABLE entity_pairs; DROP TABLE entity_places
    """)
