"""The peer of sanctions screening: nomenklatura's own blocking index, and its matcher of companies.

Variant: the name of a scoring algorithm; `logic-v2` is the one that OpenSanctions recommends. It gets the
names as they are written, for it knows legal forms itself, and the place as an address. The index proposes
up to 75 candidates for each query.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from followthemoney import model
from nomenklatura.blocker import Index
from nomenklatura.matching import get_algorithm

from tests.performance.peers.sides import open_sides, read_task

COUNTRY = "us"


@dataclass(frozen=True)
class Companies:
    """What the index reads."""

    found: dict

    def entities(self, include_schemata=None):
        return [entity for entity in self.found.values() if entity.schema in (include_schemata or ())]


def companies(connection, side, key):
    """Return key -> company; all names of one key are names of that company."""
    rows = connection.execute(f"SELECT {key}, name, city, state, zip5 FROM {side} ORDER BY ALL").fetchall()
    found = {}
    for number, name, *place in rows:
        identity = str(number)
        if identity not in found:
            found[identity] = model.make_entity("Company")
            found[identity].id = identity
            found[identity].add("country", COUNTRY)
        found[identity].add("name", name)
        found[identity].add("address", ", ".join(filter(None, place)) or None)
    return found


def scored(index, queries, recipients, algorithm):
    """Yield (query, recipient, score) of the candidates."""
    config = algorithm.default_config()
    for query, candidates in index.match_entities(queries.values()):
        for recipient, _ in candidates:
            found = algorithm.compare(queries[query.id], recipients[recipient.id], config)
            yield int(query.id), recipient.id, found.score


def main():
    task = read_task()
    connection = open_sides(task)
    with task.stage("entities"):
        queries = companies(connection, "queries", "query_id")
        recipients = companies(connection, "recipients", "recipient_id")
    with tempfile.TemporaryDirectory(prefix="peers-nomenklatura-") as folder:
        index = Index(Companies(recipients), Path(folder))
        with task.stage("index"):
            index.build()
        with task.stage("match"):
            rows = list(scored(index, queries, recipients, get_algorithm(task.variant)))
    found = pd.DataFrame(rows, columns=["query_id", "recipient_id", "score"])
    connection.register("answers", found[found["score"] > 0])
    task.finish(connection, "answers", pairs=len(rows))


if __name__ == "__main__":
    main()
