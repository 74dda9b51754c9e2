"""The ways that are compared: each a command that is run in a process of its own."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.performance.peers.data import NO_TIMEOUT

ROOT = Path(__file__).parents[3]
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
NOMENKLATURA_PYTHON = ROOT / ".venv-nomenklatura" / "bin" / "python"
EXTRAPOLATED = "brute"


@dataclass(frozen=True)
class Way:
    """One way: the name to ask for it by, its title in the table, and what it runs.

    `module` and `variant` name a peer; ours reads files of `kind` with `options`. `default_threshold` is the
    least score that the peer itself accepts, if it says so. The ways that are `for_given` files are those
    that are no variants of others.
    """

    name: str
    title: str
    module: str = ""
    variant: str = ""
    kind: str = "parquet"
    options: tuple = ()
    python: Path = PEERS_PYTHON
    default_threshold: float | None = None
    for_given: bool = False

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
        peer = (str(self.python), "-m", f"tests.performance.peers.{self.module}", *map(str, files))
        return (*peer, "--answers", str(output), "--variant", self.variant)


def rapidfuzz_by_state(scorer):
    return Way(
        f"state-{scorer}",
        f"rapidfuzz blocked by state, `{scorer}`",
        "rapidfuzz_way",
        f"state:{scorer}",
        for_given=scorer == "token_sort_ratio",
    )


WAYS = (
    Way("ours", "sbir-gate enrich", for_given=True),
    Way("ours-csv", "sbir-gate enrich, from CSV", kind="csv"),
    Way("ours-1-worker", "sbir-gate enrich, 1 worker", options=("--workers", "1")),
    Way(
        "ours-512-mb",
        "sbir-gate enrich, budget 512 MiB",
        options=("--set", "enrichment.performance.memory_threshold_mb=512"),
    ),
    Way("brute", "rapidfuzz `token_sort_ratio`, all pairs", "rapidfuzz_way", "brute:token_sort_ratio"),
    *(rapidfuzz_by_state(scorer) for scorer in ("token_sort_ratio", "token_set_ratio", "WRatio")),
    Way(
        "tfidf",
        "TF-IDF character 3-grams, string_grouper",
        "tfidf_way",
        "plain",
        default_threshold=0.8,
        for_given=True,
    ),
    Way(
        "tfidf-geography",
        "TF-IDF character 3-grams with geography, string_grouper",
        "tfidf_way",
        "geography",
        for_given=True,
    ),
    Way("splink", "Splink on DuckDB, Jaro-Winkler", "splink_way", "jaro-winkler", for_given=True),
    Way("splink-words", "Splink on DuckDB, Jaro-Winkler and shared words", "splink_way", "words"),
    Way(
        "goldenmatch",
        "goldenmatch, tokens as keys, Fellegi-Sunter",
        "goldenmatch_way",
        default_threshold=0.0,
        for_given=True,
    ),
    Way(
        "name-matching",
        "name_matching, as it comes",
        "name_matching_way",
        default_threshold=95.0,
        for_given=True,
    ),
    Way(
        "nomenklatura",
        "nomenklatura, `logic-v2`",
        "nomenklatura_way",
        "logic-v2",
        python=NOMENKLATURA_PYTHON,
        default_threshold=0.7,
        for_given=True,
    ),
)


def chosen_ways(names, *, is_given=False):
    """Return the ways of these names, in the order of the table; without names all that can be run.

    Raises ValueError for an unknown name, and for one whose environment is not there.
    """
    known = {way.name: way for way in WAYS}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ValueError(f"no way is called {', '.join(unknown)}; there are {', '.join(known)}")
    if names:
        missing = [way.name for way in WAYS if way.name in names and not way.python.is_file()]
        if missing:
            raise ValueError(f"{', '.join(missing)}: run `make nomenklatura` first")
        return [way for way in WAYS if way.name in names]
    return [way for way in WAYS if way.python.is_file() and (way.for_given or not is_given)]


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
