"""Saved Runs judged again: by what judged them when they were measured."""

from dataclasses import replace
from datetime import date

import pytest

from sbir_gate.gate.commit_files import PolicyRequest
from sbir_gate.gate.policy import commit_judgement, own_judgement
from sbir_gate.gate.saved_runs import judgement_again, saved_base
from sbir_gate.gate.storing.merge_base import BaseName
from sbir_gate.model.companions import Companions
from sbir_gate.model.document import RUN, decode, encode
from sbir_gate.model.finding import Rule
from sbir_gate.model.run import Source
from sbir_gate.model.verdict import Outcome
from sbir_gate.settings.effective import load_settings
from tests.factories import make_metrics, make_run, scaled
from tests.factories_git import make_repository
from tests.findings import notes, reasons

TODAY = date(2026, 2, 1)
GATE = """\
gate:
  metrics:
    records: {is_required: false}
    seconds_per_record: {is_required: false}
    cpu_seconds: {is_required: false}
    wall_seconds: {warn_percent: 300, fail_percent: %s}
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Return a repository on a branch whose target has made its limit on time stricter since."""
    made = make_repository(tmp_path / "repository")
    made.commit({"gate.yaml": GATE % 900})
    made.branch("change")
    made.git("checkout", "--quiet", "main")
    made.commit({"gate.yaml": (GATE % 25).replace("300", "10")})
    made.git("checkout", "--quiet", "change")
    monkeypatch.chdir(made.folder)
    return made


def request(repository, named):
    return PolicyRequest(named, repository.folder, repository.folder / "gate.yaml", {}, {}, ())


def settings(repository):
    return load_settings(repository.folder / "gate.yaml", {})


def measured(repository):
    """Return head and its base as a run beside the base leaves them, and its verdict."""
    _, judgement = commit_judgement(
        request(repository, BaseName("main")), settings(repository), has_baseline=False
    )
    base = replace(make_run(), metrics=make_metrics(), session="one", source=Source(judgement.commit, "main"))
    head = judgement.marked(scaled(base, "wall_seconds", 1.5))
    return decode(RUN, encode(RUN, head), "head"), base, judgement.verdict(head, TODAY, Companions(base))


def again(repository, head, base, *, is_diff=False):
    named = saved_base(head, base, is_diff=is_diff)
    asked = request(repository, named) if named else None
    found = judgement_again(asked, settings(repository), head, has_baseline=base is None)[1]
    return found.verdict(head, TODAY, Companions(base))


@pytest.mark.parametrize("is_diff", [False, True])
def test_runs_side_by_side_come_to_the_same_verdict(repository, is_diff):
    head, base, first = measured(repository)
    assert first.outcome is Outcome.FAIL
    assert first.target.commits_ahead == 1
    assert again(repository, head, base, is_diff=is_diff) == first


def test_what_the_target_has_become_since_changes_nothing(repository):
    head, base, first = measured(repository)
    repository.git("checkout", "--quiet", "main")
    repository.commit({"gate.yaml": GATE % 500})
    found = again(repository, head, base)
    assert (found.outcome, reasons(found), found.target) == (first.outcome, reasons(first), first.target)


def test_a_target_that_is_not_here_is_named(repository):
    head, base, _ = measured(repository)
    lost = replace(head, target=replace(head.target, commit="f" * 40))
    found = again(repository, lost, base)
    assert found.outcome is Outcome.PASS
    assert found.target == lost.target
    assert "commit ffffffffffff of 'main' is not in this repository" in " ".join(notes(found))


@pytest.mark.parametrize("commit", ["--upload-pack=touch x", "", "main"])
def test_a_target_that_is_no_commit_is_not_asked_for(repository, commit):
    head, base, _ = measured(repository)
    lost = replace(head, target=replace(head.target, commit=commit))
    assert "is not in this repository" in " ".join(notes(again(repository, lost, base)))


def test_a_run_that_was_judged_by_a_commit_without_its_base_is_judged_by_it_again(repository):
    head, _, _ = measured(repository)
    assert again(repository, head, None).policy_commit == head.policy_commit


def test_where_that_commit_is_not_here_the_working_tree_judges_and_a_note_says_so(repository):
    head, _, _ = measured(repository)
    found = again(repository, replace(head, policy_commit="f" * 40), None)
    assert found.policy_commit == ""
    assert found.notes[-1].rule is Rule.POLICY_NOT_FOUND


def test_runs_of_older_versions_know_the_base_beside_them(repository):
    head, base, _ = measured(repository)
    older = replace(head, policy_commit="", target=None)
    assert again(repository, older, base).policy_commit == base.source.commit


def test_a_diff_of_other_runs_is_judged_by_the_working_tree(repository):
    head, base, _ = measured(repository)
    assert saved_base(head, replace(base, session="other"), is_diff=True) is None
    assert saved_base(replace(head, has_own_policy=True), base) is None


def test_a_run_of_merged_code_starts_a_new_baseline_again(repository):
    repository.commit({"baselines/enrichment.json": encode(RUN, replace(make_run(), metrics=make_metrics()))})
    judgement = own_judgement(settings(repository), is_merged=True)
    run = replace(make_run(), metrics=make_metrics())
    other = judgement.marked(replace(run, fixture=replace(run.fixture, fingerprint="e" * 64)))
    first = judgement.verdict(other, TODAY)
    assert first.outcome is Outcome.NO_BASELINE
    assert again(repository, other, None) == first
