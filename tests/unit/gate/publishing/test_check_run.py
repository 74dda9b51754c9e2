import pytest

from sbir_gate.gate.publishing.check_run import (
    MAX_SUMMARY_CHARACTERS,
    CheckPlace,
    begin_check,
    cancel_check,
    check_key,
    complete_check,
    conclusion_of,
)
from sbir_gate.gate.publishing.github import CheckText, Conclusion, GitHubError, SharedGateError
from sbir_gate.model.publication import Annotation, AnnotationLevel
from sbir_gate.model.verdict import Outcome
from tests.fakes_github import Fault

SHA = "a" * 40
PLACE = CheckPlace("enrichment", SHA, check_key(10, 1), "https://github.example/run/10")
NAME = "sbir-gate / enrichment"


def remarks(count, path="config/base.yaml"):
    return [
        Annotation(AnnotationLevel.FAILURE, f"remark {number}", "why", path, number + 1)
        for number in range(count)
    ]


def complete(api, *summaries, place=PLACE, annotations=()):
    return complete_check(
        api, place, Conclusion.FAILURE, "fail: slower", summaries or ("**why**",), annotations
    )


@pytest.mark.parametrize(
    ("outcome", "conclusion"),
    [
        (Outcome.PASS, "success"),
        (Outcome.WARN, "success"),
        (Outcome.FAIL, "failure"),
        (Outcome.ERROR, "failure"),
        (Outcome.INCOMPARABLE, "failure"),
        (Outcome.INCONCLUSIVE, "neutral"),
        (Outcome.NO_BASELINE, "neutral"),
    ],
)
def test_a_check_ends_as_the_gate_does(outcome, conclusion):
    assert conclusion_of(outcome) == conclusion


def test_an_inconclusive_verdict_fails_the_check_where_it_fails_the_gate():
    assert conclusion_of(Outcome.INCONCLUSIVE, fails_on_inconclusive=True) is Conclusion.FAILURE
    assert conclusion_of(Outcome.NO_BASELINE, fails_on_inconclusive=True) is Conclusion.NEUTRAL


def test_a_check_that_was_begun_is_the_one_that_ends(fake, api):
    begun = begin_check(api, PLACE)
    assert [check["status"] for check in fake.checks] == ["in_progress"]
    ended = complete(api)
    assert ended.number == begun.number
    (check,) = fake.checks
    assert (check["name"], check["head_sha"], check["status"]) == (NAME, SHA, "completed")
    assert (check["conclusion"], check["output"]["title"]) == ("failure", "fail: slower")
    assert check["details_url"] == "https://github.example/run/10"


def test_a_check_that_nobody_began_is_made_whole(fake, api):
    complete(api)
    assert [(check["name"], check["status"]) for check in fake.checks] == [(NAME, "completed")]


def test_the_check_of_another_attempt_is_left_alone(fake, api):
    begin_check(api, CheckPlace("enrichment", SHA, check_key(10, 2), "https://github.example/run/10"))
    complete(api)
    assert [check["status"] for check in fake.checks] == ["in_progress", "completed"]


def test_the_check_of_another_gate_is_left_alone(fake, api):
    begin_check(api, CheckPlace("other", SHA, check_key(10, 1), "https://github.example/run/10"))
    complete(api)
    assert [check["status"] for check in fake.checks] == ["in_progress", "completed"]


def test_the_check_of_a_cancelled_run_ends(fake, api):
    begun = begin_check(api, PLACE)
    assert cancel_check(api, PLACE, CheckText("cancelled", "why")).number == begun.number
    (check,) = fake.checks
    assert (check["status"], check["conclusion"]) == ("completed", "cancelled")


def test_a_check_that_ended_before_the_run_was_cancelled_stays_as_it_is(fake, api):
    begin_check(api, PLACE)
    complete(api)
    assert cancel_check(api, PLACE, CheckText("cancelled", "why")) is None
    assert [check["conclusion"] for check in fake.checks] == ["failure"]


def test_a_cancelled_run_leaves_the_check_of_the_next_attempt_alone(fake, api):
    begin_check(api, CheckPlace("enrichment", SHA, check_key(10, 2), "https://github.example/run/10"))
    assert cancel_check(api, PLACE, CheckText("cancelled", "why")) is None
    assert [check["status"] for check in fake.checks] == ["in_progress"]


def test_annotations_are_sent_in_portions_that_github_takes(fake, api):
    begun = begin_check(api, PLACE)
    complete(api, annotations=remarks(120))
    told = fake.annotations[begun.number]
    assert [each["title"] for each in told] == [f"remark {number}" for number in range(120)]
    sent = [len(each.body["output"]["annotations"]) for each in fake.asked if each.verb == "PATCH"]
    assert sent == [50, 50, 20]
    assert fake.checks[0]["status"] == "completed"


def test_the_check_has_ended_before_further_annotations_are_sent(fake, api):
    begin_check(api, PLACE)
    fake.faults.append(Fault("PATCH", "/check-runs/", 403, after=1))
    with pytest.raises(GitHubError):
        complete(api, annotations=remarks(60))
    assert fake.checks[0]["status"] == "completed"


def test_remarks_on_no_file_are_not_for_a_check(fake, api):
    check = complete(api, annotations=[*remarks(2, path=""), *remarks(1)])
    assert len(fake.annotations[check.number]) == 1


def test_the_fullest_summary_that_fits_is_shown(fake, api):
    complete(api, "x" * (MAX_SUMMARY_CHARACTERS + 1), "short")
    assert fake.checks[0]["output"]["summary"] == "short"


def test_a_check_ends_even_if_github_takes_none_of_its_texts(fake, api):
    begin_check(api, PLACE)
    fake.faults.append(Fault("PATCH", "/check-runs/", 422, "too long", times=2))
    complete(api, "full", "bare", annotations=remarks(1))
    (check,) = fake.checks
    assert (check["status"], check["conclusion"]) == ("completed", "failure")
    assert check["output"]["summary"] == "fail: slower"


def test_a_check_without_any_text_that_fits_ends_with_its_title(fake, api):
    complete(api, "x" * 70_000)
    assert fake.checks[0]["output"]["summary"] == "fail: slower"


class TestTwoJobsOfOneGateName:
    """Legs of a matrix that share a name: the second leaves the check of the first alone, and says so."""

    def place(self, job, attempt=1, run=10):
        return CheckPlace("enrichment", SHA, check_key(run, attempt, job), "https://github.example/run/10")

    def test_the_second_begins_none(self, fake, api):
        begin_check(api, self.place("gate-0"))
        with pytest.raises(SharedGateError, match="job gate-0 of this run publishes as the gate enrichment"):
            begin_check(api, self.place("gate-1"))
        assert len(fake.checks) == 1

    def test_the_second_ends_none(self, fake, api):
        complete(api, "first", place=self.place("gate-0"))
        with pytest.raises(SharedGateError):
            complete(api, "second", place=self.place("gate-1", attempt=2))
        assert [check["output"]["summary"] for check in fake.checks] == ["first"]

    def test_a_job_that_runs_again_has_its_check(self, fake, api):
        complete(api, "first", place=self.place("gate-0"))
        complete(api, "again", place=self.place("gate-0", attempt=2))
        complete(api, "another run", place=self.place("gate-1", run=11))
        assert len(fake.checks) == 3

    def test_those_that_began_at_one_moment_both_end_and_the_later_says_so(self, fake, api):
        for job in ("gate-0", "gate-1"):
            place = self.place(job)
            api.begin_check_run(SHA, NAME, place.key, place.details_url)
        with pytest.raises(SharedGateError):
            complete(api, "second", place=self.place("gate-1"))
        complete(api, "first", place=self.place("gate-0"))
        assert {check["status"] for check in fake.checks} == {"completed"}

    def test_a_check_without_a_job_is_of_no_other(self, fake, api):
        complete(api, "by a script", place=PLACE)
        complete(api, "by the action", place=self.place("gate-0"))
        assert len(fake.checks) == 2
