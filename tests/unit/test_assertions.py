"""Every test can fail: it asserts something, itself or through a helper of the tests."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
# what asserts without the statement: pytest's own, the golden files, and what tests name so
ASSERTING = {"raises", "warns", "fail", "check_golden"}
ASSERTING_PREFIXES = ("assert_", "check_")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(module: ast.Module) -> list[Function]:
    return [node for node in ast.walk(module) if isinstance(node, Function)]


@cache  # asked again in each round of `asserting_helpers`
def called_names(function: Function) -> set[str]:
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}


@cache
def has_assertion(function: Function) -> bool:
    return any(isinstance(node, ast.Assert) for node in ast.walk(function))


def asserts(function: Function, helpers: set[str]) -> bool:
    names = called_names(function)
    return (
        has_assertion(function)
        or bool(names & (ASSERTING | helpers))
        or any(name.startswith(ASSERTING_PREFIXES) for name in names)
    )


def asserting_helpers(modules: dict[Path, ast.Module]) -> set[str]:
    """Return the names of functions that assert, or call one that does."""
    helpers = [each for module in modules.values() for each in functions(module)]
    found: set[str] = set()
    while True:
        more = {each.name for each in helpers if not each.name.startswith("test_") and asserts(each, found)}
        if more <= found:
            return found
        found |= more


def silent_tests(modules: dict[Path, ast.Module]) -> list[str]:
    """Return the tests that can only fail by an error."""
    helpers = asserting_helpers(modules)
    return [
        f"{path.name}:{each.lineno} {each.name}"
        for path, module in modules.items()
        for each in functions(module)
        if path.name.startswith("test_") and each.name.startswith("test_") and not asserts(each, helpers)
    ]


@pytest.mark.slow
def test_every_test_asserts_something():
    modules = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(TESTS.rglob("*.py"))}
    assert silent_tests(modules) == []


@pytest.mark.parametrize(
    ("body", "is_silent"),
    [
        ("run()", True),
        ("print('assert x')", True),
        ("assert run()", False),
        ("with pytest.raises(ValueError): run()", False),
        ("check_golden('a.md', run())", False),
        ("outer()", False),
        ("for x in []: assert x", False),
    ],
)
def test_a_test_that_only_runs_something_is_found(body, is_silent):
    source = f"def inner():\n    assert 1\ndef outer():\n    inner()\ndef test_it():\n    {body}\n"
    assert bool(silent_tests({Path("test_x.py"): ast.parse(source)})) is is_silent
