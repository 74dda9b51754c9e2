"""How time and memory of `enrich` grow with recipients and with the workers of a cluster, and a prediction.

    python -m tests.performance.growth --recipients 1000000 3300000 10000000 --workers 0 1 2 4 --data growth
    python -m tests.performance.growth --data growth --table

Makes the data once for each size (Parquet, seed 7), then runs `sbir-gate enrich` in a fresh process for each
size and number of workers (`--cluster local:N`; 0 is one process without a cluster). Measured are wall time,
processor time of all processes (on a busy machine compare that), and the peak resident size of each process:
the largest VmHWM that is seen, asked ten times a second. All outputs of one size must have one SHA-256.
Results are saved after each run, so that a long series can be made in parts.

The fit is a line through the processor seconds by recipients, with the least relative error. What it gives
for sizes that were not measured is a prediction.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil

AWARDS = 220_000
PREDICTED = (100_000_000, 1_000_000_000)
_POLL_SECONDS = 0.1
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


@dataclass(frozen=True, slots=True)
class Growth:
    """One run: `workers` 0 is one process without a cluster; peaks in MiB, that of workers the largest."""

    recipients: int
    workers: int
    wall_seconds: float
    cpu_seconds: float
    client_mib: float
    worker_mib: float
    sha256: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line by recipients: what there is at none, and what a million adds."""

    base: float
    per_million: float

    def at(self, recipients: int) -> float:
        """Return the value at a size."""
        return self.base + self.per_million * recipients / 1e6


def fitted(points: Iterable[tuple[int, float]]) -> Line:
    """Return the line through (recipients, value) with the least sum of squared relative errors."""
    sizes, values = np.array(list(points), dtype=float).T
    design = np.column_stack([1 / values, sizes / 1e6 / values])
    base, per_million = np.linalg.lstsq(design, np.ones_like(values), rcond=None)[0]
    return Line(float(base), float(per_million))


def table(runs: Sequence[Growth]) -> str:
    """Return the runs, the fit for each number of workers, and the predictions as Markdown."""
    lines = [
        "| recipients | workers | wall s | CPU s | client peak MiB | largest worker peak MiB |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    for run in sorted(runs, key=lambda run: (run.recipients, run.workers)):
        worker = f"{run.worker_mib:,.0f}" if run.workers else "-"
        lines.append(
            f"| {run.recipients:,} | {run.workers or 'no cluster'} | {run.wall_seconds:,.0f} "
            f"| {run.cpu_seconds:,.0f} | {run.client_mib:,.0f} | {worker} |"
        )
    heads = [f"predicted CPU hours at {size / 1e6:,.0f} million" for size in PREDICTED]
    lines += [
        "",
        f"| workers | sizes | CPU s at none | CPU s per million | largest error | {' | '.join(heads)} |",
        "|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for workers in sorted({run.workers for run in runs}):
        measured = [(run.recipients, run.cpu_seconds) for run in runs if run.workers == workers]
        if len(measured) < 3:
            continue
        line = fitted(measured)
        error = max(abs(line.at(size) / value - 1) for size, value in measured)
        hours = [f"{line.at(size) / 3600:,.1f}" for size in PREDICTED]
        lines.append(
            f"| {workers or 'no cluster'} | {len(measured)} | {line.base:,.1f} | {line.per_million:,.1f} "
            f"| {100 * error:.1f}% | {' | '.join(hours)} |"
        )
    return "\n".join(lines)


def check_same(runs: Sequence[Growth]) -> None:
    """Raise AssertionError unless all outputs of one size are the same."""
    for size in {run.recipients for run in runs}:
        digests = {run.sha256 for run in runs if run.recipients == size}
        if len(digests) > 1:
            raise AssertionError(f"{size:,} recipients: outputs differ: {sorted(digests)}")


def make_data(folder: Path, recipients: int, awards: int) -> Path:
    """Return the folder of the data of a size, made if it is not there."""
    made = folder / f"{recipients}"
    if not (made / "truth.csv").exists():
        size = ["--awards", str(awards), "--recipients", str(recipients), "--seed", "7"]
        kind = ["--format", "parquet", "--output", str(made), "--quiet"]
        subprocess.run([sys.executable, "-m", "sbir_gate", "data", "synthesise", *size, *kind], check=True)
    return made


def measured(data: Path, recipients: int, workers: int, budget_mib: int) -> Growth:
    """Run once, and return what it took."""
    output = data / f"linked-{workers}.parquet"
    files = ["--awards", str(data / "awards.parquet"), "--recipients", str(data / "recipients.parquet")]
    command = [
        sys.executable,
        "-m",
        "sbir_gate",
        "enrich",
        *files,
        "--output",
        str(output),
        "--fresh",
        "--quiet",
    ]
    command += ["--set", f"enrichment.performance.memory_threshold_mb={budget_mib}"]
    command += ["--set", "enrichment.performance.timeout_seconds=36000"]
    if workers:
        command += ["--cluster", f"local:{workers}"]
    before, started = _child_seconds(), time.perf_counter()
    peaks: dict[int, float] = {}
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            for pid in _tree(process.pid):
                peaks[pid] = max(peaks.get(pid, 0.0), _peak_mib(pid))
            time.sleep(_POLL_SECONDS)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    client = peaks.pop(process.pid)
    return Growth(
        recipients,
        workers,
        round(time.perf_counter() - started, 1),
        round(_child_seconds() - before, 1),
        round(client),
        round(max(peaks.values(), default=0.0)),
        hashlib.sha256(output.read_bytes()).hexdigest(),
    )


def _child_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _tree(pid: int) -> list[int]:
    with suppress(psutil.Error):
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    return [pid]


def _peak_mib(pid: int) -> float:
    with suppress(OSError):
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0
    return 0.0


def main() -> None:
    """Measure what is not yet, and print the table of all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--awards", type=int, default=AWARDS)
    parser.add_argument("--recipients", type=int, nargs="+", default=[1_000_000, 3_300_000, 10_000_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2, 4])
    parser.add_argument("--budget", type=int, default=1024, help="MiB for each process")
    parser.add_argument(
        "--data", type=Path, default=Path("reports/growth"), help="folder for data and results"
    )
    parser.add_argument("--table", action="store_true", help="measure nothing, print what is saved")
    arguments = parser.parse_args()
    saved = arguments.data / "growth.json"
    runs = [Growth(**run) for run in json.loads(saved.read_text())] if saved.exists() else []
    known = {(run.recipients, run.workers) for run in runs}
    for recipients in [] if arguments.table else arguments.recipients:
        data = make_data(arguments.data, recipients, arguments.awards)
        for workers in arguments.workers:
            if (recipients, workers) not in known:
                runs.append(measured(data, recipients, workers, arguments.budget))
                saved.write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n")
                check_same(runs)
    print(table(runs))


if __name__ == "__main__":
    main()
