"""Verdicts on a busy machine beside a baseline from a quiet one.

    .venv/bin/python -m tests.performance.calibration_trials --calls 40

A small engine is measured at rest, and then again and again while a second process loads one core on and off
at random. Unchanged code must never fail. An engine that does 40 % more must never be shown as using less
processor time. Counts of the outcomes are printed, and how the processor time of each call compared. The exit
status is 1 if either does not hold.

Each Run is also judged as if it came from another machine, so that times are multiples of the calibration
workload. Run it on a machine that is at rest but for what the script does.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.measuring.benchmark import BenchmarkPlan, run_benchmark
from sbir_gate.gate.measuring.machine import describe_machine, time_calibration
from sbir_gate.gate.measuring.metrics import derive_metrics
from sbir_gate.gate.measuring.process import run_process
from sbir_gate.model.verdict import Outcome
from sbir_gate.settings.effective import load_settings
from sbir_gate.settings.judgement import policy
from tests.factories import make_quality, make_run

JUDGED = ("wall_seconds", "cpu_seconds", "peak_rss_mib")
AWARDS = 40
MORE_WORK = 1.4
# about 0.3 s of processor time: string work, sorting and memory, as an enrichment does
ENGINE = """
import sys
awards, _recipients, output, work = sys.argv[1:5]
held = bytearray(40 * 2**20)
for number in range(int(450_000 * float(work))):
    sorted(f"ADVANCED PHOTONICS {number} RESEARCH, L.L.C.".casefold().replace(",", " ").split())
with open(awards) as file, open(output, "w") as out:
    out.write("award_id,recipient_id,match_method,match_score\\n")
    out.writelines(f"{award.strip()},R1,uei-exact,100\\n" for award in list(file)[1:])
"""
BUSY = """
import os, random, time
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
while True:
    end = time.monotonic() + random.uniform(0.1, 2.0)
    while time.monotonic() < end:
        pass
    time.sleep(random.uniform(0.1, 2.0))
"""


def plan_of(folder, work, repeats):
    (folder / "engine.py").write_text(ENGINE)
    award_ids = tuple(f"A{number:04d}" for number in range(AWARDS))
    (folder / "awards.csv").write_text("\n".join(["award_id", *award_ids]) + "\n")
    (folder / "recipients.csv").write_text("recipient_id\nR1\n")
    return BenchmarkPlan(
        command=f"{{python}} {folder / 'engine.py'} {{awards}} {{recipients}} {{output}} {work}",
        awards_path=folder / "awards.csv",
        recipients_path=folder / "recipients.csv",
        award_ids=award_ids,
        scratch_folder=folder,
        working_folder=folder,
        environment=os.environ,
        repeats=repeats,
        output_name="enriched.csv",
    )


def measured(folder, work, repeats):
    """Return the Run of a benchmark of the engine."""
    plan = plan_of(folder, work, repeats)
    result = run_benchmark(plan, run_process, time_calibration, lambda _repeat, _of: None)
    names = set(JUDGED)
    metrics = derive_metrics(result, make_quality(), AWARDS)
    return make_run(
        machine=describe_machine(),
        samples=result.samples,
        metrics=tuple(metric for metric in metrics if metric.name in names),
        calibration_seconds=tuple(timing.wall_seconds for timing in result.calibrations),
        calibration_cpu_seconds=tuple(timing.cpu_seconds for timing in result.calibrations),
    )


@contextmanager
def busy():
    """Load one core on and off at random meanwhile."""
    with subprocess.Popen([sys.executable, "-c", BUSY]) as loader:
        try:
            yield
        finally:
            loader.kill()


def limits():
    """Return the default policy, of the metrics that are measured here."""
    judged = policy(load_settings(None, {}).settings)
    return replace(judged, limits=tuple(limit for limit in judged.limits if limit.name in JUDGED))


def trials(folder, work, baseline, calls, repeats):
    """Return the outcomes, and the ratios of processor time, on this machine and as if on another."""
    rules, elsewhere = limits(), replace(baseline, machine=replace(baseline.machine, fingerprint="elsewhere"))
    outcomes, ratios = (
        {"same machine": [], "another machine": []},
        {"same machine": [], "another machine": []},
    )
    with busy():
        for _ in range(calls):
            time.sleep(random.uniform(0, 0.5))
            run = measured(folder, work, repeats)
            for where, reference in (("same machine", baseline), ("another machine", elsewhere)):
                verdict = judge(run, reference, rules)
                outcomes[where].append(verdict.outcome)
                ratios[where] += [
                    change.ratio for change in verdict.changes if change.metric == "cpu_seconds"
                ]
    return outcomes, ratios


def report(title, outcomes, ratios):
    print(title)
    for where, found in outcomes.items():
        counts = ", ".join(f"{outcome.value} {count}" for outcome, count in Counter(found).most_common())
        low, middle, high = min(ratios[where]), median(ratios[where]), max(ratios[where])
        print(f"  {where}: {counts}; cpu_seconds x {low:.2f} to {high:.2f}, median {middle:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        baseline = measured(folder, 1.0, options.repeats)
        same, same_ratios = trials(folder, 1.0, baseline, options.calls, options.repeats)
        report(f"unchanged code, {options.calls} calls, one core loaded at random", same, same_ratios)
        more, more_ratios = trials(folder, MORE_WORK, baseline, options.calls, options.repeats)
        report(f"{MORE_WORK:g} times the work, {options.calls} calls", more, more_ratios)
    is_fair = not any(outcome is Outcome.FAIL for found in same.values() for outcome in found)
    is_seen = all(ratio > 1 for found in more_ratios.values() for ratio in found)
    print(f"unchanged code never failed: {is_fair}; more work was never shown as less: {is_seen}")
    return 0 if is_fair and is_seen else 1


if __name__ == "__main__":
    sys.exit(main())
