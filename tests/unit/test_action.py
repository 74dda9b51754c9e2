"""action.yml and the workflows against the program, the documentation, and what keeps them safe."""

import re
from pathlib import Path

import pytest
import yaml

from sbir_gate.settings.action_inputs import ActionInputs, input_name, variable_name

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = ACTION["runs"]["steps"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# what is no setting of the program: secrets
SECRETS = {"token", "slack-webhook"}


def text_of(value):
    if value is None:
        return ""
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def test_inputs_and_defaults_are_those_of_the_program():
    fields = {input_name(name): text_of(field.default) for name, field in ActionInputs.model_fields.items()}
    inputs = {name: facts["default"] for name, facts in ACTION["inputs"].items() if name not in SECRETS}
    assert inputs == fields


def test_the_documentation_lists_the_same():
    page = (ROOT / "docs" / "github-action.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*?) \| .* \|$", page, flags=re.MULTILINE))
    inputs = {
        name: f"`{facts['default']}`" if facts["default"] else "" for name, facts in ACTION["inputs"].items()
    }
    assert {name: rows.get(name) for name in inputs} == inputs
    for name in ACTION["outputs"]:
        assert f"`{name}`" in page


def test_every_input_is_described_and_every_default_is_a_text():
    for name, facts in ACTION["inputs"].items():
        assert facts["description"].endswith("."), name
        assert isinstance(facts["default"], str), name
    assert all(facts["value"] for facts in ACTION["outputs"].values())


def test_every_input_reaches_a_step_by_its_own_name():
    reached = {}
    for step in STEPS:
        for variable, value in step.get("env", {}).items():
            found = re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", value)
            if found:
                reached[found[1]] = variable
    expected = {input_name(name): variable_name(name) for name in ActionInputs.model_fields}
    assert reached == expected | {
        "token": "SBIR_GATE_GITHUB_TOKEN",
        "slack-webhook": "SBIR_GATE_SLACK_WEBHOOK",
    }


def test_no_step_pastes_text_into_a_shell():
    for step in STEPS:
        assert "${{" not in step.get("run", "")
        assert "GITHUB_ENV" not in str(step)
        assert "GITHUB_PATH" not in str(step)
        assert step.get("shell", "bash") == "bash"


def test_the_code_of_a_change_is_measured_without_a_token():
    (step,) = (step for step in STEPS if step.get("run", "").endswith("action measure"))
    assert not [value for value in step["env"].values() if "token" in value or "webhook" in value]


def test_no_step_reads_compiled_code_that_an_engine_could_have_put_there():
    started = [step["run"] for step in STEPS if "-m sbir_gate" in step.get("run", "")]
    assert len(started) == 6
    assert all('"$SBIR_GATE_PYTHON" -I -X pycache_prefix=/dev/null -m sbir_gate' in run for run in started)


def test_a_program_that_an_engine_changed_is_not_started_again():
    measuring = next(at for at, step in enumerate(STEPS) if step.get("id") == "measure")
    for step in STEPS[measuring + 1 :]:
        if "-m sbir_gate" in step.get("run", "") and not is_of_cancelled_runs(step):
            assert step["if"] == "${{ !cancelled() && steps.measure.outcome == 'success' }}"


def is_of_cancelled_runs(step):
    return step.get("run", "").endswith("action cancel")


def test_enforcing_is_last_and_nothing_but_a_cancellation_skips_what_follows_measuring():
    assert STEPS[-1]["run"].endswith("action enforce")
    measuring = next(at for at, step in enumerate(STEPS) if "action measure" in step.get("run", ""))
    for step in STEPS[measuring:]:
        assert is_of_cancelled_runs(step) or "!cancelled()" in step["if"]


def test_a_run_that_is_cancelled_lets_its_check_end():
    (step,) = filter(is_of_cancelled_runs, STEPS)
    assert step["if"] == "${{ cancelled() && steps.install.outcome == 'success' }}"
    assert "${{ inputs.token }}" in step["env"].values()


@pytest.mark.parametrize("path", [ROOT / "action.yml", *WORKFLOWS], ids=lambda path: path.name)
def test_other_actions_are_pinned_to_a_commit_with_their_version_beside_it(path):
    for used in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8")):
        assert used.startswith("./") or re.fullmatch(
            r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used
        ), used


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_nothing_but_what_a_job_needs(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]
    for job in workflow["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"] <= 350
    for step in (step for job in workflow["jobs"].values() for step in job["steps"]):
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False
    triggers = workflow[True]  # YAML 1.1 takes the key `on` for a truth
    assert "paths" not in str(triggers)


def test_a_change_never_writes_the_baseline_and_the_commenting_half_checks_out_nothing_of_it():
    gate = yaml.safe_load((ROOT / ".github" / "workflows" / "gate.yml").read_text(encoding="utf-8"))
    assert gate["jobs"]["change"]["permissions"]["contents"] == "read"
    comment = yaml.safe_load(
        (ROOT / ".github" / "workflows" / "gate-comment.yml").read_text(encoding="utf-8")
    )
    (job,) = comment["jobs"].values()
    checkout = job["steps"][0]
    assert checkout["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    assert "contents" not in {name for name, right in job["permissions"].items() if right == "write"}


def test_the_workflow_of_ten_lines_is_one_and_the_same_in_both_places():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "github-action.md").read_text(encoding="utf-8")
    (ten,) = re.findall(r"```yaml\n(name: gate\n.*?)```", page, flags=re.DOTALL)
    assert ten in readme
    assert len(ten.strip().splitlines()) == 10
    (job,) = yaml.safe_load(ten)["jobs"].values()
    assert "pull-requests" in yaml.safe_load(ten)["permissions"]
    assert set(job["steps"][1].get("with", ())) <= set(ACTION["inputs"])
