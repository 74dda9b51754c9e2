"""How often `sbir-gate run --base` is right, for real: a Markdown table of verdicts on this machine.

    .venv/bin/python -m tests.performance.side_by_side_trials --unchanged 50
    .venv/bin/python -m tests.performance.side_by_side_trials --slower 30 --slower 50 --hungrier 60 --times 20

A repository is made in a temporary folder: a synthesised fixture (`--awards`, `--recipients`), and an
enricher that is the built-in engine with a handicap. On main the handicap is none; a branch commits it:
`--slower 30` burns 30 % more processor time and wall time in a busy loop, `--hungrier 60` holds so much
memory that the peak is 60 % higher. Each trial is one call of the program, as CI calls it. Trials of an
unchanged tree run while another process loads one core at random; with `--load` the others do too.

`caught`: the verdict was fail. `covered`: the interval of the metric held the true ratio. For an unchanged
tree the truth is 1. Seconds are those of the whole call.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sbir_gate.documents import load_run, load_verdict
from sbir_gate.gate.reporting.messages import texts
from sbir_gate.model.verdict import Outcome
from tests.factories_git import ENVIRONMENT, Repository, make_repository

ENRICHER = '''\
"""The built-in engine with a handicap: shares of its own time and memory on top."""

import json
import sys
import time

SLOWER, HUNGRIER = 0.0, 0.0
MIB = 2**20
started = time.perf_counter()
awards, recipients, output, metrics = sys.argv[1:]

from sbir_gate.cli.application import application

files = ["--awards", awards, "--recipients", recipients, "--output", output, "--metrics", metrics]
application.main(["enrich", "--quiet", *files], standalone_mode=False)
if HUNGRIER:
    told = json.load(open(metrics))
    peak_mib = max([told["peak_rss_mib"] or 0, *(stage["peak_rss_mib"] or 0 for stage in told["stages"])])
    pages = int(open("/proc/self/statm").read().split()[1])
    ballast = bytearray(max(0, int((1 + HUNGRIER) * peak_mib * MIB) - pages * 4096))
    ballast[::4096] = b"x" * len(ballast[::4096])
wall_end = started + (1 + SLOWER) * (time.perf_counter() - started)
cpu_end = (1 + SLOWER) * time.process_time()
while time.process_time() < cpu_end or (SLOWER and time.perf_counter() < wall_end):
    pass
'''
# busy and idle in turn, for times drawn at random
LOAD = """\
import random, time
draw = random.Random(7)
while True:
    end = time.perf_counter() + draw.expovariate(1 / 1.5)
    while time.perf_counter() < end:
        pass
    time.sleep(draw.expovariate(1 / 1.5))
"""
# the enricher is the built-in engine, so it runs with the interpreter that has it
SETTINGS = f"""\
enricher:
  command: '{{python}} enrich.py {{awards}} {{recipients}} {{output}} {{metrics}}'
  python: {sys.executable}
"""


@dataclass(frozen=True)
class Case:
    """What was changed: the metric that shows it, and the true ratio of head to base."""

    name: str
    slower: float
    hungrier: float
    metric: str
    is_loaded: bool

    @property
    def truth(self) -> float:
        return 1 + self.slower + self.hungrier


@dataclass(frozen=True)
class Trial:
    """What one call of the program said."""

    case: str
    outcome: str
    reasons: tuple[str, ...]
    ratio: float | None
    low: float | None
    high: float | None
    pairs: int
    seconds: float


def main() -> None:
    arguments = parsed()
    cases = [(case, times) for case, times in wanted(arguments) if times]
    if not cases:
        raise SystemExit("nothing to try: see --help")
    trials: list[Trial] = []
    with tempfile.TemporaryDirectory(prefix="sbir-gate-trials-") as folder:
        repository = made(Path(folder), arguments)
        for case, times in cases:
            prepare(repository, case)
            with load() if case.is_loaded else nothing():
                for number in range(1, times + 1):
                    trial = tried(repository, case, arguments.options)
                    trials.append(trial)
                    keep(trials, arguments.output)
                    say(f"{case.name} {number}/{times}: {trial.outcome} {trial.ratio} {trial.seconds:.0f} s")
    print(table([case for case, _ in cases], trials))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    percent = {"type": float, "action": "append", "default": [], "metavar": "PERCENT"}
    parser.add_argument("--unchanged", type=int, default=0, metavar="N", help="so many unchanged trials")
    parser.add_argument("--slower", **percent, help="may be given many times")
    parser.add_argument("--hungrier", **percent, help="may be given many times")
    parser.add_argument("--times", type=int, default=20, help="trials of each change")
    parser.add_argument("--load", action="store_true", help="load one core during changed trials too")
    parser.add_argument("--awards", type=int, default=300)
    parser.add_argument("--recipients", type=int, default=5000)
    parser.add_argument("--output", type=Path, help="JSON of every trial, written after each")
    parser.add_argument("options", nargs="*", help="handed on to `sbir-gate run`, after --")
    return parser.parse_args()


def wanted(arguments: argparse.Namespace) -> Iterator[tuple[Case, int]]:
    yield Case("unchanged, one core loaded", 0, 0, "cpu_seconds", is_loaded=True), arguments.unchanged
    loaded = ", one core loaded" if arguments.load else ""
    for percent in arguments.slower:
        name = f"{percent:g} % slower{loaded}"
        yield Case(name, percent / 100, 0, "cpu_seconds", arguments.load), arguments.times
    for percent in arguments.hungrier:
        name = f"{percent:g} % hungrier{loaded}"
        yield Case(name, 0, percent / 100, "peak_rss_mib", arguments.load), arguments.times


def made(folder: Path, arguments: argparse.Namespace) -> Repository:
    """Make the repository of a team: a fixture, the enricher without a handicap, and the settings."""
    repository = make_repository(folder / "repository")
    size = ["--awards", arguments.awards, "--recipients", arguments.recipients, "--seed", 1, "--sample"]
    gate(repository, "data", "synthesise", *size, "--output", "fixtures", "--quiet")
    repository.commit({"enrich.py": ENRICHER, "gate.yaml": SETTINGS, ".gitignore": "reports/\n"})
    return repository


def keep(trials: list[Trial], path: Path | None) -> None:
    """Write what is known so far: a long series may be stopped."""
    if path:
        path.write_text(json.dumps([asdict(trial) for trial in trials], indent=1) + "\n", encoding="utf-8")


def prepare(repository: Repository, case: Case) -> None:
    """Stand on a branch of main whose one commit gives the enricher its handicap, or changes nothing."""
    repository.git("switch", "--quiet", "--force-create", "change", "main")
    line = f"SLOWER, HUNGRIER = {case.slower!r}, {case.hungrier!r}"
    repository.commit({"enrich.py": ENRICHER.replace("SLOWER, HUNGRIER = 0.0, 0.0", line)})


def tried(repository: Repository, case: Case, options: list[str]) -> Trial:
    started = time.perf_counter()
    gate(repository, "run", "--base", "main", "--config", "gate.yaml", "--quiet", *options)
    seconds = time.perf_counter() - started
    reports = repository.folder / "reports"
    verdict = load_verdict(reports / "verdict.json")
    change = next(change for change in verdict.changes if change.metric == case.metric)
    newest = max((reports / "benchmarks").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    return Trial(
        case=case.name,
        outcome=verdict.outcome.value,
        reasons=texts(verdict.deciding),
        ratio=change.ratio,
        low=change.ratio_low,
        high=change.ratio_high,
        pairs=len(load_run(newest).samples),
        seconds=seconds,
    )


def gate(repository: Repository, *arguments: object) -> None:
    """Call the program in the repository; it may fail the gate, but not break."""
    done = subprocess.run(
        [sys.executable, "-m", "sbir_gate", *map(str, arguments)],
        cwd=repository.folder,
        env=ENVIRONMENT | {"HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in {0, 1}:
        raise SystemExit(done.stderr)


@contextmanager
def load() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", LOAD])
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def nothing() -> Iterator[None]:
    yield


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def table(cases: list[Case], trials: list[Trial]) -> str:
    lines = [
        "| change | verdicts | caught | metric | true ratio | median estimate | covered | pairs | seconds |",
        "|---|---|--:|---|--:|--:|--:|--:|--:|",
    ]
    for case in cases:
        mine = [trial for trial in trials if trial.case == case.name]
        outcomes = Counter(trial.outcome for trial in mine)
        caught = outcomes[Outcome.FAIL.value]
        with_interval = [trial for trial in mine if trial.low is not None and trial.high is not None]
        covered = sum(trial.low <= case.truth <= trial.high for trial in with_interval)
        cells = (
            case.name,
            ", ".join(f"{outcome} {count}" for outcome, count in outcomes.most_common()),
            f"{caught} of {len(mine)}",
            case.metric,
            f"{case.truth:.2f}",
            middle([trial.ratio for trial in mine if trial.ratio is not None], ".3f"),
            f"{covered} of {len(mine)}",
            middle([trial.pairs for trial in mine], "g"),
            middle([trial.seconds for trial in mine], ".0f"),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def middle(values: list[float], form: str) -> str:
    return format(statistics.median(values), form) if values else "none"


if __name__ == "__main__":
    main()
