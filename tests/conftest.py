"""What all tests share: the factories on the path, and golden files with a one-command update."""

from __future__ import annotations

import gc
import itertools
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.browser import Browser

# each profile tries the same examples every time, without a deadline that a busy machine would miss
for profile, examples in (("fast", 10), ("more", 60), ("full", 150)):
    settings.register_profile(profile, derandomize=True, deadline=None, max_examples=examples)

TESTS = Path(__file__).parent

# tests import one another's factories as tests.factories, however pytest was started
sys.path.insert(0, str(TESTS.parent))


# thousands of tests are made and stay: looking through them for garbage again and again frees nothing
gc.disable()


def pytest_collection_finish() -> None:
    """Keep the collector of garbage to what tests make."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """Let go of all, or DuckDB complains at the end of what was never freed."""
    gc.unfreeze()


NUMBERS = itertools.count()


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder: pytest's own fixture looks through those of all tests before for a free number."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    return tmp_path_factory.mktemp(f"{name}{next(NUMBERS)}", numbered=False)


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


BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
MISSING_CHROMIUM = "no Chromium: run 'sudo apt-get install chromium chromium-driver' to test the pages"


def has_chromium() -> bool:
    """Say whether a browser and its driver are installed."""
    return any(map(shutil.which, BROWSERS)) and shutil.which("chromedriver") is not None


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give a headless Chromium; where it is missing the test is skipped."""
    if not has_chromium():
        pytest.skip(MISSING_CHROMIUM)
    # loaded here: most tests need no browser, and it takes a while to load its driver
    driving = pytest.importorskip("tests.browser")
    with driving.open_browser() as found:
        yield found


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Browser], list[str]]:
    """Give what names the serious violations of accessibility on the page that is open."""
    if shutil.which("npm") is None:
        pytest.skip("no npm: run 'sudo apt-get install npm' to check the accessibility of pages")
    driving = pytest.importorskip("tests.browser")
    source = driving.fetch_axe(tmp_path_factory.mktemp("axe"))
    return lambda opened: driving.serious_violations(opened, source)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what cannot be tested here."""
    if not has_chromium():
        terminalreporter.write_line(f"{MISSING_CHROMIUM}; those tests are skipped")
