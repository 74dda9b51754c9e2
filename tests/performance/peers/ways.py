"""The ways that are compared: each a command that is run in a process of its own."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.performance.peers.data import NO_TIMEOUT

ROOT = Path(__file__).parents[3]
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
EXTRAPOLATED = "brute"


@dataclass(frozen=True)
class Way:
    """One way: the name to ask for it by, its title in the table, and what it runs.

    `module` and `variant` name a peer; ours reads files of `kind` with `options`.
    """

    name: str
    title: str
    module: str = ""
    variant: str = ""
    kind: str = "parquet"
    options: tuple = ()

    @property
    def is_ours(self):
        return not self.module

    @property
    def is_extrapolated(self):
        return self.variant.startswith(EXTRAPOLATED)

    def command(self, folder, output):
        """Return what to run; `output` is the file for the enriched awards or the answers."""
        if self.is_ours:
            files = ("--awards", folder.awards(self.kind), "--recipients", folder.recipients(self.kind))
            enrich = (sys.executable, "-m", "sbir_gate", "enrich", "--quiet", *map(str, files))
            return (*enrich, "--output", str(output), *NO_TIMEOUT, *self.options)
        files = ("--recipients", folder.recipients("parquet"), "--query-names", folder.query_names)
        peer = (str(PEERS_PYTHON), "-m", f"tests.performance.peers.{self.module}", *map(str, files))
        return (*peer, "--answers", str(output), "--variant", self.variant)


def rapidfuzz_by_state(scorer):
    return Way(
        f"state-{scorer}", f"rapidfuzz blocked by state, `{scorer}`", "rapidfuzz_way", f"state:{scorer}"
    )


WAYS = (
    Way("ours", "sbir-gate enrich"),
    Way("ours-csv", "sbir-gate enrich, from CSV", kind="csv"),
    Way("ours-1-worker", "sbir-gate enrich, 1 worker", options=("--workers", "1")),
    Way(
        "ours-512-mb",
        "sbir-gate enrich, budget 512 MiB",
        options=("--set", "enrichment.performance.memory_threshold_mb=512"),
    ),
    Way("brute", "rapidfuzz `token_sort_ratio`, all pairs", "rapidfuzz_way", "brute:token_sort_ratio"),
    *(rapidfuzz_by_state(scorer) for scorer in ("token_sort_ratio", "token_set_ratio", "WRatio")),
    Way("tfidf", "TF-IDF character 3-grams, string_grouper", "tfidf_way", "plain"),
    Way(
        "tfidf-geography", "TF-IDF character 3-grams with geography, string_grouper", "tfidf_way", "geography"
    ),
    Way("splink", "Splink on DuckDB, Jaro-Winkler", "splink_way", "jaro-winkler"),
    Way("splink-words", "Splink on DuckDB, Jaro-Winkler and shared words", "splink_way", "words"),
)


def chosen_ways(names):
    """Return the ways of these names, in the order of the table. Raises ValueError for an unknown name."""
    known = {way.name: way for way in WAYS}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ValueError(f"no way is called {', '.join(unknown)}; there are {', '.join(known)}")
    return [way for way in WAYS if not names or way.name in names]


def peer_answers(path):
    """Return query -> (recipient, score) that a peer wrote, and its notes."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT query_id, recipient_id, score FROM read_parquet('{path}')"
        ).fetchall()
    notes = json.loads(path.with_suffix(".json").read_text())
    return {query: (recipient, score) for query, recipient, score in rows}, notes


def our_answers(path, award_queries):
    """Return query -> (recipient, confidence) of an enriched file, and award -> recipient of its links.

    Links and candidates count alike, by the confidence that is stated of them; of several firms that ask
    the same, the surest answer stands.
    """
    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT award_id, recipient_id, match_confidence, match_decision"
            f" FROM read_parquet('{path}') WHERE recipient_id IS NOT NULL ORDER BY ALL"
        ).fetchall()
    answers, links = {}, {}
    for award, recipient, confidence, decision in rows:
        if decision == "link":
            links[award] = recipient
        query = award_queries.get(award)
        if query is not None and (query not in answers or confidence > answers[query][1]):
            answers[query] = (recipient, confidence)
    return answers, links
