"""An outside enricher that is the built-in engine with one fault of choice; docs/verdicts.md runs them all.

    python sabotaged_enricher.py FAULT AWARDS RECIPIENTS OUTPUT METRICS

Without a fault it is an honest engine, which must pass. Rows are falsified in a CSV; the gate takes CSV
or Parquet whatever the file is called. It needs only the standard library, so that it adds next to nothing
to the time of the engine.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

CHUNK_ROWS = 100
FICKLE_AWARDS = 3  # fewer than gate.max_lost: the lost links alone would not fail the gate
MIB = 2**20
SHARED_MIB, READERS = 300, 4
WRITTEN = Path("reports/written-once")

Row = dict[str, str]


def main() -> None:
    faults = _arguments()
    if faults.crash:
        sys.exit("the sabotaged enricher crashes on purpose")
    if faults.hang:
        # a child that ends with its parent only if the whole tree is ended
        subprocess.run([sys.executable, "-c", "import time; time.sleep(3600)"], check=False)
    if faults.empty_output:
        faults.output.touch()
    if faults.write_nothing or faults.empty_output or (faults.write_once and WRITTEN.exists()):
        return
    if faults.write_once:
        WRITTEN.touch()
    ballast = b"\x01" * (faults.hungry_mib * MIB)
    if faults.share_memory:
        _read_together(bytearray(SHARED_MIB * MIB))
    started = time.perf_counter()
    if faults.pipe_metrics:
        os.mkfifo(faults.metrics)
    if faults.falsify is None:
        _enrich(faults, faults.output)
    else:
        honest = faults.output.with_name("honest.csv")
        _enrich(faults, honest)
        _write(faults.output, *_falsified(honest, faults.falsify))
    if faults.metrics_text:
        faults.metrics.write_text(faults.metrics_text, encoding="utf-8")
    _burn(faults.slow_percent / 100, time.perf_counter() - started)
    del ballast


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The built-in engine with one fault of choice.")
    fault = parser.add_mutually_exclusive_group()
    fault.add_argument("--slow-percent", type=float, default=0.0, help="work on for so much longer")
    fault.add_argument("--hungry-mib", type=int, default=0, help="hold so much memory meanwhile")
    fault.add_argument("--share-memory", action="store_true", help="let four processes read the same memory")
    fault.add_argument("--crash", action="store_true", help="end with status 1 and a message")
    fault.add_argument("--hang", action="store_true", help="never end, nor does a child process")
    fault.add_argument("--write-nothing", action="store_true", help="end well without any output")
    fault.add_argument("--write-once", action="store_true", help="write output once, and rely on it later")
    fault.add_argument("--empty-output", action="store_true", help="write a file of no bytes")
    fault.add_argument("--no-metrics", action="store_true", help="tell nothing of the work done")
    fault.add_argument("--pipe-metrics", action="store_true", help="make a pipe where metrics are read")
    fault.add_argument("--metrics-text", default="", help="tell this instead of the work done")
    for falsify in FALSIFIERS:
        option = "--" + falsify.__name__.replace("_", "-")
        fault.add_argument(option, dest="falsify", action="store_const", const=falsify, help=falsify.__doc__)
    for place in ("awards", "recipients", "output", "metrics"):
        parser.add_argument(place, type=Path)
    return parser.parse_args()


def _enrich(faults: argparse.Namespace, output: Path) -> None:
    command = [sys.executable, "-m", "sbir_gate", "enrich", "--quiet", "--output", output]
    command += ["--awards", faults.awards, "--recipients", faults.recipients]
    if not (faults.no_metrics or faults.pipe_metrics or faults.metrics_text):
        command += ["--metrics", faults.metrics]
    subprocess.run(command, check=True)


def _read_together(memory: bytearray) -> None:
    """Let four children read what this process holds: the machine holds it once."""
    memory[::4096] = b"x" * len(memory[::4096])
    for _ in range(READERS):
        if not os.fork():
            sum(memory[::4096])
            time.sleep(1.0)
            os._exit(0)
    for _ in range(READERS):
        os.wait()


def _burn(share: float, wall_seconds: float) -> None:
    """Keep a processor busy for a share of the time, and of the processor time, of the engine."""
    engine = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = share * (engine.ru_utime + engine.ru_stime)
    started, started_cpu = time.perf_counter(), time.process_time()
    while (
        time.perf_counter() - started < share * wall_seconds
        or time.process_time() - started_cpu < cpu_seconds
    ):
        pass


def _falsified(honest: Path, falsify: Callable[[list[Row]], list[Row]]) -> tuple[list[str], list[Row]]:
    csv.field_size_limit(sys.maxsize)
    with honest.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = falsify(list(reader))
    return list(reader.fieldnames or ()), rows


def _write(output: Path, columns: list[str], rows: list[Row]) -> None:
    with output.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _links(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["match_decision"] == "link"]


def drop_last_chunk(rows: list[Row]) -> list[Row]:
    """leave out the last 100 awards"""
    return rows[:-CHUNK_ROWS]


def double_rows(rows: list[Row]) -> list[Row]:
    """write the last 100 awards twice"""
    return rows + rows[-CHUNK_ROWS:]


def unknown_awards(rows: list[Row]) -> list[Row]:
    """add an award that nobody asked for"""
    return [*rows, rows[-1] | {"award_id": "nobody-asked-for-this"}]


def surplus_rows(rows: list[Row]) -> list[Row]:
    """add thousands of awards that nobody asked for"""
    return rows + [rows[-1] | {"award_id": f"surplus-{number}"} for number in range(5000)]


def ghost_recipients(rows: list[Row]) -> list[Row]:
    """link to a recipient that is in no table"""
    for row in _links(rows)[:10]:
        row["recipient_id"] = "R-NOWHERE"
    return rows


def ids_as_floats(rows: list[Row]) -> list[Row]:
    """write the ids as pandas does where one is missing"""
    for row in _links(rows):
        row["recipient_id"] = f"{int(row['recipient_id'].strip('R'))}.0"
    return rows


def ids_in_blanks(rows: list[Row]) -> list[Row]:
    """write a blank after the ids of recipients"""
    for row in _links(rows):
        row["recipient_id"] += " "
    return rows


def swap_unlabelled(rows: list[Row]) -> list[Row]:
    """give a twentieth of the links to each other, of awards late in the file"""
    late = _links(rows)[-40:]
    recipients = [row["recipient_id"] for row in late]
    for row, recipient_id in zip(late, recipients[::-1], strict=True):
        row["recipient_id"] = recipient_id
    return rows


def answer_at_random(rows: list[Row]) -> list[Row]:
    """forget three links, other ones each time"""
    for row in random.SystemRandom().sample(_links(rows), FICKLE_AWARDS):
        row |= {"match_decision": "none", "match_method": "none", "recipient_id": ""}
    return rows


def candidates_as_links(rows: list[Row]) -> list[Row]:
    """count what is only worth a review as linked"""
    for row in rows:
        if row["match_decision"] == "candidate":
            row["match_decision"] = "link"
    return rows


def swap_links(rows: list[Row]) -> list[Row]:
    """give each linked award the recipient of the next: as many links as before"""
    links = _links(rows)
    recipients = [row["recipient_id"] for row in links]
    for row, recipient in zip(links, recipients[1:] + recipients[:1], strict=True):
        row["recipient_id"] = recipient
    return rows


def swap_two_firms(rows: list[Row]) -> list[Row]:
    """give the awards of the two firms with the most links each other's recipient: no rate changes much"""
    links = _links(rows)
    counts = Counter(row["recipient_id"] for row in links)
    first, second = sorted(counts, key=lambda recipient: (-counts[recipient], recipient))[:2]
    swapped = {first: second, second: first}
    for row in links:
        row["recipient_id"] = swapped.get(row["recipient_id"], row["recipient_id"])
    return rows


def duns_as_numbers(rows: list[Row]) -> list[Row]:
    """lose the links by DUNS numbers that begin with 0, as if they had been compared as numbers"""
    for row in _links(rows):
        if row["match_method"] == "duns-exact" and row["recipient_duns"].startswith("0"):
            row |= {"match_decision": "none", "match_method": "none", "recipient_id": ""}
    return rows


def score_out_of_range(rows: list[Row]) -> list[Row]:
    """give the first award a score of 250"""
    rows[0]["match_score"] = "250"
    return rows


FALSIFIERS = (
    drop_last_chunk,
    double_rows,
    unknown_awards,
    surplus_rows,
    ghost_recipients,
    ids_as_floats,
    ids_in_blanks,
    swap_unlabelled,
    answer_at_random,
    candidates_as_links,
    swap_links,
    swap_two_firms,
    duns_as_numbers,
    score_out_of_range,
)


if __name__ == "__main__":
    main()
