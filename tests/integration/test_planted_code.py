"""Engines that plant code for the gate to run: in a copy of its package, so that no other test runs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sbir_gate
from sbir_gate.documents import load_verdict
from sbir_gate.model.verdict import Outcome
from tests.end_to_end.hostile_engine import AWARDS, ENGINE, GATE, HONEST, commit, git, write_main
from tests.findings import reasons

START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from sbir_gate.cli import main; main()"
# what a module that prints the verdict is replaced by
PASSES = "import os; print('PASS: enrichment', flush=True); os._exit(0)"
PLANT_COMPILED = """
import importlib.util, marshal, struct
for source in (PROGRAM / "sbir_gate").rglob("*.py"):
    status, kept = source.stat(), Path(importlib.util.cache_from_source(source))
    kept.parent.mkdir(exist_ok=True)
    head = struct.pack("<III", 0, int(status.st_mtime), status.st_size)
    kept.write_bytes(importlib.util.MAGIC_NUMBER + head + marshal.dumps(compile(PASSES, source, "exec")))
"""
PLANT_IN_PACKAGE = "(PROGRAM / 'sbir_gate' / 'gate' / 'reporting' / 'console.pyc').write_bytes(b'')"
PLANT_BESIDE = "(PROGRAM / 'simplejson.py').write_text(PASSES)"
EDIT_AND_BREAK = """
with (PROGRAM / 'sbir_gate' / 'gate' / 'reporting' / 'console.py').open('w') as file: file.write(PASSES)
raise SystemExit(1)
"""


@pytest.fixture
def program(tmp_path):
    """Copy the gate to a folder of its own."""
    package = Path(sbir_gate.__file__).parent
    shutil.copytree(package, tmp_path / "program" / "sbir_gate", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(package.parent / "config", tmp_path / "program" / "config")
    return tmp_path / "program"


@pytest.fixture
def judged(tmp_path, program):
    """Return what judges a change to an engine that loses every link and does something more."""
    folder = tmp_path / "repository"
    write_main(folder)
    (folder / "gate.yaml").write_text(GATE)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder)
    git(folder, "checkout", "--quiet", "-b", "change")

    def judge(fault, *options):
        lines = f"PROGRAM, PASSES = Path({str(program)!r}), {PASSES!r}\n{fault}"
        engine = ENGINE.format(fault=lines).replace('f"R{number}", "uei-exact", 100', '"", "none", 0')
        (folder / "enrich.py").write_text(engine)
        command = [sys.executable, "-I", *options, "-c", START, str(program)]
        command += ["run", "--config", "gate.yaml", "--base", "main", "--quick"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        return done, load_verdict(folder / "reports" / "verdict.json")

    return judge


@pytest.mark.slow
def test_planted_compiled_code_is_neither_run_nor_left_behind(judged, program):
    done, verdict = judged(PLANT_COMPILED)
    assert (done.returncode, verdict.outcome) == (1, Outcome.FAIL), done.stderr
    assert f"{AWARDS} awards lost a correct link" in "\n".join(reasons(verdict))
    assert done.stdout.splitlines()[-1].startswith("FAIL: enrichment")
    planted = [path for path in program.rglob("*.pyc") if b"PASS: enrichment" in path.read_bytes()]
    assert planted == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (PLANT_IN_PACKAGE, "console.pyc"),
        (PLANT_BESIDE, "simplejson.py"),
        (EDIT_AND_BREAK, "console.py"),
    ],
    ids=["in-package", "beside", "edited-by-an-engine-that-breaks"],
)
def test_other_planted_code_is_an_error(judged, fault, name):
    done, verdict = judged(fault)
    assert (done.returncode, verdict.outcome) == (3, Outcome.ERROR), done.stderr
    assert name in reasons(verdict)[0]
    assert "changed" in reasons(verdict)[0]


@pytest.mark.slow
def test_nothing_is_loaded_once_an_engine_has_run(judged):
    done, _ = judged(HONEST, "-X", "importtime")
    lines = done.stderr.splitlines()
    began = next(at for at, line in enumerate(lines) if "pair 1 of 1" in line)
    assert [line for line in lines[began:] if line.startswith("import time:")] == []
    assert any("sbir_gate.gate.reporting.console" in line for line in lines[:began])
