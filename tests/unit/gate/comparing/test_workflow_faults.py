import pytest

from sbir_gate.gate.comparing.workflow_faults import workflow_faults
from sbir_gate.model.diagnosis import Gravity
from sbir_gate.model.workflow import Job, Step, Workflow
from tests.findings import cure, problem

RIGHTS = {"contents": "read", "pull-requests": "write", "checks": "write"}
WHOLE = {"fetch-depth": "0", "persist-credentials": "false"}


def checkout(**changes):
    inputs = {**WHOLE, **{key.replace("_", "-"): value for key, value in changes.items()}}
    return Step("w.yml:9", False, uses="actions/checkout@abc", inputs={k: v for k, v in inputs.items() if v})


def gate(**inputs):
    return Step("w.yml:12", True, uses="o/sbir-gate@abc", inputs=inputs)


def faults(*steps, on=("pull_request",), keys=(), permissions=RIGHTS, top=None, condition="", matrix=False):
    job = Job("w.yml:5", "gate", steps or (checkout(), gate()), permissions, condition, matrix)
    events = {event: frozenset(keys) for event in on}
    return list(workflow_faults(Workflow("w.yml", events, (job,), top)))


def problems(*steps, **changes):
    return [problem(found) for found in faults(*steps, **changes)]


def test_a_sound_workflow_has_no_fault():
    assert faults() == []
    assert faults(permissions=None, top=RIGHTS) == []
    assert faults(permissions={"*": "write"}) == []


@pytest.mark.parametrize(
    ("lacking", "why"), [("pull-requests", "comment"), ("checks", "check"), ("contents", "checkout")]
)
def test_a_missing_permission_is_named_with_what_it_is_for(lacking, why):
    rest = {scope: level for scope, level in RIGHTS.items() if scope != lacking}
    (found,) = faults(permissions=rest)
    assert found.gravity is Gravity.WARNING
    assert f"'{lacking}: {RIGHTS[lacking]}', which the {why} needs" in problem(found)
    assert found.place == "w.yml:5"


def test_the_jobs_own_permissions_count_and_not_those_on_top():
    assert len(faults(permissions={"contents": "read"}, top=RIGHTS)) == 2
    assert len(faults(permissions={}, top=RIGHTS)) == 3


def test_what_is_switched_off_needs_no_permission():
    steps = (checkout(), gate(comment="false", check="false"))
    assert faults(*steps, permissions={"contents": "read"}) == []


def test_a_push_writes_the_baseline_and_no_comment():
    rights = {"contents": "read", "checks": "write"}
    (found,) = problems(on=("push",), permissions=rights)
    assert "contents: write" in found
    assert "baseline" in found
    assert problems(on=("push",), permissions=rights | {"contents": "write"}) == []
    assert problems(checkout(), gate(mode="full"), on=("push",), permissions=rights) == []


def test_the_half_for_forks_reads_the_artifact():
    (found,) = problems(checkout(), gate(mode="comment"), on=("workflow_run",))
    assert "'actions: read', which the artifact of the fork's run needs" in found


@pytest.mark.parametrize(
    ("condition", "needs_write"),
    [
        ("", True),
        ("github.event_name == 'push'", True),
        ("${{ github.event_name == 'push' }}", True),
        ("github.event_name != 'push'", False),
        ("github.event_name == 'pull_request'", False),
        # more than an event's name: nobody knows, so nothing is said
        ("github.event_name == 'push' && always()", False),
    ],
)
def test_a_condition_tells_on_which_events_a_job_runs(condition, needs_write):
    found = problems(on=("pull_request", "push"), condition=condition)
    assert any("contents: write" in said for said in found) is needs_write


def test_without_any_permissions_the_settings_of_the_repository_decide():
    (found,) = faults(permissions=None)
    assert "no `permissions:` block" in problem(found)
    assert "permissions: {}" in cure(found)


@pytest.mark.parametrize("depth", ["", "1", "50"])
@pytest.mark.parametrize("event", ["pull_request", "merge_group"])
def test_a_shallow_checkout_cannot_hold_the_base(depth, event):
    (found,) = faults(checkout(fetch_depth=depth), gate(), on=(event,))
    assert found.gravity is Gravity.ERROR
    assert "shallow" in problem(found)
    assert found.place == "w.yml:9"


def test_where_nothing_older_is_looked_at_a_shallow_checkout_will_do():
    push_rights = RIGHTS | {"contents": "write"}
    assert faults(checkout(fetch_depth=""), gate(), on=("push",), permissions=push_rights) == []
    assert faults(checkout(fetch_depth="${{ inputs.depth }}"), gate()) == []
    script = Step("w.yml:12", True, script="sbir-gate run")
    assert faults(checkout(fetch_depth=""), script, permissions={"contents": "read"}) == []
    script = Step("w.yml:12", True, script="sbir-gate run --base")
    assert len(faults(checkout(fetch_depth=""), script, permissions={"contents": "read"})) == 1


@pytest.mark.parametrize("uses", ["OWNER/sbir-gate@COMMIT", "o/sbir-gate@COMMIT", "OWNER/gate@v1"])
def test_a_placeholder_is_no_address(uses):
    (found,) = faults(checkout(), Step("w.yml:12", True, uses=uses))
    assert (found.gravity, found.place) == (Gravity.ERROR, "w.yml:12")
    assert problem(found) == f"job gate: {uses} is a placeholder, not the address of an action"


def test_the_token_of_the_checkout_must_not_lie_about():
    (found,) = faults(checkout(persist_credentials=""), gate())
    assert "persist-credentials: false" in cure(found)
    assert found.gravity is Gravity.WARNING


@pytest.mark.parametrize(
    "ref",
    [
        "${{ github.event.pull_request.head.sha }}",
        "${{ github.head_ref }}",
        "refs/pull/${{ github.event.number }}/merge",
    ],
)
def test_the_code_of_a_stranger_with_a_token_is_an_error(ref):
    (found,) = faults(checkout(ref=ref), gate(), on=("pull_request_target",))
    assert found.gravity is Gravity.ERROR
    assert "pull_request_target" in problem(found)
    assert faults(checkout(ref=ref), gate()) == []


def test_so_it_is_in_the_half_for_forks():
    rights = RIGHTS | {"actions": "read"}
    ref = "${{ github.event.workflow_run.head_sha }}"
    (found,) = faults(checkout(ref=ref), gate(), on=("workflow_run",), permissions=rights)
    assert found.gravity is Gravity.ERROR
    branch = "${{ github.event.repository.default_branch }}"
    assert faults(checkout(ref=branch), gate(), on=("workflow_run",), permissions=rights) == []


@pytest.mark.parametrize("key", ["paths", "paths-ignore"])
def test_a_path_filter_makes_a_required_check_wait_without_end(key):
    (found,) = faults(keys=(key,))
    assert "filtered by path" in problem(found)
    assert faults(keys=("branches", "types")) == []


def test_an_action_that_is_not_there_is_an_error():
    step = Step("w.yml:12", True, uses="./", inputs={}, is_missing=True)
    (found,) = faults(checkout(), step)
    assert (found.gravity, found.place) == (Gravity.ERROR, "w.yml:12")
    assert "has no action.yml at its top" in problem(found)


@pytest.mark.parametrize("more", [{"filter": "blob:none"}, {"sparse_checkout": "src"}])
def test_a_partial_checkout_cannot_give_the_base(more):
    (found,) = faults(checkout(**more), gate())
    assert found.gravity is Gravity.ERROR
    assert "leaves out files" in problem(found)


@pytest.mark.parametrize(
    ("inputs", "is_shared"),
    [
        ({}, True),
        ({"gate": "linking"}, True),
        ({"gate": "linking-${{ matrix.engine }}"}, False),
        ({"gate": "linking-${{ strategy.job-index }}"}, False),
        ({"working-directory": "teams/${{ matrix.team }}"}, False),
        ({"config": "${{matrix.team}}.yaml"}, False),
    ],
)
def test_legs_of_a_matrix_need_names_of_their_own(inputs, is_shared):
    found = problems(checkout(), gate(**inputs), matrix=True)
    assert [("all legs of its matrix use one gate name" in said) for said in found] == [True] * is_shared
    assert problems(checkout(), gate(**inputs)) == []


def shared(*jobs, on=("pull_request", "push")):
    """Return what is shared of jobs, each given as its condition and the inputs of its gate."""
    rights = RIGHTS | {"contents": "write"}
    made = tuple(
        Job("w.yml:5", f"job{number}", (checkout(), gate(**inputs)), rights, condition)
        for number, (condition, inputs) in enumerate(jobs)
    )
    events = {event: frozenset() for event in on}
    return [problem(each) for each in workflow_faults(Workflow("w.yml", events, made))]


def test_two_jobs_of_one_name_on_one_event_are_named():
    (found,) = shared(("", {"gate": "a"}), ("", {"gate": "b"}), ("", {"gate": "a"}))
    assert found.startswith("job job2: uses the same gate name as job job0")


def test_jobs_on_different_events_may_share_a_name():
    assert shared(("github.event_name == 'push'", {}), ("github.event_name != 'push'", {})) == []
    # nobody knows when the second runs
    assert shared(("", {}), ("github.event_name == 'push' && always()", {})) == []


def test_two_gates_in_one_job_need_two_names():
    steps = (checkout(), gate(**{"working-directory": "a"}), gate(**{"working-directory": "b"}))
    assert faults(*steps) == []
    assert len(faults(checkout(), gate(), gate())) == 1
