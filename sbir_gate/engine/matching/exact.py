"""Matches by identifier, and what the names on both sides say of them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from duckdb import DuckDBPyConnection
from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from sbir_gate.engine.matching.entities import ENTITY_COLUMNS, find_entities
from sbir_gate.engine.matching.normalise import BACKGROUND_NAMES, COMMON_TOKENS, canonical_tokens
from sbir_gate.engine.matching.parts import ALL_AT_ONCE, Batches, content_order, drop_repeats, gather_rows
from sbir_gate.model.matches import Method
from sbir_gate.reading.database import count_rows
from sbir_gate.reading.recipient_index import MOST_NAMES

_MOST_PER_IDENTIFIER = 20
# an identifier that makes more pairs is crowded: each firm meets some recipients of its names and some others
_MOST_BEARERS = 100_000
_CLEAR_TOKENS = 60.0
_CLEAR_LETTERS = 0.80
_ACRONYM = 90.0
# a DUNS supports a match less, so the whole names agree, or most of the words do that are rare together
_WHOLE_NAME = 85.0
_ALL_LETTERS = 0.92
_RARE_WORDS = 9.0  # ln of how many names there are to one with all these words
_MOST_WORDS = 2 / 3

_EMPTY_FROM = 15
"""Tokens in at least this many of 10,000 names: sharing one of them is not agreement."""


class Standing(StrEnum):
    """What the names say of an identifier that a firm and a recipient share.

    UNCLAIMED: they clearly disagree, and no other firm has the recipient's name, so the firm may have been
    renamed. CLAIMED: one has. GENERIC: a placeholder or many names have the identifier.
    """

    AGREES = "agrees"
    UNCLAIMED = "unclaimed"
    CLAIMED = "claimed"
    GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class IdentifierMatch:
    """A firm and a recipient that carry the same identifier."""

    firm_id: int
    method: Method
    row_key: int
    recipient_id: str
    entity: str
    score: float
    standing: Standing

    @property
    def agrees(self) -> bool:
        """Whether the names agree: real identifiers are shared by unrelated firms."""
        return self.standing is Standing.AGREES


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
        SELECT r.*, {ENTITY_COLUMNS}, uei IN (FROM generic_ueis) AS is_generic
        FROM (FROM identified_recipients UNION FROM entity_rows) r
        LEFT JOIN entities USING (uei);
        DROP TABLE entities; DROP TABLE entity_rows; DROP TABLE generic_ueis;
        DROP TABLE firm_ueis; DROP TABLE firm_numbers
    """)


def find_identifier_matches(connection: DuckDBPyConnection, method: Method) -> list[IdentifierMatch]:
    """Return the matches by UEI or DUNS of `firms` and `identified_recipients`, the best first per firm.

    An identifier that sits on many recipients is followed to the 20 whose names are nearest; that of a firm
    under a placeholder name to none, because it may belong to any firm. The order is by firm, then agreement,
    similarity, place and recipient id: nothing depends on row order.
    """
    column, borne = ("uei", "uei") if method is Method.UEI_EXACT else ("duns", "entity_duns")
    ordered = content_order("r")
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE firm_values AS
        SELECT firm_id, state, zip5, unnest(string_split({column}, ' ')) AS value
        FROM firms WHERE {column} IS NOT NULL;
        CREATE OR REPLACE TEMP TABLE wanted AS
        SELECT * FROM (SELECT *, unnest(string_split({borne}, ' ')) AS value FROM identified_recipients)
        SEMI JOIN firm_values USING (value)
    """)
    rows = connection.execute(f"""
        WITH first_names AS (SELECT firm_id, list(normal ORDER BY normal) AS normals,
                                    list(compact ORDER BY compact) AS compacts
                             FROM firm_names GROUP BY firm_id)
        SELECT f.firm_id, r.row_key, r.recipient_id, r.entity, n.normals, r.normal, value,
               f.zip5 = r.zip5 AS same_zip5, f.state = r.state AS same_state
        FROM {_met(connection)}
        JOIN first_names n USING (firm_id)
        QUALIFY row_number() OVER (
            PARTITION BY f.firm_id, value
            ORDER BY list_contains(n.compacts, r.compact) DESC NULLS LAST,
                     jaro_winkler_similarity(n.compacts[1], r.compact) DESC NULLS LAST,
                     same_zip5 DESC NULLS LAST, {ordered}
        ) <= {_MOST_PER_IDENTIFIER}
        ORDER BY f.firm_id, value, {ordered}
    """).fetchall()
    shared = [
        _Shared(match_by_names(row[0], method, row[1:4], names, name), value, tuple(names), name, place)
        for *row, names, name, value, same_zip5, same_state in rows
        for place in [(same_zip5, same_state)]
    ]
    found = [(each, each.match) for each in shared if each.match.agrees]
    clashing = [each for each in shared if not each.match.agrees]
    if clashing:
        claims = _claims(connection, [each for each, _ in found])
        generic = _generic_values(connection, {each.value for each in clashing})
        found += [(each, replace(each.match, standing=_standing(each, claims, generic))) for each in clashing]
    connection.execute(
        "DROP TABLE firm_values; DROP TABLE wanted; DROP TABLE crowded; DROP TABLE IF EXISTS crowded_pairs"
    )
    found.sort(key=lambda pair: pair[0].order)
    return [match for _, match in found]


def _met(connection: DuckDBPyConnection) -> str:
    """Return SQL for the firms `f` of `firm_values`, each with the recipients `r` of `wanted` that it meets.

    Of a crowded identifier these are the first under the firm's names, in its zip code and anywhere, and the
    first under any name: as many as would be followed, in the order of the hash of their content.
    """
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE crowded AS
        SELECT value FROM (SELECT value, count(*) AS firms FROM firm_values GROUP BY value)
        JOIN (SELECT value, count(*) AS recipients FROM wanted GROUP BY value) USING (value)
        WHERE firms * recipients > {_MOST_BEARERS}
    """)
    if not count_rows(connection, "crowded"):
        return "firm_values f JOIN wanted r USING (value)"
    some = " UNION ".join(
        f"SELECT firm_id, value, row_key FROM named JOIN (FROM bearers QUALIFY row_number() OVER "
        f"(PARTITION BY {group} ORDER BY row_key) <= {_MOST_PER_IDENTIFIER}) USING ({group})"
        for group in ("value, compact, zip5", "value, compact", "value")
    )
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE crowded_pairs AS
        WITH bearers AS (SELECT row_key, value, compact, zip5 FROM wanted SEMI JOIN crowded USING (value)),
        named AS (
            SELECT DISTINCT firm_id, value, compact, f.zip5
            FROM firm_values f SEMI JOIN crowded USING (value) JOIN firm_names USING (firm_id)
        )
        {some}
    """)
    return """(
        SELECT firm_id, value, row_key FROM firm_values JOIN wanted USING (value)
        ANTI JOIN crowded USING (value)
        UNION ALL FROM crowded_pairs
    ) JOIN firm_values f USING (firm_id, value) JOIN wanted r USING (value, row_key)"""


@dataclass(frozen=True, slots=True)
class _Shared:
    """A match with the identifier, the names of the firm, that of the recipient, and what its place says."""

    match: IdentifierMatch
    value: str
    own_names: tuple[str, ...]
    name: str
    place: Sequence[bool | None]

    @property
    def order(self) -> tuple[int | bool | float | str, ...]:
        match, (same_zip5, same_state) = self.match, self.place
        nearness = 2 * bool(same_zip5) + bool(same_state)
        best_first = (not match.agrees, -match.score, -nearness, match.recipient_id, self.name)
        return match.firm_id, *best_first


_Claims = Mapping[tuple[str, str], set[tuple[str, ...]]]
"""The names of the firms that claim each identifier under each recipient's name."""


def _claims(connection: DuckDBPyConnection, agreeing: Iterable[_Shared]) -> _Claims:
    """Return who claims an identifier: firms that bear it under a name that agrees, or the very name.

    The latter need not bear it, but neither their UEI nor their state may be another.
    """
    claims: dict[tuple[str, str], set[tuple[str, ...]]] = defaultdict(set)
    for each in agreeing:
        claims[each.value, each.name].add(each.own_names)
    rows = connection.execute("""
        SELECT DISTINCT r.value, r.normal, n.normal
        FROM (SELECT DISTINCT value, normal, compact, uei, state FROM wanted WHERE NOT is_alias) r
        JOIN (SELECT DISTINCT normal, compact, uei, state FROM firm_names WHERE NOT is_alias) n
        USING (compact)
        WHERE compact <> '' AND coalesce(n.uei = r.uei, true) AND coalesce(n.state = r.state, true)
    """).fetchall()
    for value, name, own in rows:
        claims[value, name].add((own,))
    return claims


def _generic_values(connection: DuckDBPyConnection, values: Iterable[str]) -> set[str]:
    """Return the identifiers that a placeholder bears, or more than MOST_NAMES names that disagree."""
    rows = connection.execute(
        """
        WITH named AS (
            SELECT value, normal, false AS is_generic FROM firm_values JOIN firm_names USING (firm_id)
            WHERE NOT is_alias
            UNION ALL SELECT value, normal, coalesce(is_generic, false) FROM wanted WHERE NOT is_alias
        )
        SELECT value, list(DISTINCT normal ORDER BY normal) FILTER (normal <> ''), bool_or(is_generic)
        FROM named SEMI JOIN (SELECT unnest($1::VARCHAR[]) AS value) USING (value) GROUP BY value
        """,
        [sorted(values)],
    ).fetchall()
    return {value for value, names, is_generic in rows if is_generic or _are_many(names or ())}


def _are_many(names: Sequence[str]) -> bool:
    distinct: list[str] = []
    for name in names:
        if not _agree([name], distinct):
            distinct.append(name)
        if len(distinct) > MOST_NAMES:
            return True
    return False


def _standing(shared: _Shared, claims: _Claims, generic: set[str]) -> Standing:
    if shared.value in generic:
        return Standing.GENERIC
    claimants = claims.get((shared.value, shared.name), set())
    # a firm under another spelling of its own name claims nothing from itself
    is_claimed = any(not _agree(shared.own_names, names) for names in claimants if any(names))
    return Standing.CLAIMED if is_claimed else Standing.UNCLAIMED


def _agree(names: Sequence[str], others: Sequence[str]) -> bool:
    return any(
        name_similarity(name, other) >= _CLEAR_TOKENS for name in names for other in others if name and other
    )


def match_by_names(
    firm_id: int, method: Method, row: Sequence[int | str], own_names: Sequence[str], name: str
) -> IdentifierMatch:
    """Return the match by an identifier that both sides carry, with what their normal names say of it.

    `row` is the recipient's: key, recipient id and entity.
    """
    if name and name in own_names:
        similarity, agrees = 100.0, True
    else:
        similarity, agrees = _compared(method, own_names, name)
    standing = Standing.AGREES if agrees else Standing.UNCLAIMED
    key, recipient_id, entity = row
    return IdentifierMatch(
        firm_id, method, int(key), str(recipient_id), str(entity), round(similarity, 4), standing
    )


def _compared(method: Method, own_names: Sequence[str], name: str) -> tuple[float, bool]:
    """Return how far the name agrees with the nearest of the firm's, and whether this is enough."""
    # a name that is not there, or is in another script, cannot disagree; one that does agree comes before it
    known = [own for own in own_names if own and name and _has_latin(own) == _has_latin(name)]
    similarity = max((name_similarity(own, name) for own in known), default=_CLEAR_TOKENS)
    if known and method is Method.DUNS_EXACT:
        return similarity, any(_agree_closely(own, name) for own in known)
    return similarity, not known or similarity >= _CLEAR_TOKENS


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
    similarity = max(tokens, 100.0 * letters if letters >= _CLEAR_LETTERS else 0.0)
    return similarity if similarity >= _ACRONYM or not _is_acronym(left, right) else _ACRONYM


def _agree_closely(left: str, right: str) -> bool:
    """Say whether two normal names agree more than those of strangers do.

    Of a million pairs of published names drawn at random 42 do; some 900 have a `name_similarity` of 75.
    """
    letters = JaroWinkler.similarity(left.replace(" ", ""), right.replace(" ", ""))
    if letters >= _ALL_LETTERS:
        return True
    left_tokens, right_tokens = canonical_tokens(left), canonical_tokens(right)
    return (
        fuzz.token_sort_ratio(" ".join(left_tokens), " ".join(right_tokens)) >= _WHOLE_NAME
        or _is_acronym(left, right)
        or _share_rare_words(left_tokens, right_tokens)
    )


def _share_rare_words(left: Collection[str], right: Collection[str]) -> bool:
    def weight(tokens: Collection[str]) -> float:
        return math.fsum(
            math.log(BACKGROUND_NAMES / max(COMMON_TOKENS.get(token, 0), 1)) if len(token) > 1 else 2.0
            for token in sorted(tokens)
        )

    own, others = {*left}, {*right}
    shared = weight(own & others)
    return shared >= _RARE_WORDS and shared >= _MOST_WORDS * min(weight(own), weight(others))


def _is_acronym(left: str, right: str) -> bool:
    def initials(name: str) -> str:
        return "".join(token[0] for token in name.split() if token not in {"AND", "OF", "THE"})

    def first(name: str) -> str:
        return name.split(" ", 1)[0] if name else ""

    return (len(initials(left)) >= 3 and initials(left) == first(right)) or (
        len(initials(right)) >= 3 and initials(right) == first(left)
    )
