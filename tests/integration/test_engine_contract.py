"""The engines of docs/engine-contract.md keep the contract as they stand there."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.program import run_in_process

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "engine-contract.md").read_text(encoding="utf-8")
SCRIPTS = re.findall(r"^```\w+\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text"), SCRIPTS, ids=[name for name, _ in SCRIPTS])
def test_an_engine_on_the_page_keeps_the_contract(name, text, tmp_path):
    (tmp_path / name).write_text(text)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    command = re.search(rf"check-engine '([^']*{re.escape(name)}[^']*)'\n```", PAGE)[1]
    arguments = ["check-engine", command, "--set", f"enricher.python={sys.executable}", "--quiet"]
    done = run_in_process(arguments, tmp_path, {"PATH": os.environ["PATH"]})
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "warning: " not in done.stdout


def test_the_page_has_two_engines():
    assert [name for name, _ in SCRIPTS] == ["enrich.py", "enrich.sh"]
