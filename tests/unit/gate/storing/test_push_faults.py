import pytest

from sbir_gate.gate.storing.push_faults import FaultKind, fault_of

# as git and GitHub say it
SAID = [
    (
        (
            "remote: Permission to o/r.git denied to github-actions[bot]. fatal: unable to access"
            " 'https://github.com/o/r/': The requested URL returned error: 403"
        ),
        FaultKind.PERMISSION,
    ),
    ("remote: Write access to repository not granted. fatal: unable to access", FaultKind.PERMISSION),
    (
        "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
        FaultKind.PERMISSION,
    ),
    ("git@github.com: Permission denied (publickey). fatal: Could not read", FaultKind.PERMISSION),
    (
        "remote: Repository not found. fatal: repository 'https://github.com/o/r/' not found",
        FaultKind.PERMISSION,
    ),
    (
        (
            "remote: error: GH006: Protected branch update failed for refs/heads/main. error: failed to push"
            " some refs ! x:refs/heads/main [remote rejected] (protected branch hook declined)"
        ),
        FaultKind.PROTECTED,
    ),
    ("remote: error: GH013: Repository rule violations found for refs/heads/main.", FaultKind.PROTECTED),
    ("error: failed to push some refs ! x:refs/heads/a [rejected] (fetch first)", FaultKind.RACE),
    ("error: failed to push some refs ! x:refs/heads/a [rejected] (non-fast-forward)", FaultKind.RACE),
    (
        "! x:refs/heads/a [remote rejected] (cannot lock ref 'refs/heads/a': is at 1 but expected 2)",
        FaultKind.RACE,
    ),
    ("! x:refs/heads/a [remote rejected] (reference already exists)", FaultKind.RACE),
    ("! x:refs/heads/a [remote rejected] (failed to update ref)", FaultKind.RACE),
    ("fatal: unable to access 'https://h/': Could not resolve host: h", FaultKind.NETWORK),
    ("fatal: unable to access 'https://h/': The requested URL returned error: 503", FaultKind.NETWORK),
    ("error: RPC failed; curl 56 GnuTLS recv error fatal: the remote end hung up", FaultKind.NETWORK),
    ("! x:refs/heads/a [remote rejected] (shallow update not allowed)", FaultKind.SHALLOW),
    ("fatal: bad object", FaultKind.OTHER),
    ("", FaultKind.OTHER),
]


@pytest.mark.parametrize(("words", "kind"), SAID)
def test_what_git_says_is_known_for_what_it_is(words, kind):
    fault = fault_of(words)
    assert fault.kind is kind
    assert fault.complaint
    assert fault.hint


def test_only_what_can_pass_by_is_tried_again():
    passing = {kind for words, kind in SAID if fault_of(words).is_transient}
    assert passing == {FaultKind.RACE, FaultKind.NETWORK}


def test_a_missing_permission_names_the_one_that_is_needed():
    assert "contents: write" in fault_of("error: 403").hint
