import pytest

from sbir_gate.errors import PublishError
from sbir_gate.gate.publishing.baseline_pull_request import baseline_proposal, propose
from sbir_gate.gate.publishing.github import GitHubError
from tests.fakes_github import Fault

OWNER = "octo-org"
RUN = "https://github.example/octo-org/octo-repo/actions/runs/10"


def proposal(commit="a" * 40):
    return baseline_proposal("enrichment", "main", commit, RUN)


def test_the_first_proposal_opens_a_pull_request(fake, api):
    result = propose(api, OWNER, proposal())
    (pull,) = fake.pulls.values()
    assert (pull["head"]["ref"], pull["base"]["ref"]) == ("sbir-gate/baseline-enrichment", "main")
    assert "aaaaaaaaaaaa" in pull["title"]
    assert RUN in pull["body"]
    assert (result.url, result.is_written) == (pull["html_url"], True)


def test_the_next_brings_the_same_one_up_to_date(fake, api):
    propose(api, OWNER, proposal())
    result = propose(api, OWNER, proposal("b" * 40))
    (pull,) = fake.pulls.values()
    assert "bbbbbbbbbbbb" in pull["title"]
    assert result.is_written


def test_the_same_proposal_again_writes_nothing(fake, api):
    propose(api, OWNER, proposal())
    fake.pulls[1]["body"] = fake.pulls[1]["body"].replace("\n", "\r\n")
    assert not propose(api, OWNER, proposal()).is_written
    assert fake.verbs() == ["POST /pulls"]


def test_one_that_was_closed_stays_so_and_a_new_one_is_opened(fake, api):
    propose(api, OWNER, proposal())
    fake.pulls[1]["state"] = "closed"
    propose(api, OWNER, proposal())
    assert [pull["state"] for pull in fake.pulls.values()] == ["closed", "open"]


def test_a_fork_with_a_branch_of_that_name_is_not_taken_for_ours(fake, api):
    fake.add_pull(5, "c" * 40, head="mallory/octo-repo", ref="sbir-gate/baseline-enrichment")
    fake.pulls[5]["state"] = "closed"
    assert propose(api, OWNER, proposal()).url.endswith("/6")


@pytest.mark.parametrize("fault", [{"is_cut": True}, {"status": 502}, {"status": 422}])
def test_a_pull_request_that_is_there_after_all_is_found(fake, api, fault):
    fake.faults.append(Fault("POST", "/pulls$", is_done=True, **fault))
    propose(api, OWNER, proposal())
    assert len(fake.pulls) == 1


def test_a_branch_that_changes_nothing_is_told_as_such(fake, api):
    fake.faults.append(Fault("POST", "/pulls$", 422, "No commits between main and sbir-gate/baseline-x"))
    with pytest.raises(PublishError, match="No commits between") as raised:
        propose(api, OWNER, proposal())
    assert "was pushed" in raised.value.hint


def test_a_missing_permission_is_told_as_such(fake, api):
    fake.is_read_only = True
    with pytest.raises(GitHubError, match="may not"):
        propose(api, OWNER, proposal())


def test_a_commit_that_is_none_is_not_shown():
    text = proposal("](https://evil.example) @everyone")
    assert "evil" not in text.title + text.body
