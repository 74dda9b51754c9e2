"""Set-ups that cannot work, each with the line that names it."""

import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sbir_gate.documents import write_run
from sbir_gate.gate.doctor import DoctorEdges, examine
from sbir_gate.gate.enricher_plan import settings_digest
from sbir_gate.gate.fixture import describe_fixture
from sbir_gate.gate.reporting.diagnoses import render_diagnoses
from sbir_gate.model.awards import AwardRecord, Label
from sbir_gate.model.diagnosis import Gravity
from sbir_gate.model.matches import Decision, DecisionKind
from sbir_gate.model.run import Metric, MetricKind, Run
from sbir_gate.settings.effective import load_settings
from tests.factories import MACHINE, link, make_awards, make_run
from tests.factories_git import make_repository
from tests.findings import cure, problem

NOW = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
GATE = """\
fixtures:
  awards: awards.csv
  recipients: recipients.csv
  truth: truth.csv
"""


def edges(**changes):
    usual = {
        "now": lambda: NOW,
        "machine": lambda: MACHINE,
        "free_mib": lambda _path: 10_000.0,
        "find_program": lambda _name: "/bin/program",
    }
    return DoctorEdges(**(usual | changes))


def examined(*assignments, text=GATE, environment=None, **changes):
    Path("gate.yaml").write_text(text)
    return examine(Path("gate.yaml"), environment or {}, assignments, edges(**changes))


def lines(*assignments, **options):
    """What is wrong; notes are nothing wrong."""
    return [
        f"{found.gravity}: {found.place}: {problem(found)}"
        for found in examined(*assignments, **options)
        if found.gravity is not Gravity.NOTE
    ]


def sound_baseline() -> Run:
    """Return a baseline with every metric that base.yaml limits, each well within its limits."""
    effective = load_settings(Path("gate.yaml"), {})
    metrics = []
    for name, limit in effective.settings.gate.metrics.items():
        value = 0.0 if limit.maximum == 0 else 0.05 if name == "calibration_error" else 0.99
        if limit.unit != "ratio" and value:
            value = 200.0 if limit.unit == "MiB" else 2.0
        values = (
            (value,) if limit.kind is MetricKind.EXACT else tuple(value + step / 100 for step in range(5))
        )
        metrics.append(Metric(name, limit.unit, limit.kind, values))
    decision = Decision("A1", DecisionKind.LINK, "uei-exact", "R1", 100.0)
    run = make_run(
        started_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
        metrics=tuple(metrics),
        awards=(AwardRecord(decision, Label.CORRECT, "Firm", phase="I"),),
        settings_digest=settings_digest(effective),
    )
    fingerprint = describe_fixture(effective, 1).fingerprint
    return replace(run, fixture=replace(run.fixture, fingerprint=fingerprint, awards=1))


@pytest.fixture(autouse=True)
def setup(tmp_path, monkeypatch):
    """Stand in a folder with a gate that has nothing wrong."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "awards.csv").write_text("award_id,Company\nA1,Firm\n")
    (tmp_path / "recipients.csv").write_text("recipient_id,legal_business_name\nR1,FIRM\n")
    (tmp_path / "truth.csv").write_text("award_id,recipient_ids\nA1,R1\n")
    (tmp_path / "gate.yaml").write_text(GATE)
    write_run(Path("baselines/enrichment.json"), sound_baseline())


def promoted(**changes):
    write_run(Path("baselines/enrichment.json"), replace(sound_baseline(), **changes))


def test_a_sound_set_up_has_nothing_wrong():
    assert lines() == []


class TestSettings:
    def test_all_faults_are_told_and_hide_nothing_else(self):
        text = (
            GATE
            + "gate:\n  mercy: 1\n  max_lost: many\n  metrics:\n    wall_seconds: {warn_percent: 30}\n"
            + "    pages: {unit: count, kind: exact}\n"
        )
        Path("truth.csv").unlink()
        found = lines(text=text)
        assert "error: gate.yaml:6: gate.mercy: unknown key" in "\n".join(found)
        told = "\n".join(found)
        assert "gate.max_lost: must be a whole number ('many')" in told
        assert "must not be below warn_percent, which is 30" in told
        assert "gate.metrics.pages: lacks direction" in told
        assert "truth.csv: the truth cannot be read" in told

    def test_without_a_settings_file_there_is_one_error_and_no_file_that_the_user_lacks(self, tmp_path):
        (tmp_path / "empty").mkdir()
        os.chdir(tmp_path / "empty")
        errors = [each for each in examine(None, {}, (), edges()) if each.gravity is Gravity.ERROR]
        assert [problem(each) for each in errors] == ["no sbir-gate.yaml here or in a folder above"]
        assert cure(errors[0]) == "run 'sbir-gate init'"
        assert "config/base.yaml" not in render_diagnoses(errors)
        assert "error: no sbir-gate.yaml here" in render_diagnoses(errors)

    def test_a_default_is_named_by_its_key_in_the_settings_file(self):
        (found,) = lines(machine=lambda: replace(MACHINE, memory_mib=10))
        place = "gate.yaml: enrichment.performance.memory_threshold_mb (default)"
        assert found.startswith(f"error: {place}: ")

    def test_a_file_that_cannot_be_read_is_a_finding(self):
        assert lines(text="gate: [")[0].startswith("error: gate.yaml:1: not valid YAML")

    def test_a_variable_that_is_wrong_too(self):
        (found,) = lines(environment={"SBIR_GATE__GATE__MAX_LOST": "x"})
        assert found.startswith(
            "error: SBIR_GATE__GATE__MAX_LOST: gate.max_lost: must be a whole number ('x')"
        )

    def test_a_limit_that_does_nothing_is_told_with_its_line(self):
        text = GATE + "gate:\n  metrics:\n    precision:\n      minimum: 0\n"
        (found,) = lines(text=text)
        assert found.startswith("error: gate.yaml:8: gate.metrics.precision.minimum: 0 has no effect")

    def test_one_repeat_is_told(self):
        assert lines("benchmark.repeats=1")[0].startswith("error: --set: benchmark.repeats: 1 shows nothing")

    def test_a_gate_whose_name_no_baseline_can_have(self):
        assert any("gate.name: must be lower-case letters" in line for line in lines("gate.name=my_gate"))


class TestEnricher:
    def test_a_program_that_is_not_there(self):
        found = lines(
            "enricher.command=engine {awards} {recipients} {output}", find_program=lambda _name: None
        )
        assert "error: --set: enricher.command: there is no program 'engine' that may be run" in found

    def test_a_placeholder_that_is_missing(self):
        found = lines("enricher.command=engine {awards} {recipients}")
        assert any("--set: the engine's command: placeholder {output}" in line for line in found)

    def test_the_own_interpreter_is_there(self):
        found = lines(
            "enricher.command={python} x.py {awards} {recipients} {output}", find_program=lambda _name: None
        )
        assert [line for line in found if line.startswith("error")] == []


class TestFixtures:
    @pytest.mark.parametrize("name", ["awards", "recipients", "truth"])
    def test_a_file_that_is_missing(self, name):
        Path(f"{name}.csv").unlink()
        (found,) = lines()
        assert found.startswith("error: gate.yaml:")
        assert f"{name}.csv" in found

    def test_a_draw_that_is_missing_or_not_one(self):
        (found,) = lines("fixtures.draw=draw.json")
        assert found.startswith("error: --set: draw.json: no such file")
        (found, *_) = lines("fixtures.draw=truth.csv")
        assert found.startswith("error: --set: truth.csv: not JSON")

    def test_a_threshold_on_the_rate_of_all_awards_without_a_draw(self):
        found = lines("gate.match_rate_of=population")
        assert any("fixtures.draw does not say how the fixture was drawn" in line for line in found)

    def test_no_truth_at_all(self):
        assert any("fixtures.truth: there is none" in line for line in lines("fixtures.truth=null"))


class TestMachine:
    def test_one_core_too_many_threads_too_much_memory_and_a_full_disk(self):
        small = replace(MACHINE, cores=1, memory_mib=1024)
        found = lines("enrichment.performance.workers=4", machine=lambda: small, free_mib=lambda _path: 3.0)
        assert [line.partition(": ")[0] for line in found] == ["error", "warning", "warning", "warning"]
        told = "\n".join(found)
        for words in (
            "2,048 MiB are more than the 1,024 MiB",
            "has one core",
            "4 threads share 1 core",
            "3 MiB left",
        ):
            assert words in told


class TestBaseline:
    def one(self, *assignments):
        (found,) = lines(*assignments)
        return found

    def test_none_yet(self):
        Path("baselines/enrichment.json").unlink()
        assert self.one().startswith("warning: baselines/enrichment.json: there is no baseline")

    def test_damaged(self):
        Path("baselines/enrichment.json").write_text("{")
        assert self.one().startswith("error: baselines/enrichment.json: baselines/enrichment.json: not JSON")

    def test_of_another_gate(self):
        promoted(gate="nightly")
        assert "the Run is of gate 'nightly'" in self.one()

    def test_unsound(self):
        promoted(samples=())
        assert self.one() == "error: baselines/enrichment.json: it holds no measured repeat"

    def test_of_other_fixtures(self):
        Path("awards.csv").write_text("award_id,Company\nA1,Firm Two\n")
        assert self.one().startswith(
            "error: baselines/enrichment.json: it was measured on different fixtures"
        )

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            (
                {"started_at": datetime(2025, 1, 31, 12, tzinfo=UTC)},
                "it is 366 days old, more than 90 (doctor.baseline_max_days)",
            ),
            ({"enricher": "python old.py"}, "it is of another enricher: 'python old.py', not 'built-in'"),
            ({"settings_digest": "x"}, "it was measured with other settings of matching or reading"),
            ({"tool_version": "0.0.1"}, "it was measured by sbir-gate 0.0.1"),
            ({"awards": make_awards([link("A1", "R1")])}, "it does not name the segments of its awards"),
        ],
    )
    def test_no_longer_of_this_set_up(self, changes, words):
        promoted(**changes)
        found = self.one()
        assert found.startswith("warning: baselines/enrichment.json: ")
        assert words in found

    def test_old_is_what_the_settings_say(self):
        promoted(started_at=datetime(2025, 1, 31, 12, tzinfo=UTC))
        assert lines("doctor.baseline_max_days=400") == []

    def test_of_code_that_was_not_committed(self):
        promoted(source=replace(make_run().source, is_dirty=True))
        assert "not committed" in self.one()

    def test_a_metric_that_it_lacks(self):
        promoted(metrics=sound_baseline().metrics[1:])
        assert "gate.metrics.wall_seconds: the baseline has no such metric" in self.one()

    def test_a_limit_that_it_breaks(self):
        found = self.one("enrichment.performance.match_rate_threshold=0.995")
        assert "the baseline itself breaks it" in found
        assert "so every change fails" in found

    def test_a_limit_that_it_breaks_and_that_a_change_may_keep_as_it_is(self):
        found = self.one("gate.metrics.precision.minimum=1.0")
        assert "so a change that does not worsen it only warns" in found


class TestWaivers:
    def write(self, text):
        Path("config").mkdir()
        Path("config/waivers.yaml").write_text(text)

    def test_faults_and_waivers_that_do_nothing_are_told_together(self):
        self.write(
            "waivers:\n"
            "  - {metric: wall_seconds, limit: 40, reason: r, owner: o, expires: 2025-12-31, pr: 1}\n"
            "  - {metric: recall, reason: r, owner: o, expires: 2026-12-31, pr: 1}\n"
        )
        lacking, expired = lines()
        assert lacking == "error: config/waivers.yaml:3: the waiver lacks limit"
        assert expired.startswith(
            "warning: config/waivers.yaml:2: the waiver for wall_seconds expired on 2025"
        )

    def test_the_latest_run_tells_which_are_not_needed(self):
        self.write(
            "waivers:\n  - {metric: recall, limit: 9, reason: r, owner: o, expires: 2026-12-31, pr: 1}\n"
        )
        assert lines() == []
        write_run(Path("reports/benchmarks/20260201T000000Z.json"), sound_baseline())
        (found,) = lines()
        assert found.endswith("the waiver for recall is not needed by the latest Run")

    def test_a_named_file_that_is_missing(self):
        (found,) = lines("gate.waivers_file=gone.yaml")
        assert found == "error: --set: gate.waivers_file: gone.yaml is not there"

    def test_one_that_cannot_be_opened(self):
        Path("config/waivers.yaml").mkdir(parents=True)
        assert "cannot be read" in lines()[0]


class TestWorkflows:
    """The repository's workflows that use the gate."""

    text = """\
on: {pull_request: {paths: [src/**]}}
permissions: {contents: read, checks: write}
jobs:
  gate:
    steps:
      - uses: actions/checkout@abc
        with: {persist-credentials: false}
      - uses: o/sbir-gate@abc
"""

    def write(self, text):
        path = Path(".github/workflows/gate.yml")
        path.parent.mkdir(parents=True)
        path.write_text(text)

    def test_what_they_lack_is_told_with_its_line(self):
        promoted()
        Path(".git").mkdir()
        self.write(self.text)
        shallow, paths, permission = lines()
        assert shallow.startswith("error: .github/workflows/gate.yml:6: job gate: the checkout is shallow")
        assert paths.startswith("warning: .github/workflows/gate.yml: on.pull_request is filtered by path")
        assert permission.startswith("warning: .github/workflows/gate.yml:5: job gate: has no 'pull-requests")

    def test_one_that_cannot_be_read_is_told(self):
        promoted()
        Path(".git").mkdir()
        self.write("# sbir-gate\njobs: [")
        (found,) = lines()
        assert found == "warning: .github/workflows/gate.yml:2: is not valid YAML"

    @pytest.mark.parametrize(
        ("options", "said", "fix"),
        [
            (["--filter=blob:none"], "the clone is partial", "--refetch --no-filter"),
            (["--depth=1"], "the clone is shallow", "--unshallow"),
        ],
    )
    def test_a_clone_that_lacks_something_is_named(self, tmp_path, monkeypatch, options, said, fix):
        origin = make_repository(tmp_path / "origin")
        for number in range(2):
            origin.commit({"sbir-gate.yaml": f"gate: {{max_lost: {number}}}\n"})
        origin.git("config", "uploadpack.allowFilter", "true")
        clone = tmp_path / "clone"
        origin.git("clone", "--quiet", *options, f"file://{origin.folder}", clone)
        monkeypatch.chdir(clone)
        found = [each for each in examine(None, {}, (), edges()) if each.place == str(clone)]
        assert [problem(each).startswith(said) for each in found] == [True]
        assert fix in cure(found[0])

    def test_outside_a_repository_there_are_none(self):
        promoted()
        self.write(self.text)
        assert lines() == []


def test_errors_come_first_and_each_has_a_cure():
    promoted(tool_version="0.0.1")
    Path("truth.csv").unlink()
    found = examined()
    assert [diagnosis.gravity for diagnosis in found] == sorted(
        (diagnosis.gravity for diagnosis in found), key=list(Gravity).index
    )
    assert all(cure(diagnosis) and "\n" not in problem(diagnosis) for diagnosis in found)


def test_a_lock_file_that_no_environment_can_be_made_from_is_named():
    Path("uv.lock").write_text("")
    found = "\n".join(lines())
    assert "a change of uv.lock cannot be measured side by side" in found
    assert "uv.lock" not in "\n".join(lines("benchmark.base_setup=uv sync --frozen"))
    Path("requirements.txt").write_text("")
    assert "uv.lock" not in "\n".join(lines())


def test_a_lock_file_that_is_not_there_is_named():
    found = "\n".join(lines("benchmark.base_lock=[nowhere.lock]", "benchmark.base_setup=make"))
    assert "benchmark.base_lock: there is no nowhere.lock" in found


def test_a_pattern_of_the_engine_that_matches_no_file_is_named():
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run([*git, "init", "--quiet"], check=True)
    Path("engine.py").write_text("")
    subprocess.run([*git, "add", "engine.py"], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "first"], check=True)
    found = "\n".join(lines("enricher.sources=[engine.py, 'engin/**']"))
    assert "enricher.sources: no file matches 'engin/**'" in found
    assert "matches 'engine.py'" not in found


class TestLabels:
    def notes(self):
        return [problem(found) for found in examined() if found.gravity is Gravity.NOTE]

    def test_the_coverage_of_the_truth_is_told(self):
        assert self.notes() == ["fixtures.truth: 1 of 1 award labelled"]
        Path("awards.csv").write_text("award_id,Company\nA1,Firm One\nA2,Firm Two\n")
        assert self.notes() == ["fixtures.truth: 1 of 2 awards labelled"]

    def test_a_truth_of_other_awards_is_an_error(self):
        Path("truth.csv").write_text("award_id,recipient_ids\nB7,R1\n")
        assert any("'B7' (line 2)" in line and line.startswith("error: ") for line in lines())

    def test_a_row_that_cannot_be_read_is_an_error(self):
        with Path("awards.csv").open("a") as file:
            file.write("torn\n")
        assert any("awards.csv:3: 1 of 2 awards of the fixture could not be read" in line for line in lines())


class TestSideBySide:
    WORKFLOW = "on: pull_request\njobs:\n  gate:\n    steps:\n      - run: sbir-gate run --base\n"

    @pytest.mark.parametrize(("script", "wants_baseline"), [("run --base", False), ("run", True)])
    def test_no_baseline_is_asked_for_where_changes_are_measured_beside_their_base(
        self, script, wants_baseline
    ):
        Path("baselines/enrichment.json").unlink()
        Path(".git").mkdir()
        workflows = Path(".github/workflows")
        workflows.mkdir(parents=True)
        (workflows / "gate.yml").write_text(self.WORKFLOW.replace("run --base", script))
        assert any("there is no baseline" in line for line in lines()) is wants_baseline
