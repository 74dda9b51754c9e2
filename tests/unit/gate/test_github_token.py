import pytest

from sbir_gate.gate.github_token import token_of


@pytest.mark.parametrize(
    ("environment", "server"),
    [
        ({"GITHUB_TOKEN": "canary\n"}, "https://github.com"),
        ({"GH_TOKEN": "canary", "GITHUB_TOKEN": ""}, "https://github.com"),
        ({"SBIR_GATE_GITHUB_TOKEN": "canary", "GITHUB_TOKEN": "other"}, "https://github.com"),
        (
            {"GITHUB_TOKEN": "canary", "GITHUB_SERVER_URL": "https://ghe.example.org"},
            "https://ghe.example.org",
        ),
    ],
)
def test_the_token_of_the_job_is_for_the_jobs_server(environment, server):
    found = token_of(environment)
    assert (found.text, found.server_url) == ("canary", server)


def test_without_a_token_git_finds_its_own_way():
    assert token_of({"GITHUB_TOKEN": " "}) is None
