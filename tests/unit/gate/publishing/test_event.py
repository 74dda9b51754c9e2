import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.errors import UsageError
from sbir_gate.gate.publishing.event import MAX_PAYLOAD_BYTES, Trigger, read_event

EVENTS = Path(__file__).parents[3] / "data" / "github" / "events"
MERGE_COMMIT = "9" * 40
PULL_HEAD = "ec26c3e57ca3a959ca5aad62de7213c562f8c821"


def environment(name, **changes):
    return {
        "GITHUB_EVENT_NAME": name,
        "GITHUB_REPOSITORY": "Codertocat/Hello-World",
        "GITHUB_SHA": MERGE_COMMIT,
        "GITHUB_RUN_ID": "1234",
        "GITHUB_RUN_ATTEMPT": "2",
        "GITHUB_WORKFLOW": "gate",
        "GITHUB_ACTOR": "octocat",
        **changes,
    }


def payload(stem):
    return (EVENTS / f"{stem}.json").read_bytes()


def changed(stem, **changes):
    """Return a payload with values replaced; `a__b` is the key b of a."""
    document = json.loads(payload(stem))
    for key, value in changes.items():
        *path, last = key.split("__")
        place = document
        for part in path:
            place = place[part]
        place[last] = value
    return json.dumps(document).encode()


class TestRealPayloads:
    @pytest.mark.parametrize("stem", ["pull_request.opened", "pull_request.synchronize"])
    def test_the_head_of_a_pull_request_is_its_own_and_not_the_merge_commit(self, stem):
        event = read_event(environment("pull_request"), payload(stem))
        assert (event.head_sha, event.pull_number, event.base_ref) == (PULL_HEAD, 2, "master")
        assert not event.is_fork

    def test_the_base_of_a_pull_request_is_a_commit_too(self):
        content = payload("pull_request.opened")
        event = read_event(environment("pull_request"), content)
        assert event.base_sha == json.loads(content)["pull_request"]["base"]["sha"]
        assert (event.merge_sha, event.branch) == (MERGE_COMMIT, "changes")
        assert event.default_branch == "master"

    @pytest.mark.parametrize(
        ("ref", "branch"),
        [("refs/heads/feature/x", "feature/x"), ("refs/tags/main", ""), ("refs/pull/7/merge", ""), ("", "")],
    )
    def test_a_run_that_is_started_by_hand_is_on_the_branch_of_the_runner(self, ref, branch):
        event = read_event(environment("workflow_dispatch", GITHUB_REF=ref), payload("workflow_dispatch"))
        assert (event.branch, event.default_branch) == (branch, "main")

    @pytest.mark.parametrize("name", ["jsmith_acme/sbir", "a/b", "A-1/x.y_z-", "a--b/c"])
    def test_names_that_github_gives_are_accepted(self, name):
        content = changed("pull_request.opened", pull_request__head__repo__full_name=name)
        event = read_event(environment("pull_request", GITHUB_REPOSITORY=name), content)
        assert event.repository == name

    @pytest.mark.parametrize("ref", ["fix/ünïcode-🚀", "a@b", "#7", "release-1.0", "x,y;z"])
    def test_branches_that_git_allows_are_accepted(self, ref):
        content = changed("pull_request.opened", pull_request__head__ref=ref)
        assert read_event(environment("pull_request"), content).branch == ref

    @pytest.mark.parametrize("actor", ["octocat", "jsmith_acme", "dependabot[bot]", "nektos/act", ""])
    def test_actors_that_github_gives_are_accepted(self, actor):
        assert read_event(environment("schedule", GITHUB_ACTOR=actor), None).actor == actor

    def test_the_pages_of_run_pull_request_and_commit(self):
        event = read_event(environment("pull_request"), payload("pull_request.opened"))
        assert event.run_url == "https://github.com/Codertocat/Hello-World/actions/runs/1234/attempts/2"
        assert event.pull_url == "https://github.com/Codertocat/Hello-World/pull/2"
        assert event.commit_url == f"https://github.com/Codertocat/Hello-World/commit/{PULL_HEAD}"

    def test_an_enterprise_server_is_known_by_its_addresses(self):
        own = {"GITHUB_API_URL": "https://git.example/api/v3/", "GITHUB_SERVER_URL": "https://git.example"}
        event = read_event(environment("pull_request", **own), payload("pull_request.opened"))
        assert event.api_url == "https://git.example/api/v3"
        assert event.run_url.startswith("https://git.example/Codertocat/")

    def test_a_merge_group_is_judged_at_its_own_commit(self):
        event = read_event(environment("merge_group"), payload("merge_group.checks_requested"))
        assert event.head_sha == "2ffea6db159f6b6c47a24e778fb9ef40cf6b1c7d"
        assert (event.base_ref, event.pull_number) == ("main", 0)
        sent = json.loads(payload("merge_group.checks_requested"))
        assert event.base_sha == sent["merge_group"]["base_sha"]
        assert event.pull_url == ""

    def test_a_push_is_judged_at_what_was_pushed(self):
        event = read_event(environment("push"), payload("push"))
        assert event.head_sha == json.loads(payload("push"))["after"]

    @pytest.mark.parametrize("name", ["workflow_dispatch", "schedule"])
    def test_other_events_are_about_the_commit_of_the_runner(self, name):
        event = read_event(environment(name), payload("workflow_dispatch"))
        assert (event.head_sha, event.pull_number, event.base_ref) == (MERGE_COMMIT, 0, "")
        assert read_event(environment(name), None).head_sha == MERGE_COMMIT

    def test_a_workflow_run_tells_of_the_run_that_triggered_it(self):
        own = {"GITHUB_REPOSITORY": "octo-org/octo-repo"}
        event = read_event(environment("workflow_run", **own), payload("workflow_run.completed"))
        assert event.trigger == Trigger(
            "workflow_dispatch",
            "5779607b49aab1200488439f02372c57b4f75444",
            "octo-org/octo-repo",
            "main",
            1589141559,
            1,
        )
        assert not event.is_fork
        assert event.run_id == 1234


class TestPages:
    def test_the_pages_of_the_action_are_those_of_the_version_that_runs(self):
        action = {"GITHUB_ACTION_REPOSITORY": "tools/sbir-gate", "GITHUB_ACTION_REF": "v1"}
        event = read_event(environment("pull_request", **action), payload("pull_request.opened"))
        assert event.docs_url == "https://github.com/tools/sbir-gate/blob/v1/docs"

    @pytest.mark.parametrize("ref", ["", "../x", "v1) [x](//e.example", "a b"])
    def test_an_action_whose_version_is_odd_or_not_known_has_none(self, ref):
        action = {"GITHUB_ACTION_REPOSITORY": "tools/sbir-gate", "GITHUB_ACTION_REF": ref}
        event = read_event(environment("pull_request", **action), payload("pull_request.opened"))
        assert event.docs_url == ""

    def test_two_commits_are_compared_if_both_are_known_and_differ(self):
        event = read_event(environment("pull_request"), payload("pull_request.opened"))
        site = "https://github.com/Codertocat/Hello-World"
        assert event.compare_url("a" * 40, "b" * 40) == f"{site}/compare/{'a' * 40}...{'b' * 40}"
        assert event.compare_url("", "b" * 40) == event.compare_url("b" * 40, "b" * 40) == ""
        assert event.commit_url_of("") == ""


class TestForks:
    def test_a_head_in_another_repository_is_a_fork(self):
        content = changed("pull_request.opened", pull_request__head__repo__full_name="mallory/Hello-World")
        assert read_event(environment("pull_request"), content).is_fork

    def test_a_fork_that_was_deleted_is_still_a_fork(self):
        content = changed("pull_request.opened", pull_request__head__repo=None)
        assert read_event(environment("pull_request"), content).is_fork

    def test_case_makes_no_fork(self):
        content = changed("pull_request.opened", pull_request__head__repo__full_name="codertocat/hello-world")
        assert not read_event(environment("pull_request"), content).is_fork

    def test_a_run_of_a_fork_is_one_whatever_its_branch_is_called(self):
        content = changed("workflow_run.completed", workflow_run__head_repository=None)
        event = read_event(environment("workflow_run"), content)
        assert event.is_fork
        assert event.trigger.head_repository == ""


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "missing", ["GITHUB_EVENT_NAME", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_SHA"]
    )
    def test_outside_of_a_workflow_the_variable_is_named(self, missing):
        own = {key: value for key, value in environment("schedule").items() if key != missing}
        with pytest.raises(UsageError, match=rf"\${missing} is not set"):
            read_event(own, None)

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("GITHUB_REPOSITORY", "../../etc"),
            ("GITHUB_REPOSITORY", "a/.."),
            ("GITHUB_REPOSITORY", "a/b/c"),
            ("GITHUB_REPOSITORY", "a/b?x"),
            ("GITHUB_REPOSITORY", "a/b\n::error::x"),
            ("GITHUB_REPOSITORY", "a/b\n"),
            ("GITHUB_REPOSITORY", "_code/b"),
            ("GITHUB_REPOSITORY", "jsmith_/b"),
            ("GITHUB_REPOSITORY", "o" * 40 + "/b"),
            ("GITHUB_ACTOR", "ana\n::error::x"),
            ("GITHUB_ACTOR", "ana bob"),
            ("GITHUB_REF", "refs/heads/x\n::error::x"),
            ("GITHUB_RUN_ID", "1; rm"),
            ("GITHUB_RUN_ATTEMPT", "0"),
            ("GITHUB_SHA", "main"),
            ("GITHUB_EVENT_NAME", "Push::"),
            ("GITHUB_API_URL", "file:///etc/passwd"),
            ("GITHUB_API_URL", "https://user:secret@api.example"),
            ("GITHUB_SERVER_URL", "javascript:alert(1)"),
            ("GITHUB_SERVER_URL", "https://a b"),
            ("GITHUB_SERVER_URL", "https://[x"),
        ],
    )
    def test_a_variable_that_cannot_be_is_named_and_no_secret_shown(self, variable, value):
        with pytest.raises(UsageError, match=variable.replace("$", "")) as raised:
            read_event(environment("schedule", **{variable: value}), None)
        assert "secret" not in raised.value.message

    @pytest.mark.parametrize(
        "content",
        [
            None,
            b"",
            b"  \n",
            b"{",
            b"[]",
            b"null",
            b"\xff\xfe",
            b'"' + b"x" * 10,
            b"[" * 200_000,
            b'{"pull_request": ' * 5_000,
            b"{}",
            b'{"pull_request": {"number": "2"}}',
        ],
    )
    def test_a_payload_that_is_none_is_one_clear_error(self, content):
        with pytest.raises(UsageError, match="payload of the event pull_request") as raised:
            read_event(environment("pull_request"), content)
        assert "\n" not in raised.value.message
        assert len(raised.value.message) < 300

    def test_a_huge_payload_is_not_parsed(self):
        with pytest.raises(UsageError, match="larger than"):
            read_event(environment("pull_request"), b" " * MAX_PAYLOAD_BYTES + b"{}")

    @pytest.mark.parametrize(
        "changes",
        [
            {"pull_request__head__sha": "$(touch x)"},
            {"pull_request__head__sha": "A" * 40},
            {"pull_request__head__sha": PULL_HEAD + "\n"},
            {"pull_request__number": -1},
            {"pull_request__number": True},
            {"pull_request__number": 10**30},
            {"pull_request__base__ref": "main\n::set-output name=x::y"},
            {"pull_request__head__repo__full_name": "../../x"},
            {"pull_request__head__repo__full_name": "a/b\n::error::x"},
            {"pull_request__base__repo__full_name": "a/b\n::error::x"},
            {"repository__full_name": "a/b\n::error::x"},
            {"repository__default_branch": "main\n::error::x"},
            {"pull_request__base__sha": "0" * 39},
            {"pull_request__head__ref": "a\u2028::error::x"},
            {"pull_request__head__ref": "two words"},
            {"pull_request__base__ref": "main..x"},
            {"pull_request__base__ref": "-main"},
            {"pull_request__base__ref": "main.lock"},
            {"pull_request__base__ref": "x" * 2000},
            {"pull_request__base__ref": ""},
        ],
    )
    def test_hostile_values_are_refused(self, changes):
        with pytest.raises(UsageError, match="payload of the event"):
            read_event(environment("pull_request"), changed("pull_request.opened", **changes))

    def test_a_branch_that_was_deleted_has_no_commit_to_tell_of(self):
        with pytest.raises(UsageError, match="deleted its branch"):
            read_event(environment("push"), changed("push", after="0" * 40))

    @given(st.binary(max_size=200))
    def test_no_payload_at_all_raises_anything_else(self, content):
        with pytest.raises(UsageError):
            read_event(environment("pull_request"), content)
