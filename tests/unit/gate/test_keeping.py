import shutil
from dataclasses import replace

import pytest

from sbir_gate.errors import PublishError
from sbir_gate.gate.comparing.gate import judge
from sbir_gate.gate.judging_history import history_folder
from sbir_gate.gate.keeping import KeepEdges, fetch_past, keep_for_later
from sbir_gate.gate.saved_verdict import Saved
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.history import keep_entry
from sbir_gate.model.verdict import Outcome
from sbir_gate.pipeline.action import mode_of, settings_of
from sbir_gate.settings.action_inputs import ActionInputs
from tests.factories import make_policy, make_run
from tests.factories_git import ENVIRONMENT
from tests.factories_history import make_entry
from tests.factories_remote import Waiter, make_remote
from tests.fakes import make_event as on
from tests.fakes_github import connected, github


class Remote:
    """A remote, a clone of it that a job works in, and a Run that was judged there."""

    def __init__(self, folder):
        self.remote = make_remote(folder / "remote.git")
        self.clone = self.remote.clone(folder / "clone")
        self.github = None
        self.environment = {"RUNNER_TEMP": str(folder / "temp"), "PATH": ""}
        self.effective = settings_of(ActionInputs(), self.environment, {"gate.baselines_folder": "baselines"})

    def keep(self, event, run, outcome=Outcome.PASS, **inputs):
        """Keep what is left to be kept, and return what was said."""
        settings = self.effective.settings
        keep_entry(history_folder(settings), make_entry(1))
        verdict = replace(judge(make_run(), make_run(), make_policy()), outcome=outcome)
        saved = Saved(settings.reports.folder, verdict, run, None)
        edges = KeepEdges(Git(self.clone.folder, ENVIRONMENT), Waiter().retrying(), self.github)
        given = ActionInputs(**inputs)
        steps = keep_for_later(saved, mode_of(given, event), given, event, settings, edges)
        return [step() for step in steps]

    def branches(self):
        return set(self.remote.repository.git("for-each-ref", "--format=%(refname:short)").split())


@pytest.fixture
def remote(tmp_path, monkeypatch):
    found = Remote(tmp_path)
    monkeypatch.chdir(found.clone.folder)
    return found


def test_the_main_branch_keeps_the_run_and_promotes_what_passed(remote):
    said = remote.keep(on("push"), make_run())
    assert said == [
        "origin/sbir-gate-history: Runs added: 1",
        "origin/main: this Run as the baseline: pushed",
    ]
    assert remote.branches() == {"main", "sbir-gate-history"}


def test_what_failed_is_kept_and_not_promoted(remote):
    said = remote.keep(on("push"), make_run(), Outcome.FAIL)
    assert said[1] == "the baseline stays: the verdict on it is fail"
    assert "baselines/enrichment.json" not in remote.remote.files("main")


def test_a_job_that_broke_is_kept_too(remote):
    assert remote.keep(on("push"), None, Outcome.ERROR) == ["origin/sbir-gate-history: Runs added: 1"]


def test_another_branch_keeps_nothing_and_says_why_and_a_change_never_keeps(remote):
    for event in ("push", "workflow_dispatch"):
        assert remote.keep(on(event, base_ref="", branch="release"), make_run(), mode="baseline") == [
            "nothing was kept: this commit is on the branch 'release', and the main branch is 'main'"
        ]
    assert remote.keep(on("workflow_dispatch", branch="release"), make_run(), mode="full") == [
        "nothing was kept: this commit is on the branch 'release', and the main branch is 'main'"
    ]
    assert remote.keep(on("workflow_dispatch", branch="", default_branch=""), make_run()) == [
        "nothing was kept: this commit is on no branch, and the main branch is 'main'"
    ]
    for event in ("pull_request", "merge_group"):
        assert remote.keep(on(event), make_run()) == []
    assert remote.branches() == {"main"}


def test_a_default_branch_of_another_name_is_the_main_branch(remote):
    remote.remote.repository.git("update-ref", "refs/heads/trunk", "refs/heads/main")
    event = on("push", base_ref="trunk", default_branch="trunk")
    assert remote.keep(event, make_run()) == [
        "origin/sbir-gate-history: Runs added: 1",
        "origin/trunk: this Run as the baseline: pushed",
    ]
    assert remote.keep(on("push", default_branch="trunk"), make_run()) == [
        "nothing was kept: this commit is on the branch 'main', and the main branch is 'trunk'"
    ]


def test_a_full_run_is_kept_and_never_promoted(remote):
    said = remote.keep(on("schedule", base_ref=""), make_run())
    assert said == ["origin/sbir-gate-history: Runs added: 1"]


def test_the_history_can_be_switched_off(remote):
    assert remote.keep(on("push"), make_run(), history_branch="") == [
        "origin/main: this Run as the baseline: pushed"
    ]
    assert fetch_past(
        ActionInputs(history_branch=""), remote.effective.settings, Git(remote.clone.folder)
    ) == ("the history is switched off")


def test_the_past_is_fetched(remote):
    git = Git(remote.clone.folder, ENVIRONMENT)
    assert (
        fetch_past(ActionInputs(), remote.effective.settings, git)
        == "origin/sbir-gate-history: not there yet"
    )
    remote.keep(on("push"), make_run())
    shutil.rmtree(history_folder(remote.effective.settings))
    assert (
        fetch_past(ActionInputs(), remote.effective.settings, git)
        == "origin/sbir-gate-history: Runs fetched: 1"
    )


def test_where_main_is_protected_the_baseline_is_proposed_and_the_proposal_kept_up_to_date(remote):
    with github() as fake:
        remote.github = connected(fake)
        (first,) = remote.keep(on("push"), make_run(), promote="pull-request", history_branch="")
        assert first.startswith("this Run is proposed as the baseline: https://github.example/")
        assert "baselines/enrichment.json" not in remote.remote.files("main")
        assert "baselines/enrichment.json" in remote.remote.files("sbir-gate/baseline-enrichment")
        later = make_run(started_at="2026-03-01T12:00:00+00:00")
        assert remote.keep(on("push"), later, promote="pull-request", history_branch="") == [first]
        (pull,) = fake.pulls.values()
        assert pull["title"].startswith("Baseline of enrichment, measured at ")
        assert remote.keep(on("push"), later, promote="pull-request", history_branch="") == [
            "origin/main: this Run as the baseline: there already"
        ]


def test_without_a_token_nothing_is_proposed(remote):
    with pytest.raises(PublishError, match="no token"):
        remote.keep(on("push"), make_run(), promote="pull-request")


def test_promotion_can_be_switched_off(remote):
    assert remote.keep(on("push"), make_run(), promote="nothing", history_branch="") == []
