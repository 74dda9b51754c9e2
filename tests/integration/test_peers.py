import shutil
import subprocess

import pytest

from tests.documentation import ROOT


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_a_fresh_clone_measures_the_engine_beside_its_peers(tmp_path):
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    size = "--awards 2000 --recipients 20000 --data small"
    made = subprocess.run(
        ["make", "--silent", "peers", f"PEERS={size}"], cwd=clone, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr[-2000:]
    rows = [line for line in made.stdout.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 14
    assert "failed" not in made.stdout
    again = subprocess.run(
        ["make", "--silent", "peers", "PEERS=--files fixtures --data given --only ours,goldenmatch"],
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stderr[-2000:]
    assert "435 firms that no identifier links" in again.stdout
