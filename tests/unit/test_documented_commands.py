"""Every block of shell commands on a page: run by a test, or marked with the reason why not; and sound."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from sbir_gate.cli import options
from sbir_gate.cli.application import application
from sbir_gate.errors import UsageError
from tests.documentation import FENCE, PAGES, ROOT, gate_calls, names_in, place, shell_blocks

BLOCKS = [block for page in PAGES for block in shell_blocks(page)]
MAKE_TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
COMMAND_LINE = re.compile(
    r"^ *(?:\$ )?(?:\.venv/bin/)?(?:sbir-gate|make|pip|dg|python -m) +[a-z\"'-].*$", re.MULTILINE
)


def refusal(arguments):
    """Return why the program refuses a call, or nothing: verbs, options, values, what is missing."""
    command, context, rest = application, click.Context(application), list(arguments)
    try:
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            name, command, rest = command.resolve_command(context, rest)
            context = click.Context(command, parent=context, info_name=name)
        if not isinstance(command, click.Group):
            command.make_context(command.name, rest)
    except (click.UsageError, UsageError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_the_program_accepts_every_call_in_a_block(block, monkeypatch):
    monkeypatch.setattr(options, "path_of", Path)  # what reads an address need not be installed
    refused = {line: refusal(call) for line in block.lines for call in gate_calls(line)}
    assert {line: text for line, text in refused.items() if text} == {}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (["launch"], "No such command"),
        (["report", "run.json", "--format", "pdf"], "must be one of"),
        (["run", "--repeats", "many"], "'many'"),
        (["report"], "Missing"),
        (["run", "--fast"], "No such option"),
    ],
)
def test_what_the_program_refuses_is_noticed(call, words):
    assert words in refusal(call)


def test_a_comment_before_a_block_is_one_that_the_tests_know():
    assert [f"{block.place}: {block.mark}" for block in BLOCKS if not block.is_mark_known] == []


def test_a_test_that_is_said_to_run_a_block_is_there():
    named = {block.place: block.test for block in BLOCKS if block.test is not None}
    assert named
    assert {where: test for where, test in named.items() if test[1] not in names_in(ROOT / test[0])} == {}


def test_targets_and_modules_in_blocks_exist():
    text = "\n".join(line for block in BLOCKS for line in block.lines)
    assert set(re.findall(r"^make ([a-z]+)", text, re.MULTILINE)) <= MAKE_TARGETS
    modules = {name.replace(".", "/") + ".py" for name in re.findall(r"python -m (tests[\w.]+)", text)}
    files = modules | set(re.findall(r"python (tests/[\w/]+\.py)", text))
    assert len(files) > 5
    packages = {name for name in files if (ROOT / name.removesuffix(".py") / "__main__.py").exists()}
    assert [name for name in sorted(files - packages) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_commands_are_in_shell_blocks(page):
    # or no test would look at them
    text = page.read_text(encoding="utf-8")
    others = [body for language, body in FENCE.findall(text) if language in {"", "text"}]
    indented = re.findall(r"(?<=\n\n)    .*$", FENCE.sub("", text), re.MULTILINE)
    assert [line for code in [*others, *indented] for line in COMMAND_LINE.findall(code)] == []
