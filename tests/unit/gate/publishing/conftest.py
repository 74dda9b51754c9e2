"""A fake GitHub, and the edge to it, for the tests of publishing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sbir_gate.gate.publishing.github_api import GitHubApi
from tests.fakes_github import FakeClock, FakeGitHub, connected, github


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def api(fake: FakeGitHub, clock: FakeClock) -> GitHubApi:
    return connected(fake, clock)
