"""The first weeks of a team that adopts the gate: its own repository, engine and default branch `trunk`.

Each step is typed in a clone as its users type it; the verdicts are printed (`pytest -s`).
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Stage
from tests.factories_git import ENVIRONMENT, Repository
from tests.findings import notes, reasons

FIRMS = 40
ENGINE = """\
import csv, sys
METHOD = "name-exact"

def key(name):
    return "".join(filter(str.isalnum, name.upper()))

awards, recipients, output = sys.argv[1:]
known = {key(row["legal_business_name"]): row["recipient_id"] for row in csv.DictReader(open(recipients))}
rows = csv.writer(open(output, "w", newline=""))
rows.writerow(["award_id", "recipient_id", "match_method", "match_score"])
for number, award in enumerate(csv.DictReader(open(awards))):
    found = known.get(key(award["Company"]), "")
    rows.writerow([award["award_id"], found, METHOD if found else "none", 100 if found else 0])
"""
WORSE = ENGINE.replace("found = known", "found = number % 4 and known").replace(
    '"")\n    rows', '"") or ""\n    rows'
)
SETTINGS = """\
enricher:
  command: '{python} link.py {awards} {recipients} {output}'
  sources: [link.py]
fixtures: {awards: data/awards.csv, recipients: data/recipients.csv, truth: data/truth.csv}
"""
DATA = {
    "data/awards.csv": "award_id,Company\n" + "".join(f"A{n},Orbit Works {n} Inc\n" for n in range(FIRMS)),
    "data/recipients.csv": "recipient_id,legal_business_name\n"
    + "".join(f"R{n},ORBIT WORKS {n} INC\n" for n in range(FIRMS)),
    "data/truth.csv": "award_id,recipient_ids\n" + "".join(f"A{n},R{n}\n" for n in range(FIRMS)),
}
WORKFLOW = "on: [pull_request]\njobs: {gate: {steps: [{uses: example/sbir-gate@v1}]}}\n"


class Team:
    """A clone of the team's repository, in which pull requests are made, judged and merged."""

    def __init__(self, folder: Path) -> None:
        origin = folder / "origin.git"
        self.repository = Repository((folder / "clone").resolve())
        self.repository.folder.mkdir()
        self.repository.git("init", "--quiet", "--bare", "--initial-branch", "trunk", origin)
        self.repository.git("init", "--quiet", "--initial-branch", "trunk")
        self.repository.git("remote", "add", "origin", origin)
        self.repository.commit({"README.md": "pipeline\n", ".gitignore": "reports/\n.venv\n"})
        self.repository.git("push", "--quiet", "origin", "trunk")
        self.repository.git("remote", "set-head", "origin", "trunk")
        (self.repository.folder / ".venv").symlink_to(sys.prefix)
        temporary = folder / "temporary"
        temporary.mkdir()
        environment = ENVIRONMENT | {"TMPDIR": str(temporary), "HOME": str(folder), "PIP_NO_INDEX": "1"}
        self.stage = Stage(self.repository.folder, environment)
        self.lines: list[str] = []

    def judged(self, what: str, files: dict[str, str], *options: str, removed: str = "", merges: bool = True):
        """Make a pull request, judge it beside trunk, print the verdict, and merge it if it may."""
        self.repository.git("switch", "--quiet", "--create", f"change-{len(self.lines)}", "trunk")
        if removed:
            self.repository.git("rm", "--quiet", removed)
        self.repository.commit(files)
        done = self.stage.gate("run", "--base", "--pairs", "5", *options)
        verdict = self.stage.verdict()
        headline = " ".join(done.stdout.splitlines()[:2])
        self.lines.append(f"{what}: exit {done.returncode}: {headline}")
        print(self.lines[-1])  # noqa: T201 -- the log that this test is there to show
        for said in (*reasons(verdict)[:2], *notes(verdict)[:3]):
            print(f"    {said}")  # noqa: T201
        assert "Traceback" not in done.stderr
        if merges:
            self.repository.git("switch", "--quiet", "trunk")
            self.repository.git("merge", "--quiet", "--ff-only", f"change-{len(self.lines) - 1}")
            self.repository.git("push", "--quiet", "origin", "trunk")
        return done, verdict


# time decides nothing here: the machine may be busy
UNHURT = {"pass", "warn", "inconclusive"}


@pytest.mark.slow
def test_a_team_adopts_the_gate(tmp_path):
    team = Team(tmp_path)
    gate = {"link.py": ENGINE, "sbir-gate.yaml": SETTINGS, "requirements.txt": "tabulate==0.9\n", **DATA}
    workflow = {".github/workflows/gate.yml": WORKFLOW}

    done, verdict = team.judged("adds the gate", {**gate, **workflow})
    assert (verdict.outcome, done.returncode) == ("no-baseline", 0)
    assert "gate enrichment; engine: {python} link.py" in done.stderr.splitlines()[0]
    assert "settings file: sbir-gate.yaml" in done.stderr.splitlines()[0]

    done, verdict = team.judged("edits the docs", {"README.md": "the pipeline\n"})
    assert (verdict.outcome, done.returncode) == ("pass", 0)
    assert "engine unchanged; time not judged" in done.stdout

    done, verdict = team.judged("loses links", {"link.py": WORSE}, merges=False)
    assert (verdict.outcome, done.returncode) == ("fail", 1)

    done, verdict = team.judged("first real change", {"link.py": ENGINE + "# tidier\n"})
    assert verdict.outcome in UNHURT
    assert done.returncode == 0

    second = SETTINGS.replace("link.py", "second.py") + "gate: {name: second}\n"
    files = {"second.py": ENGINE, "second.yaml": second}
    done, verdict = team.judged("adds a second gate", files, "--config", "second.yaml")
    assert (verdict.outcome, verdict.gate, done.returncode) == ("no-baseline", "second", 0)

    upgrade = {"requirements.txt": "tabulate==0.10\n"}
    done, verdict = team.judged("upgrades a dependency", upgrade)
    assert verdict.outcome in UNHURT
    assert "changed dependencies: tabulate 0.9 -> 0.10" in " ".join(notes(verdict))

    formatter = {"pyproject.toml": "[tool.black]\nline-length = 99\n"}
    done, verdict = team.judged("configures a formatter", formatter)
    assert (verdict.outcome, done.returncode) == ("pass", 0)
    assert not any("environment" in note for note in notes(verdict))

    moved = {"engine/link.py": ENGINE, "sbir-gate.yaml": SETTINGS.replace("link.py", "engine/link.py")}
    done, verdict = team.judged("moves the engine", moved, removed="link.py")
    assert verdict.outcome in UNHURT
    assert done.returncode == 0

    command = "{python} other/link.py {awards} {recipients} {output}"
    again = {"other/link.py": ENGINE}
    done, verdict = team.judged("moves it, command from outside", again, "--enricher", command, merges=False)
    assert (verdict.outcome, done.returncode) == ("incomparable", 1)
    assert "write the command into the settings file" in reasons(verdict)[0]
