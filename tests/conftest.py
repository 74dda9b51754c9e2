"""What all tests share: the factories on the path, and golden files with a one-command update."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# each profile tries the same examples every time, without a deadline that a busy machine would miss
for profile, examples in (("fast", 15), ("full", 150)):
    settings.register_profile(profile, derandomize=True, deadline=None, max_examples=examples)

TESTS = Path(__file__).parent

# tests import one another's factories as tests.factories, however pytest was started
sys.path.insert(0, str(TESTS.parent))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files anew instead of comparing with them",
    )


@pytest.fixture
def check_golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with tests/golden/<name>, or write it there with --update-golden."""

    def check(name: str, text: str) -> None:
        path = TESTS / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))
        assert path.exists(), f"no golden file {name}: run 'make golden' and read the difference"
        assert text == path.read_bytes().decode("utf-8"), f"{name} differs: if it should, run 'make golden'"

    return check
