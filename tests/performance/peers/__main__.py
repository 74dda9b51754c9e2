"""The engine beside its peers on the same work: one Markdown table of time, memory and quality.

    make peers PEERS="--awards 220000 --recipients 3400000 --seed 7 --data full --output full.json"
    .venv/bin/python -m tests.performance.peers --table --output full.json

Makes the data once (Parquet and CSV, in the folder --data), sets the questions (see data.py), then runs
each way in a fresh process, started from a small parent: wall, user and system time of its process tree,
and its own peak resident size. Every peer reads the recipients from Parquet, cleans and normalises them as
the engine does, within its own time, and answers the same queries; reading the awards and linking by
identifier and exact name are given to the peers and are part of the engine's time. Results are saved after
each way, so that a long comparison can be made in parts (--only) and printed again (--table).

Quality is defined in evaluation.py. The peers have an environment of their own (requirements-peers.lock).
"""

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tests.performance.peers.data import Folder, Size, load_questions, prepare
from tests.performance.peers.evaluation import evaluate, link_rates
from tests.performance.peers.measuring import OURS, compile_modules, describe, measured_runs, say
from tests.performance.peers.table import render
from tests.performance.peers.ways import PEERS_PYTHON, WAYS, chosen_ways, our_answers, peer_answers

PEERS = ("splink", "string-grouper", "sparse-dot-topn", "sp-matmul-rs", "scikit-learn", "pandas", *OURS)


def main():
    arguments = read_arguments()
    if not arguments.table:
        compare(arguments)
    sys.stdout.write(render(json.loads(arguments.output.read_text())))


def read_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        prog="python -m tests.performance.peers",
    )
    parser.add_argument("--awards", type=int, default=5_000)
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=31)
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
    size = Size(arguments.awards, arguments.recipients, arguments.seed)
    ways = chosen_ways([name for name in arguments.only.split(",") if name])
    prepare(folder, size, say)
    compile_modules()
    questions = load_questions(folder)
    results = {**facts(size, questions), "ways": saved_ways(arguments.output, size)}
    for number, way in enumerate(ways, 1):
        say(f"{number} of {len(ways)}: {way.title}")
        measured = measure(way, folder, questions, arguments.repeats)
        others = [other for other in results["ways"] if other["name"] != way.name]
        order = [known.name for known in WAYS]
        results["ways"] = sorted([*others, measured], key=lambda done: order.index(done["name"]))
        arguments.output.write_text(json.dumps(results, indent=1) + "\n")


def saved_ways(path, size):
    """Return the ways of an earlier run on the same data. Raises ValueError for results of other data."""
    if not path.is_file():
        return []
    saved = json.loads(path.read_text())
    if saved["size"] != asdict(size):
        raise ValueError(f"{path} has the results of {saved['size']}: name another --output")
    return saved["ways"]


def facts(size, questions):
    """Return what was measured on what, when and how."""
    fuzzy = [query for query in questions.queries.values() if query.is_fuzzy]
    script = f"import importlib.metadata as m; print(*(m.version(name) for name in {PEERS!r}))"
    found = subprocess.run([PEERS_PYTHON, "-c", script], capture_output=True, text=True, check=True)
    described = describe("peers")
    return {
        **described,
        "versions": {**described["versions"], "peers": dict(zip(PEERS, found.stdout.split(), strict=True))},
        "size": asdict(size),
        "fuzzy_queries": len(fuzzy),
        "findable_queries": sum(bool(query.right) for query in fuzzy),
    }


def measure(way, folder, questions, repeats):
    """Run a way in fresh processes and judge its answers; a failure is a result too."""
    output = folder.path / f"{way.name}.parquet"
    measured = {
        "name": way.name,
        "title": way.title,
        **measured_runs(way.command(folder, output), output, repeats),
    }
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


def rates_document(rates):
    return {**asdict(rates), "precision": rates.precision, "recall": rates.recall, "f1": rates.f1}


if __name__ == "__main__":
    main()
