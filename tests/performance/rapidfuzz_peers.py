"""The engine beside what a few lines of rapidfuzz give: one Markdown table of time, memory and quality.

    python tests/performance/rapidfuzz_peers.py [--awards A --recipients R --truth T] [--repeats N] [--absent]

Without arguments it runs on the fixtures. The peers take, for each award, the recipient whose name is the
most similar of all by `token_set_ratio` or `token_sort_ratio`, if the score is at least 90; "ids first" links
by UEI, then DUNS, before it looks at names. They get every advantage that costs them nothing: the same
reader as the engine (so identifiers are clean), each distinct name once, rapidfuzz's vectorised `cdist` on
all cores, and a score cutoff that lets it stop early. Among equal scores the first row of the file wins, as
in `rapidfuzz.process.extractOne`.

Every way runs in a fresh process, in turn, `--repeats` times; the table shows medians. Quality is computed
by the gate's own definitions (sbir_gate.gate.measuring.quality) from the file that each way writes.

With `--absent` every right recipient is taken out of the table first (recipients as CSV): then each link is
wrong, the match rate is the share of awards that a way links to somebody else, and 0 is the best.
"""

import argparse
import csv
import gzip
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import duckdb
import numpy as np
from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

from sbir_gate.gate.fixture import read_profiles
from sbir_gate.gate.measuring.output import read_decisions
from sbir_gate.gate.measuring.process import ProcessRequest, raise_on_failure, run_process
from sbir_gate.gate.measuring.quality import measure_quality
from sbir_gate.reading.awards import read_awards
from sbir_gate.reading.recipients import iterate_recipients
from sbir_gate.reading.truth import read_truth
from sbir_gate.settings import load_settings
from tests.step_options import reading_options

CUTOFF = 90
# award names compared at a time: bounds the matrix of scores to this many rows
BLOCK_NAMES = 64
TIMEOUT_SECONDS = 7200.0
SCORERS = {"token_set_ratio": fuzz.token_set_ratio, "token_sort_ratio": fuzz.token_sort_ratio}


@dataclass(frozen=True)
class Way:
    """One way to link: its name in the table, and the command that writes `output`."""

    name: str
    command: tuple[str, ...]


def ways(awards, recipients, output):
    files = ("--awards", awards, "--recipients", recipients, "--output", str(output))
    yield Way("sbir-gate enrich", (sys.executable, "-m", "sbir_gate", "enrich", "--quiet", *files))
    for scorer in SCORERS:
        for note, flags in (("names only", ()), ("ids first", ("--identifiers",))):
            name = f"rapidfuzz `{scorer}` >= {CUTOFF}, {note}"
            yield Way(name, (sys.executable, __file__, "--peer", scorer, *flags, *files))


def link_like_a_script(scorer, has_identifiers, awards_source, recipients_source, output):
    """Be the peer: read, link, write the columns that every enricher must write."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        awards, recipients = read_both(connection, awards_source, recipients_source, Path(folder))
    by_name = first_of((default_process(name), row[0]) for row in recipients if (name := row[1]))
    by_uei = first_of((uei, row[0]) for row in recipients for uei in (row[2] or "").split())
    by_duns = first_of((duns, row[0]) for row in recipients for duns in (row[3] or "").split())
    links = {}
    if has_identifiers:
        for method, known, column in (("uei-exact", by_uei, 2), ("duns-exact", by_duns, 3)):
            for row in awards:
                found = [known[value] for value in (row[column] or "").split() if value in known]
                if found and row[0] not in links:
                    links[row[0]] = (found[0], method, 100.0)
    names = sorted({default_process(row[1]) for row in awards if row[1] and row[0] not in links})
    best = best_by_name(names, list(by_name), SCORERS[scorer])
    with output.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("award_id", "recipient_id", "match_method", "match_score"))
        for award_id, name, *_ in awards:
            found, score = best.get(default_process(name or ""), ("", 0.0))
            by_name_link = (by_name[found], "name-fuzzy", score) if found else ("", "none", 0.0)
            writer.writerow((award_id, *links.get(award_id, by_name_link)))


def read_both(connection, awards, recipients, folder):
    """Return (id, name, uei, duns) of every award and of every recipient, in file order."""
    read_awards(connection, awards, folder, reading_options())
    award_rows = connection.execute(
        "SELECT award_id, name, uei, duns FROM awards ORDER BY position"
    ).fetchall()
    recipient_rows = []
    for batch in iterate_recipients(connection, recipients, folder, reading_options()):
        recipient_rows += connection.execute(
            f"SELECT recipient_id, name, uei, duns FROM {batch.table} ORDER BY rowid"  # noqa: S608 -- the reader's own table
        ).fetchall()
    return award_rows, recipient_rows


def first_of(pairs):
    """Return a dictionary in which the first value of a key stays."""
    found = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


def best_by_name(names, choices, scorer):
    """Return name -> (choice, score) for the names whose best choice reaches the cutoff."""
    best = {}
    for start in range(0, len(names), BLOCK_NAMES):
        block = names[start : start + BLOCK_NAMES]
        scores = process.cdist(
            block, choices, scorer=scorer, score_cutoff=CUTOFF, workers=-1, dtype=np.float32
        )
        for name, row, score in zip(block, scores.argmax(axis=1), scores.max(axis=1), strict=True):
            if score >= CUTOFF:
                best[name] = (choices[row], float(score))
    return best


def without_right_recipients(recipients, truth, folder):
    """Write the CSV of recipients without those that the truth names; return its path and the empty truth."""
    right = frozenset().union(*truth.values())
    kept = folder / "absent.csv"
    opened = gzip.open if recipients.name.endswith(".gz") else open
    with (
        opened(recipients, "rt", encoding="utf-8", newline="") as source,
        kept.open("w", encoding="utf-8", newline="") as target,
    ):
        rows = csv.reader(source)
        header = next(rows)
        writer = csv.writer(target)
        writer.writerow(header)
        writer.writerows(row for row in rows if row[header.index("recipient_id")] not in right)
    return kept, dict.fromkeys(truth, frozenset())


def run(way):
    request = ProcessRequest(way.command, dict(os.environ), Path.cwd(), TIMEOUT_SECONDS)
    result = run_process(request)
    raise_on_failure(request, result)
    return result


def table(rows):
    """Yield the lines of the table; `rows` hold a way's name, its process results, and its quality."""
    yield (
        "| way | wall s | CPU s | peak MiB | wall, x ours | CPU, x ours"
        " | precision | recall | F1 | match rate | ECE |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    our_wall = our_cpu = None
    for name, results, quality in rows:
        wall = median(result.wall_seconds for result in results)
        cpu = median(result.cpu_seconds for result in results)
        peak = median(result.peak_rss_mib for result in results)
        our_wall, our_cpu = our_wall or wall, our_cpu or cpu
        rates = (
            quality.precision,
            quality.recall,
            quality.f1,
            quality.match_rate,
            quality.calibration_error,
        )
        shown = " | ".join("-" if rate is None else f"{rate:.4f}" for rate in rates)
        yield (
            f"| {name} | {wall:.2f} | {cpu:.2f} | {peak:.0f}"
            f" | {wall / our_wall:.1f} | {cpu / our_cpu:.1f} | {shown} |"
        )


def compare(arguments):
    options = {f"fixtures.{name}": getattr(arguments, name) for name in ("awards", "recipients", "truth")}
    effective = load_settings(None, {}, options)
    fixtures = effective.settings.fixtures
    profiles, truth = read_profiles(effective), read_truth(fixtures.truth)
    with tempfile.TemporaryDirectory() as folder:
        recipients, output = fixtures.recipients, Path(folder) / "linked.csv"
        if arguments.absent:
            recipients, truth = without_right_recipients(recipients, truth, Path(folder))
        chosen = list(ways(str(fixtures.awards), str(recipients), output))
        results = {way.name: [] for way in chosen}
        quality = {}
        for _ in range(arguments.repeats):
            for way in chosen:
                results[way.name].append(run(way))
                quality[way.name] = measure_quality(read_decisions(output), profiles, truth)
                output.unlink()
    sys.stdout.write("\n".join(table((name, results[name], quality[name]) for name in results)) + "\n")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--awards")
    parser.add_argument("--recipients")
    parser.add_argument("--truth")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--absent", action="store_true", help="take all right recipients out of the table")
    parser.add_argument("--peer", choices=SCORERS, help="be one of the peers; used by the script itself")
    parser.add_argument("--identifiers", action="store_true", help="of a peer: link by UEI and DUNS first")
    parser.add_argument("--output", type=Path, help="of a peer: the file to write")
    arguments = parser.parse_args()
    if arguments.peer:
        link_like_a_script(
            arguments.peer,
            arguments.identifiers,
            arguments.awards,
            arguments.recipients,
            arguments.output,
        )
    else:
        compare(arguments)


if __name__ == "__main__":
    main()
