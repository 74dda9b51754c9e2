import logging
import time
import traceback

import pytest
import requests

from sbir_gate.gate.publishing.github import CheckText, Conclusion, GitHubError
from sbir_gate.model.publication import Annotation, AnnotationLevel
from tests.fakes_github import (
    BOT,
    NOT_ACCESSIBLE,
    REPOSITORY,
    TOKEN,
    FakeGitHub,
    Fault,
    connected,
    github,
    serving,
)

SHA = "a" * 40
COMMENTS = "/issues/7/comments"


@pytest.fixture(autouse=True)
def pull(fake):
    return fake.add_pull(7, SHA)


class TestReading:
    def test_a_pull_request_is_told_as_it_stands(self, fake, api):
        fake.push(7, "b" * 40)
        found = api.pull(7)
        assert (found.number, found.is_open, found.head_sha, found.base_ref) == (7, True, "b" * 40, "main")
        assert found.head_repository == REPOSITORY

    def test_a_fork_that_is_gone_has_no_repository(self, fake, api):
        fake.add_pull(8, SHA, head="")
        assert api.pull(8).head_repository == ""

    def test_all_pages_of_comments_are_read(self, fake, api):
        for number in range(250):
            fake.add_comment(7, f"comment {number}", "octocat")
        assert [comment.body for comment in api.comments(7)] == [f"comment {number}" for number in range(250)]
        assert [asked.query.get("page", "1") for asked in fake.asked] == ["1", "2", "3"]

    def test_a_comment_of_a_deleted_user_has_no_author(self, fake, api):
        fake.add_comment(7, "x", "octocat")["user"] = None
        assert api.comments(7)[0].author == ""

    def test_pull_requests_are_found_by_commit_and_by_branch(self, fake, api):
        fake.add_pull(8, "b" * 40, head="mallory/octo-repo", ref="change")
        assert [found.number for found in api.pulls_of_commit(SHA)] == [7]
        assert [found.number for found in api.pulls_of_branch("mallory", "change")] == [8]

    def test_both_names_of_a_file_that_a_pull_request_renames_are_listed_from_all_pages(self, fake, api):
        fake.files[7] = [{"filename": f"docs/{number}.md"} for number in range(101)]
        fake.files[7].append({"filename": "new.py", "previous_filename": "old.py", "status": "renamed"})
        found = api.files_of_pull(7)
        assert len(found) == 103
        assert found[-2:] == ("new.py", "old.py")


class TestViewer:
    def test_the_login_is_what_graphql_says_for_every_sort_of_token(self, fake, api):
        fake.login = "sbir-bot[bot]"
        assert api.viewer() == "sbir-bot[bot]"

    def test_without_graphql_a_personal_token_tells_its_user(self, fake, api):
        fake.has_graphql, fake.is_app, fake.login = False, False, "octocat"
        assert api.viewer() == "octocat"

    def test_an_installation_that_cannot_ask_is_taken_for_the_token_of_the_workflow(self, fake, api):
        fake.has_graphql = False
        assert api.viewer() == BOT

    def test_a_login_that_was_told_is_not_asked_for(self, fake, clock):
        assert connected(fake, clock, login="own-app[bot]").viewer() == "own-app[bot]"
        assert fake.asked == []

    def test_a_token_that_is_not_accepted_is_no_login(self, fake, clock):
        with pytest.raises(GitHubError, match="does not accept the token"):
            connected(fake, clock, token="wrong").viewer()  # noqa: S106 -- a wrong one


class TestEnterpriseServer:
    def test_its_apis_are_asked_where_they_are(self, fake, clock):
        asked = []
        fake.before = asked.append
        api = connected(fake, clock, api_url=f"{fake.url}/api/v3")
        assert api.viewer() == BOT
        assert api.create_comment(7, "x").author == BOT
        assert [each.path for each in asked] == ["/graphql", f"/repos/{REPOSITORY}{COMMENTS}"]
        assert api._github.requester.graphql_url == f"{fake.url}/api/graphql"


class TestFailures:
    def test_a_missing_permission_is_named(self, fake, api):
        fake.is_read_only = True
        with pytest.raises(GitHubError, match=NOT_ACCESSIBLE) as raised:
            api.create_comment(7, "x")
        assert "permissions: pull-requests: write" in raised.value.hint
        with pytest.raises(GitHubError, match="may not") as raised:
            api.begin_check_run(SHA, "gate", "1", "https://example.org/")
        assert "permissions: checks: write" in raised.value.hint

    def test_a_personal_token_cannot_write_checks_and_github_says_why(self, fake, api):
        fake.is_app = False
        with pytest.raises(GitHubError, match="must authenticate via a GitHub App"):
            api.begin_check_run(SHA, "gate", "1", "https://example.org/")

    def test_a_server_that_breaks_is_asked_again(self, fake, api, clock):
        fake.faults.append(Fault("GET", COMMENTS, 502, times=2))
        assert api.comments(7) == ()
        assert clock.pauses == [1.0, 2.0]

    def test_a_secondary_limit_is_waited_for(self, fake, api, clock):
        message = "You have exceeded a secondary rate limit"
        fake.faults.append(Fault("POST", COMMENTS, 403, message, {"Retry-After": "9"}))
        assert api.create_comment(7, "x").body == "x"
        assert clock.pauses == [9.0]
        assert fake.bodies(7) == ["x"]

    def test_too_many_requests_are_waited_for(self, fake, api, clock):
        fake.faults.append(Fault("PATCH", "/pulls/7", 429, headers={"Retry-After": "3"}))
        assert api.edit_pull(7, "t", "b").title == "t"
        assert clock.pauses == [3.0]

    def test_a_limit_of_an_hour_is_an_error_and_no_wait(self, fake, api, clock):
        fake.faults.append(Fault("GET", COMMENTS, 429, headers={"Retry-After": "3600"}))
        with pytest.raises(GitHubError, match="limits how often"):
            api.comments(7)
        assert clock.pauses == []

    @pytest.mark.parametrize("status", [403, 429])
    @pytest.mark.parametrize(
        ("headers", "message", "pause"),
        [
            ({}, "You have exceeded a secondary rate limit. Please wait a few minutes.", 60.0),
            ({"Retry-After": "soon"}, "API rate limit exceeded for installation", 60.0),
            ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30"}, "API rate limit exceeded", 30.0),
            ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "-99"}, "API rate limit exceeded", 1.0),
        ],
    )
    def test_a_limit_is_waited_for_as_long_as_github_says(
        self, fake, api, clock, status, headers, message, pause
    ):
        if "X-RateLimit-Reset" in headers:
            reset = int(time.time()) + int(headers["X-RateLimit-Reset"])
            headers = {**headers, "X-RateLimit-Reset": str(reset)}
        fake.faults.append(Fault("POST", COMMENTS, status, message, headers))
        assert api.create_comment(7, "x").body == "x"
        (waited,) = clock.pauses
        expected = 1.0 if status == 403 and headers.get("Retry-After") else pause
        assert expected - 3 <= waited <= expected + 3

    @pytest.mark.parametrize("status", [403, 429])
    def test_a_limit_that_stays_is_told_as_such(self, fake, clock, status):
        fake.faults.append(
            Fault("GET", COMMENTS, status, "You have exceeded a secondary rate limit", times=9)
        )
        with pytest.raises(GitHubError, match=f"limits how often it is asked .{status}.: You have exceeded"):
            connected(fake, clock, retries=1).comments(7)
        assert clock.pauses == [60.0]

    def test_a_reset_beyond_the_longest_wait_is_an_error_and_no_wait(self, fake, api, clock):
        for status in (403, 429):
            headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 3000)}
            fake.faults.append(Fault("GET", COMMENTS, status, "API rate limit exceeded", headers))
            with pytest.raises(GitHubError, match="limits how often"):
                api.comments(7)
        assert clock.pauses == []

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422])
    def test_what_stays_wrong_is_not_asked_again(self, fake, api, clock, status):
        fake.faults.append(Fault("GET", COMMENTS, status))
        with pytest.raises(GitHubError) as raised:
            api.comments(7)
        assert raised.value.status == status
        assert not raised.value.is_unsure
        assert clock.pauses == []

    def test_a_check_is_begun_again_where_the_response_was_lost(self, fake, api, clock):
        fake.faults += [Fault("POST", "/check-runs", is_cut=True), Fault("POST", "/check-runs", 502)]
        assert not api.begin_check_run(SHA, "gate", "1", "https://example.org/").is_completed
        assert clock.pauses == [1.0, 2.0]

    def test_a_connection_that_is_never_kept_is_told_without_a_status(self, fake, clock):
        fake.faults.append(Fault("GET", COMMENTS, is_cut=True, times=9))
        with pytest.raises(GitHubError, match="cannot be reached") as raised:
            connected(fake, clock, retries=2).comments(7)
        assert raised.value.status == 0
        assert clock.pauses == [1.0, 2.0]

    def test_more_pages_than_a_pull_request_can_have_are_an_error(self, fake, api, monkeypatch):
        monkeypatch.setattr("sbir_gate.gate.publishing.github_api._MOST_PAGES", 1)
        for number in range(101):
            fake.add_comment(7, f"comment {number}", "octocat")
        with pytest.raises(GitHubError, match="more than 100"):
            api.comments(7)

    def test_a_server_that_stays_broken_is_given_up(self, fake, clock):
        fake.faults.append(Fault("GET", COMMENTS, 503, times=99))
        with pytest.raises(GitHubError, match=r"GitHub broke \(503\)") as raised:
            connected(fake, clock, retries=2).comments(7)
        assert raised.value.is_unsure
        assert len(fake.asked) == 3

    def test_a_cut_connection_is_tried_again_where_that_does_no_harm(self, fake, api, clock):
        fake.faults.append(Fault("GET", COMMENTS, is_cut=True))
        assert api.comments(7) == ()
        assert clock.pauses == [1.0]

    @pytest.mark.parametrize("fault", [{"is_cut": True}, {"status": 502}])
    def test_a_comment_whose_answer_is_lost_is_not_blindly_made_again(self, fake, api, fault):
        fake.faults.append(Fault("POST", COMMENTS, is_done=True, **fault))
        with pytest.raises(GitHubError) as raised:
            api.create_comment(7, "x")
        assert raised.value.is_unsure
        assert fake.bodies(7) == ["x"]

    def test_a_slow_server_is_not_waited_for_without_end(self, fake, clock):
        fake.faults.append(Fault("GET", COMMENTS, silent_seconds=3, times=9))
        with pytest.raises(GitHubError, match="cannot be reached"):
            connected(fake, clock, timeout_seconds=1, retries=0).comments(7)

    def test_nobody_there_is_told_as_such(self, clock):
        with FakeGitHub() as gone:
            api = connected(gone, clock)
        with pytest.raises(GitHubError, match="cannot be reached"):
            api.pull(7)

    @pytest.mark.parametrize("answer", [[], {"number": "x"}, "text", 5])
    def test_an_answer_that_is_not_as_described_is_an_error(self, fake, api, answer):
        fake.answer = lambda _: (200, answer, {})
        with pytest.raises(GitHubError):
            api.pull(7)
        assert fake.violations.pop().startswith("answer of GET")

    def test_a_redirect_to_another_host_is_not_followed(self, fake, api):
        away = {"Location": "https://elsewhere.example/repos"}
        fake.faults.append(Fault("GET", "/pulls/7", 301, headers=away, times=9))
        with pytest.raises(GitHubError, match="redirects elsewhere"):
            api.pull(7)


class TestToken:
    def test_the_token_is_in_the_header_and_nowhere_else(self, fake, api, caplog):
        caplog.set_level(logging.DEBUG)
        fake.faults.append(Fault("GET", COMMENTS, 403, f"no, {TOKEN}"))
        with pytest.raises(GitHubError) as raised:
            api.comments(7)
        fake.faults.append(Fault("GET", COMMENTS, is_cut=True, times=9))
        with pytest.raises(GitHubError) as cut:
            api.comments(7)
        told = "".join(traceback.format_exception(raised.value) + traceback.format_exception(cut.value))
        told += f"{api!r}{api._connection!r}{raised.value.hint}{cut.value.hint}{caplog.text}"
        assert TOKEN not in told
        assert all(TOKEN in asked.headers["authorization"] for asked in fake.asked)
        assert not any(TOKEN in f"{asked.path}{asked.query}{asked.body}" for asked in fake.asked)


class TestChecks:
    def test_a_check_begins_and_ends_with_its_annotations(self, fake, api):
        begun = api.begin_check_run(SHA, "sbir-gate / x", "12-1", "https://example.org/run")
        assert not begun.is_completed
        annotation = Annotation(AnnotationLevel.FAILURE, "time", "too long", "config/base.yaml", 3)
        text = CheckText("failed", "**why**", (annotation,))
        ended = api.complete_check_run(begun.number, Conclusion.FAILURE, text)
        assert (ended.number, ended.is_completed, ended.key) == (begun.number, True, "12-1")
        assert api.check_runs(SHA, "sbir-gate / x") == (ended,)
        (told,) = fake.annotations[begun.number]
        assert (told["path"], told["start_line"], told["annotation_level"]) == (
            "config/base.yaml",
            3,
            "failure",
        )


class TestTheFakeItself:
    """What holds the fake honest has to be able to fail."""

    def ask(self, fake, verb, path, body=None):
        return requests.request(
            verb, f"{fake.url}{path}", json=body, headers={"Authorization": f"token {TOKEN}"}, timeout=60
        )

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            (f"/repos/{REPOSITORY}/issues/7/comments", {"boddy": "x"}),
            (f"/repos/{REPOSITORY}/issues/7/comments", {"body": "x", "sticky": True}),
            (f"/repos/{REPOSITORY}/issues/7/comments", {"body": 5}),
            (f"/repos/{REPOSITORY}/issues/seven/comments", {"body": "x"}),
            (f"/repos/{REPOSITORY}/check-runs", {"name": "x"}),
            (f"/repos/{REPOSITORY}/nothing", {}),
        ],
    )
    def test_a_request_that_is_not_as_github_describes_it_is_noticed(self, path, body):
        with FakeGitHub() as fake, serving(fake):
            fake.add_pull(7, SHA)
            assert self.ask(fake, "POST", path, body).status_code == 400
            assert len(fake.violations) == 1

    @pytest.mark.parametrize("field", ["login", "id", "html_url"])
    def test_an_answer_that_is_not_as_github_describes_it_is_noticed(self, field):
        with FakeGitHub() as fake, serving(fake):
            fake.add_pull(7, SHA)
            del fake.add_comment(7, "x")["user"][field]
            assert self.ask(fake, "GET", f"/repos/{REPOSITORY}/issues/7/comments").status_code == 400
            assert "answer of GET" in fake.violations[0]

    def test_more_annotations_than_github_takes_are_noticed(self):
        annotation = {
            "path": "a",
            "start_line": 1,
            "end_line": 1,
            "annotation_level": "notice",
            "message": "m",
        }
        output = {"title": "t", "summary": "s", "annotations": [annotation] * 51}
        with FakeGitHub() as fake, serving(fake):
            body = {"name": "x", "head_sha": SHA, "status": "in_progress", "output": output}
            assert self.ask(fake, "POST", f"/repos/{REPOSITORY}/check-runs", body).status_code == 400

    def test_a_violation_fails_the_test_that_caused_it(self):
        def misspell():
            with github() as fake:
                self.ask(fake, "POST", f"/repos/{REPOSITORY}/issues/7/comments", {"boddy": "x"})

        with pytest.raises(AssertionError):
            misspell()
