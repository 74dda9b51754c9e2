import base64
from pathlib import Path

import pytest

from sbir_gate.errors import UsageError
from sbir_gate.gate.storing.credentials import Token, with_token
from sbir_gate.gate.storing.git import Git
from tests.factories_git import ENVIRONMENT, make_repository

CANARY = "ghs_canary0123456789"
SERVER = "https://github.com"
URL = "https://github.com/o/r"
BASIC = base64.b64encode(f"x-access-token:{CANARY}".encode()).decode()


def shown(url, server=SERVER, environment=ENVIRONMENT, folder=Path()):
    """Return the headers that git would send to a URL, as git itself works them out."""
    git = with_token(Git(folder, environment), Token(CANARY, server), [url])
    return git.ask("config", "--get-urlmatch", "http.extraheader", url).line


@pytest.mark.parametrize(
    "url", [URL, f"{URL}.git", "https://me@github.com/o/r", "https://github.com:443/o/r"]
)
def test_the_server_of_the_token_sees_it(url):
    assert shown(url) == f"AUTHORIZATION: basic {BASIC}"


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com.evil.example/o/r",
        "https://gitlab.com/o/r",
        "http://github.com/o/r",
        "https://github.com:8443/o/r",
        "https://github.com@evil.example/o/r",
        "git@github.com:o/r.git",
        "ssh://git@github.com/o/r",
        "file:///tmp/x",
        "../x",
        "https://[",
        "https://github.com:port/o/r",
        "",
    ],
)
def test_nobody_else_does(url):
    git = with_token(Git(Path(), ENVIRONMENT), Token(CANARY, SERVER), [url])
    assert git == Git(Path(), ENVIRONMENT)


def test_a_server_of_ones_own_is_a_server():
    assert shown("http://127.0.0.1:81/o/r", "http://127.0.0.1:81/") == f"AUTHORIZATION: basic {BASIC}"


def test_it_comes_after_what_is_set_in_the_same_way():
    environment = ENVIRONMENT | {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "/x",
    }
    git = with_token(Git(Path(), environment), Token(CANARY, SERVER), [URL])
    assert git.ask("config", "--get-all", "safe.directory").line == "/x"
    assert git.added["GIT_CONFIG_COUNT"] == "3"


def test_both_addresses_of_a_remote_are_given_it_once():
    git = with_token(Git(Path(), ENVIRONMENT), Token(CANARY, SERVER), [URL, f"{URL}.git", URL])
    assert git.added["GIT_CONFIG_COUNT"] == "4"


def test_it_is_shown_to_nobody(tmp_path):
    token = Token(CANARY, SERVER)
    git = with_token(Git(make_repository(tmp_path).folder, ENVIRONMENT), token, [URL])
    for text in (repr(token), repr(git), str(git)):
        assert CANARY not in text
        assert BASIC not in text
    # an error of git that repeats it
    for secret in (CANARY, BASIC):
        assert secret not in git.ask("rev-parse", "--verify", "--end-of-options", f"x{secret}y").complaint
        assert secret not in git.ask(secret).complaint


@pytest.mark.parametrize("text", ["a\nb", "a b", "a\r", "ä", "a\0b"])
def test_what_could_be_no_token_is_refused_and_not_repeated(text):
    with pytest.raises(UsageError) as caught:
        Token(text, SERVER)
    assert text not in caught.value.message


def test_without_a_token_git_finds_its_own_way():
    assert with_token(Git(Path(), ENVIRONMENT), None, [URL]) == Git(Path(), ENVIRONMENT)
