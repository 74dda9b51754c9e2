"""The recipes of docs/other-ci.md: valid for their CI, and their commands run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.end_to_end.team_repository import CASES, commit, git

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "other-ci.md").read_text(encoding="utf-8")
# what each CI sets, and what its recipe makes of it
VARIABLES = {"TARGET": "main", "CHANGE_TARGET": "main"}
CONTAINER_FOLDER = "/tmp/gate"  # noqa: S108 -- of a container of its own


def block(title, language):
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]
    return re.search(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)[1]


def scripts():
    yield "shell", block("Plain shell", "sh")
    yield "gitlab", "\n".join(yaml.safe_load(block("GitLab", "yaml"))["gate"]["script"])
    yield "jenkins", re.search(r"sh '''\n(.*?)'''", block("Jenkins", "groovy"), re.DOTALL)[1]
    steps = yaml.safe_load(block("Azure Pipelines", "yaml"))["steps"]
    yield "azure", next(step["bash"] for step in steps if "bash" in step)


SCRIPTS = dict(scripts())


@pytest.mark.parametrize(
    ("title", "schema"), [("GitLab", "vendor.gitlab-ci"), ("Azure Pipelines", "vendor.azure-pipelines")]
)
def test_a_recipe_is_valid_for_its_ci(title, schema, tmp_path):
    recipe = tmp_path / "recipe.yml"
    recipe.write_text(block(title, "yaml"))
    program = Path(sys.executable).parent / "check-jsonschema"
    # Azure's schema has patterns in the syntax of Python
    check = [program, "--regex-variant", "python", "--builtin-schema", schema, recipe]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def change(tmp_path):
    """Give a clone of a team's repository, on a change that loses links."""
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    before, after = CASES["loses-links"]
    origin.mkdir()
    git(origin, "init", "--quiet", "--initial-branch=main")
    commit(origin, before)
    git(tmp_path, "clone", "--quiet", str(origin), str(clone))
    git(clone, "checkout", "--quiet", "-b", "change")
    commit(clone, after)
    return clone


def as_it_stands(script):
    """Return the script with the environment of the tests in place of one from the network."""
    script, installed = re.subn(r"^\S+/pip\"? install .*$", "true", script, flags=re.MULTILINE)
    script, made = re.subn(
        r"^python3 -m venv (\S+)$",
        rf"mkdir -p \1/bin && ln -s {Path(sys.executable).parent}/sbir-gate \1/bin/",
        script,
        flags=re.MULTILINE,
    )
    assert (installed, made) == (1, 1)
    return script


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_commands_of_a_recipe_fail_a_change_that_loses_links(name, change, tmp_path):
    script = as_it_stands(re.sub(r"^ +", "", SCRIPTS[name], flags=re.MULTILINE)).replace(
        CONTAINER_FOLDER, str(tmp_path / "gate")
    )
    environment = {**os.environ, **VARIABLES, "AGENT_TEMPDIRECTORY": str(tmp_path)}
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=change, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    (suite,) = ET.parse(change / "reports" / "junit.xml").getroot()  # noqa: S314 -- written here
    assert suite.find("testcase[@name='awards']/failure") is not None
