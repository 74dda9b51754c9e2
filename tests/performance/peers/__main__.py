"""The engine beside its peers on the same work: one Markdown table of time, memory and quality.

    make peers PEERS="--awards 2000 --recipients 20000 --data small"
    make peers PEERS="--awards 220000 --recipients 3400000 --seed 7 --data full --output full.json"
    make peers PEERS="--only ours,tfidf --repeats 3 --data small"
    make peers PEERS="--files fixtures --data fixed"
    .venv/bin/python -m tests.performance.peers --table --output full.json

Makes the data once (Parquet and CSV, in the folder --data), sets the questions (see data.py), then runs
each way in a fresh process, started from a small parent: wall, user and system time of its process tree,
and its own peak resident size. Every peer reads the recipients from Parquet, cleans and normalises them as
the engine does, within its own time, and answers the same queries; reading the awards and linking by
identifier and exact name are given to the peers and are part of the engine's time. Results are saved after
each way, so that a long comparison can be made in parts (--only) and printed again (--table).

With --files the data is a folder with awards.csv, recipients.csv (or .csv.gz) and truth.csv: see records.py.

Quality is defined in evaluation.py. The peers have an environment of their own (requirements-peers.lock);
nomenklatura, which needs an older DuckDB and the headers of ICU, has another (make nomenklatura), and is left
out where that is not there.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tests.performance.peers import records
from tests.performance.peers.data import Folder, Size, load_questions, prepare
from tests.performance.peers.evaluation import evaluate, link_rates
from tests.performance.peers.measuring import OURS, compile_modules, describe, measured_runs, say
from tests.performance.peers.records import rates_document
from tests.performance.peers.table import render
from tests.performance.peers.ways import (
    NOMENKLATURA_PYTHON,
    PEERS_PYTHON,
    WAYS,
    chosen_ways,
    our_answers,
    peer_answers,
)

PEERS = (
    "splink",
    "string-grouper",
    "sparse-dot-topn",
    "sp-matmul-rs",
    "scikit-learn",
    "pandas",
    "goldenmatch",
    "name-matching",
    *OURS,
)
SCRIPT = "import importlib.metadata as m, sys; print(*(m.version(name) for name in sys.argv[1:]))"


def main():
    arguments = read_arguments()
    if not arguments.table:
        compare(arguments)
    results = json.loads(arguments.output.read_text())
    sys.stdout.write(records.render(results) if "files" in results else render(results))


def read_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        prog="python -m tests.performance.peers",
    )
    parser.add_argument("--awards", type=int, default=5_000)
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--files", type=Path, help="folder of awards.csv, recipients.csv and truth.csv")
    parser.add_argument("--data", type=Path, default=Path("reports/peers"), help="folder for the files")
    parser.add_argument(
        "--only", default="", help=f"names by comma: {', '.join(way.name for way in WAYS)}; all when left out"
    )
    parser.add_argument("--repeats", type=int, default=1, help="runs of each way; the table has medians")
    parser.add_argument("--output", type=Path, help="results as JSON [<data>/results.json]")
    parser.add_argument("--table", action="store_true", help="measure nothing, print saved results again")
    arguments = parser.parse_args()
    arguments.output = arguments.output or arguments.data / "results.json"
    return arguments


def compare(arguments):
    """Run the chosen ways and save the results of each as it ends."""
    folder = Folder(arguments.data.resolve())
    folder.path.mkdir(parents=True, exist_ok=True)
    names = [name for name in arguments.only.split(",") if name]
    ways = chosen_ways(names, is_given=arguments.files is not None)
    if arguments.files is not None:
        both = records.prepare_both(folder, arguments.files.resolve(), say)
        work = {"files": str(arguments.files), **records.counts(both)}
    else:
        size = Size(arguments.awards, arguments.recipients, arguments.seed)
        prepare(folder, size, say)
        questions = load_questions(folder)
        work = {"size": asdict(size), **counts(questions)}
    compile_modules()
    results = {**facts(), **work, "ways": saved_ways(arguments.output, work)}
    for number, way in enumerate(ways, 1):
        say(f"{number} of {len(ways)}: {way.title}")
        if arguments.files is not None:
            measured = records.measure_both(way, both, arguments.repeats)
        else:
            measured = measure(way, folder, questions, arguments.repeats)
        measured = {"name": way.name, "title": way.title, **measured}
        others = [other for other in results["ways"] if other["name"] != way.name]
        order = [known.name for known in WAYS]
        results["ways"] = sorted([*others, measured], key=lambda done: order.index(done["name"]))
        arguments.output.write_text(json.dumps(results, indent=1) + "\n")


def saved_ways(path, work):
    """Return the ways of an earlier run on the same data. Raises ValueError for results of other data."""
    if not path.is_file():
        return []
    saved = json.loads(path.read_text())
    for name in ("size", "files"):
        if saved.get(name) != work.get(name):
            raise ValueError(f"{path} has the results of {saved.get(name)}: name another --output")
    return saved["ways"]


def counts(questions):
    """Return how many queries are asked."""
    fuzzy = [query for query in questions.queries.values() if query.is_fuzzy]
    return {
        "fuzzy_queries": len(fuzzy),
        "findable_queries": sum(bool(query.right) for query in fuzzy),
    }


def facts():
    """Return when, where and with what something is measured."""
    described = describe("peers")
    versions = {**described["versions"], "peers": installed(PEERS_PYTHON, PEERS)}
    if NOMENKLATURA_PYTHON.is_file():
        versions["nomenklatura"] = installed(NOMENKLATURA_PYTHON, ("nomenklatura", "duckdb"))
    return {**described, "versions": versions}


def installed(python, names):
    """Return name -> version in another environment."""
    found = subprocess.run([python, "-c", SCRIPT, *names], capture_output=True, text=True, check=True)
    return dict(zip(names, found.stdout.split(), strict=True))


def measure(way, folder, questions, repeats):
    """Run a way in fresh processes and judge its answers; a failure is a result too."""
    output = folder.path / f"{way.name}.parquet"
    measured = measured_runs(way.command(folder, output), output, repeats)
    if "error" in measured:
        return measured
    return {**measured, **judged(way, output, questions, measured)}


def judged(way, output, questions, measured):
    """Return the quality of a way's answers, and for a sampled way what all queries would take."""
    if way.is_ours:
        answers, links = our_answers(output, questions.award_queries)
        decided = link_rates(links, questions.truth)
        return {
            "quality": as_document(evaluate(answers, questions)),
            "as_it_decides": rates_document(decided),
        }
    answers, notes = peer_answers(output)
    if way.is_extrapolated:
        times = notes["asked"] / notes["answered"] - 1
        match = notes["stages"]["match"]
        return {
            **notes,
            "is_extrapolated": True,
            "sampled": notes["answered"],
            **{name: measured[name] + times * match[name] for name in ("wall_seconds", "cpu_seconds")},
        }
    return {"quality": as_document(evaluate(answers, questions)), **notes}


def as_document(evaluation):
    """Return an evaluation with its rates spelled out, for JSON."""
    found = asdict(evaluation)
    for name in ("fuzzy", "precise", "awards"):
        rates = getattr(evaluation, name)
        found[name] = rates and rates_document(rates)
    return found


if __name__ == "__main__":
    main()
