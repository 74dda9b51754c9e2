"""Makes a small repository with a pull request that loses links and edits what it is judged by.

    python tests/end_to_end/pull_request.py FOLDER raise-limits

It holds the fixtures and the baseline of the folder it is called in. Its branch `main` is what the change
is to be merged into; the change is checked out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from pathlib import Path

GATE = "matching:\n  methods: [{methods}]\n{more}"
ALL = "uei-exact, duns-exact, name-exact, name-fuzzy"
WITHOUT_UEI = "duns-exact, name-exact, name-fuzzy"
LIMITS = """\
gate:
  max_lost: 1000
  significance: 0.0001
  metrics:
    links/uei-exact: {fail_percent: 1000}
    work/candidates_generated: {fail_percent: 1000}
    work/pairs_scored: {fail_percent: 1000}
"""
WAIVERS = """\
waivers:
  - {metric: records, limit: 1000, reason: it is fine, owner: me, expires: 2999-12-31, pr: 1}
  - {metric: work/candidates_generated, limit: 900, reason: it is fine, owner: me, expires: 2999-12-31, pr: 1}
  - {metric: work/queries, limit: 900, reason: it is fine, owner: me, expires: 2999-12-31, pr: 1}
  - {metric: work/pairs_scored, limit: 900, reason: it is fine, owner: me, expires: 2999-12-31, pr: 1}
"""


# where the change leaves main, if not at its newest commit
BEFORE = {"stay-behind": ("before-the-gate",)}


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=A Tester", "-c", "user.email=tester@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "a change")


def forget_truth(folder: Path) -> None:
    """Take the awards that an UEI links out of the truth: nobody knows any more whether they are right."""
    decisions = json.loads((folder / "baselines" / "enrichment.json").read_text())["run"]["decisions"]
    by_uei = {decision["award_id"] for decision in decisions if decision["method"] == "uei-exact"}
    path = folder / "fixtures" / "truth.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if line.partition(",")[0] not in by_uei) + "\n")


def leave_before_the_gate(folder: Path) -> None:
    """Commit the fixtures alone, and name that commit: the settings and the baseline come later."""
    git(folder, "add", "fixtures")
    git(folder, "commit", "--quiet", "--message", "a fixture")
    git(folder, "tag", "before-the-gate")


def edit_policy(folder: Path, edit: str) -> None:
    more = ""
    if edit == "raise-limits":
        more = LIMITS
    elif edit == "waive-itself":
        (folder / "config").mkdir()
        (folder / "config" / "waivers.yaml").write_text(WAIVERS)
    elif edit == "replace-baseline":
        (folder / "baselines" / "enrichment.json").unlink()
    elif edit == "kinder-truth":
        forget_truth(folder)
    (folder / "gate.yaml").write_text(GATE.format(methods=WITHOUT_UEI, more=more))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    edits = (
        "raise-limits",
        "waive-itself",
        "replace-baseline",
        "kinder-truth",
        "edit-nothing",
        "shadow-main",
        "stay-behind",
    )
    parser.add_argument("edit", choices=edits)
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    for name in ("fixtures", "baselines"):
        shutil.copytree(name, options.folder / name)
    (options.folder / "gate.yaml").write_text(GATE.format(methods=ALL, more=""))
    git(options.folder, "init", "--quiet", "--initial-branch=main")
    if options.edit == "stay-behind":
        leave_before_the_gate(options.folder)
    commit(options.folder)
    git(options.folder, "checkout", "--quiet", "-B", "change", *BEFORE.get(options.edit, ()))
    edit_policy(options.folder, options.edit)
    commit(options.folder)
    if options.edit == "shadow-main":
        for name in ("main", "origin/main"):
            git(options.folder, "tag", name)


if __name__ == "__main__":
    main()
