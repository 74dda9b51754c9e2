"""Changes that edit the fixture that they are judged on, in a real repository, by every way of asking."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from sbir_gate.documents import load_run, load_verdict
from sbir_gate.errors import ConfigurationError, TamperingError
from sbir_gate.gate.commit_files import PolicyRequest
from sbir_gate.gate.measuring.process import ProcessResult
from sbir_gate.gate.policy import commit_judgement
from sbir_gate.gate.run import run_gate
from sbir_gate.gate.side_by_side import run_beside_base
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.merge_base import BaseName
from sbir_gate.gate.storing.sessions import load_companions
from sbir_gate.model.document import FIXTURE_DRAW, encode
from sbir_gate.model.fixture_draw import DrawnFrom, DrawnStratum, FixtureDraw, ids_digest
from sbir_gate.model.fixture_edits import RowEdits
from sbir_gate.model.verdict import Outcome
from sbir_gate.pipeline.action import ActionEdges, measure
from sbir_gate.settings.action_inputs import ActionInputs
from sbir_gate.settings.base_settings import Given
from sbir_gate.settings.effective import load_settings
from tests.factories_git import make_repository
from tests.fakes import NOW, fake_edges, make_event
from tests.findings import notes, reasons
from tests.tiers import tiered

AWARDS = 24
WRONG = range(4)
ACTION = ("action beside the base", "action with a baseline")
# each asks the same thing: what is quick shows that it does
CHANNELS = ("--policy-from", *(pytest.param(name, marks=pytest.mark.slow) for name in ("--base", *ACTION)))
GATE = """\
enricher:
  command: engine {{awards}} {{recipients}} {{output}} {{metrics}}
fixtures: {{awards: {awards}, recipients: {recipients}, truth: {truth}}}
benchmark: {{repeats: 3, warm_ups: 0, min_pairs: 5, max_pairs: 5}}
gate: {{max_lost: 2}}
"""
PLACES = {"awards": "data/awards.csv", "recipients": "data/recipients.csv", "truth": "data/truth.csv"}


def gate_file(**places):
    return GATE.format(**{**PLACES, **places})


def awards(numbers=range(AWARDS), header="award_id,Company"):
    return header + "\n" + "".join(f"A{n},Firm {n} Inc\n" for n in numbers)


def recipients(names=range(AWARDS)):
    """Return the recipients R0, R1, ... with the names of these numbers."""
    rows = "".join(f"R{number},FIRM {name} INC\n" for number, name in enumerate(names))
    return "recipient_id,legal_business_name\n" + rows


def truth(right=None, without=()):
    """Return the labels; `right` are those that are not the award's own number."""
    right = {number: f"R{number}" for number in range(AWARDS)} | (right or {})
    rows = "".join(f"A{n},{label}\n" for n, label in right.items() if n not in without)
    return "award_id,recipient_ids\n" + rows


def rows_of(path):
    if not path.endswith(".parquet"):
        with Path(path).open(newline="") as file:
            return list(csv.DictReader(file))
    found = duckdb.read_parquet(path)
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def engine(request):
    """Play the enricher: it finds recipients by name, and is as wrong as its own engine.txt says."""
    name, _, needed = (request.working_folder / "engine.txt").read_text().strip().partition(" needs ")
    awards_path, recipients_path, output, _ = request.arguments[-4:]
    found = rows_of(awards_path)
    if name == "tampering" and "sbir-gate-fixture-" in awards_path:
        with Path(awards_path).open("a") as file:
            file.write("A99,Firm 99 Inc\n")
    if needed and needed not in found[0]:
        return ProcessResult(1, False, 1.0, 1.0, 50.0, log_tail=(f"KeyError: {needed}",))
    ids = {row["legal_business_name"].casefold(): row["recipient_id"] for row in rows_of(recipients_path)}
    with Path(output).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["award_id", "recipient_id", "match_method", "match_score"])
        for row in found:
            firm = row.get("Company") or row["Firm"]
            number = int(firm.split()[1])
            asked = number + 1 if name == "wrong" and number in WRONG else number
            recipient = ids.get(f"firm {asked} inc", "")
            writer.writerow([row["award_id"], recipient, "uei-exact" if recipient else "none", 100])
    seconds = 3.0 if name == "slow" else 1.0
    return ProcessResult(0, False, seconds, seconds, 50.0)


class Team:
    """A repository with a gate and its baseline on main, and a branch that is checked out."""

    def __init__(self, folder):
        self.repository = make_repository(folder)
        self.folder = folder
        self.files = {"engine.txt": "right\n", "gate.yaml": gate_file(), "data/awards.csv": awards()}
        self.files |= {"data/recipients.csv": recipients(), "data/truth.csv": truth()}

    def merge(self, files=None):
        """Commit to main what is measured there and becomes the baseline, and stand on a new branch."""
        self.files |= files or {}
        self.repository.commit({**self.files, ".gitignore": "reports/\n"})
        os.chdir(self.folder)
        result = run_gate(load_settings(Path("gate.yaml"), {}), self.edges(), lambda _: None)
        self.repository.commit({"baselines/enrichment.json": result.run_path.read_text()})
        self.repository.branch("change")

    def edges(self):
        return replace(fake_edges(engine), new_session=lambda: "session")

    def judge(self, channel, files):
        """Commit a change and return what the channel says of it."""
        self.repository.commit(files)
        config, git = Path("gate.yaml"), Git(self.folder)
        if channel.startswith("action"):
            temporary = self.folder / "reports" / "temporary"
            edges = ActionEdges(self.edges(), git, {"RUNNER_TEMP": str(temporary), "PATH": ""}, None)
            inputs = ActionInputs(config=str(config), side_by_side=str("beside" in channel).lower())
            sha = self.repository.git("rev-parse", "main")
            return measure(inputs, make_event(base_ref="main", base_sha=sha), edges, lambda _: None)
        effective = load_settings(config, {})
        if channel == "--base":
            return run_beside_base(
                effective, Given(config, {}, {}, ()), BaseName("main"), git, self.edges(), print
            )
        return run_gate(effective, self.edges(), print, self.request())

    def reports(self, channel):
        """Return the folder that the channel writes its verdict to; the action has its own."""
        own = self.folder / "reports" / "temporary" / "sbir-gate-reports" / "default"
        return own if channel.startswith("action") else self.folder / "reports"

    def request(self):
        return PolicyRequest(BaseName("main"), self.folder, Path("gate.yaml"), {}, {}, ())


@pytest.fixture(scope="module")
def merged(tmp_path_factory):
    """Return the folder of a repository with a gate and its baseline; each test works on a copy."""
    made = Team(tmp_path_factory.mktemp("merged") / "repository")
    with contextlib.chdir(made.folder):
        made.merge()
    return made.folder


@pytest.fixture
def team(tmp_path, monkeypatch, merged):
    folder = shutil.copytree(merged, tmp_path / "repository")
    monkeypatch.chdir(folder)
    return Team(folder)


KEPT = [number for number in range(AWARDS) if number not in WRONG]
WRONG_LABELS = {number: f"R{number + 1}" for number in WRONG}
EDITS = {
    "nothing": {},
    "the awards are deleted": {"data/awards.csv": awards(KEPT), "data/truth.csv": truth(without=WRONG)},
    "the wrong answers become the truth": {"data/truth.csv": truth(WRONG_LABELS)},
    "no recipient is said to exist": {"data/truth.csv": truth(dict.fromkeys(WRONG, ""))},
    "the labels are deleted": {"data/truth.csv": truth(without=WRONG)},
    "the truth is deleted": {"data/truth.csv": None, "gate.yaml": gate_file(truth="null")},
    "the settings name no truth": {"gate.yaml": gate_file(truth="null")},
    "the recipients are swapped": {"data/recipients.csv": recipients([4, 0, 1, 2, 3, *range(5, AWARDS)])},
    "the settings name other awards": {
        "easy.csv": awards(KEPT),
        "gate.yaml": gate_file(awards="easy.csv"),
        "data/truth.csv": truth(without=WRONG),
    },
    "the files are moved and changed": {
        **dict.fromkeys(PLACES.values()),
        "new/awards.csv": awards(),
        "new/recipients.csv": recipients(),
        "new/truth.csv": truth(WRONG_LABELS),
        "gate.yaml": gate_file(**{name: path.replace("data", "new") for name, path in PLACES.items()}),
    },
}

QUICK = ("the awards are deleted", "the wrong answers become the truth")


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    "edit", [pytest.param(edit, marks=[] if edit in QUICK else [pytest.mark.slow]) for edit in EDITS]
)
def test_wrong_links_fail_whatever_the_change_does_to_the_fixture(team, channel, edit):
    verdict = team.judge(channel, {"engine.txt": "wrong\n", **EDITS[edit]}).verdict
    assert verdict.outcome is Outcome.FAIL
    assert "4 awards were re-linked to an incorrect recipient" in reasons(verdict)[0]
    assert [award.award_id for award in verdict.records.relinked] == ["A0", "A1", "A2", "A3"]
    assert (verdict.fixture_edits is None) == (edit == "nothing")


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    "files",
    tiered(
        {
            "data/awards.csv": awards(range(AWARDS + 9)),
            "data/recipients.csv": recipients(range(AWARDS + 9)),
        },
        slow=(
            {"data/truth.csv": truth(without=[7])},
            {"data/truth.csv": truth(dict.fromkeys([23], "R23;R22"))},
            {"data/awards.csv": awards(KEPT), "data/truth.csv": truth(without=WRONG)},
            {"data/truth.csv": None, "gate.yaml": gate_file(truth="null")},
        ),
    ),
)
def test_an_edit_of_the_fixture_alone_passes(team, channel, files):
    result = team.judge(channel, files)
    assert result.verdict.outcome is Outcome.PASS, reasons(result.verdict)
    assert result.verdict.fixture_edits is not None
    assert result.verdict.own_fixture_changes
    assert result.run.fixture.commit == ""


@pytest.mark.parametrize("channel", CHANNELS)
def test_files_that_are_only_moved_are_no_edit(team, channel):
    moved = EDITS["the files are moved and changed"] | {"new/truth.csv": truth()}
    verdict = team.judge(channel, moved).verdict
    assert (verdict.outcome, verdict.fixture_edits) == (Outcome.PASS, None)


@pytest.mark.slow
@pytest.mark.parametrize("channel", CHANNELS)
def test_an_edit_of_the_truth_does_not_hide_a_slower_engine(team, channel):
    files = {"engine.txt": "slow\n", "data/truth.csv": truth(without=[7])}
    verdict = team.judge(channel, files).verdict
    assert verdict.outcome is Outcome.FAIL
    assert "Wall time rose" in " ".join(reasons(verdict))


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_absolute_limits_hold_on_the_fixture_of_the_change(team, channel):
    labels = dict.fromkeys(range(1, 9), "R0")
    verdict = team.judge(channel, {"data/truth.csv": truth(labels)}).verdict
    assert verdict.outcome is Outcome.FAIL
    assert reasons(verdict)[0].startswith("on this change's own fixture: Precision: 0.6")


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_the_edit_does_is_counted(team, channel):
    files = {
        "engine.txt": "wrong\n",
        "data/awards.csv": awards([*range(2), *range(3, AWARDS + 5)]),
        "data/recipients.csv": recipients([*range(AWARDS - 1), 99, *range(AWARDS, AWARDS + 5)]),
        "data/truth.csv": truth({**dict.fromkeys([0, 1, 9], "R5"), AWARDS: "R24"}, without=[2, 8]),
    }
    edits = team.judge(channel, files).verdict.fixture_edits
    assert edits.awards == RowEdits(added=5, removed=1)
    assert edits.recipients == RowEdits(added=5, changed=1)
    assert edits.truth == RowEdits(added=1, removed=2, changed=3)
    assert edits.altered_labels == 3
    assert edits.commit == team.repository.git("rev-parse", "main")


NEEDS = {
    "engine.txt": "right needs Firm\n",
    "data/awards.csv": awards(header="award_id,Firm"),
}


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_engine_that_cannot_read_the_fixture_of_the_base_is_incomparable(team, channel):
    verdict = team.judge(channel, NEEDS).verdict
    assert verdict.outcome is Outcome.INCOMPARABLE
    assert "cannot be judged on the base's fixture: the enricher ended" in reasons(verdict)[0]
    assert "KeyError: Firm" in reasons(verdict)[0]


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_engine_that_changes_the_fixture_of_the_base_is_an_error(team, channel):
    files = {"engine.txt": "tampering\n", "data/truth.csv": truth(without=[7])}
    with pytest.raises(TamperingError) as raised:
        team.judge(channel, files)
    assert raised.value.message.startswith("on the base's fixture: ")
    assert "data/awards.csv" in raised.value.message
    assert "sbir-gate-fixture-" not in raised.value.message
    assert load_verdict(team.reports(channel) / "verdict.json").outcome is Outcome.ERROR


WAIVER = """\
waivers:
  - {{metric: fixture-edit, limit: {limit}, reason: columns, owner: ana, expires: 2999-12-31, pr: 1}}
"""


@pytest.mark.slow
@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(("limit", "outcome"), [(AWARDS, Outcome.WARN), (AWARDS - 1, Outcome.INCOMPARABLE)])
def test_a_waiver_of_the_base_accepts_that_as_far_as_it_reaches(team, channel, limit, outcome):
    team.repository.git("checkout", "--quiet", "main")
    team.repository.commit({"config/waivers.yaml": WAIVER.format(limit=limit)})
    team.repository.git("checkout", "--quiet", "-B", "change")
    verdict = team.judge(channel, NEEDS).verdict
    assert verdict.outcome is outcome, reasons(verdict)
    assert (len(verdict.waivers), notes(verdict) and "not needed" in " ".join(notes(verdict))) == (
        outcome is Outcome.WARN,
        False,
    )


@pytest.mark.parametrize("channel", CHANNELS)
def test_but_none_that_the_change_brings_along(team, channel):
    files = {**NEEDS, "config/waivers.yaml": WAIVER.format(limit=1000)}
    assert team.judge(channel, files).verdict.outcome is Outcome.INCOMPARABLE


@pytest.mark.slow
def test_a_fixture_of_a_folder_of_parquet_files_is_judged_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    team = Team(tmp_path / "repository")

    def parquet(numbers):
        values = ", ".join(f"('A{n}', 'Firm {n} Inc')" for n in numbers)
        path = tmp_path / "rows.parquet"
        duckdb.sql(f"COPY (FROM (VALUES {values}) t(award_id, Company)) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()

    team.merge(
        {"gate.yaml": gate_file(awards="data/awards.parquet"), "data/awards.parquet": parquet(range(AWARDS))}
    )
    files = {"data/awards.parquet": parquet(KEPT), "data/truth.csv": truth(without=WRONG)}
    verdict = team.judge("--base", {"engine.txt": "wrong\n", **files}).verdict
    assert verdict.outcome is Outcome.FAIL
    assert verdict.fixture_edits.awards == RowEdits(removed=4)


@pytest.mark.slow
@pytest.mark.parametrize("channel", ["--base", "--policy-from"])
@pytest.mark.parametrize(
    "files",
    [
        {"engine.txt": "wrong\n"} | EDITS["the awards are deleted"],
        pytest.param(NEEDS, marks=pytest.mark.slow),
        {"data/truth.csv": truth(without=[7])},
    ],
)
def test_the_saved_runs_give_the_same_verdict(team, channel, files):
    result = team.judge(channel, files)
    head = load_run(result.run_path)
    assert head == result.run
    companions = load_companions(result.run_path, head)
    effective = load_settings(Path("gate.yaml"), {})
    _, judgement = commit_judgement(team.request(), effective, has_baseline=channel != "--base")
    again = judgement.verdict(head, NOW.date(), companions)
    # what is said of the history is about its folder, which holds head by now
    assert replace(again, findings=again.deciding) == replace(
        result.verdict, findings=result.verdict.deciding
    )


def test_runs_on_the_fixture_of_the_base_are_marked_and_not_kept_in_the_history(team):
    result = team.judge("--base", EDITS["the labels are deleted"])
    runs = [load_run(path) for path in Path("reports/benchmarks").glob("*.json")]
    marked = [run for run in runs if run.fixture.commit]
    assert len(marked) == 2
    assert {run.fixture.awards_path for run in marked} == {"data/awards.csv"}
    kept = list(Path("reports/history").rglob("*.json"))
    assert len(kept) == 2  # of main, and of head
    assert result.reference_path is not None


def test_on_main_the_changed_fixture_is_judged_as_ever(team):
    team.repository.commit({"data/truth.csv": truth(without=[7])})
    result = run_gate(load_settings(Path("gate.yaml"), {}), team.edges(), lambda _: None)
    assert (result.verdict.outcome, result.verdict.fixture_edits) == (Outcome.INCOMPARABLE, None)


def draw_text(population):
    """Return how the fixture was drawn, from so many awards."""
    source = DrawnFrom("awards.csv", population, 1, "0" * 64)
    strata = (DrawnStratum("other", "neither", "unknown", population, AWARDS),)
    ids = ids_digest(f"A{number}" for number in range(AWARDS))
    drawn = FixtureDraw(1, AWARDS, date(2026, 1, 31), "0.1.0", source, source, strata, ids)
    return encode(FIXTURE_DRAW, drawn)


DRAWN = gate_file() + "  match_rate_of: population\n"
DRAWN = DRAWN.replace("truth.csv}", "truth.csv, draw: data/draw.json}").replace(
    "gate: {max_lost: 2}\n  ", "gate:\n  max_lost: 2\n  "
)


@pytest.mark.slow
@pytest.mark.parametrize("channel", CHANNELS)
def test_the_rate_of_all_awards_is_that_of_the_base(tmp_path, monkeypatch, channel):
    """Other weights, or none, do not change what a change is judged by."""
    monkeypatch.chdir(tmp_path)
    team = Team(tmp_path / "repository")
    team.merge({"gate.yaml": DRAWN, "data/draw.json": draw_text(100)})
    verdict = team.judge(channel, {"data/draw.json": draw_text(900)}).verdict
    assert verdict.outcome is Outcome.PASS, reasons(verdict)
    assert verdict.fixture_edits.is_redrawn
    assert verdict.population.awards == 100
    with pytest.raises(ConfigurationError, match=r"fixtures\.draw does not say how"):
        team.judge(channel, {"data/draw.json": None, "gate.yaml": gate_file()})
