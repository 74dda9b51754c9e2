"""Makes a small repository of a team with an engine of its own, and a change that is checked out.

    python tests/end_to_end/team_repository.py FOLDER adds-the-gate

Its branch `main` is what the change is to be merged into.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
from pathlib import Path

FIRMS = 20
ENGINE = """\
import csv, sys
LINKS = 20
awards, recipients, output = sys.argv[1:]
rows = csv.writer(open(output, "w", newline=""))
rows.writerow(["award_id", "recipient_id", "match_method", "match_score"])
for number, award in enumerate(csv.DictReader(open(awards))):
    found = number < LINKS
    rows.writerow([award["award_id"], *((f"R{number}", "name-exact", 100) if found else ("", "none", 0))])
"""
POOR = ENGINE.replace("LINKS = 20", "LINKS = 5")
SETTINGS = "enricher:\n  command: '{python} link.py {awards} {recipients} {output}'\n  sources: [link.py]\n"
LOOSE = "gate: {max_lost: 1000, metrics: {match_rate: {unit: ratio, direction: higher, kind: exact}}}\n"
DATA = {
    "fixtures/awards.csv": "award_id,Company\n" + "".join(f"A{n},Orbit Works {n}\n" for n in range(FIRMS)),
    "fixtures/recipients.csv": "recipient_id,legal_business_name\n"
    + "".join(f"R{n},ORBIT WORKS {n}\n" for n in range(FIRMS)),
    "fixtures/truth.csv": "award_id,recipient_ids\n" + "".join(f"A{n},R{n}\n" for n in range(FIRMS)),
}
GATE = {"link.py": ENGINE, "sbir-gate.yaml": SETTINGS, **DATA}
SECOND = SETTINGS.replace("link.py", "second.py") + "gate: {name: second}\n"
NAMED = "[tool.sbir-gate]\nconfig = 'config/gate.yaml'\n"
# what main has, and what the change writes; None removes a file
CASES: dict[str, tuple[dict[str, str], dict[str, str | None]]] = {
    "adds-the-gate": ({}, {**GATE}),
    "adds-a-poor-gate": ({}, {**GATE, "link.py": POOR}),
    "adds-a-second-gate": (GATE, {"second.py": ENGINE, "second.yaml": SECOND}),
    "moves-the-engine": (
        GATE,
        {
            "link.py": None,
            "engine/link.py": ENGINE,
            "sbir-gate.yaml": SETTINGS.replace("link.py", "engine/link.py"),
        },
    ),
    "moves-the-settings": (
        GATE,
        {
            "sbir-gate.yaml": None,
            "config/gate.yaml": SETTINGS + LOOSE,
            "pyproject.toml": NAMED,
            "link.py": POOR,
        },
    ),
    "edits-the-docs": (GATE, {"README.md": "words\n"}),
    "loses-links": (GATE, {"link.py": POOR}),
    "hides-behind-sources": (
        GATE,
        {"link.py": POOR, "sbir-gate.yaml": SETTINGS.replace("[link.py]", "[README.md]")},
    ),
}


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=A Tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def commit(folder: Path, files: dict[str, str | None]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "a change")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("case", choices=CASES)
    options = parser.parse_args()
    before, after = CASES[options.case]
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    git(options.folder, "init", "--quiet", "--initial-branch=main")
    commit(options.folder, {"README.md": "a pipeline\n", **before})
    git(options.folder, "checkout", "--quiet", "-b", "change")
    commit(options.folder, after)


if __name__ == "__main__":
    main()
