"""`sbir-gate help TOPIC`: every page is a topic, is packaged, and reads as plain text."""

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from sbir_gate.cli.help import help_, listing, plain_text, topics
from sbir_gate.errors import UsageError

ROOT = Path(__file__).parents[3]
PAGES = sorted((ROOT / "docs").rglob("*.md"))


def shown(*arguments):
    return CliRunner().invoke(help_, arguments, catch_exceptions=False).output


def test_the_topics_are_listed_with_one_line_each():
    lines = shown().splitlines()
    assert len(lines) == 1 + len(PAGES)
    assert all(len(line) <= 102 and len(line.split()) >= 4 for line in lines[1:])


@pytest.mark.parametrize("topic", ["metrics", "METRICS", "metrics.md", "docs/metrics.md"])
def test_a_page_is_shown_by_its_name(topic):
    assert shown(topic).startswith("METRICS\n=======\n")


def test_a_near_miss_is_suggested():
    with pytest.raises(UsageError) as caught:
        shown("metric")
    assert caught.value.hint == "did you mean metrics?"
    with pytest.raises(UsageError, match="no help topic 'zzz'"):
        shown("zzz")


@pytest.mark.parametrize("topic", topics())
def test_a_page_has_no_markdown_left(topic):
    text = plain_text(topics()[topic].read_text(encoding="utf-8"))
    assert "```" not in text
    assert "](" not in text
    assert "|---" not in text


def test_every_page_is_in_the_wheel():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    pages = {path.relative_to(ROOT).as_posix() for path in PAGES}
    assert {name for name in included if name.startswith("docs/")} == pages
    assert all(included[page] == f"sbir_gate/{page}" for page in pages)


def test_links_tables_and_code_become_text():
    page = "# A\n\nSee [policy.md](policy.md#x).\n\n| a | b |\n|---|--:|\n| 1 | `2` |\n\n```sh\nrun\n```\n"
    assert (
        plain_text(page) == "A\n=\n\nSee policy ('sbir-gate help policy').\n\n  a  b\n  1  `2`\n\n    run\n"
    )


def test_a_wide_table_becomes_paragraphs():
    page = f"# A\n\n| name | meaning |\n|---|---|\n| x | {'long ' * 30}|\n"
    assert "  x\n      meaning: long long" in plain_text(page)


def test_a_topic_without_text_has_a_line_too():
    assert listing({"empty": "# Empty\n"}).endswith("empty\n")
