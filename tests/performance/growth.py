"""How time and memory of `enrich` grow with recipients and with the workers of a cluster, and a prediction.

    python -m tests.performance.growth --recipients 1000000 3300000 10000000 --workers 0 1 2 4 --data growth
    python -m tests.performance.growth --recipients 33000000 --workers 2 --limit 2048 --data growth
    python -m tests.performance.growth --data growth --table

Makes the data once for each size (Parquet, seed 7), then runs `sbir-gate enrich` in a fresh process for
each size and number of workers (`--cluster local:N`; 0 is one process without a cluster). With `--limit` a
scheduler and the workers, of one thread each, are started beforehand, each worker in a memory cgroup of its
own: the kernel ends it where it needs more. Measured are wall time, processor time of all processes (on a
busy machine compare that), and the peak resident size of each process: the largest VmHWM that is seen,
asked ten times a second. All outputs of one size must have one SHA-256. Results are saved after each run,
so that a long series can be made in parts.

The fit is a line through the processor seconds by recipients, with the least relative error. What it gives
for sizes that were not measured is a prediction.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil

AWARDS = 220_000
PREDICTED = (100_000_000, 1_000_000_000)
_POLL_SECONDS = 0.1
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


@dataclass(frozen=True, slots=True)
class Growth:
    """One run: `workers` 0 is one process without a cluster; peaks in MiB, that of workers the largest.

    `budget_mib` is that of each process; `limit_mib` is what the kernel allows each worker, 0 for no limit.
    """

    recipients: int
    workers: int
    wall_seconds: float
    cpu_seconds: float
    client_mib: float
    worker_mib: float
    sha256: str
    budget_mib: int = 1024
    limit_mib: int = 0


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
        "| recipients | workers | budget MiB | wall s | CPU s | client peak MiB | largest worker peak MiB |",
        "|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for run in sorted(runs, key=lambda run: (run.recipients, run.workers)):
        limit = f" (limit {run.limit_mib:,})" if run.limit_mib else ""
        worker = f"{run.worker_mib:,.0f}{limit}" if run.workers else "-"
        lines.append(
            f"| {run.recipients:,} | {run.workers or 'no cluster'} | {run.budget_mib:,} "
            f"| {run.wall_seconds:,.0f} | {run.cpu_seconds:,.0f} | {run.client_mib:,.0f} | {worker} |"
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


@contextmanager
def limited_workers(workers: int, limit_mib: int) -> Iterator[str]:
    """Start a scheduler and workers under a limit of the kernel; give the scheduler's address."""
    python = [sys.executable, "-m"]
    with TemporaryDirectory(prefix="growth-") as folder, ExitStack() as stack:
        file = Path(folder) / "scheduler.json"
        common = ["--scheduler-file", str(file), "--no-dashboard"]
        scheduler = [*python, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *common]
        worker = [*python, "distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny", *common]
        worker += ["--memory-limit", "0", "--local-directory", folder]
        stack.enter_context(_running(scheduler))
        while not (file.exists() and file.read_text()):
            time.sleep(_POLL_SECONDS)
        for number in range(workers):
            group = stack.enter_context(_memory_group(f"growth-{os.getpid()}-{number}", limit_mib))
            stack.enter_context(_running(["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group), *worker]))
        yield json.loads(file.read_text())["address"]


@contextmanager
def _running(command: Sequence[str]) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
            if process.poll() is not None:
                raise subprocess.CalledProcessError(process.returncode, command)
        finally:
            process.terminate()


@contextmanager
def _memory_group(name: str, limit_mib: int) -> Iterator[Path]:
    """Make a memory cgroup (version 1 or 2); give the file that processes of it are written to."""
    root = Path("/sys/fs/cgroup")
    is_first = (root / "memory").is_dir()
    group = root / "memory" / name if is_first else root / name
    group.mkdir()
    try:
        limit = "memory.limit_in_bytes" if is_first else "memory.max"
        (group / limit).write_text(str(limit_mib << 20))
        yield group / "cgroup.procs"
    finally:
        group.rmdir()


def measured(data: Path, recipients: int, workers: int, budget_mib: int, limit_mib: int) -> Growth:
    """Run once, and return what it took."""
    output = data / f"linked-{workers}.parquet"
    before, started = _child_seconds(), time.perf_counter()
    cluster = nullcontext(f"local:{workers}" if workers else None)
    with limited_workers(workers, limit_mib) if limit_mib else cluster as address:
        client, worker = _peaks(_command(data, output, address, budget_mib))
    return Growth(
        recipients,
        workers,
        round(time.perf_counter() - started, 1),
        round(_child_seconds() - before, 1),
        round(client),
        round(worker),
        hashlib.sha256(output.read_bytes()).hexdigest(),
        budget_mib,
        limit_mib,
    )


def _command(data: Path, output: Path, address: str | None, budget_mib: int) -> list[str]:
    files = ["--awards", str(data / "awards.parquet"), "--recipients", str(data / "recipients.parquet")]
    files += ["--output", str(output)]
    limits = {"memory_threshold_mb": budget_mib, "timeout_seconds": 36000}
    performance = [f"enrichment.performance.{name}={value}" for name, value in limits.items()]
    settings = [part for setting in performance for part in ("--set", setting)]
    cluster = ["--cluster", address] if address else []
    return [sys.executable, "-m", "sbir_gate", "enrich", *files, "--fresh", "--quiet", *settings, *cluster]


def _peaks(command: Sequence[str]) -> tuple[float, float]:
    """Run a command; return its peak in MiB, and the largest of all other processes of this one."""
    peaks: dict[int, float] = {}
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            for child in psutil.Process().children(recursive=True):
                peaks[child.pid] = max(peaks.get(child.pid, 0.0), _peak_mib(child.pid))
            time.sleep(_POLL_SECONDS)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    client = peaks.pop(process.pid)
    return client, max(peaks.values(), default=0.0)


def _child_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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
    parser.add_argument("--limit", type=int, default=0, help="MiB for each worker, kept by the kernel")
    parser.add_argument(
        "--data", type=Path, default=Path("reports/growth"), help="folder for data and results"
    )
    parser.add_argument("--table", action="store_true", help="measure nothing, print what is saved")
    arguments = parser.parse_args()
    saved = arguments.data / "growth.json"
    runs = [Growth(**run) for run in json.loads(saved.read_text())] if saved.exists() else []
    known = {(run.recipients, run.workers, run.budget_mib, run.limit_mib) for run in runs}
    for recipients in [] if arguments.table else arguments.recipients:
        data = make_data(arguments.data, recipients, arguments.awards)
        for workers in arguments.workers:
            limit = arguments.limit if workers else 0
            if (recipients, workers, arguments.budget, limit) not in known:
                runs.append(measured(data, recipients, workers, arguments.budget, limit))
                saved.write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n")
                check_same(runs)
    print(table(runs))


if __name__ == "__main__":
    main()
