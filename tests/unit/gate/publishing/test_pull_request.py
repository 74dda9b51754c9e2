import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbir_gate.errors import PublishError
from sbir_gate.gate.publishing.github import GitHubError, SharedGateError
from sbir_gate.gate.publishing.pull_request import (
    MAX_CHARACTERS,
    State,
    digest_of,
    fitting,
    marker,
    publish_comment,
    read_marker,
    reason_to_leave,
)
from tests.fakes_github import Fault, connected

GATE = "enrichment"
SHA, NEXT_SHA = "a" * 40, "b" * 40
COMMENTS = "/issues/7/comments"


def state(sha=SHA, run=10, attempt=1, words="x", job=""):
    return State(sha, run, attempt, digest_of(words), job)


def body(text, gate=GATE, **facts):
    return f"{marker(gate, state(**facts))}\n{text}"


@pytest.fixture(autouse=True)
def pull(fake):
    return fake.add_pull(7, SHA)


def publish(api, *texts, gate=GATE, **facts):
    return publish_comment(api, 7, gate, texts or ("the verdict",), state(**facts))


class TestMarker:
    def test_it_is_read_back(self):
        assert read_marker(GATE, body("text")) == state()
        assert read_marker(GATE, body("text").replace("\n", "\r\n")) == state()

    def test_it_names_the_job_where_that_is_known(self):
        assert read_marker(GATE, body("text", job="gate-0")) == state(job="gate-0")
        assert " job=" not in body("text")

    def test_another_gate_has_its_own(self):
        assert read_marker(GATE, body("text", gate="enrichment-full")) is None
        assert read_marker("enrichment-full", body("text")) is None

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "no marker",
            f"> {body('quoted')}",
            f"\n{body('later')}",
            f" {body('moved')}",
            body("x").replace(f"head={SHA}", "head=main"),
            body("x").replace("attempt=1", "attempt=-1"),
            body("x").replace(" -->", ""),
            body("x").replace(" -->", " --> more"),
        ],
    )
    def test_only_a_whole_one_in_the_first_line_counts(self, text):
        assert read_marker(GATE, text) is None

    @pytest.mark.parametrize("gate", ["", "a b", "--> <b>", "x\ny", "Ä", "a" * 81])
    def test_a_gate_without_a_plain_name_has_none(self, gate):
        with pytest.raises(PublishError, match="has no name"):
            marker(gate, state())

    @given(st.text())
    def test_a_text_cannot_forge_one(self, text):
        assert read_marker(GATE, f"{marker(GATE, state())}\n{text}") == state()
        assert read_marker("other", f"{marker(GATE, state())}\n{text}") is None


class TestDecision:
    def test_the_first_comment_is_written(self):
        assert reason_to_leave(None, state(), SHA) == ""

    def test_a_run_on_an_old_commit_says_nothing(self):
        assert "moved on to bbbbbbbbbbbb" in reason_to_leave(None, state(), NEXT_SHA)
        assert "moved on" in reason_to_leave(state(sha=NEXT_SHA, run=11), state(run=12), NEXT_SHA)

    @pytest.mark.parametrize(("run", "attempt"), [(11, 1), (10, 2)])
    def test_of_two_runs_on_one_commit_the_later_counts(self, run, attempt):
        later, earlier = state(run=run, attempt=attempt, words="y"), state()
        assert "later run" in reason_to_leave(later, earlier, SHA)
        assert reason_to_leave(earlier, later, SHA) == ""

    def test_the_same_news_on_the_same_commit_are_not_told_again(self):
        assert "the same" in reason_to_leave(state(), state(run=11), SHA)

    def test_the_same_news_on_a_new_commit_are_told_of_that(self):
        assert reason_to_leave(state(), state(sha=NEXT_SHA), NEXT_SHA) == ""

    def test_a_branch_that_went_back_is_told_of_again(self):
        assert reason_to_leave(state(sha=NEXT_SHA, run=99), state(words="y"), SHA) == ""


class TestPublishing:
    def test_the_first_run_comments_and_the_next_changes_it(self, fake, api):
        first = publish(api, "one")
        fake.push(7, NEXT_SHA)
        second = publish(api, "two", sha=NEXT_SHA, run=11, words="y")
        assert fake.bodies(7) == [body("two", sha=NEXT_SHA, run=11, words="y")]
        assert first.url == second.url != ""
        assert first.is_written
        assert second.is_written

    def test_nothing_is_written_where_nothing_changed(self, fake, api):
        publish(api)
        again = publish(api, run=11)
        assert not again.is_written
        assert again.url.endswith(f"#issuecomment-{fake.comments[7][0]['id']}")
        assert fake.verbs() == [f"POST {COMMENTS}"]

    def test_each_gate_has_its_own_comment(self, fake, api):
        publish(api, gate="one")
        publish(api, gate="two")
        publish(api, gate="one", words="y", run=11)
        assert len(fake.comments[7]) == 2

    @pytest.mark.parametrize("attempt", [1, 2])
    def test_two_jobs_of_one_gate_name_do_not_overwrite_each_other(self, fake, api, attempt):
        publish(api, "first", job="gate-0")
        with pytest.raises(SharedGateError, match="job gate-0 of this run"):
            publish(api, "second", job="gate-1", attempt=attempt, words="y")
        assert fake.bodies(7) == [body("first", job="gate-0")]
        publish(api, "first again", job="gate-0", attempt=2, words="z")
        fake.push(7, NEXT_SHA)
        publish(api, "of the next push", sha=NEXT_SHA, run=11, job="gate-1", words="y")
        assert fake.bodies(7) == [body("of the next push", sha=NEXT_SHA, run=11, job="gate-1", words="y")]

    def test_our_comment_is_found_behind_hundreds_of_others(self, fake, api):
        for number in range(130):
            fake.add_comment(7, f"chat {number}", "octocat")
        publish(api, "one")
        for number in range(130):
            fake.add_comment(7, f"chat {number}", "octocat")
        publish(api, "two", words="y")
        assert len(fake.comments[7]) == 261
        assert fake.comments[7][130]["body"].endswith("two")

    @pytest.mark.parametrize("login", ["mallory", "dependabot[bot]", "github-actions"])
    def test_a_comment_of_somebody_else_with_our_marker_is_never_touched(self, fake, api, login):
        fake.add_comment(7, body("forged", run=10**9), login)
        assert publish(api, "ours").is_written
        assert fake.bodies(7) == [body("forged", run=10**9), body("ours")]

    def test_a_later_run_on_the_same_commit_keeps_its_word(self, fake, api):
        publish(api, "late", run=12, words="late")
        assert not publish(api, "early", run=11, words="early").is_written
        assert fake.bodies(7) == [body("late", run=12, words="late")]

    def test_a_run_on_an_old_commit_leaves_the_comment_of_the_new_one(self, fake, api):
        fake.push(7, NEXT_SHA)
        publish(api, "new", sha=NEXT_SHA, run=11)
        late = publish(api, "old", run=10, words="y")
        assert "moved on" in late.notes[0]
        assert fake.bodies(7) == [body("new", sha=NEXT_SHA, run=11)]

    def test_a_push_while_we_read_is_noticed_before_we_write(self, fake, api):
        publish(api, "old")
        fake.before = lambda asked: fake.push(7, NEXT_SHA) if asked.path.endswith(COMMENTS) else None
        assert not publish(api, "old again", run=11, words="y").is_written

    def test_of_two_comments_of_ours_the_newest_is_kept(self, fake, api):
        older = fake.add_comment(7, body("older", run=1))
        newer = fake.add_comment(7, body("newer", run=2))
        result = publish(api, "now", words="y")
        assert [comment["id"] for comment in fake.comments[7]] == [newer["id"]]
        assert older["html_url"] in result.notes[0]

    def test_a_comment_that_is_deleted_while_we_write_is_made_again(self, fake, api):
        publish(api, "one")
        fake.before = lambda asked: fake.comments[7].clear() if asked.verb == "PATCH" else None
        assert publish(api, "two", run=11, words="y").is_written
        assert fake.bodies(7) == [body("two", run=11, words="y")]

    @pytest.mark.parametrize("fault", [{"is_cut": True}, {"status": 502}, {"status": 500}])
    def test_an_answer_that_is_lost_makes_no_second_comment(self, fake, api, fault):
        fake.faults.append(Fault("POST", COMMENTS, is_done=True, **fault))
        assert publish(api).is_written
        assert len(fake.comments[7]) == 1

    def test_a_comment_that_did_not_arrive_is_sent_again(self, fake, api):
        fake.faults.append(Fault("POST", COMMENTS, 502))
        assert publish(api).is_written
        assert len(fake.comments[7]) == 1

    def test_a_server_that_takes_no_comment_at_all_is_given_up(self, fake, api):
        fake.faults.append(Fault("POST", COMMENTS, 502, times=99))
        with pytest.raises(GitHubError, match="502"):
            publish(api)
        assert len(fake.verbs()) == 3

    def test_a_locked_conversation_is_told_as_such(self, fake, api):
        fake.pulls[7]["locked"] = True
        with pytest.raises(GitHubError, match="issue is locked"):
            publish(api)


class TestSize:
    def test_the_fullest_text_that_fits_is_shown(self, fake, api):
        publish(api, "x" * MAX_CHARACTERS, "y" * 100, "z")
        assert fake.bodies(7) == [body("y" * 100)]

    def test_the_marker_counts(self):
        room = MAX_CHARACTERS - len(marker(GATE, state())) - 1
        assert fitting(GATE, ["x" * (room + 1), "y" * room], state()) == (body("y" * room),)

    def test_what_github_still_finds_too_long_is_made_shorter(self, fake, api):
        fake.faults.append(Fault("POST", COMMENTS, 422, "Body is too long", times=2))
        publish(api, "full", "half", "bare")
        assert fake.bodies(7) == [body("bare")]
        fake.faults.append(Fault("PATCH", "/comments/", 422, "Body is too long"))
        publish(api, "full", "half", run=11, words="y")
        assert fake.bodies(7) == [body("half", run=11, words="y")]

    def test_what_github_never_takes_is_an_error(self, fake, api):
        fake.faults.append(Fault("POST", COMMENTS, 422, "spam", times=9))
        with pytest.raises(GitHubError, match="spam"):
            publish(api, "full", "bare")

    def test_no_text_that_fits_is_an_error(self):
        with pytest.raises(PublishError, match="no text fits"):
            fitting(GATE, ["x" * MAX_CHARACTERS], state())


class TestAtOnce:
    def test_the_newer_of_two_runs_at_once_stays(self, fake, clock):
        publish(connected(fake, clock), "before")
        fake.push(7, NEXT_SHA)
        runs = [{"sha": SHA, "run": 11, "words": "old"}, {"sha": NEXT_SHA, "run": 12, "words": "new"}]
        threads = [
            threading.Thread(target=publish, args=(connected(fake, clock), run["words"]), kwargs=run)
            for run in runs
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert fake.bodies(7) == [body("new", sha=NEXT_SHA, run=12, words="new")]
