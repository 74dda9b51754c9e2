"""The budget of memory under a limit that the kernel sets, not only under a fake."""

import hashlib
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parents[2] / "fixtures"
# address space, not memory in use: a process reserves some hundred MiB of it that it never touches
ADDRESS_SPACE_KIB = 1_400_000

pytestmark = pytest.mark.nightly


def enriched(folder, recipients, budget_mib, limit_kib=None):
    """Return the digest of the output and the highest size (MiB) of a run in a fresh process."""
    output, metrics = folder / "out.csv", folder / "metrics.json"
    command = [
        *(sys.executable, "-m", "sbir_gate", "enrich", "--quiet", "--workers", "2"),
        *("--awards", FIXTURES / "awards.csv", "--recipients", recipients),
        *("--output", output, "--metrics", metrics),
        *("--set", f"enrichment.performance.memory_threshold_mb={budget_mib}"),
    ]
    line = shlex.join(map(str, command))
    if limit_kib:
        line = f"ulimit -v {limit_kib} && {line}"
    done = subprocess.run(["/bin/sh", "-c", line], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(metrics.read_text())
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    output.unlink()
    return digest, max(stage["peak_rss_mib"] for stage in told["stages"])


@pytest.fixture(scope="module")
def recipients(tmp_path_factory):
    """Return a table of 300,000 recipients."""
    folder = tmp_path_factory.mktemp("large")
    command = "data synthesise --quiet --awards 10 --recipients 300000 --format parquet --output ."
    subprocess.run([sys.executable, "-m", "sbir_gate", *command.split()], cwd=folder, check=True)
    return folder / "recipients.parquet"


def test_within_a_real_limit_a_small_budget_is_kept_and_the_result_is_the_same(tmp_path, recipients):
    expected, _ = enriched(tmp_path, recipients, 2048)
    digest, peak_mib = enriched(tmp_path, recipients, 512, limit_kib=ADDRESS_SPACE_KIB)
    assert digest == expected
    assert peak_mib <= 512
