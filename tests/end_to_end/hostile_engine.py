"""Makes a small repository with a pull request whose engine tampers with its own measurement.

    python tests/end_to_end/hostile_engine.py FOLDER kill-launcher [--with-baseline]

Its branch `main` has an honest engine, and with --with-baseline its baseline. The change is checked out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

AWARDS = 12
ENGINE = """\
import csv, os, signal, sys, time
from pathlib import Path

awards, recipients, output, metrics = map(Path, sys.argv[1:])
{fault}
with awards.open() as file, output.open("w", newline="") as out:
    writer = csv.writer(out)
    writer.writerow(["award_id", "recipient_id", "match_method", "match_score"])
    for number, row in enumerate(csv.DictReader(file)):
        writer.writerow([row["award_id"], f"R{{number}}", "uei-exact", 100])
"""
HONEST = "time.sleep(0.2)"
# where the gate keeps the checkout of the base: beside the folders of the run that writes the output
CHECKOUT = "output.parents[3] / 'base'"
RESULT = (
    '{"exit_status": 0, "start_error": "", "is_timed_out": false, "wall_seconds": 0.01, "cpu_seconds": 0.01}'
)
FAULTS = {
    "truncate-recipients": "recipients.write_text(recipients.read_text().splitlines()[0] + '\\n')",
    "edit-truth": "(awards.parent / 'truth.csv').write_text('award_id,recipient_ids\\n')",
    "edit-base": f"with ({CHECKOUT} / 'enrich.py').open('a') as file: file.write('time.sleep(1)\\n')",
    "plant-in-base": f"({CHECKOUT} / 'sitecustomize.py').write_text('import time; time.sleep(1)\\n')",
    "kill-launcher": "os.kill(os.getppid(), signal.SIGKILL); time.sleep(1)",
    "forge-result": (
        f"open(f'/proc/{{os.getppid()}}/fd/1', 'w').write({RESULT!r}); os.kill(os.getppid(), signal.SIGTERM)"
    ),
    "keep-answers": (
        "kept = Path('.kept')\nif not kept.exists():\n    while time.process_time() < 2:\n        pass\n"
        "    kept.touch()\ntime.sleep(0.02)"
    ),
    "keep-in-temporary-folder": (
        "import tempfile\nkept = Path(tempfile.gettempdir(), 'kept')\n"
        "if not kept.exists():\n    time.sleep(1)\n    kept.touch()"
    ),
    "forge-history": "time.sleep(0.8)",
    "nothing": HONEST,
}
GATE = "enricher: {command: '{python} enrich.py {awards} {recipients} {output} {metrics}'}\n"


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=A Tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "a change")


def write_main(folder: Path) -> None:
    fixtures = folder / "fixtures"
    fixtures.mkdir(parents=True)
    numbers = range(AWARDS)
    tables = {
        "awards": ("award_id,Company", [f"A{n},Firm {n} Inc" for n in numbers]),
        "recipients": ("recipient_id,legal_business_name", [f"R{n},FIRM {n} INC" for n in numbers]),
        "truth": ("award_id,recipient_ids", [f"A{n},R{n}" for n in numbers]),
    }
    for name, (header, rows) in tables.items():
        (fixtures / f"{name}.csv").write_text("\n".join([header, *rows, ""]))
    (folder / "gate.yaml").write_text(GATE)
    (folder / ".gitignore").write_text("reports/\n.kept\n")
    (folder / "enrich.py").write_text(ENGINE.format(fault=HONEST))


def make_baseline(folder: Path) -> None:
    for words in (
        "run --quiet --repeats 4 --set benchmark.warm_ups=1",
        "baseline promote",
    ):
        gate(folder, words)


def gate(folder: Path, words: str) -> None:
    verb, *rest = words.split()
    command = [sys.executable, "-m", "sbir_gate", verb, *rest, "--config", "gate.yaml"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def forge_history(folder: Path) -> None:
    """Commit a history in which the times of unchanged code lie far apart, so that no slowdown is sure."""
    document = json.loads((folder / "baselines" / "enrichment.json").read_text())
    forged = folder / "forged"
    forged.mkdir()
    for day in range(1, 29):
        run, factor = document["run"], 1 if day % 2 else 4
        run["started_at"] = f"2026-01-{day:02}T00:00:00Z"
        for metric in run["metrics"]:
            if metric["kind"] == "noisy":
                metric["values"] = [value * factor for value in metric["values"]]
        for sample in run["samples"]:
            sample["wall_seconds"] *= factor
        (forged / f"{day}.json").write_text(json.dumps(document))
        document = json.loads((folder / "baselines" / "enrichment.json").read_text())
    gate(folder, "history import forged --set history.folder=reports/history")
    shutil.rmtree(forged)
    git(folder, "add", "--force", "reports/history")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("fault", choices=FAULTS)
    parser.add_argument("--with-baseline", action="store_true")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    write_main(options.folder)
    git(options.folder, "init", "--quiet", "--initial-branch=main")
    commit(options.folder)
    if options.with_baseline:
        make_baseline(options.folder)
        commit(options.folder)
    git(options.folder, "checkout", "--quiet", "-b", "change")
    (options.folder / "enrich.py").write_text(ENGINE.format(fault=FAULTS[options.fault]))
    if options.fault == "forge-history":
        forge_history(options.folder)
    commit(options.folder)


if __name__ == "__main__":
    main()
