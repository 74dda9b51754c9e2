"""Every line of docs/verdicts.md, run as it stands: the verdict, the exit status and the reason.

The default suite has the first line of each section, and those that compare saved documents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from sbir_gate.model.run import MetricKind
from sbir_gate.model.verdict import Outcome, Verdict
from tests.findings import reasons

PAGE = (Path(__file__).parents[2] / "docs" / "verdicts.md").read_text(encoding="utf-8")
# these compare times, so that they take several repeats
TIMED_SECTION = "Slower or more memory"
TIMED_SECTIONS = {TIMED_SECTION, "Keeping answers", "A history of its own"}
# tests/integration/test_edited_fixture.py tries the other ways of each in less time
EDITED_SECTION = "Edits of its own fixture"
OTHER_WAYS = ("; in the action", "; by the commit's baseline")
# what others in tests/integration show in less time, or what differs from another section in its input alone
SLOW_SECTIONS = TIMED_SECTIONS | {
    "Dishonest",
    EDITED_SECTION,
    "Edits of its own policy",
    "Gates that are new, and changes that leave the engine alone",
    "Names that lead elsewhere, and old branches",
    "Not labelled, or not there",
    "Odd files, streams and numbers",
}
SAVED_SECTIONS = {"Baselines and saved Runs", "Waivers"}
IN_THE_ACTION = ("in the action", "in the action, beside a stored baseline")
TRIES = 4
MEASURED = {"SBIR_GATE__BENCHMARK__REPEATS": "5", "SBIR_GATE__BENCHMARK__WARM_UPS": "1"}


@dataclass(frozen=True)
class Row:
    section: str
    fault: str
    command: str
    outcome: str
    exit_status: int
    reason: str

    @property
    def is_measured(self) -> bool:
        """Say whether an engine runs: a comparison of saved Runs needs none, wrong input stops before it."""
        is_run_first = "sbir-gate baseline promote" in self.command
        return is_run_first or ("sbir-gate diff" not in self.command and self.exit_status != 2)


def table_rows():
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        for line in re.findall(r"^\|.*\|$", body, flags=re.MULTILINE)[2:]:
            cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            fault, command, outcome, status, reason = cells
            yield Row(title, fault, command.strip("`"), outcome, int(status), reason.strip("`"))


ROWS = list(table_rows())
FIRST_ROWS = {row.section: row for row in reversed(ROWS)}


def tier(row: Row):
    """Return the marks of a row."""
    if row.section in TIMED_SECTIONS and row.fault.endswith(IN_THE_ACTION):
        return [pytest.mark.nightly]
    if row.section == EDITED_SECTION and row.fault.endswith(OTHER_WAYS):
        return [pytest.mark.nightly]
    if row.section in SAVED_SECTIONS:
        return [pytest.mark.slow] if row.is_measured else []
    is_fast = row is FIRST_ROWS[row.section] and row.section not in SLOW_SECTIONS
    return [] if is_fast else [pytest.mark.slow]


def parameter(row: Row):
    return pytest.param(row, id=row.fault, marks=tier(row))


def make_own_baseline(stage):
    """Make the baseline of this machine by the command that the page gives."""
    command = re.search(r"```sh\n(.*?)\n```", PAGE, flags=re.DOTALL)[1]
    done = stage.shell(command, **MEASURED)
    assert done.returncode == 0, done.stderr


def said(stage, row: Row, done) -> tuple[str, str]:
    """Return outcome and reasons: of the saved verdict, or of the screen where none is saved."""
    if "sbir-gate run" in row.command or "action_steps.py" in row.command:
        verdict: Verdict = stage.verdict()
        return verdict.outcome.value, "\n".join(reasons(verdict))
    outcome, _, _ = done.stdout.splitlines()[-1].partition(":")
    return outcome.lower(), done.stdout


def check_the_rest(stage, row, reasons, done):
    assert row.reason in reasons
    assert row.reason in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert stage.leftovers() == []


@pytest.mark.parametrize("row", [parameter(row) for row in ROWS if row.section != TIMED_SECTION])
def test_the_gate_says_what_the_page_says(stage, row):
    stage.forget_verdict()
    done = stage.typed(row.command)
    outcome, reasons = said(stage, row, done)
    assert (outcome, done.returncode) == (row.outcome, row.exit_status), f"{reasons}\n{done.stderr}"
    check_the_rest(stage, row, reasons, done)


@pytest.mark.timed
@pytest.mark.parametrize("row", [parameter(row) for row in ROWS if row.section == TIMED_SECTION])
def test_the_gate_says_what_the_page_says_of_time_and_memory(stage, row):
    """Other work on the machine may hide the truth for a while: each try measures a baseline of its own.

    What no try may ever say is that unchanged code fails.
    """
    tries = []
    for _ in range(TRIES):
        make_own_baseline(stage)
        stage.forget_verdict()
        done = stage.typed(row.command, **MEASURED)
        outcome, reasons = said(stage, row, done)
        tries.append((outcome, done.returncode, reasons))
        assert row.outcome == "fail" or outcome != "fail", tries
        if (outcome, done.returncode) == (row.outcome, row.exit_status):
            check_the_rest(stage, row, reasons, done)
            return
    pytest.fail(f"never {row.outcome}: {tries}")


def test_every_outcome_and_every_fault_of_the_sabotaged_enricher_is_on_the_page(stage):
    # what noise makes inconclusive cannot be made to happen by a command
    assert {row.outcome for row in ROWS} >= {outcome.value for outcome in Outcome} - {"inconclusive", "warn"}
    help_text = stage.shell(".venv/bin/python tests/end_to_end/sabotaged_enricher.py --help").stdout
    faults = set(re.findall(r"--[a-z-]+", help_text)) - {"--help"}
    assert faults == {fault for row in ROWS for fault in re.findall(r"enricher\.py (--[a-z-]+)", row.command)}


@pytest.mark.slow
def test_the_lost_awards_are_named(stage):
    stage.gate("run", "--quiet", "--set", "matching.methods=[duns-exact, name-exact, name-fuzzy]")
    lost = stage.verdict().records.lost
    assert lost
    assert "uei-exact" in {award.before_method for award in lost}
    report = (stage.folder / "reports" / "report.md").read_text(encoding="utf-8")
    assert lost[0].award_id in report
    # the report has one row for the awards of a firm, the file one for each award
    changed = (stage.folder / "reports" / "changed-awards.csv").read_text(encoding="utf-8")
    assert all(award.award_id in changed for award in lost)


@pytest.mark.slow
def test_a_loosened_limit_links_more_awards_and_fails_all_the_same(stage):
    done = stage.gate("run", "--quiet", "--set", "matching.acceptance_limit=0.02")
    assert done.returncode == 1
    rates = {change.metric: change.delta for change in stage.verdict().changes}
    assert rates["match_rate"] > 0
    assert rates["precision"] < 0


@pytest.mark.slow
def test_the_sabotaged_enricher_without_a_fault_answers_as_the_engine_does(stage):
    # so that whatever the lines of the page show is the fault's doing
    command = "{python} tests/end_to_end/sabotaged_enricher.py {awards} {recipients} {output} {metrics}"
    stage.gate("run", "--quiet", "--enricher", command)
    verdict = stage.verdict()
    exact = [change for change in verdict.changes if change.kind is MetricKind.EXACT]
    assert len(exact) > 10
    assert {change.delta for change in exact} == {0.0}
    assert (verdict.records.lost, verdict.records.gained, verdict.records.relinked) == ((), (), ())
