"""The action and its workflows as GitHub runs them: by act, on a fake that a description keeps honest."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from sbir_gate.documents import load_run
from sbir_gate.gate.storing.sessions import run_order
from tests.act import ROOT, Team, make_team, make_team_with_own_engine
from tests.fakes_github import REPOSITORY, TOKEN, github

FORK = "somebody/fork"
UEI_OFF = ("methods: [uei-exact, duns-exact", "methods: [duns-exact")
NUMBER = 7


@pytest.fixture(scope="module")
def tool_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("tool-cache")


@pytest.fixture
def team(tmp_path, tool_cache):
    with github() as fake:
        yield make_team(tmp_path, fake, tool_cache)


def repository(name=REPOSITORY):
    return {"full_name": name, "default_branch": "main"}


def pull_request(team: Team, sha: str, head: str = REPOSITORY, ref: str = "change") -> dict:
    base = team.origin.git("rev-parse", "refs/heads/main")
    return {
        "action": "synchronize",
        "number": NUMBER,
        "pull_request": {
            "number": NUMBER,
            "head": {"ref": ref, "sha": sha, "repo": repository(head)},
            "base": {"ref": "main", "sha": base, "repo": repository()},
        },
        "repository": repository(),
    }


def workflow(team: Team, name: str = "gate.yml") -> Path:
    return team.origin.folder / ".github" / "workflows" / name


def judge(team: Team, sha: str, ref: str = "change", head: str = REPOSITORY):
    payload = pull_request(team, sha, head, ref)
    variables = {"GITHUB_BASE_REF": "main", "GITHUB_HEAD_REF": ref}
    return team.run("pull_request", payload, workflow(team), sha, **variables)


def change(team: Team, old: str, new: str, branch: str = "change") -> str:
    """Commit a change of the settings on a branch, and return the commit."""
    known = team.origin.git("branch", "--list", branch)
    text = team.origin.git("show", f"{branch if known else 'main'}:config/base.yaml") + "\n"
    assert old in text
    return team.commit({"config/base.yaml": text.replace(old, new)}, branch)


def only_check(team: Team, sha: str) -> dict:
    (check,) = (check for check in team.github.checks if check["head_sha"] == sha)
    return check


@pytest.mark.slow
def test_a_change_that_switches_a_stage_off_fails_and_the_same_comment_turns_green_when_it_is_mended(team):
    # links alone are judged: the other tests measure time too
    change(team, "is_timed: true", "is_timed: false", branch="main")
    sha = change(team, *UEI_OFF)
    team.github.add_pull(NUMBER, sha)
    failed = judge(team, sha)
    assert not failed.is_success, failed.log
    (body,) = team.github.bodies(NUMBER)
    assert "### ❌ sbir-gate: fail" in body
    assert re.search(r"\| ❌&nbsp;\[?Queries", body)
    # most of its links are made by other methods now: that is told, and fails nobody
    assert re.search(r"\| ✅&nbsp;\[?Links by UEI", body)
    assert "links are now made by duns-exact, not uei-exact" in body
    assert f"https://github.example/{REPOSITORY}/actions/runs/101" in body
    assert only_check(team, sha)["conclusion"] == "failure"
    assert "### ❌ sbir-gate: fail" in failed.summary
    (artifact,) = team.artifacts.iterdir()
    assert {path.name for path in artifact.iterdir()} >= {"verdict.json", "report.md", "changed-awards.csv"}
    assert "::error file=" in failed.log

    second = change(team, *reversed(UEI_OFF))
    team.github.push(NUMBER, second)
    mended = judge(team, second)
    assert mended.is_success, mended.log
    (green,) = team.github.comments[NUMBER]
    assert "### ✅ sbir-gate: pass" in green["body"]
    assert f"head={second}" in green["body"]
    assert only_check(team, second)["conclusion"] == "success"


@pytest.mark.nightly
def test_tags_of_the_base_branchs_name_do_not_replace_it(team):
    sha = change(team, *UEI_OFF)
    for name in ("main", "origin/main"):
        team.origin.git("tag", name, sha)
    team.github.add_pull(NUMBER, sha)
    failed = judge(team, sha)
    assert not failed.is_success, failed.log
    (body,) = team.github.bodies(NUMBER)
    assert "### ❌ sbir-gate: fail" in body


@pytest.mark.slow
def test_a_fork_is_judged_without_rights_and_told_by_the_other_half(team):
    sha = change(team, *UEI_OFF)
    team.github.add_pull(NUMBER, sha, head=FORK)
    team.github.is_read_only = True
    failed = judge(team, sha, head=FORK)
    assert not failed.is_success
    assert "left to the workflow_run half" in failed.log
    assert "enrichment: fail" in failed.log
    assert team.github.bodies(NUMBER) == []
    (artifact,) = team.artifacts.iterdir()
    lie_in(artifact)

    team.github.is_read_only = False
    main = team.origin.git("rev-parse", "main")
    triggered = {
        "action": "completed",
        "workflow_run": {
            "id": 101,
            "run_attempt": 1,
            "event": "pull_request",
            "head_sha": sha,
            "head_branch": "change",
            "head_repository": repository(FORK),
            "conclusion": "failure",
        },
        "repository": repository(),
    }
    told = team.run("workflow_run", triggered, workflow(team, "gate-comment.yml"), main)
    assert told.is_success, told.log
    (body,) = team.github.bodies(NUMBER)
    assert "### ❌ sbir-gate: fail" in body
    assert f"head={sha}" in body
    assert "evil" not in body
    assert "@everyone" not in body
    assert only_check(team, sha)["conclusion"] == "failure"


def lie_in(artifact: Path) -> None:
    """Let the artifact claim what it likes: the documents that anybody can write by hand."""
    verdict = json.loads((artifact / "verdict.json").read_text())
    verdict["verdict"]["outcome"] = "pass"
    verdict["verdict"]["reasons"] = ["evil @everyone ![x](https://evil.example/x.png) ::set-output name=x::y"]
    (artifact / "verdict.json").write_text(json.dumps(verdict))
    (artifact / "report.md").write_text("evil")
    (artifact / "pull-request").write_text("1")
    (artifact / "event.json").write_text('{"number": 1}')


def branches(team: Team) -> set[str]:
    return set(team.origin.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split())


@pytest.mark.nightly
def test_a_push_to_main_promotes_the_baseline_and_keeps_the_run_and_a_merge_queue_writes_nothing(team):
    main = team.origin.git("rev-parse", "main")
    group = {
        "action": "checks_requested",
        "merge_group": {"head_sha": main, "base_ref": "refs/heads/main"},
        "repository": repository(),
    }
    queued = team.run("merge_group", group, workflow(team), main)
    assert queued.is_success, queued.log
    assert "no comment: the event merge_group has no pull request" in queued.log
    assert branches(team) == {"main"}

    push = {"after": main, "ref": "refs/heads/main", "repository": repository()}
    pushed = team.run("push", push, workflow(team), main, GITHUB_REF_NAME="main")
    assert pushed.is_success, pushed.log
    assert "origin/main: this Run as the baseline: pushed" in pushed.log
    assert branches(team) == {"main", "sbir-gate-history"}
    assert team.origin.git("rev-parse", "main~1") == main
    changed = team.origin.git("diff", "--name-only", "main~1", "main")
    assert changed == "baselines/enrichment.json"
    kept = team.origin.git("ls-tree", "-r", "--name-only", "sbir-gate-history").split()
    (entry,) = (name for name in kept if not name.endswith(".quality.json"))
    assert '"branch":"main"' in team.origin.git("show", f"sbir-gate-history:{entry}")

    promoted = team.origin.git("rev-parse", "main")
    again = team.run("push", {**push, "after": promoted}, workflow(team), promoted, GITHUB_REF_NAME="main")
    assert again.is_success, again.log
    assert "origin/sbir-gate-history: Runs fetched: 1" in again.log
    assert "### ✅ sbir-gate: pass" in again.summary


KEEPING = """\
on: [push, workflow_dispatch]
permissions: {contents: write, checks: write}
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683
        with: {fetch-depth: 0}
      - uses: octo-org/sbir-gate@v1
        with: {dataset: sample}
"""


@pytest.mark.nightly
def test_a_default_branch_of_any_name_is_kept_and_a_run_by_hand_on_another_keeps_nothing(own_team):
    team, place = own_team, {**repository(), "default_branch": "trunk"}
    team.commit({".github/workflows/gate.yml": KEEPING})
    # what is shown here is no matter of time
    settings = (team.origin.folder / "sbir-gate.yaml").read_text()
    sha = team.commit({"sbir-gate.yaml": f"{settings}benchmark: {{repeats: 2, warm_ups: 0}}\n"})
    team.origin.git("branch", "--move", "main", "trunk")
    team.origin.git("config", "receive.denyCurrentBranch", "ignore")
    push = {"after": sha, "ref": "refs/heads/trunk", "repository": place}
    pushed = team.run("push", push, workflow(team), sha, GITHUB_REF_NAME="trunk")
    assert pushed.is_success, pushed.log
    assert branches(team) == {"trunk", "sbir-gate-history"}
    assert team.origin.git("diff", "--name-only", "trunk~1", "trunk") == "baselines/enrichment.json"
    (entry,) = team.origin.git("ls-tree", "-r", "--name-only", "sbir-gate-history").split()
    assert '"branch":"trunk"' in team.origin.git("show", f"sbir-gate-history:{entry}")

    team.origin.git("branch", "change", "trunk")
    before = team.origin.git("for-each-ref")
    by_hand = {"inputs": {}, "repository": place, "ref": "refs/heads/change"}
    tip = team.origin.git("rev-parse", "change")
    done = team.run("workflow_dispatch", by_hand, workflow(team), tip, GITHUB_REF_NAME="change")
    assert done.is_success, done.log
    assert (
        "nothing was kept: this commit is on the branch 'change', and the main branch is 'trunk'" in done.log
    )
    assert team.origin.git("for-each-ref") == before


@pytest.mark.nightly
def test_by_hand_the_fixtures_are_measured(team):
    main = team.origin.git("rev-parse", "main")
    payload = {"inputs": {"dataset": "sample"}, "repository": repository(), "ref": "refs/heads/main"}
    done = team.run("workflow_dispatch", payload, workflow(team, "gate-full.yml"), main)
    assert done.is_success, done.log
    assert "### 🆕 sbir-gate: no baseline yet" in done.summary


HOSTILE = "$(touch pwned) `touch pwned` ; touch pwned # \" ' ${{ github.token }} %0A::set-output name=x::y"


@pytest.mark.nightly
def test_hostile_texts_leave_no_trace_and_the_token_is_in_nothing_that_is_left(team):
    branch = "a;touch${IFS}pwned"
    name = HOSTILE.replace('"', '""')
    awards = (team.origin.folder / "fixtures" / "awards.csv").read_text().splitlines()
    header = awards[0].split(",")
    row = [f'"{name}"' if column == "Company" else "" for column in header]
    team.origin.git("switch", "--quiet", "--create", branch, "main")
    sha = team.origin.commit({"fixtures/awards.csv": "\n".join([*awards, ",".join(row)]) + "\n"})
    team.origin.git("commit", "--quiet", "--amend", "--message", HOSTILE)
    sha = team.origin.git("rev-parse", "HEAD")
    team.origin.git("switch", "--quiet", "main")
    team.github.add_pull(NUMBER, sha, ref=branch)
    done = judge(team, sha, ref=branch)
    assert "enrichment: " in done.log
    assert not list(team.folder.rglob("pwned"))
    log = done.log.replace("***", "")
    assert TOKEN not in log
    for path in team.folder.rglob("*"):
        if path.is_file() and "home" not in path.relative_to(team.folder).parts:
            assert TOKEN.encode() not in path.read_bytes(), path
    assert TOKEN not in json.dumps([asked.body for asked in team.github.asked])


ENGINE = """\
import csv, sys

def key(name):
    return "".join(filter(str.isalnum, name.upper()))

awards, recipients, output = sys.argv[1:]
known = {key(row["legal_business_name"]): row["recipient_id"] for row in csv.DictReader(open(recipients))}
rows = csv.writer(open(output, "w", newline=""))
rows.writerow(["award_id", "recipient_id", "match_method", "match_score"])
for number, award in enumerate(csv.DictReader(open(awards))):
    found = known.get(key(award["Company"]), "")
    rows.writerow([award["award_id"], found, "name-exact" if found else "none", 100 if found else 0])
"""


@pytest.fixture
def own_team(tmp_path, tool_cache):
    """A team whose gate is the ten lines of the README, a settings file and an engine, and nothing else."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ten_lines = re.search(r"```yaml\n(name: gate\n.*?)```", readme, re.DOTALL)[1]
    files = {
        ".github/workflows/gate.yml": ten_lines.replace("OWNER/sbir-gate@COMMIT", "octo-org/sbir-gate@v1"),
        "sbir-gate.yaml": (
            "enricher: {command: '{python} enrich.py {awards} {recipients} {output}'}\n"
            "enrichment: {performance: {match_rate_threshold: 0.2}}\n"
            "gate: {metrics: {precision: {unit: ratio, direction: higher, kind: exact, minimum: 0.5}}}\n"
        ),
        "enrich.py": ENGINE,
    }
    with github() as fake:
        yield make_team_with_own_engine(tmp_path, fake, tool_cache, files)


def judged_engine(team: Team, engine: str) -> tuple[str, Path]:
    """Let a change of the engine be judged, which fails; return the comment, and the artifact."""
    sha = team.commit({"enrich.py": engine}, "change")
    team.github.add_pull(NUMBER, sha)
    done = judge(team, sha)
    assert not done.is_success, done.log
    assert only_check(team, sha)["conclusion"] == "failure", done.log
    (body,) = team.github.bodies(NUMBER)
    (artifact,) = team.artifacts.iterdir()
    return body, artifact


@pytest.mark.nightly
def test_a_team_with_an_engine_of_its_own_needs_the_ten_lines_of_the_readme_and_nothing_else(own_team):
    worse = ENGINE.replace("found = known", "found = number % 2 and known").replace('"")', '"") or ""')
    body, artifact = judged_engine(own_team, f'{worse}print("done")\n')
    assert re.search(r"\| ❌&nbsp;\[?Match rate", body)
    assert "awards lost a correct link" in body
    base, head = sorted((artifact / "benchmarks").iterdir(), key=run_order)
    assert (load_run(base).source.branch, load_run(head).source.branch) == ("main", "change")
    logs = {path.name: path.read_text() for path in (artifact / "logs").iterdir()}
    assert logs["head-1.log"] == "done\n"
    assert set(logs.values()) == {"done\n"}


@pytest.mark.nightly
def test_an_engine_that_kills_its_launcher_is_told_as_an_error_and_its_messages_are_kept(own_team):
    kill = 'import os, time\nprint("so long", flush=True)\nos.kill(os.getppid(), 9)\ntime.sleep(1)\n'
    body, artifact = judged_engine(own_team, kill + ENGINE)
    assert "### 💥 sbir-gate: error" in body
    assert "launcher was ended by signal SIGKILL" in body
    assert (artifact / "logs" / "head-1.log").read_text() == "so long\n"


# no line break in these: they are read as far as they can be
ODD = {
    "config": "$(touch pwned).yaml",
    "base": "`touch pwned`",
    "enricher": "'$(touch pwned)' {awards} {recipients} {output}",
    "python": "/bin/$(touch pwned)",
    "history-branch": "a;touch${IFS}pwned",
    "untrusted": "$(touch pwned)",
}


def with_inputs(team: Team, inputs: dict[str, str]) -> str:
    """Commit a workflow that hands these inputs to the action, and return the commit."""
    text = workflow(team).read_text(encoding="utf-8")
    used = f"      - uses: ./\n        with: {json.dumps(inputs)}\n        #"
    sha = team.commit({".github/workflows/gate.yml": text.replace("      - uses: ./ #", used)})
    team.github.add_pull(NUMBER, sha)
    return sha


@pytest.mark.nightly
def test_hostile_inputs_are_refused_all_at_once_and_leave_no_trace(team):
    names = {"mode", "config", "gate", "base", "side-by-side", "enricher", "python", "dataset", "fail-on"}
    names |= {
        "comment",
        "check",
        "artifact",
        "untrusted",
        "history-branch",
        "promote",
        "installer",
        "timeout-minutes",
    }
    hostile = "$(touch pwned) `touch pwned` ; touch pwned # \n' \" ::error::x"
    done = judge(team, with_inputs(team, dict.fromkeys(names, hostile)))
    assert not done.is_success
    assert not list(team.folder.rglob("pwned"))
    assert "input mode:" in done.log
    assert "input timeout-minutes:" in done.log
    assert not [line for line in done.log.splitlines() if line.lstrip().startswith("::error::x")]


@pytest.mark.nightly
def test_odd_inputs_are_no_more_than_names(team):
    done = judge(team, with_inputs(team, ODD))
    assert not done.is_success
    assert not list(team.folder.rglob("pwned"))
    assert "### 💥 sbir-gate: error" in done.summary, done.log


@pytest.mark.nightly
def test_the_actions_own_steps_are_quick_once_it_is_set_up(team):
    sha = team.commit({"note.txt": "nothing"}, "change")
    team.github.add_pull(NUMBER, sha)
    judge(team, sha)  # sets up, unless another test has
    started = time.perf_counter()
    done = judge(team, sha)
    whole = time.perf_counter() - started
    found = re.search(r"Success - Main Measure and judge \[(?:(\d+)m)?([\d.]+)s\]", done.log)
    own = whole - (60 * int(found[1] or 0) + float(found[2]))
    assert own < 15, f"the action's own steps took {own:.1f} s of {whole:.1f} s"
