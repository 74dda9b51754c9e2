"""Replays the case study of docs/case-study.md on synthesized data, in a repository of its own.

    python -m tests.case_study FOLDER

Commits an engine and eight changes of it to FOLDER, gates each against the one before, and prints the table.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sbir_gate.documents import load_verdict
from sbir_gate.model.verdict import Verdict

ENGINE = """\
import re
import sys

import pandas as pd
from rapidfuzz import fuzz, process

SUFFIXES = {"INC", "LLC", "CORP", "CO", "LTD", "INCORPORATED", "CORPORATION", "COMPANY"}
LINK, REVIEW = 90, 75


def cleaned(name):
    words = re.sub(r"[^A-Z0-9 ]", " ", name.upper()).split()
    while len(words) > 1 and words[-1] in SUFFIXES:
        words.pop()
    return " ".join(words)


SCORER = fuzz.token_set_ratio


awards = pd.read_csv(sys.argv[1], dtype=str, keep_default_na=False)
recipients = pd.read_csv(sys.argv[2], dtype=str, keep_default_na=False).sort_values("recipient_id")
names = recipients["legal_business_name"].map(cleaned).tolist()
ids = recipients["recipient_id"].tolist()
by_key = {
    key: dict(zip(recipients[key], recipients["recipient_id"])) for key in ("uei", "duns")
}
rows = []
for award in awards.itertuples():
    found = by_key["uei"].get(award.UEI) if award.UEI else None
    method = "uei-exact"
    if found is None and award.Duns:
        found, method = by_key["duns"].get(award.Duns), "duns-exact"
    score = 100.0
    if found is None:
        best = process.extractOne(cleaned(award.Company), names, scorer=SCORER, score_cutoff=REVIEW)
        if best is not None and best[1] >= LINK:
            found, score, method = ids[best[2]], best[1], "name-fuzzy"
    rows.append((award.award_id, found or "", method if found else "none", score if found else 0.0))
columns = ["award_id", "recipient_id", "match_method", "match_score"]
pd.DataFrame(rows, columns=columns).to_csv(sys.argv[3], index=False)
"""
SETTINGS = """\
enricher:
  command: '{python} enrich.py {awards} {recipients} {output}'
fixtures: {awards: fixtures/awards.csv, recipients: fixtures/recipients.csv, truth: fixtures/truth.csv}
gate: {metrics: {precision: {minimum: 0.8}}}
"""
OVERWRITTEN = "if found is None and award.Duns:"
OVERWRITING = "if award.Duns and award.Duns in by_key['duns']:"
NORMALISED = 're.sub(r"[^A-Z0-9 ]", " ", unicodedata.normalize("NFKC", name).upper()).split()'
STRIPPED = """\
    words = [word for word in words if word not in {"LP", "GROUP", "TECHNOLOGIES"}] or words
    while len"""
PYTHON_SCORER = """
def SCORER(first, second, *, processor=None, score_cutoff=None):
    score = fuzz.token_set_ratio(str(first).strip(), str(second).strip())
    return score if score_cutoff is None or score >= score_cutoff else 0
"""


@dataclass(frozen=True)
class Change:
    """A commit: its subject, and what it replaces in the engine."""

    subject: str
    old: str = ""
    new: str = ""


CHANGES = (
    Change("refactor: remove duplicate files"),
    Change("Fix mypy errors with hybrid approach", OVERWRITTEN, OVERWRITING),
    Change("Fix failing unit tests", OVERWRITING, OVERWRITTEN),
    Change("Add Unicode normalization", 're.sub(r"[^A-Z0-9 ]", " ", name.upper()).split()', NORMALISED),
    Change("docs: add redundancy audit", "    while len", STRIPPED),
    Change("Centralize company identity policies", "SCORER = fuzz.token_set_ratio\n", PYTHON_SCORER.lstrip()),
    Change("Consolidate suffixless organization keys", STRIPPED, "    while len"),
    Change("Count review candidates as links", "best[1] >= LINK", "best[1] >= REVIEW"),
)


def applied(engine: str, change: Change) -> str:
    """Return the engine after a change."""
    if "unicodedata" in change.new:
        engine = engine.replace("import sys\n", "import sys\nimport unicodedata\n", 1)
    return engine.replace(change.old, change.new, 1) if change.old else engine


def run(folder: Path, *command: str, status: Sequence[int] = (0,)) -> None:
    """Run a program in the repository; another exit status than expected ends the replay."""
    identity = {
        f"GIT_{who}_{what}": "replay@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        command, cwd=folder, env=os.environ | identity, capture_output=True, text=True, check=False
    )
    if done.returncode not in status:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


def commit(folder: Path, subject: str, engine: str) -> None:
    """Commit the engine as it is now."""
    (folder / "enrich.py").write_text(engine, encoding="utf-8")
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", "--allow-empty", "--message", subject)


def gate(folder: Path, options: Sequence[str]) -> Verdict:
    """Compare the newest commit with the one before."""
    command = [sys.executable, "-m", "sbir_gate", "run", "--base", "HEAD~1", "--quiet", *options]
    run(folder, *command, status=(0, 1))
    return load_verdict(folder / "reports" / "verdict.json")


def row(subject: str, verdict: Verdict) -> str:
    """Return the line of the table for a commit."""
    deltas = {change.metric: change.delta or 0.0 for change in verdict.changes}
    records = verdict.records
    counts = f"{records.worsened} | {records.improved}"
    rates = " | ".join(f"{100 * deltas.get(name, 0.0):+.1f}" for name in ("match_rate", "precision"))
    seconds = [change for change in verdict.changes if change.metric == "wall_seconds" and change.ratio]
    time = f"{100 * (seconds[0].ratio - 1):+.0f}%" if seconds else "-"
    return f"| {subject} | {verdict.outcome.value} | {counts} | {rates} | {time} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true", help="measure no time: seconds instead of minutes")
    parser.add_argument("--seconds", type=int, default=100, help="budget of each comparison (100)")
    parser.add_argument("--only", type=int, help="gate this commit alone, 1 to 8")
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    run(options.folder, "git", "init", "--quiet", "--initial-branch", "main")
    size = "--awards 300 --recipients 5000 --seed 1 --sample --output fixtures"
    run(options.folder, sys.executable, "-m", "sbir_gate", "data", "synthesise", *size.split())
    (options.folder / "sbir-gate.yaml").write_text(SETTINGS, encoding="utf-8")
    (options.folder / ".gitignore").write_text("reports/\n", encoding="utf-8")
    engine = ENGINE
    commit(options.folder, "Link awards to recipients", engine)
    measured = ["--set", f"enricher.python={sys.executable}"]
    measured += ["--quick"] if options.quick else ["--set", f"benchmark.max_seconds={options.seconds}"]
    sys.stdout.write("| commit | verdict | worsened | improved | match rate, pp | precision, pp | time |\n")
    sys.stdout.write("|---|---|--:|--:|--:|--:|--:|\n")
    for number, change in enumerate(CHANGES, 1):
        engine = applied(engine, change)
        commit(options.folder, change.subject, engine)
        if options.only in {None, number}:
            sys.stdout.write(row(change.subject, gate(options.folder, measured)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
