import pytest

from sbir_gate.pipeline.new_gate.action_address import UNKNOWN, Installation, action_address, host_of

COMMIT = "1" * 40
VCS = {"vcs": "git", "commit_id": COMMIT, "requested_revision": "v1"}
EDITABLE = {"url": "file:///home/a/gate", "dir_info": {"editable": True}}
SOURCE = ("https://github.com/acme/sbir-gate",)
CASES = {
    "from a tag": (
        Installation({"url": "https://github.com/acme/sbir-gate.git", "vcs_info": VCS}, (), "1.2.0"),
        f"acme/sbir-gate@{COMMIT}",
    ),
    "over ssh": (
        Installation({"url": "ssh://git@github.com/acme/sbir-gate", "vcs_info": VCS}, (), "1.2.0"),
        f"acme/sbir-gate@{COMMIT}",
    ),
    "from an index": (Installation(None, SOURCE, "1.2.0"), "acme/sbir-gate@v1.2.0"),
    "from a clone": (
        Installation(EDITABLE, (), "1.2.0", "git@github.com:acme/sbir-gate.git", COMMIT, is_pushed=True),
        f"acme/sbir-gate@{COMMIT}",
    ),
    "from a clone with a commit of its own": (
        Installation(EDITABLE, SOURCE, "1.2.0", "git@github.com:acme/sbir-gate.git", COMMIT),
        UNKNOWN,
    ),
    "from a clone of a folder": (
        Installation(EDITABLE, (), "1.2.0", "/srv/git/gate", COMMIT, is_pushed=True),
        UNKNOWN,
    ),
    "from another host": (
        Installation({"url": "https://git.example.org/acme/sbir-gate", "vcs_info": VCS}, (), "1.2.0"),
        UNKNOWN,
    ),
    "a commit that is none": (
        Installation({"url": SOURCE[0], "vcs_info": {"commit_id": "x: y"}}, (), "1.2.0"),
        UNKNOWN,
    ),
    "nothing is known": (Installation(None, (), ""), UNKNOWN),
}


@pytest.mark.parametrize(("found", "address"), CASES.values(), ids=CASES)
def test_the_address_is_the_one_that_the_program_is_from(found, address):
    assert action_address(found) == address


def test_a_server_of_ones_own_has_its_own_actions():
    installed = Installation({"url": "https://git.example.org/acme/sbir-gate", "vcs_info": VCS}, (), "1")
    assert action_address(installed, host_of("git@git.example.org:team/pipeline.git")).startswith("acme/")
    assert host_of("/srv/git/pipeline") == "github.com"
