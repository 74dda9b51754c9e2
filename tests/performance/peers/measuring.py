"""Runs in fresh processes, and what is said of the machine: what the peers and the curves share."""

import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from sbir_gate import __version__
from sbir_gate.gate.measuring.machine import describe_machine
from sbir_gate.gate.measuring.process import ProcessRequest, run_process
from tests.performance.peers.ways import PEERS_PYTHON, ROOT

TIMEOUT_SECONDS = 6 * 3600.0
OURS = ("duckdb", "numpy", "rapidfuzz")


def measured_runs(command, output, repeats):
    """Return the medians of wall, CPU and peak over fresh processes, or what stopped one (`error`).

    The launcher is the small parent: a child's peak starts at the size of what it was forked from.
    """
    runs = []
    for _ in range(repeats):
        output.unlink(missing_ok=True)
        runs.append(run_process(ProcessRequest(command, dict(os.environ), ROOT, TIMEOUT_SECONDS)))
        if runs[-1].is_timed_out:
            return {"error": "out of time"}
        if runs[-1].exit_status:
            return {
                "error": " / ".join(runs[-1].log_tail)[-300:].replace("|", "/")
                or f"status {runs[-1].exit_status}"
            }
    return {
        name: median(getattr(one, name) for one in runs)
        for name in ("wall_seconds", "cpu_seconds", "peak_rss_mib")
    }


def describe(module):
    """Return when, where, with what and by which command something is measured."""
    machine = describe_machine()
    return {
        "date": f"{datetime.now(tz=UTC):%Y-%m-%d}",
        "machine": (
            f"{machine.cpu_model}, {machine.cores} cores, {machine.memory_mib / 1024:.0f} GiB,"
            f" {machine.system}, Python {machine.python_version}"
        ),
        "versions": {f"sbir-gate {__version__}": {name: version(name) for name in OURS}},
        "command": shlex.join([".venv/bin/python", "-m", f"tests.performance.{module}", *sys.argv[1:]]),
    }


def compile_modules():
    """Compile what both environments import: PYTHONDONTWRITEBYTECODE would charge each run for it anew."""
    for library in (Path(sys.prefix, "lib"), PEERS_PYTHON.parents[1] / "lib", ROOT / "sbir_gate"):
        # some packages ship files for other versions of Python, which do not compile: no fault
        command = [sys.executable, "-m", "compileall", "-qq", str(library)]
        subprocess.run(command, check=False)


def say(text):
    sys.stderr.write(f"{datetime.now(tz=UTC):%H:%M:%S} {text}\n")
