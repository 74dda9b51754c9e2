"""The texts of a new gate: its settings, its workflows and the page that says how its fixture was drawn."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from functools import cache

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from sbir_gate.datasets.drawing.fixture_draw import STRANGERS_PER_AWARD, DrawnFixture
from sbir_gate.datasets.drawing.recipient_draw import NEAR_MISSES
from sbir_gate.pipeline.new_gate.python_setup import PythonSetup

# begins the page of a fixture, with the digest of the rest
_MARK = "<!-- 'sbir-gate fixture refresh' writes this page again until it is edited: "
_DIGEST_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class GateFacts:
    """What the texts are made of; paths are from the folder of the project.

    `name` is empty for the only gate of a repository, `command` for the built-in engine, `python` where
    the settings name none, `truth` where nothing is labelled. `branch` is the main branch, `is_branch_known`
    says whether the repository names it. `folder` is the one of the project, empty for the top.
    """

    name: str
    command: str
    python: str
    awards: str
    recipients: str
    truth: str
    truth_file: str
    draw: str
    branch: str
    is_branch_known: bool
    action: str
    setup: PythonSetup
    environment: str
    folder: str
    settings_file: str


def settings_text(facts: GateFacts) -> str:
    """Return the settings file."""
    return _templates().get_template("settings.yaml.j2").render(gate=facts)


def workflow_text(facts: GateFacts) -> str:
    """Return the workflow that judges changes and keeps the baseline."""
    # where the settings name no interpreter, the workflow names the one that it makes
    has_python = bool(facts.command and not facts.python and facts.setup.lines)
    return _templates().get_template("workflow.yml.j2").render(gate=facts, has_python=has_python)


def comment_text(facts: GateFacts) -> str:
    """Return the workflow that comments on pull requests from forks."""
    return _templates().get_template("comment.yml.j2").render(gate=facts)


def fixture_text(gate: str, truth_file: str, drawn: DrawnFixture) -> str:
    """Return the page that says how the fixture was drawn; `gate` is empty for the only one."""
    template = _templates().get_template("fixture.md.j2")
    labelled = len(drawn.labels)
    page = template.render(
        gate_name=gate,
        truth_file=truth_file,
        drawn=drawn,
        by_identifier=labelled - drawn.given,
        unlabelled=len(drawn.awards.drawn) - labelled,
        near_misses=NEAR_MISSES,
        strangers_per_award=STRANGERS_PER_AWARD,
    )
    return f"{_MARK}{_digest(page)} -->\n{page}"


def is_own_page(content: bytes) -> bool:
    """Say whether a page is one that this program wrote, and that was not edited since."""
    mark, _, page = content.decode("utf-8", "replace").replace("\r\n", "\n").partition("\n")
    return mark == f"{_MARK}{_digest(page)} -->"


def _digest(page: str) -> str:
    return hashlib.sha256(page.encode()).hexdigest()[:_DIGEST_CHARACTERS]


def quoted(text: str) -> str:
    """Return a text as a YAML scalar on one line."""
    return str(yaml.safe_dump(text, default_style="'", width=sys.maxsize, allow_unicode=True)).rstrip("\n")


@cache
def _templates() -> Environment:
    environment = Environment(  # noqa: S701 -- YAML and Markdown, from the team's own answers
        loader=PackageLoader("sbir_gate", "pipeline/new_gate/templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update({"quoted": quoted, "count": lambda number: f"{number:,}"})
    return environment
