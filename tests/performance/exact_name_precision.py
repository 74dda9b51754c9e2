"""How often an exact name is the correct recipient, by what the places say and how many bear the name.

    python tests/performance/exact_name_precision.py [--awards N --recipients N --seed N]

Synthesises awards and recipients with their truth and takes for every firm one pair of equal names (compact
form; identifiers are not looked at): the one that `links_by_name` in sbir_gate/engine/matching/decisions.py
links, else the most probable. It prints for each case of that rule how many firms it holds and how often the
pair is right. What the rule does not link by itself is a candidate like any other, and the model decides.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import duckdb
import numpy as np

from sbir_gate.datasets.synthesising.dataset import synthesise
from sbir_gate.datasets.synthesising.options import FileFormat, SynthesisOptions
from sbir_gate.engine.matching.candidates import create_pairs
from sbir_gate.engine.matching.confidence import default_model
from sbir_gate.engine.matching.decisions import links_by_name, pair_facts
from sbir_gate.engine.matching.firms import create_firms, create_queries
from sbir_gate.engine.matching.parts import open_parts, register_functions, write_part
from sbir_gate.engine.matching.scoring import prepare_scoring, score_pairs
from sbir_gate.model.matches import Method
from sbir_gate.reading.awards import read_awards
from sbir_gate.reading.recipients import iterate_recipients
from sbir_gate.reading.truth import read_truth
from sbir_gate.settings import load_settings
from tests.step_options import blocking_options, reading_options


def case_of(pair, states_in_common):
    """Return the case that a pair of equal names falls in, in the order of the rule."""
    name_frequency = (
        f"recipients of the name: {pair.name_frequency if pair.name_frequency <= 3 else 'more than 3'}"
    )
    rarity = "rare words" if pair.is_rare else "common words"
    cases = (
        (pair.same_zip5, "same zip"),
        (pair.same_city and pair.same_state, "same city and state, another zip or none"),
        (pair.same_state and states_in_common > 1, "same state only, several of the name in it"),
        (pair.same_state, f"same state only, {name_frequency}"),
        (pair.state_conflict and pair.name_frequency == 1, "another state, the only one of the name"),
        (pair.state_conflict, "another state, several of the name"),
        (pair.name_frequency == 1, f"no state to compare, the only one of the name, {rarity}"),
    )
    return next((case for holds, case in cases if holds), "no state to compare, several of the name")


def exact_pairs(connection, folder):
    """Return firm -> its pairs of equal names, best first."""
    read_awards(connection, str(folder / "awards.csv"), folder, reading_options())
    batches = iterate_recipients(connection, str(folder / "recipients.csv"), folder, reading_options())
    parts = (
        write_part(connection, batch.table, folder / f"part-{batch.index:06d}.parquet") for batch in batches
    )
    open_parts(connection, list(parts))
    create_firms(connection)
    create_queries(connection, "firms")
    create_pairs(connection, blocking_options())
    scored = score_pairs(connection, prepare_scoring(connection))
    facts = pair_facts(scored, np.round(default_model().probabilities(scored.matrix), 9))
    by_query = defaultdict(list)
    for query, fact in zip(scored.query.tolist(), facts, strict=True):
        if fact.method is Method.NAME_EXACT:
            by_query[query].append(fact)
    by_firm = defaultdict(list)
    for firm, query in connection.execute("SELECT * FROM firm_queries ORDER BY ALL").fetchall():
        by_firm[firm] += by_query[query]
    return {firm: sorted(pairs, key=lambda pair: pair.order) for firm, pairs in by_firm.items()}


def measure(options, folder):
    """Return case -> [firms, right, whether the rule links it]."""
    synthesise(options, folder)
    truth = read_truth(folder / "truth.csv")
    max_frequency_in_state = load_settings(None, {}).settings.matching.namesakes_in_state
    counts = defaultdict(lambda: [0, 0, False])
    with duckdb.connect() as connection:
        register_functions(connection)
        pairs_of = exact_pairs(connection, folder)
        right_of = defaultdict(set)
        for award_id, firm in connection.execute("SELECT award_id, firm_id FROM award_firms").fetchall():
            right_of[firm] |= truth.get(award_id, frozenset())
    for firm, pairs in pairs_of.items():
        in_state = len({pair.recipient_id for pair in pairs if pair.same_state})
        linked = [pair for pair in pairs if links_by_name(pair, in_state, max_frequency_in_state)]
        for pair in (linked or pairs)[:1]:
            count = counts[case_of(pair, in_state)]
            count[0] += 1
            count[1] += pair.recipient_id in right_of[firm]
            count[2] = bool(linked)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--awards", type=int, default=20_000)
    parser.add_argument("--recipients", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=31)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        options = SynthesisOptions(
            arguments.awards, arguments.recipients, arguments.seed, FileFormat.CSV, is_sample=False
        )
        counts = measure(options, Path(folder))
    sys.stdout.write("| exact name and | firms | right | linked by the rule |\n|---|--:|--:|---|\n")
    for case, (firms, right, is_linked) in sorted(counts.items()):
        sys.stdout.write(f"| {case} | {firms:,} | {right / firms:.3f} | {'yes' if is_linked else 'no'} |\n")


if __name__ == "__main__":
    main()
