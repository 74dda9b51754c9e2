"""Runs the measuring and the enforcing step of the GitHub Action in a repository, as a runner would.

    python tests/end_to_end/action_steps.py REPOSITORY REPORTS

The event is a pull request of the commit that is checked out, against `main`. The documents that the steps
leave behind are copied to REPORTS. Ends with the status of the enforcing step.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def payload(folder: Path) -> str:
    """Return what GitHub says of the pull request."""
    repository = {"full_name": "octo-org/octo-repo", "default_branch": "main"}
    ends = {
        name: {"ref": ref, "sha": git(folder, "rev-parse", f"refs/heads/{ref}"), "repo": repository}
        for name, ref in (("head", "change"), ("base", "main"))
    }
    return json.dumps(
        {
            "action": "synchronize",
            "number": 7,
            "pull_request": {"number": 7, **ends},
            "repository": repository,
        }
    )


def timed(pairs: str) -> dict[str, str]:
    """Return the variables that let so many pairs, or repeats, be measured."""
    counts = {"MIN_PAIRS": pairs, "MAX_PAIRS": pairs, "REPEATS": pairs, "WARM_UPS": "1"}
    return {f"SBIR_GATE__BENCHMARK__{name}": count for name, count in counts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("repository", type=Path)
    parser.add_argument("reports", type=Path)
    parser.add_argument("--stored", action="store_true", help="compare with the baseline, not the base")
    parser.add_argument("--pairs", help="how many pairs or repeats are measured; without it time is not")
    options = parser.parse_args()
    program = Path(sys.executable).with_name("sbir-gate")
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name)
        event = temporary / "event.json"
        event.write_text(payload(options.repository))
        environment = os.environ | {
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REPOSITORY": "octo-org/octo-repo",
            "GITHUB_BASE_REF": "main",
            "GITHUB_HEAD_REF": "change",
            "GITHUB_SHA": git(options.repository, "rev-parse", "refs/heads/change"),
            "GITHUB_RUN_ID": "1",
            "GITHUB_RUN_ATTEMPT": "1",
            "RUNNER_TEMP": name,
            "SBIR_GATE_INPUT_CONFIG": "gate.yaml",
            "SBIR_GATE_INPUT_SIDE_BY_SIDE": str(not options.stored).lower(),
            **(timed(options.pairs) if options.pairs else {"SBIR_GATE__BENCHMARK__IS_TIMED": "false"}),
        }
        for step in ("measure", "enforce"):
            done = subprocess.run(
                [str(program), "action", step], cwd=options.repository, env=environment, check=False
            )
        shutil.copytree(temporary / "sbir-gate-reports" / "default", options.reports, dirs_exist_ok=True)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
