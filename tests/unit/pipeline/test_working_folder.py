import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.cli import action
from sbir_gate.documents import load_verdict
from sbir_gate.errors import ConfigurationError, ExitStatus, UsageError
from sbir_gate.gate.storing.git import Git
from sbir_gate.model.run import GapKind
from sbir_gate.model.verdict import Outcome
from sbir_gate.pipeline.action import ActionEdges, measure, publishing_settings, reports_folder, upload_of
from sbir_gate.pipeline.working_folder import job_key, plain_name, seen_from_folder, working_folder
from sbir_gate.settings.action_inputs import ActionInputs, read_inputs, variable_name
from tests.factories_git import make_repository
from tests.fakes import FakeEngine, fake_edges, make_event, write_fixture
from tests.findings import reasons

SETTINGS = "gate: {name: linking}\nbenchmark: {repeats: 2, is_timed: false}\n"
NAMED = {"awards": "awards.csv", "recipients": "recipients.csv", "truth": "truth.csv"}


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Give a repository with one gate in teams/linking, on a branch that is to be merged."""
    made = make_repository(tmp_path / "checkout")
    folder = made.folder / "teams" / "linking"
    folder.mkdir(parents=True)
    write_fixture(folder)
    made.commit({"teams/linking/sbir-gate.yaml": f"{SETTINGS}fixtures: {NAMED}\n"})
    made.branch("change")
    monkeypatch.chdir(made.folder)
    return made


def environment(checkout):
    temporary = str(checkout.folder.parent / "temp")
    return {"GITHUB_WORKSPACE": str(checkout.folder), "RUNNER_TEMP": temporary, "PATH": ""}


def judged(checkout, **inputs):
    """Measure as a step does that was started at the top of the checkout."""
    chosen = ActionInputs(**{"working_directory": "teams/linking", **inputs})
    shas = {name: checkout.git("rev-parse", name) for name in ("main", "HEAD")}
    event = make_event(base_sha=shas["main"], head_sha=shas["HEAD"])
    try:
        folder = working_folder(chosen, environment(checkout))
    except UsageError:
        seen = seen_from_folder(chosen, is_entered=False)
    else:
        os.chdir(folder)
        seen = seen_from_folder(chosen, is_entered=True)
    git = Git(Path.cwd())
    edges = ActionEdges(fake_edges(FakeEngine()), git, environment(checkout), None)
    name = publishing_settings(seen, event, environment(checkout), git).settings.gate.name
    try:
        return name, measure(seen, event, edges, lambda _words: None)
    except UsageError as error:
        return name, error


def verdict_of(checkout, **inputs):
    chosen = ActionInputs(**{"working_directory": "teams/linking", **inputs})
    return load_verdict(reports_folder(chosen, environment(checkout)) / "verdict.json")


def test_the_settings_file_of_the_folder_is_found_and_its_paths_start_there(checkout):
    checkout.commit({"note.txt": "a change"})
    name, result = judged(checkout)
    assert (name, result.run.gate) == ("linking", "linking")
    assert result.verdict.outcome is Outcome.PASS
    assert result.run.settings_file == "sbir-gate.yaml"
    assert result.verdict.policy_edits == ()


def test_limits_of_the_folder_are_those_of_the_base(checkout):
    text = f"{SETTINGS}fixtures: {NAMED}\n".replace("linking", "linking, max_lost: 9")
    checkout.commit({"teams/linking/sbir-gate.yaml": text})
    _, result = judged(checkout)
    assert [edit.what for edit in result.verdict.policy_edits] == ["gate.max_lost"]


def test_a_gate_in_a_folder_that_the_base_does_not_have_is_new(checkout):
    files = {name: (checkout.folder / "teams/linking" / name).read_text() for name in NAMED.values()}
    checkout.commit(
        {
            **{f"teams/pricing/{name}": content for name, content in files.items()},
            "teams/pricing/sbir-gate.yaml": f"{SETTINGS}fixtures: {NAMED}\n".replace("linking", "pricing"),
        }
    )
    name, result = judged(checkout, working_directory="teams/pricing")
    assert (name, result.run.gate, result.run.base_gap.kind) == ("pricing", "pricing", GapKind.NEW_GATE)


@pytest.mark.parametrize(
    ("files", "link", "problem"),
    [
        (["teams/linking/*"], "", "the checkout has no folder teams/linking"),
        (["teams/linking/*"], "/", "teams/linking is a symbolic link, or leads through one"),
        (["teams/linking/*"], "../mild", "teams/linking is a symbolic link, or leads through one"),
    ],
)
def test_a_change_that_leads_the_gate_elsewhere_is_an_error_of_its_own_gate(checkout, files, link, problem):
    for pattern in files:
        for path in checkout.folder.glob(pattern):
            path.unlink()
    folder = checkout.folder / "teams" / "linking"
    folder.rmdir()
    if link:
        (checkout.folder / "mild").mkdir()
        folder.symlink_to(link)
    checkout.commit({"mild/sbir-gate.yaml": "gate: {name: mild}\n"})
    name, error = judged(checkout)
    assert error.exit_status is ExitStatus.WRONG_INPUT
    assert error.message == f"input working-directory: {problem}"
    verdict = verdict_of(checkout)
    assert (name, verdict.gate, verdict.outcome) == ("linking", "linking", Outcome.ERROR)
    assert problem in reasons(verdict)[0]


def test_a_base_without_the_folder_of_a_named_gate_is_an_error(checkout):
    checkout.git("switch", "--quiet", "main")
    fixtures = {key: f"../linking/{name}" for key, name in NAMED.items()}
    checkout.commit({"gate.yaml": f"{SETTINGS}fixtures: {fixtures}\n"})
    checkout.git("switch", "--quiet", "change")
    checkout.git("merge", "--quiet", "--no-edit", "main")
    checkout.commit({"teams/new/note.txt": "x"})
    _, error = judged(checkout, working_directory="teams/new", config="../../gate.yaml")
    assert "the base has no folder teams/new" in error.message


@pytest.mark.parametrize("text", ["..", "a/../..", "/etc", "teams/../../x", "a\nb", "a\0b"])
def test_what_leads_outside_is_refused_before_anything_runs(text):
    with pytest.raises(ConfigurationError, match="input working-directory: "):
        read_inputs({variable_name("working_directory"): text})


@pytest.mark.parametrize("text", ["", ".", "./"])
def test_the_top_is_no_folder_of_its_own(text):
    inputs = read_inputs({variable_name("working_directory"): text})
    assert working_folder(inputs, {}) is None
    assert seen_from_folder(inputs, is_entered=True).config is None


def test_without_a_runner_nobody_knows_the_top():
    with pytest.raises(UsageError, match="not running on a GitHub runner"):
        working_folder(ActionInputs(working_directory="teams"), {})


def test_a_step_enters_the_folder(checkout, monkeypatch):
    event = checkout.folder.parent / "event.json"
    event.write_text("{}")
    variables = {
        "GITHUB_EVENT_NAME": "schedule",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": "octo-org/octo-repo",
        "GITHUB_SHA": "a" * 40,
        "GITHUB_RUN_ID": "1",
        "GITHUB_OUTPUT": str(checkout.folder.parent / "output"),
        "GITHUB_JOB": "gate",
        "SBIR_GATE_INPUT_WORKING_DIRECTORY": "teams/linking",
        **environment(checkout),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    action.reports.callback()
    assert Path.cwd() == checkout.folder / "teams" / "linking"
    assert "\nhas_reports" not in Path(variables["GITHUB_OUTPUT"]).read_text()


# names


def test_an_artifact_is_named_after_the_gate_of_the_verdict(checkout):
    judged(checkout)
    facts = environment(checkout) | {"GITHUB_JOB": "gate"}
    inputs = ActionInputs(working_directory="teams/linking")
    folder = plain_name("teams/linking")
    assert upload_of(inputs, make_event(), facts).name == f"sbir-gate-linking-gate-{folder}-1"


def test_jobs_of_one_gate_name_have_artifacts_of_their_own():
    legs = [{"GITHUB_JOB": "gate", "SBIR_GATE_LEG": str(leg), "SBIR_GATE_LEGS": "3"} for leg in range(3)]
    folders = [ActionInputs(working_directory=name) for name in ("teams/a-b", "teams-a/b", "teams a/b")]
    keys = [job_key(inputs, leg) for leg in legs for inputs in [ActionInputs(), *folders]]
    assert len(set(keys)) == 12
    assert job_key(ActionInputs(), {"GITHUB_JOB": "gate", "SBIR_GATE_LEGS": "1"}) == "gate"


@given(st.text(max_size=100), st.text(max_size=100))
def test_two_texts_never_share_a_name(one, other):
    names = plain_name(one), plain_name(other)
    assert (names[0] == names[1]) is (one == other)
    assert all(name.isascii() and len(name) < 80 and "/" not in name for name in names)
