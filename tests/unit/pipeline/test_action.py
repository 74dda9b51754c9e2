import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from sbir_gate.documents import load_alerts, load_verdict, save_verdict
from sbir_gate.errors import ConfigurationError, ExitStatus, ToolError, UsageError
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.comparing.promotion import baseline_obstacle
from sbir_gate.gate.storing.baselines import promote
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.merge_base import find_base
from sbir_gate.model.alert import AlertKind
from sbir_gate.model.verdict import Outcome
from sbir_gate.pipeline.action import (
    ActionEdges,
    base_name,
    channels_of,
    last_word,
    measure,
    mode_of,
    options_of,
    publishing_settings,
    reports_folder,
    settings_of,
    upload_of,
)
from sbir_gate.settings.action_inputs import ActionInputs, FailOn, InputMode
from tests.factories import make_policy, make_run, scaled
from tests.factories_git import ENVIRONMENT, make_repository
from tests.fakes import NOW, FakeEngine, fake_edges, write_fixture
from tests.fakes import make_event as on
from tests.findings import notes, reasons
from tests.tiers import first_fast

EVENT = on()


@pytest.mark.parametrize(
    ("event", "mode"),
    [
        ("pull_request", InputMode.PR),
        ("merge_group", InputMode.PR),
        ("push", InputMode.BASELINE),
        ("workflow_dispatch", InputMode.FULL),
        ("schedule", InputMode.FULL),
        ("workflow_run", InputMode.COMMENT),
    ],
)
def test_the_event_says_what_is_to_be_done_unless_the_input_does(event, mode):
    assert mode_of(ActionInputs(), on(event)) is mode
    assert mode_of(ActionInputs(mode="pr"), on(event)) is InputMode.PR


@pytest.mark.parametrize("mode", list(InputMode))
def test_code_of_a_change_never_runs_with_the_rights_of_pull_request_target(mode):
    with pytest.raises(UsageError, match="token that may write"):
        mode_of(ActionInputs(mode=mode), on("pull_request_target"))


def test_an_event_that_nothing_is_known_of_is_wrong_usage():
    with pytest.raises(UsageError, match="the event release"):
        mode_of(ActionInputs(), on("release"))


def test_documents_are_handed_on_outside_of_the_checkout(tmp_path):
    environment = {"RUNNER_TEMP": str(tmp_path)}
    assert reports_folder(ActionInputs(), environment) == tmp_path / "sbir-gate-reports" / "default"
    assert reports_folder(ActionInputs(gate="nightly"), environment).name == "nightly"
    with pytest.raises(UsageError, match="not running on a GitHub runner"):
        reports_folder(ActionInputs(), {})


def test_a_change_cannot_say_where_the_verdict_is_looked_for(tmp_path):
    config = tmp_path / "gate.yaml"
    config.write_text("reports: {folder: committed}\nhistory: {folder: committed}\n")
    found = settings_of(ActionInputs(config=str(config)), {"RUNNER_TEMP": str(tmp_path)}).settings
    assert found.reports.folder == tmp_path / "sbir-gate-reports" / "default"
    assert found.history.folder == found.reports.folder / "history"


def test_the_interpreter_is_left_to_the_settings_unless_the_input_names_one(tmp_path):
    environment = {"RUNNER_TEMP": str(tmp_path)}
    assert options_of(ActionInputs(), environment)["enricher.python"] is None
    assert options_of(ActionInputs(python="/named"), environment)["enricher.python"] == "/named"


class Runner:
    """A runner with a fixture checked out, and an engine that links all or none of it."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {"RUNNER_TEMP": str(folder / "temp"), "PATH": ""}
        self.engine = FakeEngine()
        self.fetched = []
        (folder / "gate.yaml").write_text(
            json.dumps(
                {
                    "fixtures": {
                        name: str(folder / f"{name}.csv") for name in ("awards", "recipients", "truth")
                    },
                    "benchmark": {"repeats": 2},
                    "gate": {"baselines_folder": str(folder / "baselines")},
                }
            )
        )

    def measure(self, event=EVENT, **inputs):
        def fetch(request, _effective):
            self.fetched.append((request.source.value, request.url))
            return self.folder / f"{request.source}.csv"

        edges = ActionEdges(fake_edges(self.engine), Git(self.folder), self.environment, fetch)
        chosen = ActionInputs(**{"config": str(self.folder / "gate.yaml"), **inputs})
        return measure(chosen, event, edges, lambda _words: None)

    def verdict(self, gate="default"):
        return load_verdict(
            Path(self.environment["RUNNER_TEMP"]) / "sbir-gate-reports" / gate / "verdict.json"
        )


@pytest.fixture
def runner(tmp_path):
    write_fixture(tmp_path)
    return Runner(tmp_path)


def test_a_push_is_judged_against_the_stored_baseline(runner):
    assert runner.measure(on("push")).verdict.outcome is Outcome.NO_BASELINE
    assert runner.verdict().outcome is Outcome.NO_BASELINE


def test_a_changed_fixture_on_main_starts_a_new_baseline_that_the_next_push_is_held_against(runner):
    promote(runner.measure(on("push")).run, runner.folder / "baselines")
    awards = runner.folder / "awards.csv"
    awards.write_text(awards.read_text() + "A99,Firm 99 Inc,Phase I,5,\n")
    runner.engine = FakeEngine(more=("A99",))
    first = runner.measure(on("push"))
    assert first.verdict.outcome is Outcome.NO_BASELINE
    assert "a new baseline starts here" in notes(first.verdict)[0]
    assert baseline_obstacle(first.verdict) is None
    promote(first.run, runner.folder / "baselines")
    assert runner.measure(on("push")).verdict.outcome is Outcome.PASS


def test_a_regression_does_not_reach_the_baseline_with_a_changed_fixture(runner):
    promote(runner.measure(on("push")).run, runner.folder / "baselines")
    awards = runner.folder / "awards.csv"
    awards.write_text(awards.read_text() + "A99,Firm 99 Inc,Phase I,5,\n")
    runner.engine = FakeEngine(links=4, more=("A99",))
    verdict = runner.measure(on("push")).verdict
    assert verdict.outcome is Outcome.FAIL
    assert len(verdict.records.lost) == 8
    assert baseline_obstacle(verdict)


@pytest.mark.slow
def test_elsewhere_a_changed_fixture_is_not_comparable(runner):
    promote(runner.measure(on("push")).run, runner.folder / "baselines")
    truth = runner.folder / "truth.csv"
    truth.write_text(truth.read_text() + "\n")
    assert runner.measure(on("push", base_ref="release")).verdict.outcome is Outcome.INCOMPARABLE


@pytest.mark.parametrize(
    ("event", "variables", "branch"),
    first_fast(
        [
            (on("push", base_ref="main"), {"GITHUB_REF_NAME": "main"}, "main"),
            (on("pull_request"), {"GITHUB_HEAD_REF": "change", "GITHUB_REF_NAME": "7/merge"}, "change"),
            (on("schedule", base_ref=""), {"GITHUB_REF_NAME": "main"}, "main"),
        ]
    ),
)
def test_a_run_is_of_the_branch_that_the_event_is_about(runner, event, variables, branch):
    runner.environment.update(variables)
    assert runner.measure(event, mode="baseline").run.source.branch == branch


@pytest.mark.parametrize(
    ("event", "number"), first_fast([(on("pull_request"), 7), (on("push", pull_number=0), 0)])
)
def test_a_run_of_a_pull_request_knows_its_number(runner, event, number):
    assert runner.measure(event, mode="baseline").run.source.pull_request == number


def test_a_workflow_run_has_nothing_to_measure(runner):
    assert runner.measure(on("workflow_run")) is None
    assert runner.engine.commands == []


def test_a_full_run_measures_what_it_downloads_once_and_under_a_name_of_its_own(runner):
    result = runner.measure(on("schedule"), dataset="https://data.example/recipients.csv")
    assert runner.fetched == [("awards", None), ("recipients", "https://data.example/recipients.csv")]
    assert (result.run.gate, len(result.run.samples), result.run.has_truth) == ("full", 1, False)
    runner.fetched.clear()
    runner.measure(on("workflow_dispatch"), dataset="full")
    assert runner.fetched == [("awards", None), ("recipients", None)]


def test_a_full_run_of_the_sample_measures_the_fixtures(runner):
    assert runner.measure(on("workflow_dispatch")).run.gate == "enrichment"
    assert runner.fetched == []


def test_what_goes_wrong_before_measuring_is_a_verdict_too_and_no_older_one_stays(runner):
    runner.measure(on("push"))
    (runner.folder / "gate.yaml").write_text("gate: {nonsense: 1}\n")
    with pytest.raises(ConfigurationError):
        runner.measure(on("push"))
    assert runner.verdict().outcome is Outcome.ERROR
    assert "gate.nonsense" in reasons(runner.verdict())[0]
    assert runner.verdict().head_started_at == NOW.replace(microsecond=0)


def test_settings_that_cannot_be_read_are_an_alert_so_that_slack_hears_of_them(runner):
    (runner.folder / "gate.yaml").write_text("gate: {nonsense: 1}\n")
    with pytest.raises(ConfigurationError):
        runner.measure(on("push"))
    found = load_alerts(runner.folder / "temp" / "sbir-gate-reports" / "default" / "alerts.json")
    assert [alert.kind for alert in found.alerts] == [AlertKind.FAULT]
    assert found.branch == "main"


def test_a_change_without_a_repository_is_an_error_that_says_so(runner):
    with pytest.raises(UsageError, match="git cannot use this folder"):
        runner.measure()
    assert runner.verdict().outcome is Outcome.ERROR


def test_a_change_that_is_compared_with_nothing_is_wrong_usage(runner):
    with pytest.raises(UsageError, match="input base"):
        runner.measure(on("workflow_dispatch", base_ref=""), mode="pr", side_by_side="false")


# under which name it is told


def told_name(folder, event=EVENT, **inputs):
    environment = {"RUNNER_TEMP": str(folder / "temp"), "PATH": ""}
    chosen = ActionInputs(**{"config": str(folder / "gate.yaml"), **inputs})
    return publishing_settings(chosen, event, environment, Git(folder)).settings.gate.name


@pytest.mark.slow
def test_a_full_run_has_one_name_from_begin_to_end(runner):
    event = on("schedule", base_ref="")
    result = runner.measure(event, dataset="full")
    assert told_name(runner.folder, event, dataset="full") == result.run.gate == "full"
    assert told_name(runner.folder, event) == "enrichment"
    assert told_name(runner.folder, event, dataset="full", gate="nightly") == "nightly"


def test_a_download_that_fails_is_told_under_the_name_of_the_full_run(runner):
    def broken(_request, _effective):
        raise ToolError("the server does not answer")

    edges = ActionEdges(fake_edges(runner.engine), Git(runner.folder), runner.environment, broken)
    inputs = ActionInputs(config=str(runner.folder / "gate.yaml"), dataset="full")
    with pytest.raises(ToolError):
        measure(inputs, on("schedule", base_ref=""), edges, lambda _words: None)
    assert (runner.verdict().gate, runner.verdict().outcome) == ("full", Outcome.ERROR)


@pytest.mark.parametrize("broken", ["gate: {nonsense: 1}\n", "gate: [\n", "gate: {name: other}\n"])
def test_a_change_that_breaks_the_settings_is_told_under_the_name_that_its_base_has(
    tmp_path, monkeypatch, broken
):
    repository = make_repository(tmp_path / "repository")
    monkeypatch.chdir(repository.folder)
    repository.commit({"gate.yaml": "gate: {name: linking}\n"})
    repository.git("switch", "--quiet", "--create", "change")
    repository.commit({"gate.yaml": broken})
    assert told_name(repository.folder) == "linking"


def test_without_any_settings_that_can_be_read_the_name_is_that_of_the_input(runner):
    (runner.folder / "gate.yaml").write_text("gate: {nonsense: 1}\n")
    assert told_name(runner.folder, on("push"), gate="nightly") == "nightly"
    with pytest.raises(ConfigurationError):
        runner.measure(on("push"), gate="nightly")
    assert runner.verdict("nightly").gate == "nightly"


# the last word


def saved(folder, head):
    save_verdict(folder / "verdict.json", judge(head, make_run(), make_policy()))
    return folder


def test_the_job_ends_as_the_verdict_says(tmp_path):
    assert last_word(saved(tmp_path, make_run()), FailOn.FAIL) == (ExitStatus.OK, "enrichment: pass")
    status, words = last_word(saved(tmp_path, scaled(make_run(), "wall_seconds", 1.4)), FailOn.FAIL)
    assert status is ExitStatus.GATE_FAILED
    assert words.startswith("enrichment: fail: Wall time rose 40")


def test_a_job_may_go_on_after_a_failure_but_not_after_an_error(tmp_path):
    failed = saved(tmp_path, scaled(make_run(), "wall_seconds", 1.4))
    status, words = last_word(failed, FailOn.NOTHING)
    assert status is ExitStatus.OK
    assert "fail-on is nothing" in words
    broken = replace(load_verdict(tmp_path / "verdict.json"), outcome=Outcome.ERROR)
    save_verdict(tmp_path / "verdict.json", broken)
    assert last_word(tmp_path, FailOn.NOTHING)[0] is ExitStatus.BROKEN


def test_inconclusive_fails_only_if_asked_to(tmp_path):
    verdict = replace(judge(make_run(), make_run(), make_policy()), outcome=Outcome.INCONCLUSIVE)
    save_verdict(tmp_path / "verdict.json", verdict)
    found = {choice: last_word(tmp_path, choice)[0] for choice in FailOn}
    assert found == {
        FailOn.FAIL: ExitStatus.OK,
        FailOn.INCONCLUSIVE: ExitStatus.INCONCLUSIVE,
        FailOn.NOTHING: ExitStatus.OK,
    }


@pytest.mark.parametrize("content", [None, "", "{}"])
def test_no_verdict_is_no_pass(tmp_path, content):
    if content is not None:
        (tmp_path / "verdict.json").write_text(content)
    with pytest.raises(ToolError, match="the gate gave no verdict"):
        last_word(tmp_path, FailOn.NOTHING)


# what is uploaded, and where it is told


def test_an_upload_has_a_name_of_its_own_and_leaves_the_history_out(tmp_path):
    environment = {"RUNNER_TEMP": str(tmp_path), "GITHUB_JOB": "a job/$(x)"}
    upload = upload_of(ActionInputs(gate="nightly"), on("push", run_attempt=3), environment)
    folder = tmp_path / "sbir-gate-reports" / "nightly"
    assert (upload.name, upload.is_wanted) == ("sbir-gate-nightly-a-job-x--6e626f22-3", False)
    assert upload.paths == f"{folder}\n!{folder / 'history'}"
    folder.mkdir(parents=True)
    (folder / "verdict.json").touch()
    assert upload_of(ActionInputs(gate="nightly"), EVENT, environment).is_wanted
    assert not upload_of(ActionInputs(gate="nightly", artifact="false"), EVENT, environment).is_wanted


@pytest.mark.parametrize(
    ("event", "hears"),
    [("push", True), ("schedule", True), ("pull_request", False), ("merge_group", False)],
)
def test_slack_hears_of_the_main_branch_alone(event, hears):
    assert channels_of(ActionInputs(), on(event), has_webhook=True).has_slack is hears
    assert not channels_of(ActionInputs(), on(event), has_webhook=False).has_slack


class TestTheBaseOfAChange:
    """The base branch as the event gives it bounds the base: names in the clone can be shadowed."""

    @pytest.fixture
    def repository(self, tmp_path):
        made = make_repository(tmp_path / "clone")
        made.commit({"file.txt": "main"})
        made.git("update-ref", "refs/remotes/origin/main", "main")
        made.git("switch", "--quiet", "--create", "change")
        made.commit({"file.txt": "change"})
        return made

    def found(self, repository, event, **inputs):
        git = Git(repository.folder, ENVIRONMENT)
        return find_base(git, base_name(ActionInputs(**inputs), event, git))

    def event(self, repository, **changes):
        base, head = (repository.git("rev-parse", f"refs/heads/{name}") for name in ("main", "change"))
        return on("pull_request", **{"base_sha": base, "head_sha": head, **changes})

    @pytest.mark.parametrize("base", ["", "main", "origin/main"])
    def test_a_tag_of_the_branch_does_not_replace_it(self, repository, base):
        for name in ("main", "origin/main"):
            repository.git("tag", name, "change")
        event = self.event(repository)
        assert self.found(repository, event, base=base).commit == event.base_sha

    @pytest.mark.parametrize("base", ["change", "refs/tags/mine", "HEAD"])
    def test_an_input_that_leads_to_the_change_itself_is_refused(self, repository, base):
        repository.git("tag", "mine", "change")
        with pytest.raises(UsageError, match="not part of the base branch"):
            self.found(repository, self.event(repository), base=base)

    def test_a_branch_of_the_remote_that_was_moved_is_refused(self, repository):
        repository.git("update-ref", "refs/remotes/origin/main", "change")
        with pytest.raises(UsageError, match="not part of the base branch"):
            self.found(repository, self.event(repository))

    def test_what_github_merged_the_change_with_may_be_newer_than_the_payload(self, repository):
        event = self.event(repository)
        repository.git("switch", "--quiet", "main")
        newer = repository.commit({"other.txt": "later"})
        repository.git("update-ref", "refs/remotes/origin/main", "main")
        repository.git("switch", "--quiet", "--detach", "main")
        repository.git("merge", "--quiet", "--no-ff", "--strategy", "ours", "--message", "merge", "change")
        merge = repository.git("rev-parse", "HEAD")
        assert self.found(repository, replace(event, merge_sha=merge)).commit == newer
        with pytest.raises(UsageError, match="not part of the base branch"):
            self.found(repository, replace(event, merge_sha=merge, head_sha="1" * 40))

    def test_a_merge_group_is_bounded_by_its_base(self, repository):
        event = self.event(repository)
        group = on("merge_group", base_sha=event.base_sha)
        assert self.found(repository, group).commit == event.base_sha


def test_a_full_run_holds_the_threshold_against_its_own_rate(runner):
    """All awards are there: neither the draw of the fixture nor an estimate from it says more."""
    file = runner.folder / "gate.yaml"
    settings = yaml.safe_load(file.read_text())
    settings["gate"] = {**settings.get("gate", {}), "match_rate_of": "population"}
    settings["fixtures"] = {**settings.get("fixtures", {}), "draw": "draw.json"}
    file.write_text(yaml.safe_dump(settings))
    run = runner.measure(on("workflow_dispatch"), dataset="full").run
    assert run.quality.population is None
