"""The workflows of docs/github-action-examples.md: valid, sound for the doctor, and their commands run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sbir_gate.gate.comparing.workflow_faults import workflow_faults
from sbir_gate.settings.workflows import read_workflows

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "github-action-examples.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = {
    title: re.search(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[1] for title, text in SECTIONS
}
INPUTS = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
BIN = Path(sys.executable).parent
# what each command finds in the repository
FILES = {
    "requirements.txt": "",
    "pyproject.toml": "[project]\nname = 'engine'\nversion = '1'\nrequires-python = '>=3.11'\n",
    "environment.yml": "name: engine\ndependencies: []\n",
}


def steps(text):
    (job,) = yaml.safe_load(text)["jobs"].values()
    return job["steps"]


@pytest.fixture
def written(tmp_path):
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    for title, text in EXAMPLES.items():
        (folder / f"{re.sub('[^a-z]+', '-', title.lower())}.yml").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    "command", [["check-jsonschema", "--builtin-schema", "vendor.github-workflows"], ["actionlint"]]
)
def test_every_example_is_a_valid_workflow(written, command):
    files = sorted((written / ".github" / "workflows").iterdir())
    assert len(files) == len(EXAMPLES) == 8
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"  # actionlint looks for shellcheck
    done = subprocess.run(
        [BIN / command[0], *command[1:], *files],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": path},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_doctor_finds_nothing_wrong_with_them(written):
    workflows, faults = read_workflows(written)
    assert (len(workflows), faults) == (len(EXAMPLES) - 1, ())  # the self-check runs no gate
    found = [str(each) for workflow in workflows for each in workflow_faults(workflow)]
    assert [each for each in found if "placeholder" not in each] == []


@pytest.mark.parametrize("title", EXAMPLES)
def test_inputs_are_those_of_the_action_and_other_actions_are_pinned(title):
    for step in steps(EXAMPLES[title]):
        if step.get("uses") == "OWNER/sbir-gate@COMMIT":
            assert set(step.get("with", {})) <= set(INPUTS)
    pinned = re.findall(r"uses: (?!OWNER)(.*)", EXAMPLES[title])
    known = "".join(path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml"))
    assert all(f"uses: {each}" in known for each in pinned)


@pytest.mark.parametrize(
    ("title", "program"),
    [("setup-python and requirements.txt", "pip"), ("uv", "uv"), ("Poetry", "poetry"), ("conda", "conda")],
)
@pytest.mark.slow
def test_the_commands_that_set_an_engine_up_run(tmp_path, title, program):
    runner = os.environ | {"RUNNER_TEMP": str(tmp_path / "temp"), "VIRTUAL_ENV": ""}
    place = shutil.which(program)
    if program == "pip":
        made = [sys.executable, "-m", "venv", tmp_path / "python"]
        subprocess.run(made, check=True)
        runner["PATH"] = f"{tmp_path / 'python' / 'bin'}{os.pathsep}{runner['PATH']}"
    elif place is None:
        pytest.skip(f"{program} is not installed here")
    else:
        runner["CONDA"] = str(Path(place).parents[1])
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    if program in {"uv", "poetry"}:
        subprocess.run([program, "lock"], cwd=tmp_path, check=True, env=runner)
    # what puts the tool itself on the runner is replaced by the one that is here
    commands = [step["run"] for step in steps(EXAMPLES[title]) if "run" in step]
    for command in (each for each in commands if not each.startswith("pipx install ")):
        done = subprocess.run(
            ["bash", "-e", "-c", command],
            cwd=tmp_path,
            env=runner,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    if program == "uv":
        assert (tmp_path / ".venv" / "bin" / "python").exists()
