"""Makes a small repository with a pull request that loses links and edits what it is judged by.

    python tests/end_to_end/pull_request.py FOLDER raise-limits

It holds the fixtures and the baseline of the folder it is called in. Its branch `main` is what the change
is to be merged into; the change is checked out.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import subprocess
from pathlib import Path

from sbir_gate.documents import load_run

GATE = "matching:\n  methods: [{methods}]\n{more}"
ALL = "uei-exact, duns-exact, name-exact, name-fuzzy"
WITHOUT_UEI = "duns-exact, name-exact, name-fuzzy"
POLICY_EDITS = (
    "raise-limits",
    "waive-itself",
    "replace-baseline",
    "replace-pointer",
    "edit-nothing",
    "shadow-main",
    "stay-behind",
)
FIXTURE_EDITS = ("delete-awards", "kinder-truth", "deny-recipients", "no-truth", "other-files")
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 5\n"
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
  - {metric: awards, limit: 1000, reason: it is fine, owner: me, expires: 2999-12-31, pr: 1}
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


def linked_by_uei(folder: Path) -> set[str]:
    """Return the awards whose link the change loses."""
    awards = load_run(folder / "baselines" / "enrichment.json").awards
    return {award.award_id for award in awards if award.decision.method == "uei-exact"}


def rewrite(path: Path, target: Path, lost: set[str], *, is_denied: bool = False) -> None:
    """Write a table without the rows of lost awards; or, denied, with labels that say that none exists."""
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    place = header.index("award_id")
    kept = [row for row in rows if row[place] not in lost]
    denied = [[award_id, *[""] * (len(header) - 1)] for award_id in sorted(lost)] if is_denied else []
    with target.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *kept, *denied])


def edit_fixture(folder: Path, edit: str) -> str:
    """Edit awards or truth so that no award of the fixture shows what is lost; return more settings."""
    lost = linked_by_uei(folder)
    awards, truth = (folder / "fixtures" / f"{name}.csv" for name in ("awards", "truth"))
    if edit == "delete-awards":
        rewrite(awards, awards, lost)
    if edit == "other-files":
        rewrite(awards, folder / "easy.csv", lost)
        rewrite(truth, folder / "easy-truth.csv", lost)
        return "fixtures: {awards: easy.csv, truth: easy-truth.csv}\n"
    if edit == "no-truth":
        truth.unlink()
        return "fixtures: {truth: null}\n"
    rewrite(truth, truth, lost, is_denied=edit == "deny-recipients")
    return ""


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
    elif edit in FIXTURE_EDITS:
        more = edit_fixture(folder, edit)
    elif edit == "replace-pointer":
        (folder / "fixtures" / "truth.csv").write_bytes(Path("fixtures/truth.csv").read_bytes())
        return  # what the change links is not the point
    (folder / "gate.yaml").write_text(GATE.format(methods=WITHOUT_UEI, more=more))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("edit", choices=(*POLICY_EDITS, *FIXTURE_EDITS))
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    for name in ("fixtures", "baselines"):
        shutil.copytree(name, options.folder / name)
    (options.folder / "gate.yaml").write_text(GATE.format(methods=ALL, more=""))
    if options.edit == "replace-pointer":
        (options.folder / "fixtures" / "truth.csv").write_text(POINTER)
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
