"""Awards reduced to firms, and firms to the distinct names (queries) that the stages look for."""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from sbir_gate.engine.matching.normalise import legal_form
from sbir_gate.engine.matching.parts import names_query
from sbir_gate.reading.database import count_rows


def create_firms(connection: DuckDBPyConnection) -> int:
    """Create the tables `firms`, `award_firms` and `firm_names` from `awards`; return the firms.

    A firm is a distinct (name, uei, duns, city, state, zip5). `firm_id` counts from 0 in the order
    of these columns, so it depends on the content of the awards only, not on their order. A firm
    without a name has the name '' in `firm_names`; one under a placeholder is not there at all.
    """
    connection.execute("""
        CREATE OR REPLACE TABLE firms AS
        SELECT (row_number() OVER (ORDER BY name, uei, duns, city, state, zip5)) - 1 AS firm_id, *
        FROM (SELECT DISTINCT name, uei, duns, city, state, zip5 FROM awards)
        ORDER BY firm_id
    """)
    connection.execute("""
        CREATE OR REPLACE TABLE award_firms AS
        SELECT a.position, a.award_id, f.firm_id
        FROM awards a JOIN firms f
          ON a.name IS NOT DISTINCT FROM f.name AND a.uei IS NOT DISTINCT FROM f.uei
         AND a.duns IS NOT DISTINCT FROM f.duns AND a.city IS NOT DISTINCT FROM f.city
         AND a.state IS NOT DISTINCT FROM f.state AND a.zip5 IS NOT DISTINCT FROM f.zip5
    """)
    form = legal_form("raw_name")
    connection.execute(
        "CREATE OR REPLACE TABLE firm_names AS FROM ("
        + names_query("firms", f"firm_id, city, state, zip5, uei, duns, {form} AS form", "is_alias")
        + ") WHERE normal IS NOT NULL"
    )
    return count_rows(connection, "firms")


def create_queries(connection: DuckDBPyConnection, firm_ids_table: str) -> int:
    """Create `queries` and `firm_queries` for the firms in `firm_ids_table`; return the queries.

    A query is a distinct (normal name, legal form, alias or not, place, identifiers): firms that differ only
    in the spelling of their name share it.
    """
    connection.execute(f"""
        CREATE OR REPLACE TABLE queries AS
        SELECT (row_number() OVER (ORDER BY normal, form, city, state, zip5, uei, duns, is_alias)) - 1
               AS query_id, *
        FROM (SELECT DISTINCT normal, compact, form, is_alias, city, state, zip5, uei, duns
              FROM firm_names SEMI JOIN {firm_ids_table} USING (firm_id) WHERE compact <> '')
        ORDER BY query_id
    """)
    connection.execute(f"""
        CREATE OR REPLACE TABLE firm_queries AS
        SELECT DISTINCT n.firm_id, q.query_id
        FROM firm_names n SEMI JOIN {firm_ids_table} USING (firm_id)
        JOIN queries q
          ON n.normal = q.normal AND n.form IS NOT DISTINCT FROM q.form AND n.is_alias = q.is_alias
         AND n.city IS NOT DISTINCT FROM q.city
         AND n.state IS NOT DISTINCT FROM q.state AND n.zip5 IS NOT DISTINCT FROM q.zip5
         AND n.uei IS NOT DISTINCT FROM q.uei AND n.duns IS NOT DISTINCT FROM q.duns
    """)
    return count_rows(connection, "queries")
