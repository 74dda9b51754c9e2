"""The engines of docs/engine-contract.md keep the contract and can be gated as they stand there."""

import csv
import os
import re
import shlex
import shutil
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
SCRIPTS = dict(re.findall(r"^```\w+\n(?:#|--) (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
SPLINK, DBT = "splink_enrich.py", "dbt_enrich.sh"
# of a fixture of 100 awards no limit on quality holds: what each engine reaches is asserted here
SETTINGS = "enrichment: {performance: {match_rate_threshold: 0.01}}\n"


def set_up(name, folder, awards):
    """Write the engines and a fixture of the first awards; return the command of one on the page."""
    for path, text in SCRIPTS.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
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
        ("sql_enrich.py", ExitStatus.OK, 0.95),
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


def install(environment):
    """Make an environment as the page does; skip the test where its packages cannot be had."""
    packages = re.search(rf"{environment.name}/bin/pip install ([^`]*)`", PAGE)[1]
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    command = [environment / "bin" / "pip", "install", "--quiet", *shlex.split(packages)]
    installed = subprocess.run(command, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"pip cannot install {packages}: {installed.stderr[-200:]}")


@pytest.mark.nightly
def test_splink_on_the_page_keeps_the_contract(tmp_path):
    command = set_up(SPLINK, tmp_path, 1000)
    install(tmp_path / ".venv-splink")
    done = gate(tmp_path, "check-engine", command)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    found = quality_of(tmp_path, command)
    assert found.match_rate > 0.6
    assert found.precision > 0.99


@pytest.mark.nightly
def test_dbt_on_the_page_keeps_the_contract(tmp_path):
    command = set_up(DBT, tmp_path, 100)
    install(tmp_path / ".venv-dbt")
    (tmp_path / "links" / "models").mkdir()
    shutil.copy(tmp_path / "enrich.sql", tmp_path / "links" / "models" / "enriched.sql")
    before = sorted(tmp_path.glob("links/**/*"))
    done = gate(tmp_path, "check-engine", command)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert sorted(tmp_path.glob("links/**/*")) == before
    found = quality_of(tmp_path, command)
    assert found.match_rate > 0.3
    assert found.precision > 0.95


def test_the_page_has_these_engines():
    dbt = ["links/dbt_project.yml", "links/profiles.yml", DBT]
    assert list(SCRIPTS) == ["enrich.py", "enrich.sh", "enrich.sql", "sql_enrich.py", *dbt, SPLINK]
