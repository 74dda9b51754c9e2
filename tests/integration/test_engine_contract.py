"""The engines of docs/engine-contract.md keep the contract and can be gated as they stand there."""

import csv
import os
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from sbir_gate.documents import load_run
from sbir_gate.errors import ExitStatus
from tests.program import run_in_process

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "engine-contract.md").read_text(encoding="utf-8")
SCRIPTS = dict(re.findall(r"^```\w+\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
SPLINK = "splink_enrich.py"
# of a fixture of 100 awards no limit on quality holds: what each engine reaches is asserted here
SETTINGS = "enrichment: {performance: {match_rate_threshold: 0.01}}\n"


def set_up(name, folder, awards):
    """Write the engine and a fixture of the first awards; return the command on the page."""
    (folder / name).write_text(SCRIPTS[name], encoding="utf-8")
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "fixtures").mkdir()
    (folder / "fixtures" / "recipients.csv").symlink_to(ROOT / "fixtures" / "recipients.csv")
    for file in ("awards.csv", "truth.csv"):
        with (
            (ROOT / "fixtures" / file).open(encoding="utf-8", newline="") as whole,
            (folder / "fixtures" / file).open("w", encoding="utf-8", newline="") as part,
        ):
            csv.writer(part).writerows(islice(csv.reader(whole), awards + 1))
    (folder / "sbir-gate.yaml").write_text(SETTINGS, encoding="utf-8")
    return re.search(rf"check-engine '([^']*{re.escape(name)}[^']*)'\n```", PAGE)[1]


def gate(folder, *arguments):
    python = f"enricher.python={sys.executable}"
    return run_in_process([*arguments, "--set", python, "--quiet"], folder, {"PATH": os.environ["PATH"]})


def quality_of(folder, command, status=ExitStatus.OK):
    done = gate(folder, "run", "--quick", "--enricher", command)
    assert done.returncode == status, done.stdout + done.stderr
    (saved,) = (folder / "reports" / "benchmarks").glob("*.json")
    return load_run(saved).quality


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "status", "precision"),
    [
        ("enrich.py", ExitStatus.GATE_FAILED, 0.85),  # similar names alone are not precise enough to pass
        ("enrich.sh", ExitStatus.OK, 0.95),
    ],
)
def test_an_engine_on_the_page_keeps_the_contract(name, status, precision, tmp_path):
    command = set_up(name, tmp_path, 100)
    done = gate(tmp_path, "check-engine", command)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "warning: " not in done.stdout
    found = quality_of(tmp_path, command, status)
    assert found.match_rate > 0.1
    assert found.precision > precision


@pytest.mark.nightly
def test_splink_on_the_page_keeps_the_contract(tmp_path):
    command = set_up(SPLINK, tmp_path, 1000)
    own = tmp_path / ".venv-splink"
    subprocess.run([sys.executable, "-m", "venv", own], check=True)
    install = [own / "bin" / "pip", "install", "--quiet", "splink>=5"]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"pip cannot install splink: {installed.stderr[-200:]}")
    done = gate(tmp_path, "check-engine", command)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    found = quality_of(tmp_path, command)
    assert found.match_rate > 0.6
    assert found.precision > 0.99


def test_the_page_has_these_engines():
    assert list(SCRIPTS) == ["enrich.py", "enrich.sh", SPLINK]
