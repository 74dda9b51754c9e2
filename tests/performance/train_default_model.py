"""Makes the confidence model that is shipped, from synthesised worlds and any labelled files.

    python -m tests.performance.train_default_model --output sbir_gate/engine/matching/default_model.json \
        [--seed 11] [--labelled published awards.csv recipients.csv.gz truth.csv 3] \
        [--corrupt recipients.csv.gz 7000 1]

The worlds are those of `sbir-gate data synthesise --world`. A labelled case is a name, three files and a
weight. The firms of a case that no identifier links are its queries. Where all of them have a correct
recipient, each is asked twice, with it in the table and without: a model must learn to say "none", too.
`--corrupt` takes that many names of a recipient table, damages them as real spellings are damaged, and asks
for them likewise. The limits are the largest that any case needs for a wanted precision. The same arguments
give the same file.
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from duckdb import DuckDBPyConnection

from sbir_gate.datasets.synthesising.dataset import synthesise
from sbir_gate.datasets.synthesising.options import FileFormat, SynthesisOptions
from sbir_gate.datasets.synthesising.worlds import WORLDS
from sbir_gate.engine.matching.candidates import create_pairs
from sbir_gate.engine.matching.confidence import Model, acceptance_limit, fit, model_document
from sbir_gate.engine.matching.exact import create_identified_recipients, find_identifier_matches
from sbir_gate.engine.matching.firms import create_firms, create_queries
from sbir_gate.engine.matching.parts import open_parts, register_functions, write_part
from sbir_gate.engine.matching.scoring import prepare_scoring, score_pairs
from sbir_gate.engine.matching.training import label_pairs
from sbir_gate.model.matches import Method
from sbir_gate.reading.awards import read_awards
from sbir_gate.reading.database import open_database
from sbir_gate.reading.recipients import iterate_recipients
from sbir_gate.reading.truth import read_truth
from sbir_gate.settings import load_settings
from sbir_gate.settings.reading import database_options, reading_options
from tests.step_options import blocking_options

WANTED_PRECISIONS = (0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995)
RIDGE = 1.0
MOVED_STATE, MOVED_CITY, EXACT = 0.08, 0.22, 0.25
ENDINGS = ("INC", "LLC", "CORP", "CO", "LTD", "")
DESIGNATORS = {"INC", "LLC", "CORP", "CORPORATION", "CO", "COMPANY", "LTD", "LLP", "LP", "INCORPORATED"}
ADDED = """
    TECHNOLOGIES SYSTEMS RESEARCH SOLUTIONS GROUP INTERNATIONAL LABS SCIENCES ENGINEERING INNOVATIONS
    CONSULTING SERVICES BIO USA THERAPEUTICS HOLDINGS
""".split()  # noqa: SIM905 -- a list of words reads best as lines
SHORTENED = {
    "TECHNOLOGIES": "TECH",
    "TECHNOLOGY": "TECHNOLOGIES",
    "LABORATORIES": "LABS",
    "SYSTEMS": "SYS",
    "ENGINEERING": "ENGR",
    "INTERNATIONAL": "INTL",
    "ASSOCIATES": "ASSOC",
    "SERVICES": "SVCS",
    "SOLUTIONS": "SOLNS",
    "MANAGEMENT": "MGMT",
    "INDUSTRIES": "IND",
}


@dataclass(frozen=True)
class Examples:
    """Pairs of one case: query numbers, features and labels; queries without their answer are negative."""

    name: str
    weight: float
    query: np.ndarray
    matrix: np.ndarray
    labels: np.ndarray


def main(arguments: list[str] | None = None) -> None:
    given = parser().parse_args(arguments)
    cases = [world_examples(name, given.seed, given.awards, given.recipients) for name in given.worlds]
    cases += [
        examples_of(name, float(weight), awards, recipients, Path(truth), is_complete=True)
        for name, awards, recipients, truth, weight in given.labelled
    ]
    for recipients, names, seed in given.corrupt:
        with tempfile.TemporaryDirectory() as folder:
            write_corrupted(recipients, int(names), int(seed), Path(folder))
            awards, truth = Path(folder) / "awards.csv", Path(folder) / "truth.csv"
            cases.append(
                examples_of(f"corrupted-{seed}", 1.0, str(awards), recipients, truth, is_complete=False)
            )
    model = fitted(cases)
    report(cases, model)
    made_on = {case.name: f"{len(np.unique(case.query)):,} queries, weight {case.weight:g}" for case in cases}
    given.output.write_text(model_document(model, made_on), encoding="utf-8")


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    found.add_argument("--worlds", nargs="*", default=[*WORLDS], choices=[*WORLDS])
    found.add_argument("--seed", type=int, default=11, help="of the worlds; the fixtures have 1")
    found.add_argument("--awards", type=int, default=5_000, help="of each world")
    found.add_argument("--recipients", type=int, default=60_000, help="of each world")
    found.add_argument("--labelled", nargs=5, action="append", default=[])
    found.add_argument("--corrupt", nargs=3, action="append", default=[])
    found.add_argument("--output", type=Path, required=True)
    return found


def world_examples(name: str, seed: int, awards: int, recipients: int) -> Examples:
    with tempfile.TemporaryDirectory() as folder:
        options = SynthesisOptions(awards, recipients, seed, FileFormat.CSV, world=WORLDS[name])
        made = synthesise(options, Path(folder))
        files = (str(made.awards_path), str(made.recipients_path), made.truth_path)
        return examples_of(f"{name}-{seed}", 1.0, *files, is_complete=True)


def examples_of(
    name: str, weight: float, awards: str, recipients: str, truth_path: Path, *, is_complete: bool
) -> Examples:
    """Return the pairs of a case whose firms no identifier links.

    Where each has a correct recipient, or the truth is not complete, they are asked with and without it.
    """
    settings = load_settings(None, {}).settings
    options = reading_options(settings)
    with (
        tempfile.TemporaryDirectory() as work,
        open_database(database_options(settings), Path(work)) as connection,
    ):
        register_functions(connection)
        read_awards(connection, awards, Path(work), options)
        parts = [
            write_part(connection, batch.table, Path(work) / f"{batch.index}.parquet")
            for batch in iterate_recipients(connection, recipients, Path(work), options)
        ]
        batches = open_parts(connection, parts)
        create_open_queries(connection, batches)
        create_pairs(connection, blocking_options(), batches)
        scored = score_pairs(connection, prepare_scoring(connection, batches))
        truth = truth_by_query(connection, truth_path)
    if is_complete and not all(truth.values()):
        is_correct = [
            recipient in truth.get(int(query), ())
            for query, recipient in zip(scored.query, scored.recipient_id, strict=True)
        ]
        return Examples(name, weight, scored.query, scored.matrix, np.array(is_correct, dtype=np.float64))
    asked = label_pairs(scored, truth)
    seen, hidden = asked.shown, asked.hidden
    return Examples(
        name,
        weight,
        np.concatenate([seen.query, hidden.query + int(scored.query.max()) + 1]),
        np.vstack([seen.matrix, hidden.matrix]),
        np.concatenate([seen.labels, hidden.labels]),
    )


def create_open_queries(connection: DuckDBPyConnection, batches: Sequence[str]) -> None:
    """Create the queries of the firms that no identifier links."""
    firms = create_firms(connection)
    create_identified_recipients(connection, batches)
    matches = [
        match
        for method in (Method.UEI_EXACT, Method.DUNS_EXACT)
        for match in find_identifier_matches(connection, method)
    ]
    linked = {match.firm_id for match in matches if match.agrees}
    wanted = [firm for firm in range(firms) if firm not in linked]
    connection.execute("CREATE TABLE query_firms AS SELECT unnest($1::BIGINT[]) AS firm_id", [wanted])
    create_queries(connection, "query_firms")


def truth_by_query(connection: DuckDBPyConnection, path: Path) -> dict[int, frozenset[str]]:
    truth = read_truth(path)
    rows = connection.execute(
        "SELECT award_id, query_id FROM award_firms JOIN firm_queries USING (firm_id)"
    ).fetchall()
    found: dict[int, frozenset[str]] = {}
    for award, query in rows:
        found[query] = found.get(query, frozenset()) | truth.get(award, frozenset())
    return found


def fitted(cases: list[Examples]) -> Model:
    matrix = np.vstack([case.matrix for case in cases])
    labels = np.concatenate([case.labels for case in cases])
    weights = np.concatenate([np.full(len(case.labels), case.weight) for case in cases])
    found, intercept = fit(matrix, labels, weights, None, RIDGE)
    model = Model("1", tuple(float(weight) for weight in found), intercept, ())
    limits: list[tuple[float, float]] = []
    for wanted in WANTED_PRECISIONS:
        needed = [acceptance_limit(*best(case, model), wanted) for case in cases]
        # a case too small to prove a precision at any limit says nothing of it
        reached = [limit for limit in needed if limit < 1.0]
        limits.append((wanted, max([*(limit for _, limit in limits[-1:]), *reached])))
    return Model("1", model.weights, intercept, tuple(limits))


def best(case: Examples, model: Model) -> tuple[np.ndarray, np.ndarray]:
    return best_of_query(case.query, model.probabilities(case.matrix), case.labels)


def best_of_query(
    query: np.ndarray, confidence: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the confidence of each query's best pair and whether it is right."""
    order = np.lexsort((-labels, -confidence, query))
    first = np.r_[True, np.diff(query[order]) != 0] if len(order) else np.zeros(0, dtype=np.bool_)
    best = order[first]
    return confidence[best], labels[best] > 0


def report(cases: list[Examples], model: Model) -> None:
    limit = dict(model.limits)[0.98]
    print(f"acceptance limit at precision 0.98: {limit:.3f}")
    print("| case | queries | top 1 right | accepted | precision |\n|---|--:|--:|--:|--:|")
    for case in cases:
        confidence, is_correct = best(case, model)
        accepted = confidence >= limit
        precision = is_correct[accepted].mean() if accepted.any() else float("nan")
        row = (f"{len(is_correct):,}", f"{is_correct.sum():,}", f"{accepted.sum():,}", f"{precision:.4f}")
        print(f"| {case.name} | {' | '.join(row)} |")


def write_corrupted(recipients: str, names: int, seed: int, folder: Path) -> None:
    """Write awards.csv and truth.csv of damaged names of the table, half of them with a known state."""
    draw = random.Random(seed)
    settings = load_settings(None, {}).settings
    with (
        tempfile.TemporaryDirectory() as work,
        open_database(database_options(settings), Path(work)) as connection,
    ):
        rows = []
        for batch in iterate_recipients(connection, recipients, Path(work), reading_options(settings)):
            rows += connection.execute(
                f"SELECT recipient_id, name, city, state FROM {batch.table} WHERE len(name) > 5"  # noqa: S608 -- our name
            ).fetchall()
    rows.sort()
    placed, unplaced = [row for row in rows if row[3]], [row for row in rows if not row[3]]
    places = [(row[2], row[3]) for row in placed if row[2]]
    chosen = draw.sample(placed, names // 2) + draw.sample(unplaced, names // 2)
    award_rows, truth_rows = [("award_id", "Company", "City", "State")], [("award_id", "recipient_ids")]
    for number, (recipient, name, city, state) in enumerate(chosen):
        spelled = name if draw.random() < EXACT else corrupted(name, draw)
        award_rows.append((f"Q{number}", spelled, *place(city, state, places, draw)))
        truth_rows.append((f"Q{number}", recipient))
    for file, file_rows in (("awards.csv", award_rows), ("truth.csv", truth_rows)):
        with (folder / file).open("w", newline="") as out:
            csv.writer(out).writerows(file_rows)


def place(
    city: str | None, state: str | None, places: list[tuple[str, str]], draw: random.Random
) -> tuple[str | None, str | None]:
    """Return where the award says the firm is: mostly where the table says, sometimes elsewhere."""
    chance = draw.random()
    if not state or chance < MOVED_STATE:
        return draw.choice(places)
    if chance < MOVED_CITY:
        return draw.choice([other for other in places if other[1] == state] or places)[0], state
    return city, state


def core(name: str) -> list[str]:
    """Return the words of a name without its designators."""
    words = "".join(letter if letter.isalnum() or letter == "&" else " " for letter in name.upper()).split()
    return [word for word in words if word not in DESIGNATORS] or words


def corrupted(name: str, draw: random.Random) -> str:
    words = core(name)
    for _ in range(draw.choices((1, 2), (0.75, 0.25))[0]):
        words = damaged(words, draw)
    return " ".join([*words, draw.choice(ENDINGS)]).strip()


def damaged(words: list[str], draw: random.Random) -> list[str]:  # noqa: PLR0911 -- one per damage
    """Return the words with one damage: a typo, a word more or less, short forms, glue, a cut, order."""
    chance, at = draw.random(), draw.randrange(len(words))
    if chance < 0.30:
        return [*words[:at], typo(words[at], draw), *words[at + 1 :]]
    if chance < 0.42 and len(words) > 1:
        return words[:-1]
    if chance < 0.47 and len(words) > 2:
        return words[1:]
    if chance < 0.60:
        return [*words, draw.choice(ADDED)]
    if chance < 0.72:
        return [SHORTENED.get(word, word) for word in words]
    if chance < 0.78 and len(words) > 1:
        glue = draw.randrange(len(words) - 1)
        return [*words[:glue], words[glue] + words[glue + 1], *words[glue + 2 :]]
    if chance < 0.84 and len(words[at]) > 7:
        middle = len(words[at]) // 2
        return [*words[:at], words[at][:middle], words[at][middle:], *words[at + 1 :]]
    if chance < 0.90:
        return " ".join(words)[: draw.choice((30, 40))].split()
    if chance < 0.94:
        return draw.sample(words, len(words))
    return [word.rstrip("S") if word.endswith("S") else word for word in words]


def typo(word: str, draw: random.Random) -> str:
    """Return the word with a letter dropped, swapped, replaced or added inside it."""
    if len(word) < 4:
        return word
    at, letter, chance = draw.randrange(1, len(word) - 1), draw.choice("AEIOUSTRN"), draw.random()
    if chance < 0.30:
        return word[:at] + word[at + 1 :]
    if chance < 0.55:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + letter + word[at + (1 if chance < 0.80 else 0) :]


if __name__ == "__main__":
    main()
