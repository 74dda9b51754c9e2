"""What a release is made of: the tag, the notes, and what the wheel says of itself."""

import runpy
import subprocess
from pathlib import Path

import pytest

RELEASE = Path(__file__).parents[2] / ".github" / "release"
HOOK = runpy.run_path(str(RELEASE / "metadata_hook.py"))
TAG = runpy.run_path(str(RELEASE / "check_tag.py"))
ADDRESS = "https://github.com/example-org/sbir-gate"
CODE = '__version__ = "1.2.0"\n'
CHANGELOG = """# Changelog

## [Unreleased]

## [1.2.0] - 2026-05-01

### Added

- Something.

## [1.1.0] - 2026-04-01

- Older.
"""


def test_the_notes_are_the_section_of_the_version():
    assert TAG["release_notes"]("v1.2.0", CODE, CHANGELOG) == "### Added\n\n- Something.\n"


@pytest.mark.parametrize(
    ("tag", "changelog", "words"),
    [
        ("v1.2.1", CHANGELOG, "the version is 1.2.0, the tag v1.2.1"),
        ("v1.2.0", CHANGELOG.replace("1.2.0", "1.2"), "no section '## [1.2.0] - YYYY-MM-DD'"),
        ("v1.2.0", CHANGELOG.replace("### Added\n\n- Something.\n", ""), "no section"),
        ("v1.2.0", "", "no section"),
    ],
)
def test_a_release_that_says_not_what_it_is_is_refused(tag, changelog, words):
    with pytest.raises(ValueError, match=r"CHANGELOG|__init__") as refused:
        TAG["release_notes"](tag, CODE, changelog)
    assert words in str(refused.value)


def test_the_command_refuses_another_tag_and_says_how_it_is_called(capsys):
    assert TAG["main"](["v0.0.0"]) == 2
    assert TAG["main"]([]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "change one of them" in said.err
    assert "usage: check_tag.py TAG" in said.err


@pytest.mark.parametrize(
    "origin",
    [
        "https://github.com/example-org/sbir-gate",
        "https://github.com/example-org/sbir-gate.git",
        "git@github.com:example-org/sbir-gate.git",
        "ssh://git@github.com/example-org/sbir-gate/",
    ],
)
def test_the_address_is_that_of_the_checkout(origin, tmp_path, monkeypatch):
    monkeypatch.delenv(HOOK["VARIABLE"], raising=False)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    assert HOOK["repository_address"](tmp_path) == ""
    subprocess.run(["git", "-C", str(tmp_path), "remote", "add", "origin", origin], check=True)
    assert HOOK["repository_address"](tmp_path) == ADDRESS
    # a folder within another repository is not that repository
    (tmp_path / "inner").mkdir()
    assert HOOK["repository_address"](tmp_path / "inner") == ""


@pytest.mark.parametrize(
    "named", ["/home/someone/sbir-gate", "https://name:token@github.com/o/n", "file:///x"]
)
def test_an_address_that_is_none_or_holds_a_secret_is_not_published(named, tmp_path, monkeypatch):
    monkeypatch.setenv(HOOK["VARIABLE"], named)
    assert HOOK["repository_address"](tmp_path) == ""


def test_links_of_the_readme_hold_outside_of_the_repository():
    page = '[a](docs/a.md#b) [c](#here) [d](https://example.org/x) <img src="docs/p.png">'
    assert HOOK["absolute_links"](page, ADDRESS, "v1.2.0") == (
        f"[a]({ADDRESS}/blob/v1.2.0/docs/a.md#b) [c](#here) [d](https://example.org/x)"
        f' <img src="{ADDRESS}/raw/v1.2.0/docs/p.png">'
    )
