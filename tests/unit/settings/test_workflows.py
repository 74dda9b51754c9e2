from pathlib import Path

import pytest

from sbir_gate.gate.comparing.workflow_faults import workflow_faults
from sbir_gate.model.workflow import Job, Step, Workflow
from sbir_gate.settings.workflows import path_from_top, read_workflows, repository_folder

ROOT = Path(__file__).parents[3]
GATE = """\
on:
  pull_request:
    paths: [src/**]
  push: {branches: [main]}
permissions: {}
jobs:
  gate:
    if: github.event_name == 'push'
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@abc # v4
        with: {fetch-depth: 0}
      - run: make
      - uses: o/sbir-gate@v1
        with: {comment: "false"}
  other:
    steps: [{run: make}]
"""


def written(folder, text, name="gate.yml"):
    path = folder / ".github" / "workflows" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_workflows(folder)


def steps_of(folder, text):
    """Return which steps of a workflow's only job run the gate."""
    head = "on: push\njobs:\n  a:\n    steps:\n      - run: echo sbir-gate\n"
    workflows, faults = written(folder, head + text)
    assert faults == ()
    return [step.is_gate for workflow in workflows for job in workflow.jobs for step in job.steps]


def test_events_permissions_and_steps_are_read_with_their_lines(tmp_path):
    workflows, faults = written(tmp_path, GATE)
    assert faults == ()
    steps = (
        Step(".github/workflows/gate.yml:12", False, "actions/checkout@abc", "", {"fetch-depth": "0"}),
        Step(".github/workflows/gate.yml:14", False, "", "make", {}),
        Step(".github/workflows/gate.yml:15", True, "o/sbir-gate@v1", "", {"comment": "false"}),
    )
    job = Job(
        ".github/workflows/gate.yml:8", "gate", steps, {"contents": "read"}, "github.event_name == 'push'"
    )
    events = {"pull_request": frozenset({"paths"}), "push": frozenset({"branches"})}
    assert workflows == (Workflow(".github/workflows/gate.yml", events, (job,), {}),)


@pytest.mark.parametrize(
    ("on", "events"), [("push", {"push"}), ("[push, pull_request]", {"push", "pull_request"})]
)
def test_events_may_be_a_word_or_a_list(tmp_path, on, events):
    text = f"on: {on}\npermissions: write-all\njobs: {{a: {{steps: [{{uses: o/sbir-gate@v1}}]}}}}\n"
    (workflow,), _ = written(tmp_path, text)
    assert set(workflow.events) == events
    assert workflow.permissions == {"*": "write"}


@pytest.mark.parametrize(
    "line",
    [
        "uses: o/sbir-gate@0123",
        "run: sbir-gate run --base",
        "run: .venv/bin/sbir-gate publish",
        "run: |\n          cd x\n          sbir-gate history push",
    ],
)
def test_the_gate_is_known_as_an_action_and_as_a_command(tmp_path, line):
    assert steps_of(tmp_path, f"      - {line}\n") == [False, True]


@pytest.mark.parametrize(
    "line",
    [
        "uses: o/not-sbir-gate-at-all@1",
        "uses: ./other",
        "run: pip install sbir-gate",
        "run: my-sbir-gate run",
    ],
)
def test_what_only_looks_like_it_is_not(tmp_path, line):
    assert steps_of(tmp_path, f"      - {line}\n") == []


def test_the_repository_of_the_action_uses_it_from_where_it_stands(tmp_path):
    (tmp_path / "action.yml").write_text("runs: python -m sbir_gate\n")
    assert steps_of(tmp_path, "      - uses: ./\n") == [False, True]


@pytest.mark.parametrize("name", ["action.yml", "action.yaml", "Dockerfile"])
def test_an_action_of_the_repository_that_is_another_is_not_the_gate(tmp_path, name):
    (tmp_path / name).write_text("name: other\n")
    assert steps_of(tmp_path, "      - uses: ./\n") == []


def test_an_action_at_the_top_that_is_not_there_is_marked(tmp_path):
    ((workflow,), _) = written(
        tmp_path, "on: push\njobs: {a: {strategy: {matrix: {x: [1]}}, steps: [{uses: ./}]}}\n"
    )
    (job,) = workflow.jobs
    assert job.is_matrix
    assert [(step.is_gate, step.is_missing) for step in job.steps] == [(True, True)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("on: push # sbir-gate\njobs: [", "is not valid YAML"),
        (b"# sbir-gate\n\xff\xfe", "is not UTF-8"),
        ("# sbir-gate\n" + "x" * (1 << 20), "larger than 1,048,576 bytes"),
        ("# sbir-gate\na: " + "[" * 50_000, "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_hides_no_other(tmp_path, text, fault):
    written(tmp_path, GATE, "good.yml")
    workflows, (found,) = written(tmp_path, text, "bad.yaml")
    assert len(workflows) == 1
    assert found.place.startswith(".github/workflows/bad.yaml")
    assert fault in found.problem


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just words about sbir-gate",
        "- sbir-gate",
        "on: {push: [a]}\njobs: {a: sbir-gate}",
        "jobs: {sbir-gate: {steps: {a: b}}}",
        "a: &a [*a] # sbir-gate\njobs: *a",
        "# sbir-gate\na: &a [1,1]\nb: &b [*a,*a]\nc: &c [*b,*b]\njobs: *c\n",
        "1: 2\n? [x]\n: sbir-gate\njobs:\n",
    ],
)
def test_a_file_of_another_shape_has_no_jobs(tmp_path, text):
    assert written(tmp_path, text) == ((), ())


def test_other_files_and_a_missing_folder_are_passed_over(tmp_path):
    assert read_workflows(tmp_path) == ((), ())
    assert written(tmp_path, GATE, "gate.txt") == ((), ())
    assert written(tmp_path, "jobs: [", "broken-and-not-ours.yml") == ((), ())


def test_the_repository_is_found_from_below(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert repository_folder(tmp_path / "a" / "b") == tmp_path


def test_a_file_is_called_as_git_calls_it(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    names = {"x.yaml": "a/x.yaml", "../x.yaml": "x.yaml", f"{tmp_path}/a/b": "a/b", "../../x": "", "": "a"}
    assert {name: path_from_top(Path(name)) for name in names} == names


def test_the_workflows_of_this_repository_use_the_gate_as_it_should_be():
    workflows, faults = read_workflows(ROOT)
    assert faults == ()
    assert {workflow.path.rpartition("/")[2] for workflow in workflows} >= {"gate.yml", "gate-comment.yml"}
    assert [str(found) for workflow in workflows for found in workflow_faults(workflow)] == []
