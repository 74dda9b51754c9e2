"""A repository with two gates, as GitHub runs it: by act, each in its folder, under two names or one."""

from __future__ import annotations

import re

import pytest

from tests.act import ROOT, make_team_with_own_engine
from tests.end_to_end.test_action import ENGINE, NUMBER, judge
from tests.fakes_github import github

PAGE = (ROOT / "docs" / "github-action-examples.md").read_text(encoding="utf-8")
EXAMPLE = re.search(
    r"^## Two gates in one repository\n.*?^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL
)[1]
WORKFLOW = EXAMPLE.replace("OWNER/sbir-gate@COMMIT", "octo-org/sbir-gate@v1")
FIXTURES = ", ".join(f"{name}: ../../fixtures/{name}.csv" for name in ("awards", "recipients", "truth"))


def settings(name):
    return (
        f"gate: {{name: {name}}}\n"
        f"fixtures: {{{FIXTURES}}}\n"
        'enricher: {command: "python3 enrich.py {awards} {recipients} {output}"}\n'
        "enrichment: {performance: {match_rate_threshold: 0.2}}\n"
        "benchmark: {is_timed: false}\n"
    )


def teams(first, second):
    return {
        f"teams/{team}/{file}": text
        for team, name in (("linking", first), ("pricing", second))
        for file, text in (("sbir-gate.yaml", settings(name)), ("enrich.py", ENGINE))
    }


@pytest.fixture
def team(tmp_path, tmp_path_factory):
    with github() as fake:
        files = {".github/workflows/gate.yml": WORKFLOW, **teams("linking", "pricing")}
        yield make_team_with_own_engine(tmp_path, fake, tmp_path_factory.mktemp("tools"), files)


def names(team):
    return sorted(re.search(r"sbir-gate:([a-z]+) ", body)[1] for body in team.github.bodies(NUMBER))


@pytest.mark.nightly
def test_each_gate_has_its_own_comment_check_and_artifact_and_fails_alone(team):
    worse = ENGINE.replace("found = known", "found = number % 2 and known").replace('"")', '"") or ""')
    sha = team.commit({"teams/pricing/enrich.py": worse}, "change")
    team.github.add_pull(NUMBER, sha)
    done = judge(team, sha)
    assert not done.is_success, done.log
    assert names(team) == ["linking", "pricing"], done.log
    checks = {check["name"]: check["conclusion"] for check in team.github.checks}
    assert checks == {"sbir-gate / linking": "success", "sbir-gate / pricing": "failure"}
    artifacts = sorted(path.name for path in team.artifacts.iterdir())
    assert [name.rpartition("-gate-")[0] for name in artifacts] == ["sbir-gate-linking", "sbir-gate-pricing"]


@pytest.mark.nightly
def test_two_jobs_of_one_name_do_not_overwrite_each_other_and_one_says_so(team):
    team.commit(teams("linking", "linking"))
    sha = team.commit({"note.txt": "nothing"}, "change")
    team.github.add_pull(NUMBER, sha)
    done = judge(team, sha)
    assert done.is_success, done.log
    assert len({path.name for path in team.artifacts.iterdir()}) == 2
    assert "of this run publishes as the gate linking too" in done.log
    assert "of this run publishes as the gate linking too" in done.summary


@pytest.mark.nightly
def test_a_folder_that_a_change_makes_a_link_is_an_error_of_its_gate(team):
    team.origin.git("switch", "--quiet", "--create", "change", "main")
    for name in ("sbir-gate.yaml", "enrich.py"):
        (team.origin.folder / "teams" / "pricing" / name).unlink()
    (team.origin.folder / "teams" / "pricing").rmdir()
    (team.origin.folder / "teams" / "pricing").symlink_to("linking")
    sha = team.origin.commit({})
    team.origin.git("switch", "--quiet", "main")
    team.github.add_pull(NUMBER, sha)
    done = judge(team, sha)
    assert not done.is_success
    assert names(team) == ["linking", "pricing"], done.log
    (body,) = (body for body in team.github.bodies(NUMBER) if "sbir-gate:pricing " in body)
    assert "input working-directory: teams/pricing is a symbolic link" in body
