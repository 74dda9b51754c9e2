"""`sbir-gate init`: draw a fixture, check the engine on it, then write what a gate needs."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sbir_gate.datasets.drawing.fixture_draw import DrawnFixture, DrawRequest, draw_fixture
from sbir_gate.documents import draw_content
from sbir_gate.errors import InputError, UsageError
from sbir_gate.files import is_same_file, read_file
from sbir_gate.gate.edges import Edges
from sbir_gate.gate.engine_check import EngineCheck, check_engine
from sbir_gate.gate.storing.git import Git
from sbir_gate.gate.storing.references import default_branch_name, find_default_branch
from sbir_gate.pipeline.new_gate.action_address import (
    GITHUB,
    UNKNOWN,
    Installation,
    action_address,
    host_of,
)
from sbir_gate.pipeline.new_gate.answers import Answers, check_engine_command
from sbir_gate.pipeline.new_gate.file_plan import (
    IGNORE_FILE,
    MOST_BYTES,
    Fate,
    NewFile,
    PlannedFile,
    content_of,
    plan_on_disk,
    with_ignored,
)
from sbir_gate.pipeline.new_gate.file_texts import (
    GateFacts,
    comment_text,
    fixture_text,
    settings_text,
    workflow_text,
)
from sbir_gate.pipeline.new_gate.place import (
    Place,
    Workflows,
    gate_name,
    place_of,
    workflow_name,
    workflows_of,
)
from sbir_gate.pipeline.new_gate.python_setup import (
    DEFAULT_ENVIRONMENT,
    LOOKED_AT,
    PythonSetup,
    detect_setup,
    environment_of,
)
from sbir_gate.pipeline.new_gate.readiness import OpenSetting, open_settings
from sbir_gate.reading.truth import label_text
from sbir_gate.settings.effective import load_settings
from sbir_gate.settings.reading import database_options, reading_options
from sbir_gate.settings.repository_file import NAME, settings_file

FIXTURE_FOLDER = "fixtures"
_FIXTURE = "fixture"
_NO_BRANCH = "main"
_PYTHON_SECONDS = 30
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is ready to be written, and what was found out on the way.

    `open_settings` are to be changed before the gate does what was answered. `own_workflow` is the workflow
    that already runs this gate, empty if there is none. `is_outside` says that the interpreter lies outside
    the repository, `has_comments` that a workflow comments on runs of forks.
    """

    place: Place
    facts: GateFacts
    drawn: DrawnFixture
    check: EngineCheck
    files: tuple[PlannedFile, ...]
    open_settings: tuple[OpenSetting, ...]
    own_workflow: str
    is_outside: bool
    has_comments: bool


def prepare_gate(
    answers: Answers,
    folder: Path,
    scratch: Path,
    environment: Mapping[str, str],
    edges: Edges,
    installation: Installation,
    progress: Callable[[str], None],
    *,
    may_replace: bool,
) -> Preparation:
    """Return all files of a gate for the project in `folder`; nothing outside of `scratch` is written.

    Raises InputError, ConfigurationError or UsageError for answers that cannot be used.
    """
    place = place_of(folder)
    drawn_folder = scratch / FIXTURE_FOLDER
    drawn_folder.mkdir()
    workflows = workflows_of(place)
    facts = _facts(answers, place, workflows, installation)
    check_engine_command(answers.engine)  # before anything is read
    written = scratch / NAME
    written.write_text(settings_text(replace(facts, command="")), encoding="utf-8")
    # as options, so that an error names them and not a temporary file
    options = {"enricher.python": answers.python or None, "enricher.command": facts.command or None}
    settings = load_settings(written, environment, options).settings
    kept = folder / facts.truth_file
    request = DrawRequest(
        _given(answers.awards),
        _given(answers.recipients),
        answers.truth,
        answers.count,
        answers.seed,
        edges.now().date(),
        kept if kept.is_file() else None,
    )
    drawn = draw_fixture(
        request, drawn_folder, database_options(settings), reading_options(settings), progress
    )
    facts = replace(
        facts,
        awards=f"{FIXTURE_FOLDER}/{drawn.awards_file.name}",
        recipients=f"{FIXTURE_FOLDER}/{drawn.recipients_file.name}",
        truth=facts.truth_file if drawn.labels else "",
    )
    _refuse_own_source(request, facts, folder)
    written.write_text(settings_text(facts), encoding="utf-8")
    options |= {"fixtures.awards": str(drawn.awards_file), "fixtures.recipients": str(drawn.recipients_file)}
    check = check_engine(load_settings(written, environment, options), edges, progress)
    own_workflow = workflows.own.get(False, "")
    files = _new_files(place, facts, drawn, own_workflow, has_forks=answers.has_forks)
    planned = plan_on_disk(files, place.root, may_replace=may_replace)
    is_outside = bool(answers.python) and not facts.python
    has_comments = answers.has_forks or True in workflows.own
    is_kept = any(each.fate is Fate.KEPT and each.file.path == files[0].path for each in planned)
    in_force = Path(os.path.relpath(folder / facts.settings_file)) if is_kept else written
    unset = open_settings(load_settings(in_force, environment), facts, place, planned)
    return Preparation(
        place, facts, drawn, check, planned, tuple(unset), own_workflow, is_outside, has_comments
    )


def _settings_name(folder: Path) -> str:
    """Return the settings file of a project: what its pyproject.toml names, or the usual one.

    Raises ConfigurationError for a pyproject.toml that does not clearly name one.
    """
    found = settings_file(None, folder)
    return NAME if found is None or found.is_absolute() else found.as_posix()


def _facts(answers: Answers, place: Place, workflows: Workflows, installation: Installation) -> GateFacts:
    git = Git(place.root)
    branch = _main_branch(git) if place.has_git else ""
    remote = git.ask("config", "--get", "remote.origin.url").line if place.has_git else ""
    python = _within(answers.python, place)
    environment = environment_of(answers.python if python else "") or DEFAULT_ENVIRONMENT
    return GateFacts(
        name=gate_name(place.folder, workflows.taken),
        command=answers.engine,
        python=python,
        awards=f"{FIXTURE_FOLDER}/awards.csv",
        recipients=f"{FIXTURE_FOLDER}/recipients.csv",
        truth="",
        truth_file=f"{FIXTURE_FOLDER}/truth.csv",
        draw=f"{FIXTURE_FOLDER}/draw.json",
        branch=branch or _NO_BRANCH,
        is_branch_known=bool(branch),
        action=_commented(action_address(installation, host_of(remote) if remote else GITHUB)),
        setup=_setup(place, environment, answers.python),
        environment=environment,
        folder=place.folder,
        settings_file=_settings_name(place.root / place.folder),
    )


def _commented(address: str) -> str:
    return f"{address} # not known: see 'sbir-gate help install'" if address == UNKNOWN else address


def _main_branch(git: Git) -> str:
    """Return the main branch: the remote's, else main or master, else the one that is checked out."""
    found = default_branch_name(git)
    if not found and (default := find_default_branch(git)) is not None:
        found = default.branch
    return found or git.ask("symbolic-ref", "--quiet", "--short", "HEAD").line


def _within(python: str, place: Place) -> str:
    """Return the path of an interpreter from the folder of the project, empty if it lies outside."""
    if not python:
        return ""
    folder = place.root / place.folder
    inside = os.path.relpath(os.path.normpath(folder / python), folder)
    return "" if inside.startswith("..") else inside


def _setup(place: Place, environment: str, python: str) -> PythonSetup:
    folder = place.root / place.folder
    files = {}
    for name in LOOKED_AT:
        content = content_of(folder / name)
        if content is not None:
            files[name] = content.decode("utf-8", "replace")
    return detect_setup(files, environment, _python_version(str(folder / python) if python else "python3"))


def _python_version(interpreter: str) -> str:
    """Return the version of an interpreter such as 3.12, empty if it does not say one."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(  # noqa: S603 -- the team's own interpreter, by its path
            [interpreter, "-c", code], capture_output=True, text=True, timeout=_PYTHON_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    version = done.stdout.strip()
    return version if re.fullmatch(r"\d+\.\d+", version) else ""


def _refuse_own_source(request: DrawRequest, facts: GateFacts, folder: Path) -> None:
    """Raise UsageError where the fixture would be written over what it is drawn from."""
    for source, target in ((request.awards, facts.awards), (request.recipients, facts.recipients)):
        if is_same_file(Path(source), folder / target):
            raise UsageError(
                "is where the fixture will be, so it cannot be the source too",
                "move it to another folder, or name it in sbir-gate.yaml yourself",
                path=target,
            )


def _new_files(
    place: Place, facts: GateFacts, drawn: DrawnFixture, own_workflow: str, *, has_forks: bool
) -> Sequence[NewFile]:
    workflow = workflow_name(facts.name)
    ignored = ["reports/"]
    if facts.command and facts.setup.lines:
        ignored.append(f"{facts.environment}/")
    ignore_file = place.inside(IGNORE_FILE)
    rules = (content_of(place.root / ignore_file) or b"").decode("utf-8", "replace")
    fixture = {
        facts.awards: read_file(drawn.awards_file, MOST_BYTES),
        facts.recipients: read_file(drawn.recipients_file, MOST_BYTES),
        facts.draw: draw_content(drawn.draw, place.root / place.inside(facts.draw)),
        f"{FIXTURE_FOLDER}/README.md": fixture_text(facts.name, facts.truth_file, drawn).encode(),
    }
    if drawn.labels:
        fixture[facts.truth_file] = label_text(drawn.labels).encode()
    files = [
        NewFile(place.inside(facts.settings_file), settings_text(facts).encode()),
        *(NewFile(place.inside(name), content, _FIXTURE) for name, content in fixture.items()),
    ]
    if own_workflow in {"", workflow}:
        files.append(NewFile(workflow, workflow_text(facts).encode()))
        if has_forks:  # it knows the other workflow by its name
            comment = f"{workflow.removesuffix('.yml')}-comment.yml"
            files.append(NewFile(comment, comment_text(facts).encode()))
    files.append(NewFile(ignore_file, with_ignored(rules, ignored).encode()))
    return files


def _given(source: str) -> str:
    if not source:
        raise InputError("the path is empty", "name a file")
    return source
