"""The live check against a GitHub of our own and a bare repository: each step, and each of its failures."""

from dataclasses import replace

import pytest

from sbir_gate.errors import UsageError
from sbir_gate.gate.live_check import LiveEdges, Step, check_live
from sbir_gate.gate.reporting.diagnoses import render_live_summary
from sbir_gate.gate.reporting.messages import diagnosis_texts
from sbir_gate.gate.storing.git import Git
from sbir_gate.model.diagnosis import Flaw, Gravity
from sbir_gate.settings.effective import load_settings
from tests.factories_git import ENVIRONMENT
from tests.factories_remote import Waiter, make_remote
from tests.fakes import make_event
from tests.fakes_github import NOT_ACCESSIBLE, Fault, connected, github
from tests.tiers import first_fast

EVENT = make_event("workflow_dispatch", pull_number=0, head_sha="c" * 40, job="live", run_id=17)
SCRATCH, HISTORY = "sbir-gate/self-check-17-1-live", "sbir-gate-history-self-check-17-1-live"
ALL = [str(step) for step in Step]
FOREVER = 10**6
# the hooks of a remote that protects some branches, or lets none be removed
READ = "while read old new ref; do case"
PROTECTED = f'{READ} $ref in *history*) echo "GH006: Protected branch" >&2; exit 1; esac; done'
KEPT = f'{READ} $new in 0000*) echo "GH013: rule violations" >&2; exit 1; esac; done'


@pytest.fixture
def fake():
    with github() as made:
        made.login = "github-actions[bot]"
        yield made


@pytest.fixture
def remote(tmp_path):
    return make_remote(tmp_path / "remote.git")


@pytest.fixture
def live(fake, remote, tmp_path, monkeypatch):
    clone = remote.clone(tmp_path / "clone")
    monkeypatch.chdir(clone.folder)

    def check(progress=lambda _text: None, event=EVENT, **facts):
        settings = load_settings(None, {}).settings
        git = Git(clone.folder, ENVIRONMENT)
        edges = LiveEdges(connected(fake, **facts), git, Waiter().retrying(retries=1))
        return check_live(settings, event, edges, progress)

    return check


def outcomes(found):
    return {str(each.place): each.flaw for each in found}


def bad(found):
    return {
        place: flaw
        for place, flaw in outcomes(found).items()
        if flaw not in {Flaw.LIVE_WORKS, Flaw.LIVE_CLEANED}
    }


def said(found, place):
    (each,) = (each for each in found if each.place == place)
    return "; ".join(diagnosis_texts(each))


def branches(remote):
    return remote.repository.git("for-each-ref", "--format=%(refname:short)").split()


def is_clean(fake, remote):
    return (
        branches(remote) == ["main"]
        and all(pull["state"] == "closed" for pull in fake.pulls.values())
        and not any(fake.comments.values())
        and all(check["status"] == "completed" for check in fake.checks)
    )


def test_all_steps_work_and_nothing_is_left(fake, remote, live):
    before = remote.commits("main")
    found = live()
    assert outcomes(found) == dict.fromkeys(ALL[:-1], Flaw.LIVE_WORKS) | {"clean-up": Flaw.LIVE_CLEANED}
    assert {each.gravity for each in found} == {Gravity.NOTE}
    assert is_clean(fake, remote)
    assert remote.commits("main") == before
    (pull,) = fake.pulls.values()
    assert (pull["head"]["ref"], pull["title"]) == (SCRATCH, "sbir-gate self-check: closes itself")
    (check,) = fake.checks
    assert (check["name"], check["conclusion"]) == ("sbir-gate / self-check", "neutral")
    assert len(fake.annotations[check["id"]]) == 1
    # written, changed, and removed
    verbs = [verb.split(" ")[0] for verb in fake.verbs() if "comments" in verb]
    assert verbs == ["POST", "PATCH", "DELETE"]
    assert said(found, "clean-up").startswith(f"removed: origin/{SCRATCH}, pull request 1, comment, origin/")


def test_what_it_does_while_it_goes_on_is_on_the_scratch_branches_alone(remote, live):
    seen = {}

    def look(step):
        seen[step] = branches(remote)

    live(look)
    assert sorted(seen["trying: baseline push"]) == sorted(["main", SCRATCH, HISTORY])


def test_a_token_that_may_push_nothing(fake, remote, live):
    remote.refuse("none of you")
    found = live()
    tried_in_vain = ["pull request", "comment", "check", "annotation", "baseline push"]
    assert bad(found) == {
        "scratch branch": Flaw.LIVE_FAILED,
        "history push": Flaw.LIVE_FAILED,
        **dict.fromkeys(tried_in_vain, Flaw.LIVE_NOT_TRIED),
    }
    assert f"origin/{SCRATCH} was not pushed: the branch is protected" in said(found, "scratch branch")
    assert "not tried: it needs the step 'scratch branch'" in said(found, "pull request")
    assert fake.verbs() == []
    assert is_clean(fake, remote)


def refused(verb, path, **facts):
    return Fault(verb, path, 403, NOT_ACCESSIBLE, times=FOREVER, **facts)


# what is refused; what then fails, what is not tried, and the permission or setting that is named
REFUSALS = {
    "pull requests": (
        refused("POST", "/pulls$"),
        "pull request",
        ["comment", "check", "annotation"],
        "pull-requests: write",
    ),
    "comments": (refused("POST", "/comments$"), "comment", [], "pull-requests: write"),
    "changes of comments": (refused("PATCH", "/comments/"), "comment", [], "pull-requests: write"),
    "checks": (refused("POST", "/check-runs$"), "check", ["annotation"], "checks: write"),
    "the end of checks": (refused("PATCH", "/check-runs/"), "check", ["annotation"], "checks: write"),
}


@pytest.mark.parametrize("what", first_fast(REFUSALS, 2))
def test_a_permission_that_is_missing_fails_its_step_alone_and_is_named(fake, remote, live, what):
    fault, step, not_tried, named = REFUSALS[what]
    fake.faults.append(fault)
    found = live()
    assert bad(found) == {step: Flaw.LIVE_FAILED, **dict.fromkeys(not_tried, Flaw.LIVE_NOT_TRIED)}
    assert named in said(found, step)
    assert branches(remote) == ["main"]
    assert all(pull["state"] == "closed" for pull in fake.pulls.values())
    assert not any(fake.comments.values())


def test_a_repository_whose_workflows_may_not_open_pull_requests(fake, live):
    message = "GitHub Actions is not permitted to create or approve pull requests."
    fake.faults.append(Fault("POST", "/pulls$", 403, message, times=FOREVER))
    found = live()
    assert "Settings > Actions > General" in said(found, "pull request")


@pytest.mark.slow
def test_a_token_that_is_no_apps_writes_no_checks(fake, remote, live):
    fake.is_app = False
    found = live()
    assert bad(found) == {"check": Flaw.LIVE_FAILED, "annotation": Flaw.LIVE_NOT_TRIED}
    assert is_clean(fake, remote)


def test_an_annotation_that_is_lost(fake, live, monkeypatch):
    monkeypatch.setattr(type(fake), "_write_check", without_annotations(type(fake)._write_check))
    found = live()
    assert bad(found) == {"annotation": Flaw.LIVE_FAILED}
    assert "without its annotation" in said(found, "annotation")


def without_annotations(write):
    def lossy(fake, check, facts):
        output = {key: value for key, value in facts.get("output", {}).items() if key != "annotations"}
        write(fake, check, {**facts, "output": output} if "output" in facts else facts)

    return lossy


@pytest.mark.slow
def test_a_protected_branch_of_the_history(fake, remote, live):
    remote.hook("pre-receive", PROTECTED)
    found = live()
    assert bad(found) == {"history push": Flaw.LIVE_FAILED}
    assert "protected" in said(found, "history push")
    assert is_clean(fake, remote)


def test_a_rate_limit(fake, remote, live):
    fake.faults.append(Fault("POST", "/comments$", 429, "slow down", {"Retry-After": "1"}, times=FOREVER))
    found = live()
    assert bad(found) == {"comment": Flaw.LIVE_FAILED}
    assert "limits how often" in said(found, "comment")
    assert is_clean(fake, remote)


def test_a_rate_limit_from_the_middle_on_leaves_what_it_names(fake, remote, live):
    fake.faults.append(Fault("PATCH", "/pulls/", 429, "slow down", {"Retry-After": "1"}, times=FOREVER))
    found = live()
    assert bad(found) == {"clean-up": Flaw.LIVE_LEFT_BEHIND}
    assert "pull request 1" in said(found, "clean-up")
    assert branches(remote) == ["main"]  # what can be removed is


def test_branches_that_cannot_be_removed_are_named(fake, remote, live):
    remote.hook("pre-receive", KEPT)
    found = live()
    assert bad(found) == {"clean-up": Flaw.LIVE_LEFT_BEHIND}
    text = said(found, "clean-up")
    assert f"origin/{SCRATCH}" in text
    assert f"origin/{HISTORY}" in text
    assert all(pull["state"] == "closed" for pull in fake.pulls.values())


@pytest.mark.slow
def test_a_login_that_the_settings_name_wrongly(fake, remote, live):
    found = live(login="somebody-else")
    assert bad(found) == {"comment": Flaw.LIVE_FAILED}
    assert "publishing.login" in said(found, "comment")
    assert is_clean(fake, remote)


@pytest.mark.parametrize("step", ["trying: pull request", "trying: check", "trying: baseline push"])
def test_an_interrupted_check_is_cleaned_up(fake, remote, live, step):
    def interrupt(text):
        if text == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        live(interrupt)
    assert is_clean(fake, remote)


def test_a_repository_without_its_remote_is_wrong_input(live, tmp_path):
    make_remote(tmp_path / "other.git").clone(tmp_path / "other")
    with pytest.raises(UsageError):
        live(event=replace(EVENT, default_branch="no such\nbranch"))


def test_the_summary_has_a_row_for_each_step_and_nothing_in_it_is_live(fake, live):
    fake.faults.append(Fault("POST", "/comments$", 422, "<img src=x> | @team [a](b)", times=FOREVER))
    lines = render_live_summary(live()).splitlines()
    assert lines[0] == "### sbir-gate self-check: 1 of 8 steps failed"
    assert [line.split(" | ")[0] for line in lines[4:]] == [f"| {step}" for step in ALL]
    assert "| scratch branch | works |" in lines[4]
    assert "| comment | failed |" in lines[6]
    assert "<img" not in lines[6]
