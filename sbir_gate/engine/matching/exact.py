"""Matches by identifier, and whether the names on both sides bear them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection
from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from sbir_gate.engine.matching.entities import ENTITY_COLUMNS, find_entities
from sbir_gate.engine.matching.normalise import COMMON_TOKENS, canonical_tokens
from sbir_gate.engine.matching.parts import ALL_AT_ONCE, Batches, content_order, drop_repeats, gather_rows
from sbir_gate.model.matches import Method

_MOST_PER_IDENTIFIER = 20
_CLEAR_TOKENS = 60.0
_CLEAR_LETTERS = 0.80

_EMPTY_FROM = 15
"""Tokens in at least this many of 10,000 names: sharing one of them is not agreement."""


@dataclass(frozen=True, slots=True)
class IdentifierMatch:
    """A firm and a recipient that carry the same identifier.

    `agrees` is False when the names clearly disagree: real identifiers are shared by unrelated firms.
    """

    firm_id: int
    method: Method
    row_key: int
    recipient_id: str
    entity: str
    score: float
    agrees: bool


def create_identified_recipients(connection: DuckDBPyConnection, batches: Batches = ALL_AT_ONCE) -> None:
    """Create `identified_recipients`: the rows of the batches that may carry a UEI or DUNS of `firms`.

    A row of an entity carries what another row of it does.
    """
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE firm_ueis AS
        SELECT DISTINCT uei AS value FROM firms WHERE uei IS NOT NULL;
        CREATE OR REPLACE TEMP TABLE firm_numbers AS
        SELECT DISTINCT unnest(string_split(duns, ' ')) AS value FROM firms WHERE duns IS NOT NULL
    """)
    # one pass for both; several numbers in one cell are rare, and are looked at one by one later
    gather_rows(
        connection,
        "identified_recipients",
        lambda batch: (
            f"SELECT * FROM {batch} WHERE normal IS NOT NULL AND (uei IN (FROM firm_ueis)"
            " OR duns IN (FROM firm_numbers) OR contains(duns, ' '))"
        ),
        batches,
        ("firm_ueis", "firm_numbers"),
    )
    drop_repeats(connection, "identified_recipients")
    find_entities(connection, "identified_recipients", batches)
    connection.execute(f"""
        CREATE OR REPLACE TABLE identified_recipients AS
        SELECT r.*, {ENTITY_COLUMNS}
        FROM (FROM identified_recipients UNION FROM entity_rows) r
        LEFT JOIN entities USING (uei);
        DROP TABLE entities; DROP TABLE entity_rows; DROP TABLE firm_ueis; DROP TABLE firm_numbers
    """)


def find_identifier_matches(connection: DuckDBPyConnection, method: Method) -> list[IdentifierMatch]:
    """Return the matches by UEI or DUNS of `firms` and `identified_recipients`, the best first per firm.

    An identifier that sits on many recipients is followed to the 20 whose names are nearest; that of a firm
    under a placeholder name to none, because it may belong to any firm. The order is by firm, then agreement,
    similarity, place and recipient id: nothing depends on row order.
    """
    column, borne = ("uei", "uei") if method is Method.UEI_EXACT else ("duns", "entity_duns")
    ordered = content_order("r")
    rows = connection.execute(f"""
        WITH firm_values AS (
            SELECT firm_id, name, state, zip5, unnest(string_split({column}, ' ')) AS value
            FROM firms WHERE {column} IS NOT NULL
        ), recipient_values AS (
            SELECT *, unnest(string_split({borne}, ' ')) AS value FROM identified_recipients
        ), wanted AS (SELECT * FROM recipient_values SEMI JOIN firm_values USING (value)),
        first_names AS (SELECT firm_id, list(normal ORDER BY normal) AS normals,
                               list(compact ORDER BY compact) AS compacts
                        FROM firm_names GROUP BY firm_id)
        SELECT f.firm_id, r.row_key, r.recipient_id, r.entity, n.normals, r.normal,
               f.zip5 = r.zip5 AS same_zip5, f.state = r.state AS same_state
        FROM firm_values f JOIN wanted r USING (value)
        JOIN first_names n USING (firm_id)
        QUALIFY row_number() OVER (
            PARTITION BY f.firm_id, value
            ORDER BY list_contains(n.compacts, r.compact) DESC NULLS LAST,
                     jaro_winkler_similarity(n.compacts[1], r.compact) DESC NULLS LAST,
                     same_zip5 DESC NULLS LAST, {ordered}
        ) <= {_MOST_PER_IDENTIFIER}
        ORDER BY f.firm_id, value, {ordered}
    """).fetchall()
    found = []
    for firm_id, row_key, recipient_id, entity, normals, normal, same_zip5, same_state in rows:
        match = match_by_names(firm_id, method, (row_key, recipient_id, entity), normals, normal)
        place = 2 * bool(same_zip5) + bool(same_state)
        found.append(((firm_id, not match.agrees, -match.score, -place, recipient_id, normal), match))
    found.sort(key=lambda pair: pair[0])
    return [match for _, match in found]


def match_by_names(
    firm_id: int, method: Method, row: tuple[int, str, str], own_names: Sequence[str], name: str
) -> IdentifierMatch:
    """Return the match by an identifier that both sides carry, with what their normal names say of it.

    `row` is the recipient's: key, recipient id and entity.
    """
    # a name that is not there, or is in another script, cannot disagree; one that does agree comes before it
    known = (own for own in own_names if own and name and _has_latin(own) == _has_latin(name))
    similarity = max((name_similarity(own, name) for own in known), default=_CLEAR_TOKENS)
    return IdentifierMatch(firm_id, method, *row, round(similarity, 4), similarity >= _CLEAR_TOKENS)


def _has_latin(name: str) -> bool:
    return any(char.isascii() and char.isalnum() for char in name)


def name_similarity(left: str, right: str) -> float:
    """Return how far two normal names agree, 0..100; below 60 they clearly disagree.

    Generous on purpose: a shared rare token, a common start or an acronym is enough, because the identifier
    already supports the match.
    """
    left_tokens = [token for token in canonical_tokens(left) if COMMON_TOKENS.get(token, 0) < _EMPTY_FROM]
    right_tokens = [token for token in canonical_tokens(right) if COMMON_TOKENS.get(token, 0) < _EMPTY_FROM]
    left_text = " ".join(left_tokens) or left
    right_text = " ".join(right_tokens) or right
    tokens = fuzz.token_set_ratio(left_text, right_text)
    left_letters, right_letters = left_text.replace(" ", ""), right_text.replace(" ", "")
    letters = JaroWinkler.similarity(left_letters, right_letters)
    if letters < _CLEAR_LETTERS:
        letters = 0.0
    return max(tokens, 100.0 * letters, 90.0 * _is_acronym(left, right))


def _is_acronym(left: str, right: str) -> bool:
    def initials(name: str) -> str:
        return "".join(token[0] for token in name.split() if token not in {"AND", "OF", "THE"})

    def first(name: str) -> str:
        return name.split(" ", 1)[0] if name else ""

    return (len(initials(left)) >= 3 and initials(left) == first(right)) or (
        len(initials(right)) >= 3 and initials(right) == first(left)
    )
