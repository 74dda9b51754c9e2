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
DAGSTER_ADDRESS_SPACE_KIB = 2_200_000

pytestmark = pytest.mark.nightly


def enriched(folder, recipients, budget_mib, *options, limit_kib=None):
    """Return the digest of the output and the metrics of a run in a fresh process."""
    output, metrics = folder / "out.parquet", folder / "metrics.json"
    command = [
        *(sys.executable, "-m", "sbir_gate", "enrich", "--quiet", "--workers", "2", *options),
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
    return digest, told


@pytest.fixture(scope="module")
def recipients(tmp_path_factory):
    """Return a table of 300,000 recipients."""
    folder = tmp_path_factory.mktemp("large")
    command = "data synthesise --quiet --awards 10 --recipients 300000 --format parquet --output ."
    subprocess.run([sys.executable, "-m", "sbir_gate", *command.split()], cwd=folder, check=True)
    return folder / "recipients.parquet"


def test_within_a_real_limit_a_small_budget_is_kept_and_the_result_is_the_same(tmp_path, recipients):
    expected, _ = enriched(tmp_path, recipients, 2048)
    digest, told = enriched(tmp_path, recipients, 512, limit_kib=ADDRESS_SPACE_KIB)
    assert digest == expected
    assert max(stage["peak_rss_mib"] for stage in told["stages"]) <= 512


@pytest.fixture(scope="module")
def wide_recipients(tmp_path_factory):
    """Return recipients whose rows are so long that a chunk of 20,000 takes some 200 MiB while it is read."""
    path, note = tmp_path_factory.mktemp("wide") / "recipients.csv", "x" * 4_000
    with path.open("w") as file:
        file.write("recipient_id,recipient_name,recipient_state_code,note\n")
        file.writelines(f"R{number},FIRM {number} OF OPTICS INC,MA,{note}\n" for number in range(40_000))
    return path


def test_in_dagster_too_what_is_in_memory_goes_to_disk_near_the_budget(tmp_path, wide_recipients):
    in_dagster = (
        *("--through", "dagster", "--set", "enrichment.keeps_chunks=false", "--set", "fixtures.truth=null"),
        *("--set", "enrichment.performance.chunk_size=20000"),
    )
    expected, roomy = enriched(tmp_path, wide_recipients, 2048, *in_dagster)
    assert roomy["notes"]["parts"] == "in memory"
    assert "smallest_chunk" not in roomy["notes"]
    limit_kib = DAGSTER_ADDRESS_SPACE_KIB
    digest, told = enriched(tmp_path, wide_recipients, 96, *in_dagster, limit_kib=limit_kib)
    assert digest == expected
    assert told["notes"]["parts"] == "on disk"
    assert "smallest_chunk" in told["notes"]
    # Dagster's own size is no part of the budget: it would be used up before the work begins
    assert told["start_rss_mib"] > 96
