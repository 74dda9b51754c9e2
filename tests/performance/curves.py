"""How the engine's cost follows its settings and the size of the data: Markdown tables with ratios.

    .venv/bin/python -m tests.performance.curves --awards 20000 --recipients 300000 --data reports/curves

Curves (`--only`, by comma): `chunk_size`, `memory` (the budget), `workers`, and `recipients` (the same
number of awards against 1, 3 and 10 times the recipients). Each point is a fresh process, started from a
small parent; wall, processor time and peak are those of its process tree, and the ratios are to the first
point of the curve. All points of a curve but those of `recipients` must give the same output, byte for byte:
the SHA-256 shows it. Results are saved after each point (`--output`), and `--table` prints them again.
"""

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.reading.database import available_cores
from tests.performance.peers.data import NO_TIMEOUT, run
from tests.performance.peers.measuring import compile_modules, describe, measured_runs, say
from tests.performance.peers.table import ratio, seconds

PERFORMANCE = "enrichment.performance"
TIMES = (1, 3, 10)


@dataclass(frozen=True)
class Point:
    """One run of a curve: what it is called in the table, the recipients it has, its options."""

    curve: str
    label: str
    recipients: int
    options: tuple = ()


def points(curve, recipients):
    """Return the points of a curve; the first is what the others are compared with."""
    settings = {
        "chunk_size": ("chunk_size", (None, 250_000, 10_000, 50_000, 1_000_000)),
        "memory": ("memory_threshold_mb", (2048, 16_384, 512, 384, 256)),
    }
    if curve == "recipients":
        return [Point(curve, f"{recipients * times:,}", recipients * times) for times in TIMES]
    if curve == "workers":
        return [
            Point(curve, f"{workers}", recipients, ("--workers", str(workers)))
            for workers in range(1, available_cores() + 1)
        ]
    name, values = settings[curve]
    return [
        Point(curve, f"{value:,}", recipients, ("--set", f"{PERFORMANCE}.{name}={value}"))
        if value is not None
        else Point(curve, "default (growing)", recipients)
        for value in values
    ]


CURVES = ("chunk_size", "memory", "workers", "recipients")


def main():
    arguments = read_arguments()
    if not arguments.table:
        compare(arguments)
    sys.stdout.write(render(json.loads(arguments.output.read_text())))


def read_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        prog="python -m tests.performance.curves",
    )
    parser.add_argument("--awards", type=int, default=5_000)
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--data", type=Path, default=Path("reports/curves"), help="folder for the files")
    parser.add_argument("--only", default=",".join(CURVES), help="curves by comma [%(default)s]")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each point; the table has medians")
    parser.add_argument("--output", type=Path, help="results as JSON [<data>/curves.json]")
    parser.add_argument("--table", action="store_true", help="measure nothing, print saved results again")
    arguments = parser.parse_args()
    arguments.output = arguments.output or arguments.data / "curves.json"
    return arguments


def compare(arguments):
    """Run all points of the chosen curves and save the results as they come."""
    folder = arguments.data.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    compile_modules()
    results = {
        **describe("curves"),
        "size": {name: getattr(arguments, name) for name in ("awards", "recipients", "seed")},
        "points": [],
    }
    for curve in arguments.only.split(","):
        for point in points(curve, arguments.recipients):
            say(f"{curve}: {point.label}")
            data = made(folder, arguments.awards, point.recipients, arguments.seed)
            results["points"].append(measure(point, data, arguments.repeats))
            arguments.output.write_text(json.dumps(results, indent=1) + "\n")


def made(folder, awards, recipients, seed):
    """Return the folder of data of that size, made if it is not there yet."""
    data = folder / f"{awards}x{recipients}-{seed}"
    if not (data / "truth.csv").is_file():
        say(f"making {data.name}")
        numbers = ("--awards", str(awards), "--recipients", str(recipients), "--seed", str(seed))
        run("data", "synthesise", "--quiet", *numbers, "--format", "parquet", "--output", str(data))
    return data


def measure(point, data, repeats):
    """Return the medians of a point and the SHA-256 of what its last run wrote."""
    output = data / "linked.parquet"
    files = ("--awards", str(data / "awards.parquet"), "--recipients", str(data / "recipients.parquet"))
    enrich = (sys.executable, "-m", "sbir_gate", "enrich", "--quiet", *files, "--output", str(output))
    measured = measured_runs((*enrich, *NO_TIMEOUT, *point.options), output, repeats)
    if "error" not in measured:
        measured["sha256"] = hashlib.sha256(output.read_bytes()).hexdigest()
    return {"curve": point.curve, "label": point.label, **measured}


def render(results):
    """Return a table for each curve, from the document that `--output` saved."""
    size = results["size"]
    work = (
        f"{size['awards']:,} awards against {size['recipients']:,} recipients (synthesised, seed"
        f" {size['seed']})."
    )
    lines = [
        f"Measured on {results['date']}: {results['machine']}.",
        "",
        "```sh",
        results["command"],
        "```",
        "",
        work,
    ]
    for curve in dict.fromkeys(point["curve"] for point in results["points"]):
        lines += ["", *table(curve, [point for point in results["points"] if point["curve"] == curve])]
    return "\n".join(lines) + "\n"


def table(curve, measured):
    """Return the lines of one curve's table."""
    titles = (curve, "wall s", "CPU s", "peak MiB", "wall, x first", "CPU, x first", "peak, x first")
    lines = [f"| {' | '.join(titles)} | SHA-256 of the output |", "|--:" * len(titles) + "|---|"]
    names = ("wall_seconds", "cpu_seconds", "peak_rss_mib")
    first = next((point for point in measured if "error" not in point), None)
    for point in measured:
        if "error" in point:
            lines.append(f"| {point['label']} | failed: {point['error']} |" + " |" * (len(titles) - 1))
            continue
        cells = [
            point["label"],
            seconds(point["wall_seconds"]),
            seconds(point["cpu_seconds"]),
            f"{point['peak_rss_mib']:,.0f}",
            *(ratio(point[name], first[name]) for name in names),
            f"`{point['sha256'][:12]}`",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    main()
